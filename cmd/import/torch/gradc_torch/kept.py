"""Ops of our own for PyTorch 1.13, in the place of what the rules know and make_fx takes apart, and the modes that call them.

Each has the schema of the op of PyTorch that it stands for. Those of batch norm return the running statistics that
PyTorch's write to without saying so."""
import contextlib
import re

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from . import functions, rules
from .blame import NORMS
from .whole import DERIVED, RECURRENT, library

aten, own = torch.ops.aten, torch.ops.gradc_torch
OURS = {}                      # PyTorch's op -> ours
ORIGINAL = {}                  # the other way
KEPT = set()                   # their names


def define_kept():
    """Each composite op that has a rule and does not write to its arguments or share their memory."""
    for name in rules.RULES:
        packet, overload = (name.split(".") + ["default"])[:2]
        op = getattr(getattr(aten, packet, None), overload, None)
        if op and torch._C._dispatch_has_kernel_for_dispatch_key(op.name(), "CompositeImplicitAutograd") and \
                not any(a.alias_info for a in op._schema.arguments):
            library.define(str(op._schema).replace("aten::", "", 1))
            library.impl(name, lambda *args, _op=op, **kwargs: _op(*args, **kwargs), "CompositeExplicitAutograd")
            OURS[op] = getattr(getattr(own, packet), overload)
            ORIGINAL[OURS[op]] = op
            KEPT.add(packet)


def recurrent(kind, input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    state = tuple(hx) if kind == "lstm" else hx[0]
    return list(getattr(torch._VF, kind)(input, state, params, has_biases, num_layers, dropout, train, bidirectional, batch_first))


def updated_norm(input, weight, bias, mean, var, training, momentum, eps):
    mean, var = mean.clone(), var.clone()
    return [*torch.native_batch_norm(input, weight, bias, mean, var, training, momentum, eps), mean, var]


library.impl("recurrent", recurrent, "CompositeExplicitAutograd")
library.define("stop_gradient(Tensor self) -> Tensor")
library.impl("stop_gradient", lambda x: x.clone(), "CompositeExplicitAutograd")
library.define("_native_batch_norm_legit_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, "
               "Tensor running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor, Tensor)")
library.impl("_native_batch_norm_legit_functional", updated_norm, "CompositeExplicitAutograd")
define_kept()


def batch_norm(input, weight, bias, mean, var, training, momentum, eps, cudnn_enabled):
    """The statistics after it are results, which are then written to where they belong."""
    if not training or mean is None:
        return own.batch_norm(input, weight, bias, mean, var, training, momentum, eps, cudnn_enabled)
    out, _, _, *after = own._native_batch_norm_legit_functional(input, weight, bias, mean, var, training, momentum, eps)
    mean.copy_(after[0])
    var.copy_(after[1])
    return out


def instance_norm(input, weight, bias, mean, var, use_input_stats, momentum, eps, cudnn_enabled):
    if not use_input_stats or mean is None:
        return own.instance_norm(input, weight, bias, mean, var, use_input_stats, momentum, eps, cudnn_enabled)
    space = list(range(2, input.dim()))
    x = own.stop_gradient(input)
    for running, of_batch in ((mean, x.mean(space).mean(0)), (var, x.var(space, unbiased=True).mean(0))):
        running.copy_((1 - momentum) * running + momentum * of_batch)
    return own.instance_norm(input, weight, bias, None, None, True, momentum, eps, cudnn_enabled)


INSTEAD = {"batch_norm": batch_norm, "instance_norm": instance_norm}


class Differentiates(Exception):
    """The model takes derivatives, which ops of ours have not."""


class Stopped(TorchFunctionMode):
    """What runs under no_grad sees its operands detached, but for what it writes to."""

    def __init__(self, buffers):
        super().__init__()
        self.constant = list(buffers)      # and results under no_grad

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, getattr(function, "__name__", "")
        if torch.is_grad_enabled():
            return self.call(function, name, args, kwargs)
        written = args[:1] if re.match(r"__(i\w+|set\w*)__$|(?!__)\w+_$", name) else ()
        args, kwargs = pytree.tree_map(self.stopped, (args[len(written):], kwargs))
        args = (*written, *args)
        out = self.call(function, name, args, kwargs)
        self.constant += [x for x in pytree.tree_flatten(out)[0] if isinstance(x, torch.Tensor)]
        return out

    def stopped(self, x):
        constant = not isinstance(x, torch.Tensor) or not x.is_floating_point() or any(x is y for y in self.constant)
        return x if constant else own.stop_gradient(x)


class Derived(Stopped):
    """For models that differentiate within themselves: ops as autograd knows them. detach is what autograd does as well, so
    that of the model is marked."""

    def call(self, function, name, args, kwargs):
        if name in RECURRENT:
            raise NotImplementedError(DERIVED)
        if name in ("layer_norm", "group_norm", "batch_norm", "instance_norm"):
            raise NotImplementedError(NORMS)
        return own.stop_gradient(args[0]) if name == "detach" else function(*args, **kwargs)


class Kept(Stopped):
    """Calls of functions that PyTorch implements in C++ become calls of ops of ours."""

    def call(self, function, name, args, kwargs):
        if name == "requires_grad_" or function is torch.autograd.grad:
            raise Differentiates()
        name = name.strip("_") if name.startswith("__") else name
        if type(function).__name__ not in ("builtin_function_or_method", "method_descriptor", "wrapper_descriptor"):
            return function(*args, **kwargs)
        if name in INSTEAD:
            return INSTEAD[name](*args, **kwargs)
        base = name.rstrip("_")
        if base not in KEPT:
            return function(*args, **kwargs)
        try:
            out = getattr(own, base)(*args, **kwargs)
        except RuntimeError:               # as PyTorch says it
            return function(*args, **kwargs)
        return args[0].copy_(out) if name.endswith("_") else out


@contextlib.contextmanager
def transparent():
    """Functions in Python do not ask the mode, but what they call does."""
    asked = [(m, n) for m in (F, torch.functional, torch._tensor) for n in vars(m) if n.startswith("has_torch_function")]
    swapped = [(F, f.__name__, by) for f, by in functions.FUNCTIONS.items() if getattr(F, getattr(f, "__name__", ""), None) is f]
    before = [(m, n, getattr(m, n)) for m, n in asked] + [(m, n, getattr(m, n)) for m, n, _ in swapped]
    try:
        for m, n in asked:
            setattr(m, n, lambda *_: False)
        for m, n, by in swapped:
            setattr(m, n, by)
        yield
    finally:
        for m, n, value in before:
            setattr(m, n, value)
