"""Rules of layers that standardize."""
from .rules import name_of, rule


def affine(c, weight, bias, shape, dtype):
    """Operands for weight and bias; ones stand for a weight that is not there, while a bias is."""
    if bias is None:
        return [] if weight is None else [weight]
    if weight is None:
        weight = c.g.op("full", [], dtype, shape, value=1, shape=shape, type=dtype)
    return [weight, bias]


def statistics(c, x, dim, eps, results):
    """Mean and 1 / deviation, for those who ask for them, in the shapes of the results."""
    shape = [1 if d in dim else n for d, n in enumerate(x.shape)]
    mean = c.g.op("mean", [x], x.dtype, shape, dim=dim, keepdim=True)
    variance = c.g.op("var", [x], x.dtype, shape, dim=dim, keepdim=True, correction=0)
    return [c.reshape(mean, results[0][1]), c.reshape(inverse_root(c, variance, eps), results[1][1])]


def inverse_root(c, variance, eps):
    of = variance.dtype, variance.shape
    return c.g.op("rsqrt", [c.g.op("add", [variance, eps], *of)], *of)


def constant(c, values):
    """PyTorch does not differentiate these results."""
    return [c.g.op("stop_gradient", [x], x.dtype, x.shape) for x in values]


def nothing(c, result):
    return c.g.op("full", [], *result, value=0, shape=result[1], type=result[0])


@rule("layer_norm", "rms_norm", "native_layer_norm")
def layer_norm(c, input, normalized_shape, weight=None, bias=None, eps=None, **_):
    op = "rms_norm" if name_of(c.node.target) == "rms_norm" else "layer_norm"
    out = c.op(op, [input] + affine(c, weight, bias, normalized_shape, input.dtype), normalized_shape=normalized_shape, eps=eps)
    if len(c.results) == 1:
        return out
    if not c.used(1, 2):
        return [out, None, None]
    dim = list(range(input.rank - len(normalized_shape), input.rank))
    return [out] + constant(c, statistics(c, input, dim, eps, c.results[1:]))


@rule("group_norm")
def group_norm(c, input, num_groups, weight=None, bias=None, eps=1e-5, **_):
    return c.op("group_norm", [input] + affine(c, weight, bias, input.shape[1:2], input.dtype), num_groups=num_groups, eps=eps)


def normed(c, input, stats, parameters, training, momentum, eps):
    """The output, and the running statistics after it."""
    channels = (input.dtype, input.shape[1:2])
    return c.g.ops("batch_norm", [input] + stats + parameters, [c.results[0], channels, channels], training=training,
                   momentum=momentum, eps=eps)


@rule("_native_batch_norm_legit_functional", "_native_batch_norm_legit.no_stats", "_native_batch_norm_legit_no_training",
      "_batch_norm_with_update_functional", "batch_norm")
def batch_norm(c, input, weight=None, bias=None, running_mean=None, running_var=None, training=True, momentum=0.1,
               eps=1e-5, **_):
    """training is left to auto: the statistics of the batch in forward, the running ones in infer."""
    op = name_of(c.node.target)
    training = training and op != "_native_batch_norm_legit_no_training"
    channels, dtype = input.shape[1:2], input.dtype
    stats = [x if x is not None else c.g.op("full", [], dtype, channels, value=value, shape=channels, type=dtype)
             for x, value in ((running_mean, 0), (running_var, 1))]
    how = "false" if not training else None if running_mean is not None else "true"
    out, mean, variance = normed(c, input, stats, affine(c, weight, bias, channels, dtype), how, momentum, eps)
    if len(c.results) == 1:
        return out
    saved = [None, None]
    if c.used(1, 2) and training:
        saved = constant(c, statistics(c, input, [d for d in range(input.rank) if d != 1], eps, c.results[1:]))
    elif c.used(1, 2):                     # there is nothing to save: vectors of no elements
        saved = [nothing(c, c.results[k]) for k in (1, 2)]
    if op == "_batch_norm_with_update_functional":     # bytes for the backward of other devices
        saved.append(nothing(c, c.results[3]) if c.used(3) else None)
    return ([out] + saved + [mean, variance])[:len(c.results)]


@rule("instance_norm")
def instance_norm(c, input, weight=None, bias=None, running_mean=None, running_var=None, use_input_stats=True, eps=1e-5, **_):
    """What updates running statistics is decomposed before."""
    parameters = affine(c, weight, bias, input.shape[1:2], input.dtype)
    if use_input_stats:
        return c.op("instance_norm", [input] + parameters, eps=eps)
    return normed(c, input, [running_mean, running_var], parameters, "false", None, eps)[0]
