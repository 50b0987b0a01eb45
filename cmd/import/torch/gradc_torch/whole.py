"""Layers that torch.export would take apart before any rule sees them: recurrent ones, whose steps it writes out one
by one, and with them a number of steps that is then fixed. While a model is traced they are calls of an op of our own."""
import torch
from torch.overrides import TorchFunctionMode

RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
PACKED = "packed sequences are not supported: call the layer on the padded batch, and mask what lies behind the ends"
DERIVED = "derivatives within the model, through a recurrent layer, are not supported: write its steps with nn.LSTMCell"

library = torch.library.Library("gradc_torch", "DEF")
library.define("recurrent(str kind, Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, "
               "float dropout, bool train, bool bidirectional, bool batch_first) -> Tensor[]")


@torch.library.register_fake("gradc_torch::recurrent", lib=library)
def results(kind, input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    features = hx[0].shape[2] * (2 if bidirectional else 1)
    return [input.new_empty([*input.shape[:2], features])] + [torch.empty_like(state) for state in hx]


def no_derivative(context, *cotangents):
    raise NotImplementedError(DERIVED)


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
