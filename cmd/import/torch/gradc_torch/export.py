"""From a traced program to the files of a model."""
import contextlib
import copy
import difflib
import os
import re

import torch
import torch.nn.functional as F
from torch.utils import _pytree as pytree

from . import (rules, rules_backward, rules_window, rules_index, rules_linalg, rules_norm, rules_order,     # noqa: F401
               rules_random, rules_recurrent, rules_special)                # they add rules
from .errors import ExportError
from .graph import DTYPES, Graph, Value, element, number, symbolic
from .program import Program, argument_names, output_names
from .safetensors import write

if hasattr(torch, "export"):
    from .trace import trace
else:                          # PyTorch 1.13
    from .trace113 import trace

SIZES = tuple(getattr(torch, name) for name in ("SymInt", "SymFloat") if hasattr(torch, name))
INLINE = 16                    # a constant of at most so many elements stands in the IR itself


def dtype_name(dtype):
    return str(dtype).replace("torch.", "")


class Call:
    """One op being translated: its results' types, and where in the user's program it stands."""

    def __init__(self, exporter, node):
        self.exporter, self.node, self.g = exporter, node, exporter.g
        val = node.meta["val"]
        self.results = [exporter.type(v) if isinstance(v, torch.Tensor) else None
                        for v in (val if isinstance(val, (tuple, list)) else [val])]

    def op(self, op, operands, dtype=None, /, **attrs):
        """A node of the first result's shape and, unless another is given, dtype."""
        first = self.results[0]
        return self.g.op(op, operands, dtype or first[0], first[1], **attrs)

    def cast(self, x, dtype):
        """A value or a number as one of dtype."""
        if isinstance(x, (bool, int, float)):
            return element(x, dtype)
        if not isinstance(x, Value) or x.dtype == dtype:
            return x
        return self.g.op("cast", [x], dtype, x.shape, type=dtype)

    def reshape(self, x, shape):
        return x if x.shape == list(shape) else self.g.op("reshape", [x], x.dtype, shape, shape=list(shape))

    def full(self, value, dtype, shape):
        """A constant of equal elements; value: a number."""
        value = self.cast(value, dtype)
        return self.g.op("full", [], dtype, shape, value=int(value) if dtype == "bool" else value, shape=shape, type=dtype)

    def value(self, x, dtype):
        """A size as a value: the sum of so many ones."""
        if not symbolic(x):
            return x
        return self.g.op("sum", [self.full(1, dtype, [self.exporter.size(x)])], dtype, [])

    def key(self):
        return self.exporter.key()

    def indices(self, at):
        """A constant vector of indices."""
        return self.exporter.leaf(self.g.constants, "at", torch.tensor(at), torch.tensor(at))

    def constant(self, name, tensor, dtype):
        tensor = tensor.to(next(t for t, name in DTYPES.items() if name == dtype))
        return self.exporter.leaf(self.g.constants, name, tensor, tensor)

    def used(self, *which):
        """Whether the program has a use for one of these results."""
        return any(getattr(user.target, "__name__", "") == "getitem" and user.args[1] in which for user in self.node.users)

    def refuse(self, why):
        raise rules.Refused(why)


