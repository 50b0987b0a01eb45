"""A module or function as a functional graph of ATen ops, through torch.export.

What the rules know stays whole (linear, layer_norm, cross_entropy_loss, ...), everything else is
decomposed, in rounds, by PyTorch's own decompositions; mutations become results.
"""
import contextlib
import inspect
import io
import logging
import os
import re
import traceback
import warnings

import torch
from torch import nn
from torch.utils import _pytree as pytree

from . import decompositions, decompositions_backward, derived, functions        # noqa: F401
from .errors import ExportError
from .whole import CUSTOM, DERIVED, PACKED, whole


class Program(nn.Module):
    """What is exported: model(*inputs), and its loss if a function of the output and targets gives it.

    params: tensors by name, where the model is a function of them: model(params, *inputs)."""

    def __init__(self, model, params, loss):
        super().__init__()
        self.loss = loss
        self.original = {}             # attribute path -> the user's name
        self.names = None
        if isinstance(model, nn.Module):
            self.m = model
        else:
            self.function = model
        if params is not None:
            self.names = {}
            for i, (name, tensor) in enumerate(params.items()):
                attr = "p%d" % i
                trained = tensor.is_floating_point() or tensor.is_complex()
                self.register_parameter(attr, nn.Parameter(tensor.detach().clone(), requires_grad=trained))
                self.names[name] = attr
                self.original[attr] = name

    def user_name(self, path):
        return self.original.get(path, path[2:] if path.startswith("m.") else path)

    def scope(self, path):
        return path[2:] if path.startswith("m.") else None

    def forward(self, inputs, targets):
        call = self.m if hasattr(self, "m") else self.function
        if self.names is not None:
            inputs = ({name: getattr(self, attr) for name, attr in self.names.items()},) + tuple(inputs)
        out = call(*inputs)
        return out if self.loss is None else {"loss": self.loss(out, *targets), "output": out}


def argument_names(model, params, inputs, targets):
    """A name for each tensor among inputs and targets, in the order of their flattening."""
    function = model.forward if isinstance(model, nn.Module) else model
    try:
        given = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        given = []
    given = given[1:] if params is not None else given
    names = []
    target = ["target"] if len(targets) == 1 and "target" not in given[:len(inputs)] else []
    for group, base in ((inputs, given), (targets, target)):
        for i, arg in enumerate(group):
            root = base[i] if i < len(base) else "%s%d" % ("input" if group is inputs else "target", i)
            for path, leaf in pytree.tree_flatten_with_path(arg)[0]:
                if isinstance(leaf, torch.Tensor):
                    keys = [str(getattr(k, "key", getattr(k, "idx", getattr(k, "name", "")))) for k in path]
                    names.append("_".join(k for k in keys if k) if keys and not keys[-1].isdigit()
                                 else "_".join([root] + keys))
    return names


def output_names(out):
    """A name for each leaf of a result: keys, fields, or output, output0, output1, ..."""
    names = []
    for path, _ in pytree.tree_flatten_with_path(out)[0]:
        keys = [str(getattr(k, "key", getattr(k, "idx", getattr(k, "name", "")))) for k in path]
        names.append("output" if not keys else "output" + keys[0] if len(keys) == 1 and keys[0].isdigit() else
                     "_".join(keys))
    return names


def dynamic_shapes(dims, inputs, targets):
    """dims: name -> (dimension, greatest size). A dimension is symbolic in each tensor that has the first one's
    size there."""
    leaves = [x for x in pytree.tree_leaves((inputs, targets)) if isinstance(x, torch.Tensor)]
    made = {}
    for name, (axis, most) in dims.items():
        size = next((x.shape[axis] for x in leaves if x.dim() > axis), None)
        made[name] = (axis, size, torch.export.Dim(name, min=1, max=most))

    def of(x):
        if not isinstance(x, torch.Tensor):
            return None
        return {axis: dim for axis, size, dim in made.values() if x.dim() > axis and x.shape[axis] == size}

    return pytree.tree_map(of, (inputs, targets))


