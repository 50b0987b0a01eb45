"""Recurrent layers (LSTM, GRU, RNN): a scan for each layer and direction, never its steps one by one.

What a step takes of its input, W_ih x + b_ih, does not hang on the state: it is one contraction over all
steps, before the scan, whose body adds W_hh h. The formulas are those in the documentation of torch.nn."""
from .graph import Graph
from .rules import rule


class Body(Graph):
    """The function of one step. gates: what it has of its input. All values are of one dtype."""

    def __init__(self, name, dtype, batch):
        super().__init__(name)
        self.dtype, self.batch = dtype, batch

    def of(self, op, *operands, size=None, **attrs):
        size = size or operands[0].shape[-1]
        return self.op(op, list(operands), self.dtype, [self.batch, size], **attrs)

    def split(self, x, parts):
        size = x.shape[-1] // parts
        return self.ops("split", [x], [(self.dtype, [self.batch, size])] * parts, split_size_or_sections=size, dim=1)


def lstm(b, gates, state, weight, projection=None):
    h, c = state
    all_gates = b.of("add", gates, b.of("linear", h, weight, size=weight.shape[0]))
    i, f, g, o = b.split(all_gates, 4)
    i, f, o = [b.of("sigmoid", x) for x in (i, f, o)]
    c = b.of("add", b.of("mul", f, c), b.of("mul", i, b.of("tanh", g)))
    h = b.of("mul", o, b.of("tanh", c))
    if projection is not None:
        h = b.of("linear", h, projection, size=projection.shape[0])
    return [h, c]


def gru(b, gates, state, weight, bias=None):
    h, = state
    own = b.of("linear", h, weight, *([bias] if bias is not None else []), size=weight.shape[0])
    (r, z, n), (hr, hz, hn) = b.split(gates, 3), b.split(own, 3)
    r = b.of("sigmoid", b.of("add", r, hr))
    z = b.of("sigmoid", b.of("add", z, hz))
    n = b.of("tanh", b.of("add", n, b.of("mul", r, hn)))
    return [b.of("add", n, b.of("mul", z, b.of("sub", h, n)))]


def rnn(b, gates, state, weight):
    h, = state
    return [b.of(b.name[4:], b.of("add", gates, b.of("linear", h, weight, size=weight.shape[0])))]


STEPS = {"lstm": lstm, "gru": gru, "rnn_tanh": rnn, "rnn_relu": rnn}


def one_direction(c, kind, x, state, weights, biases, projection, reverse):
    """x: steps, batch, features. The states after the last step, and the hidden ones of every step."""
    dtype, (steps, batch) = x.dtype, x.shape[:2]
    to_gates, of_state = weights
    captured = [of_state] + ([] if projection is None else [projection])
    if biases and kind == "gru":               # its bias of the state is within a product
        captured, biases = captured + biases[1:], biases[:1]
    elif biases:
        biases = [c.g.op("add", biases, dtype, biases[0].shape)]
    gates = c.g.op("linear", [x, to_gates] + biases, dtype, [steps, batch, to_gates.shape[0]])

    b = Body(kind, dtype, batch)
    carry = [b.input(name, dtype, s.shape) for name, s in zip("hc", state)]
    element = b.input("gates", dtype, [batch, to_gates.shape[0]])
    names = ["weight"] + ["projection" if projection is not None else "bias"] * (len(captured) - 1)
    after = STEPS[kind](b, element, carry, *[b.input(n, dtype, v.shape) for n, v in zip(names, captured)])
    b.outputs = {"next_" + v.name: n.name for v, n in zip(carry, after)}
    b.outputs["y"] = after[0].name

    results = [(dtype, s.shape) for s in state] + [(dtype, [steps] + state[0].shape)]
    out = c.g.ops("scan", state + [gates] + captured, results, function=c.g.function(b), carry=len(state), xs=1,
                  reverse=reverse or None)
    return out[:-1], out[-1]


def part(c, x, i):
    """Element i of the first dimension."""
    one = c.g.op("slice", [x], x.dtype, [1] + x.shape[1:], start=i or None, end=i + 1)
    return c.reshape(one, x.shape[1:])


def joined(c, op, values, shape, dim=None):
    return values[0] if len(values) == 1 and op == "cat" else c.g.op(op, values, values[0].dtype, shape, dim=dim)


def turned(c, x):
    """Batch first as steps first, or the other way."""
    return c.g.op("permute", [x], x.dtype, [x.shape[1], x.shape[0], x.shape[2]], dims=[1, 0, 2])


@rule("recurrent")
def recurrent(c, kind, input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first, **_):
    projected = len(hx) > 1 and hx[0].shape[2] != hx[1].shape[2]
    params, ways = list(params), 2 if bidirectional else 1
    each = 2 + 2 * bool(has_biases) + projected
    x = turned(c, input) if batch_first else input
    last = [[] for _ in hx]
    for layer in range(num_layers):
        if layer and train and dropout:
            x = c.g.op("dropout", [x, c.key()], x.dtype, x.shape, p=dropout)
        ys = []
        for way in range(ways):
            at = layer * ways + way
            own = params[at * each:(at + 1) * each]
            after, y = one_direction(c, kind, x, [part(c, s, at) for s in hx], own[:2], own[2:4] if has_biases else [],
                                     own[-1] if projected else None, way == 1)
            ys.append(y)
            for of, value in zip(last, after):
                of.append(value)
        x = joined(c, "cat", ys, ys[0].shape[:2] + [ys[0].shape[2] * ways], 2)
    return [turned(c, x) if batch_first else x] + [joined(c, "stack", v, s.shape) for v, s in zip(last, hx)]