class Exporter:
    def __init__(self, name, program, dims):
        self.g = Graph(name)
        self.program = program
        self.symbols = {}              # torch's symbol -> ours
        self.dims = dims
        self.env = {}
        self.problems = []
        self.shared = {}               # id of a stored tensor -> its value
        self.named = {}                # names of inputs, parameters and buffers -> what they are of
        self.random_key = None
        self.tensors = {}              # what goes into the safetensors file

    # ---- types

    def size(self, n):
        """An integer, or a product such as "4*B"."""
        if isinstance(n, (int, str)):
            return n
        factor, rest = n.node.expr.as_coeff_Mul()
        parts = [] if factor == 1 else [str(factor)]
        for base, power in rest.as_powers_dict().items():
            if not (base.is_symbol and power.is_integer and power > 0):
                raise rules.Refused("a size of %s, which is no product of dimensions" % n.node.expr)
            parts += [self.symbols.get(str(base), str(base))] * int(power)
        return "*".join(parts)

    def type(self, t):
        if t.dtype not in DTYPES:
            raise rules.Refused(rules.dtype_refusal(dtype_name(t.dtype), t.dtype.is_complex))
        return DTYPES[t.dtype], [self.size(n) for n in t.shape]

    # ---- leaves

    def key(self):
        if not self.random_key:
            self.random_key = Value(self.g.fresh("key"), "u64", [])
            self.g.inputs[self.random_key.name] = "u64[]"
        return self.random_key

    def claim(self, name, what):
        """A name that the user gave must be of one tensor only: it is how the emitted C calls it."""
        if name in self.named:
            raise rules.Refused("%s and %s are both called '%s': rename one" % (self.named[name], what, name))
        self.named[name] = what

    def leaf(self, section, name, tensor, stored):
        dtype, shape = self.type(tensor)
        value = Value(self.g.fresh(name), dtype, shape)
        if stored is None:
            section[value.name] = value.type()
        elif section is self.g.constants and stored.numel() <= INLINE:
            flat = stored.flatten().tolist()
            section[value.name] = {"type": value.type(), "data": [number(x) for x in flat]}
        else:
            section[value.name] = {"type": value.type(), "file": self.file, "tensor": value.name}
            self.tensors[value.name] = stored
        return value

    def placeholder(self, node, spec, names, exported):
        kind, g = spec.kind.name, self.g
        val = node.meta["val"]
        if not isinstance(val, torch.Tensor) or kind == "TOKEN":
            return None
        if kind == "USER_INPUT":
            name = next(names)
            self.claim(name, "an input")
            return self.leaf(g.inputs, name, val, None)
        path = spec.target
        stored = exported.state_dict[path] if path in exported.state_dict else exported.constants[path]
        if id(stored) not in self.shared:      # a tensor of several names is one, under the first of them
            self.shared[id(stored)] = self.stored(kind, path, val, stored)
        return self.shared[id(stored)]

    def stored(self, kind, path, val, stored):
        g, name = self.g, self.program.user_name(path)
        self.claim(name, "a parameter" if kind == "PARAMETER" else "a buffer")
        if kind == "PARAMETER":
            if not val.is_floating_point():
                raise rules.Refused("parameter '%s' is %s, and only floats can be trained: make it a buffer "
                                    "(register_buffer), or an input" % (name, dtype_name(val.dtype)))
            value = self.leaf(g.params, name, val, stored)
            if not stored.requires_grad:
                g.params[value.name]["trainable"] = False
            return value
        if kind == "BUFFER" and id(stored) in self.mutated:
            return self.leaf(g.buffers, name, val, stored)
        return self.leaf(g.constants, name, val, stored)

    # ---- nodes

    def where(self, node):
        """file:line of the user's code."""
        frames = re.findall(r'File "([^"]+)", line (\d+)', node.meta.get("stack_trace") or "")
        inside = os.path.dirname(torch.__file__)
        own = [f for f in frames if not f[0].startswith((inside, os.path.dirname(__file__), "<"))]
        code = getattr(getattr(self.program, "function", None), "__code__", None)
        if not own and code:               # PyTorch remembers lines of modules; of a function it is known where it begins
            return "%s:%d" % (code.co_filename, code.co_firstlineno)
        return "%s:%s" % (own or frames)[-1] if own or frames else "?"

    def scope(self, node):
        stack = node.meta.get("nn_module_stack") or {}
        paths = [v[0] for v in stack.values()]
        return self.program.scope(paths[-1]) if paths else None

    def operand(self, x):
        if isinstance(x, torch.fx.Node):
            return self.env[x]
        if isinstance(x, (list, tuple)):
            return [self.operand(y) for y in x]
        return x

    def bind(self, node):
        """Arguments by their names in the op's schema, defaults included."""
        schema = node.target._schema
        bound = {}
        for i, a in enumerate(schema.arguments):
            if i < len(node.args):
                bound[a.name] = self.operand(node.args[i])
            elif a.name in node.kwargs:
                bound[a.name] = self.operand(node.kwargs[a.name])
            else:
                bound[a.name] = a.default_value
        return bound

    def call(self, node):
        val = node.meta.get("val")
        if getattr(node.target, "__name__", "") == "getitem":
            self.env[node] = self.env[node.args[0]][node.args[1]]
            return
        if isinstance(val, (*SIZES, int, float, bool)):
            self.env[node] = val       # arithmetic on sizes
            return
        if not hasattr(node.target, "_schema"):
            return                     # a check of sizes
        rule = rules.find(node.target)
        if val is None:
            return
        if rule is None:
            raise rules.Refused(rules.refusal(node.meta.get("original_aten") or node.target))
        self.g.scope = self.scope(node)
        call, bound = Call(self, node), self.bind(node)
        try:
            self.env[node] = rule(call, **bound)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as e:
            raise rules.Refused("fault of the exporter in %s: %s: %s" % (node.target, type(e).__name__, e)) from e

    def problem(self, node, text):
        self.problems.append(text)

    def run(self, exported, names):
        signature = exported.graph_signature
        specs = iter(signature.input_specs)
        names = iter(names)
        self.mutated = {id(exported.state_dict[s.target]) for s in signature.output_specs if s.kind.name == "BUFFER_MUTATION"}
        for node in exported.graph.nodes:
            try:
                if node.op == "placeholder":
                    self.env[node] = self.placeholder(node, next(specs), names, exported)
                elif node.op == "call_function":
                    if all(n in self.env for n in node.all_input_nodes):
                        self.call(node)
                elif node.op == "get_attr":
                    self.env[node] = self.leaf(self.g.constants, node.target, node.meta["val"],
                                               getattr(exported.graph_module, node.target))
                else:
                    self.results = node.args[0]
            except rules.Refused as e:
                place = self.where(node)
                self.problem(node, "%s: %s" % (place, e) if place != "?" else str(e))
        if self.problems:
            raise ExportError(self.problems)
        return signature