# what PyTorch complains of, and what to do about it
ADVICE = [
    (r"data-dependent|DataDependent|^aten\.(_local_scalar_dense|equal|allclose|item)\b",
     "what the program does depends on the values of tensors: use torch.where or masks instead of if, while and .item()"),
    (r"dynamic output shape|DynamicOutputShape|unbacked symbols|^aten\.(nonzero|masked_select|_?unique\w*|bincount|_ctc_loss)\b",
     "a result whose size depends on data: keep the shape, with torch.where or a mask that multiplies"),
    (r"leaf Variable that requires grad",
     "a parameter is modified in place: let the model write to a copy, parameter.clone()"),
    (r"Constraints violated \((.*?)\)",
     r"the model fixes the size of dimension \1, or what it divides by: leave that dimension out, or write x.shape[i] in the model"),
    ("(%s)" % "|".join(map(re.escape, (CUSTOM, DERIVED, PACKED, derived.DIMENSIONS))), r"\1"),
    (r"\.numpy\(\) is not supported", "numpy cannot be traced: use the functions of torch"),
]


def explained(text):
    for pattern, advice in ADVICE:
        found = re.search(pattern, text)
        if found:
            return found.expand(advice)
    return "torch.export: %s" % text.splitlines()[0].replace("FakeTensor", "Tensor")


def place(e, text):
    """The last line of the user's code that an exception names."""
    inside = os.path.dirname(torch.__file__)
    frames = re.findall(r'File "([^"]+)", line (\d+)', text)
    frames += [(f.filename, str(f.lineno)) for f in traceback.extract_tb(e.__traceback__)]
    own = [f for f in frames if not f[0].startswith((inside, os.path.dirname(__file__), os.path.dirname(os.__file__), "<"))]
    return ":".join(own[-1]) + ": " if own else ""


def blame(e):
    """What torch.export complains of, in a line, behind the line of the user's code."""
    text = str(e).strip() or type(e).__name__
    return place(e, text) + explained(text)


@contextlib.contextmanager
def quiet():
    """PyTorch prints graphs beside its exceptions."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


@contextlib.contextmanager
def unchecked():
    """Distributions that do not look at the values of their arguments."""
    from torch.distributions import Distribution
    before = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(before)


def exported_program(program, inputs, targets, dims):
    """As torch.export has it; where the model differentiates as it goes, and that is not enough, without that."""
    shapes = dynamic_shapes(dims, inputs, targets) if dims else None
    try:
        exported = torch.export.export(program, (inputs, targets), dynamic_shapes=shapes, strict=False)
        if not derived.lacks_functions(exported.graph):
            return exported
    except Exception as e:
        if not re.search(derived.SYMPTOMS, str(e)):
            raise
    if dims:
        raise NotImplementedError(derived.DIMENSIONS)
    derived.without_derivatives(program, inputs, targets)
    return torch.export.export(program, (inputs, targets), strict=False)


def trace(program, inputs, targets, dims, known):
    """The exported program, of ops for which known(op) holds or that PyTorch cannot decompose."""
    with quiet():
        try:
            with whole(), unchecked(), functions.Static():
                exported = exported_program(program, inputs, targets, dims)
            cut_gradients(exported)
            return decomposed(exported, known)
        except Exception as e:             # its own classes are private, and change
            raise ExportError([blame(e)]) from e


def cut_gradients(exported):
    """Regions under torch.no_grad() see their operands detached; decomposing would forget where they are."""
    for module in exported.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            if getattr(node.target, "__name__", "") == "wrap_with_set_grad_enabled" and not node.args[0]:
                detach_inputs(getattr(module, node.args[1].target).graph)


def detach_inputs(graph):
    """All but those that are written to, which are buffers."""
    for node in [n for n in graph.nodes if n.op == "placeholder"]:
        val = node.meta.get("val")
        written = any(user.args and user.args[0] is node and user.target._schema.is_mutable for user in node.users
                      if hasattr(user.target, "_schema"))
        if isinstance(val, torch.Tensor) and val.is_floating_point() and not written:
            with graph.inserting_after(node):
                detached = graph.call_function(torch.ops.aten.detach.default, (node,))
            detached.meta = dict(node.meta)
            node.replace_all_uses_with(detached, delete_user_cb=lambda user: user is not detached)


def decomposed(exported, known):
    """What is known stays, everything else that PyTorch can decompose is decomposed, in whatever it stands."""
    table = dict(torch.export.default_decompositions())
    for op, function in torch._decomp.decomposition_table.items():
        table.setdefault(op, function)
    table = {op: function for op, function in table.items() if not known(op)}
    return exported.run_decompositions({**table, **decompositions.TABLE})
