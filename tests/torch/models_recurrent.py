"""Recurrent layers, as models.py has others."""
import torch
from torch import nn

from models import model, normal


class Layers(nn.Module):
    """What the layer gives, states included; the initial ones are trained where they are given."""

    def __init__(self, kind, *args, states=(), **kwargs):
        super().__init__()
        self.layer = getattr(nn, kind)(*args, **kwargs)
        self.states = nn.ParameterList([normal(*shape) for shape in states])

    def forward(self, x):
        given = list(self.states)
        y, last = self.layer(x, *([tuple(given) if len(given) > 1 else given[0]] if given else []))
        last = last if isinstance(last, tuple) else (last,)
        return y.square().mean() + sum((s * s.cos()).mean() for s in last)


def layers(*args, x, dims=None, **kwargs):
    case = dict(model=Layers(*args, **kwargs), inputs=(normal(*x),))
    return dict(case, dims=dims) if dims else case


@model
def lstm():
    return layers("LSTM", 4, 5, 2, bidirectional=True, batch_first=True, x=(3, 7, 4), dims={"B": (0, 8), "T": (1, 12)})


@model
def lstm_projected():
    return layers("LSTM", 4, 6, 2, proj_size=3, bidirectional=True, x=(5, 2, 4), states=[(4, 2, 3), (4, 2, 6)])


@model
def lstm_plain():
    """No batch, no bias."""
    return layers("LSTM", 3, 4, bias=False, x=(6, 3), states=[(1, 4), (1, 4)])


@model
def gru():
    return layers("GRU", 4, 5, 3, x=(6, 2, 4), states=[(3, 2, 5)], dims={"T": (0, 9)})


@model
def gru_both_ways():
    return layers("GRU", 4, 5, bias=False, bidirectional=True, batch_first=True, x=(2, 6, 4))


@model
def rnn():
    return layers("RNN", 4, 5, 2, bidirectional=True, x=(40, 2, 4))


@model
def rnn_relu():
    return layers("RNN", 4, 5, 2, nonlinearity="relu", bias=False, x=(1, 2, 4), states=[(2, 2, 5)])


@model
def lstm_dropout():
    """Not in training: every layer as it is."""
    case = layers("LSTM", 4, 5, 3, dropout=0.5, x=(6, 2, 4))
    case["model"].eval()
    return case


@model
def lstm_dropped():
    """In training, by the same masks: what the next layer reads is dropped, what the layers return is not."""
    return layers("LSTM", 4, 5, 3, dropout=0.4, bidirectional=True, batch_first=True, x=(3, 6, 4), states=[(6, 3, 5), (6, 3, 5)])


@model
def gru_dropped():
    return layers("GRU", 4, 5, 3, dropout=0.4, x=(6, 2, 4), dims={"T": (0, 9)})


@model
def rnn_dropped():
    return layers("RNN", 4, 5, 2, dropout=0.3, bias=False, x=(6, 2, 4))
