"""What is exported, whichever way it is traced, and what the user calls its parts."""
import contextlib
import inspect

import torch
from torch import nn
from torch.utils import _pytree as pytree


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
        with written(self):
            out = call(*inputs)
        return out if self.loss is None else {"loss": self.loss(out, *targets), "output": out}


@contextlib.contextmanager
def written(program):
    """Buffers that the model replaces are written to instead, which all ways of tracing see."""
    before = [(m, dict(m._buffers)) for m in program.modules()]
    yield
    for module, buffers in before:
        for name, buffer in buffers.items():
            new = module._buffers.get(name)
            if new is not None and buffer is not None and new is not buffer:
                buffer.copy_(new.detach())
                module._buffers[name] = buffer


def leaves_with_keys(tree):
    """The leaves of nested dicts, lists and tuples, in the order of pytree, behind the keys that lead to each."""
    if hasattr(pytree, "tree_flatten_with_path"):
        return [([str(getattr(k, "key", getattr(k, "idx", getattr(k, "name", "")))) for k in path], leaf)
                for path, leaf in pytree.tree_flatten_with_path(tree)[0]]
    if isinstance(tree, dict):
        parts = tree.items()
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        parts = zip(tree._fields, tree)
    elif isinstance(tree, (list, tuple)):
        parts = enumerate(tree)
    else:
        return [([], tree)]
    return [([str(key)] + keys, leaf) for key, part in parts for keys, leaf in leaves_with_keys(part)]


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
            for keys, leaf in leaves_with_keys(arg):
                if isinstance(leaf, torch.Tensor):
                    names.append("_".join(k for k in keys if k) if keys and not keys[-1].isdigit()
                                 else "_".join([root] + keys))
    return names


def output_names(out):
    """A name for each leaf of a result: keys, fields, or output, output0, output1, ..."""
    names = []
    for keys, _ in leaves_with_keys(out):
        names.append("output" if not keys else "output" + keys[0] if len(keys) == 1 and keys[0].isdigit() else
                     "_".join(keys))
    return names
