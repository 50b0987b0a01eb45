"""What torch.export would take apart before any rule sees it: recurrent layers, whose steps it writes out one by one,
and with them a number of steps that is then fixed, and functions whose backward pass is the user's, which it forgets.
While a model is traced the former are calls of an op of our own, the latter refused."""
import contextlib

import torch
from torch.utils.checkpoint import CheckpointFunction
from torch.overrides import TorchFunctionMode

RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
PACKED = "packed sequences are not supported: call the layer on the padded batch, and mask what lies behind the ends"
DERIVED = "derivatives within the model, through a recurrent layer, are not supported: write its steps with nn.LSTMCell"
CUSTOM = ("a torch.autograd.Function, whose backward is not a graph: write a function whose gradient is the one wanted, "
          "such as value.detach() + (g - g.detach()), which has the value of value and the gradient of g")

library = torch.library.Library("gradc_torch", "DEF")
library.define("recurrent(str kind, Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, "
               "float dropout, bool train, bool bidirectional, bool batch_first) -> Tensor[]")


def results(kind, input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    features = hx[0].shape[2] * (2 if bidirectional else 1)
    return [input.new_empty([*input.shape[:2], features])] + [torch.empty_like(state) for state in hx]


def no_derivative(context, *cotangents):
    raise NotImplementedError(DERIVED)


if hasattr(torch.library, "register_fake"):
    torch.library.register_fake("gradc_torch::recurrent", results, lib=library)
    torch.library.register_autograd("gradc_torch::recurrent", no_derivative, lib=library)


class Whole(TorchFunctionMode):
    """Where this is active, recurrent layers are such calls."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name == "_pack_padded_sequence" or name in RECURRENT and isinstance(args[3], (list, tuple)):
            raise NotImplementedError(PACKED)
        if name not in RECURRENT:
            return function(*args, **(kwargs or {}))
        hx = list(args[1]) if isinstance(args[1], (list, tuple)) else [args[1]]
        return tuple(torch.ops.gradc_torch.recurrent(name, args[0], hx, *args[2:], **(kwargs or {})))


def apply(function, *args, **kwargs):
    """In the place of torch.autograd.Function.apply."""
    if function is CheckpointFunction:     # what it saves is gradc's to decide
        run, _, *args = args
        return run(*args)
    if not torch.is_grad_enabled() or function.__module__.startswith("torch."):
        return original_apply(function, *args, **kwargs)
    raise NotImplementedError(CUSTOM)


defined = vars(torch.autograd.Function).get("apply")         # PyTorch 1.13 has it in a base alone


def original_apply(function, *args, **kwargs):
    method = defined.__get__(None, function) if defined else super(torch.autograd.Function, function).apply
    return method(*args, **kwargs)


@contextlib.contextmanager
def whole():
    """While a model is traced."""
    torch.autograd.Function.apply = classmethod(apply)
    try:
        with Whole():
            yield
    finally:
        if defined:
            torch.autograd.Function.apply = defined
        else:
            del torch.autograd.Function.apply