def symbols(exporter, exported, dims):
    """torch's symbols as those of the model: the first dimension where each stands is the one that was named."""
    for node in exported.graph.nodes:
        val = node.meta.get("val")
        if node.op != "placeholder" or not isinstance(val, torch.Tensor):
            continue
        for name, (axis, most) in dims.items():
            if val.dim() > axis and not isinstance(val.shape[axis], int):
                exporter.symbols.setdefault(str(val.shape[axis]), name)
                exporter.g.dims[name] = {"max": most}


def converted(given, dtype):
    """Copies of tensors and modules with their floats in dtype."""
    def of(x):
        if isinstance(x, torch.nn.Module):
            return copy.deepcopy(x).to(dtype)
        return x.to(dtype) if isinstance(x, torch.Tensor) and x.is_floating_point() else x
    return pytree.tree_map(of, given)


@contextlib.contextmanager
def default_dtype(dtype):
    """What torch.zeros(...) in the model is of."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def find_loss(loss):
    if loss is None or callable(loss):
        return loss
    if not hasattr(F, loss):
        near = difflib.get_close_matches(loss, [n for n in dir(F) if re.search("loss|entropy|kl_div", n)], 1)
        raise ExportError(["torch.nn.functional has no %s%s" % (loss, "; is it %s?" % near[0] if near else "")])
    return getattr(F, loss)


def export(model, inputs, path, *, targets=(), loss=None, params=None, dims=None, dtype=None, name=None,
           doc=None):
    """Write a model as JSON IR to path, and its tensors to a .safetensors file beside it.

    model    an nn.Module, or a function of tensors
    inputs   example inputs: a tuple of tensors, or of dicts and lists of them
    targets  further inputs, of the loss alone
    loss     a function of the output and the targets, or the name of one in torch.nn.functional; without it,
             an output that is a floating scalar, if there is just one, is the loss
    params   tensors by name, for a function: model(params, *inputs)
    dims     name -> (dimension, greatest size): {"B": (0, 128)}
    dtype    torch.float64, say: the model, and all floats that it is given, in that dtype; default: as they are
    name     prefix of the C that gradc emits; default: the file's name

    Raises ExportError with all that cannot be expressed. Returns the path of the tensors' file.
    """
    inputs, targets = tuple(inputs), tuple(targets)
    name = name or re.sub(r"\W", "_", os.path.splitext(os.path.basename(path))[0])
    if dtype:
        model, inputs, targets, params = converted((model, inputs, targets, params), dtype)
    program = Program(model, params, find_loss(loss))
    program.train(model.training if isinstance(model, torch.nn.Module) else True)
    with default_dtype(dtype or torch.get_default_dtype()):
        exported = trace(program, inputs, targets, dims or {}, rules.known)
    exporter = Exporter(name, program, dims or {})
    stem = os.path.splitext(path)[0]
    exporter.file = os.path.basename(stem) + ".safetensors"
    symbols(exporter, exported, dims or {})
    signature = exporter.run(exported, argument_names(model, params, inputs, targets))
    finish(exporter, exported, signature)
    exporter.g.doc = doc
    try:
        write(exporter.tensors, stem + ".safetensors")
        with open(path, "w") as f:
            f.write(exporter.g.text())
    except OSError as e:
        raise ExportError(["%s: %s" % (e.filename, e.strerror)]) from e
    return stem + ".safetensors"


def finish(exporter, exported, signature):
    """Outputs, updates of buffers, and the loss."""
    g = exporter.g
    user = [s for s in signature.output_specs if s.kind.name == "USER_OUTPUT"]
    names = output_names(pytree.tree_unflatten(list(range(len(user))), exported.call_spec.out_spec))
    names, scalars = iter(names), []
    for spec, node in zip(signature.output_specs, exporter.results):
        if spec.kind.name == "BUFFER_MUTATION":
            g.updates[exporter.shared[id(exported.state_dict[spec.target])].name] = exporter.env[node].name
        elif spec.kind.name == "USER_OUTPUT":
            name = next(names)
            if name in g.outputs:
                raise ExportError(["two results are called '%s': rename one" % name])
            value = exporter.env.get(node) if isinstance(node, torch.fx.Node) else None
            if not isinstance(value, Value):
                continue
            g.outputs[name] = value.name
            if value.floating and not value.shape:
                scalars.append(name)
        elif spec.kind.name == "USER_INPUT_MUTATION":
            of, = [v.name for n, v in exporter.env.items() if n.op == "placeholder" and n.name == spec.target]
            raise ExportError(["input '%s' is modified in place: let the model write to a copy, %s.clone()" % (of, of)])
        elif spec.kind.name != "TOKEN":
            raise ExportError(["a result of kind %s is not supported" % spec.kind.name])
    if not g.outputs and not g.updates:
        raise ExportError(["the model returns no tensor"])
    loss = "loss" if "loss" in scalars else scalars[0] if len(scalars) == 1 else None
    if loss and "loss" not in g.outputs:
        g.outputs = {"loss" if k == loss else k: v for k, v in g.outputs.items()}
        loss = "loss"
    g.loss = loss
