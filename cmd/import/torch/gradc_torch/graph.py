"""A graph of gradc's IR under construction, and its text."""
import json
import math

import torch

from .errors import Refused

DTYPES = {
    torch.float64: "f64", torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16",
    torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8",
    torch.uint8: "u8", torch.bool: "bool",
}
if hasattr(torch, "uint64"):
    DTYPES[torch.uint64] = "u64"
FLOATS = ("f64", "f32", "f16", "bf16")


class Value:
    """A value of the graph: its name, dtype (as in the IR) and shape (integers, or texts such as "4*B")."""

    def __init__(self, name, dtype, shape):
        self.name, self.dtype, self.shape = name, dtype, list(shape)

    @property
    def rank(self):
        return len(self.shape)

    @property
    def floating(self):
        return self.dtype in FLOATS

    def type(self):
        return "%s[%s]" % (self.dtype, ",".join(str(n) for n in self.shape))


def symbolic(x):
    """Whether this is a size that no number stands for."""
    return not isinstance(x, Value) and hasattr(x, "node")


def element(x, dtype):
    """A number as PyTorch makes it one of dtype: of integers towards zero, of unsigned ones modulo their range, of bool
    whether it is not zero."""
    if dtype in FLOATS:
        return int(x) if isinstance(x, bool) else x
    if dtype == "bool":
        return bool(x)
    if not math.isfinite(x):
        raise Refused("%s as an element of %s" % (x, dtype))
    return int(x) + (2 ** int(dtype[1:]) if dtype[0] == "u" and x <= -1 else 0)


def number(x):
    """A literal as JSON has it."""
    if isinstance(x, (list, tuple)):
        return [number(y) for y in x]
    if symbolic(x):
        raise Refused("a number that depends on a symbolic dimension")
    if isinstance(x, float) and not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    if isinstance(x, bool) or not isinstance(x, int) or abs(x) < 2 ** 53:
        return x
    return str(x)


class Graph:
    """Sections of the IR in order. Values are added by `op`; names are made unique."""

    def __init__(self, name):
        self.name = name
        self.doc = None
        self.dims, self.inputs, self.params, self.buffers, self.constants = {}, {}, {}, {}, {}
        self.nodes, self.outputs, self.updates, self.functions = [], {}, {}, {}
        self.loss = None
        self.taken = set()
        self.scope = None

    def fresh(self, base):
        name, n = base, 1
        while name in self.taken:
            n += 1
            name = "%s.%d" % (base, n)
        self.taken.add(name)
        return name

    def op(self, op, operands, dtype, shape, /, **attrs):
        """One node with one result. operands: values and numbers; attrs that are None are left out."""
        return self.ops(op, operands, [(dtype, shape)], **attrs)[0]

    def ops(self, op, operands, results, /, **attrs):
        """One node; results: (dtype, shape) each, None for one that is dropped."""
        out = [r and Value(self.fresh(op), *r) for r in results]
        node = {"out": out[0].name if len(out) == 1 else [v and v.name for v in out], "op": op}
        if operands:
            node["in"] = [x.name if isinstance(x, Value) else number(x) for x in operands]
        attrs = {k: number(v) for k, v in attrs.items() if v is not None}
        if attrs:
            node["attrs"] = attrs
        if self.scope:
            node["scope"] = self.scope
        self.nodes.append(node)
        return out

    def input(self, name, dtype, shape):
        """An input of a function."""
        value = Value(self.fresh(name), dtype, shape)
        self.inputs[value.name] = value.type()
        return value

    def function(self, body):
        """The name of a function, which is a graph of inputs, nodes and outputs; equal ones are one."""
        parts = {"inputs": body.inputs, "nodes": body.nodes, "outputs": body.outputs}
        for name, known in self.functions.items():
            if known == parts:
                return name
        name, n = body.name, 1
        while name in self.functions:
            n += 1
            name = "%s.%d" % (body.name, n)
        self.functions[name] = parts
        return name

    def text(self):
        """The IR, an entry a line."""
        parts = ['  "gradc": 1', '  "name": %s' % json.dumps(self.name)]
        if self.doc:
            parts.append('  "doc": %s' % json.dumps(self.doc))
        for key in ("dims", "inputs", "params", "buffers", "constants", "nodes", "outputs", "updates"):
            if getattr(self, key):
                parts.append(section(key, getattr(self, key), "  "))
        if self.loss:
            parts.append('  "loss": %s' % json.dumps(self.loss))
        if self.functions:
            each = ["    %s: {\n%s\n    }" % (json.dumps(name), ",\n".join(section(k, v, " " * 6) for k, v in f.items()))
                    for name, f in self.functions.items()]
            parts.append('  "functions": {\n%s\n  }' % ",\n".join(each))
        return "{\n%s\n}\n" % ",\n".join(parts)


def section(key, entries, margin):
    """An object or a list, an entry a line."""
    named = isinstance(entries, dict)
    lines = ["%s: %s" % (json.dumps(k), json.dumps(v)) for k, v in entries.items()] if named else map(json.dumps, entries)
    return '%s"%s": %s\n%s\n%s%s' % (margin, key, "{" if named else "[", ",\n".join("%s  %s" % (margin, x) for x in lines),
                                     margin, "}" if named else "]")
