"""Rules for ops of backward passes, which models that differentiate within themselves are made of."""
from .rules import rule


def results(wanted, *make):
    """One result for each of make that is wanted."""
    return [of() if want else None for want, of in zip(wanted, make)]


@rule("convolution_backward")
def convolution_backward(c, grad_output, input, weight, bias_sizes, stride, padding, dilation, transposed, output_padding,
                         groups, output_mask, **_):
    """The IR's own ops for gradients of convolutions, which are closed under differentiation."""
    space = weight.rank - 2
    windows = dict(stride=list(stride), dilation=list(dilation), groups=groups)

    def of_input():
        x = [grad_output, weight]
        if transposed:
            return c.g.op("convolution", x, *c.results[0], low=list(padding), count=input.shape[2:], **windows)
        reach = [(o - 1) * s - 2 * p + d * (k - 1) + 1
                 for o, s, p, d, k in zip(grad_output.shape[2:], *map(each(space), (stride, padding, dilation)), weight.shape[2:])]
        more = [n - r for n, r in zip(input.shape[2:], reach)]
        return c.g.op("conv_transpose%dd" % space, x, *c.results[0], padding=list(padding), output_padding=more, **windows)

    def of_weight():
        x = [grad_output, input] if transposed else [input, grad_output]
        return c.g.op("convolution_weight", x, *c.results[1], low=list(padding), size=weight.shape[2:], **windows)

    def of_bias():
        return c.g.op("sum", [grad_output], *c.results[2], dim=[d for d in range(grad_output.rank) if d != 1])

    return results(output_mask, of_input, of_weight, of_bias)


def each(space):
    """A number for each spatial dimension, as one for all of them says it."""
    return lambda n: list(n) * (space if len(n) == 1 else 1)
