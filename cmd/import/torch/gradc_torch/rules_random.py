"""Rules for kinds of dropout, and activations with random slopes."""
from .rules import name_of, rule


@rule("alpha_dropout", "feature_dropout", "feature_alpha_dropout")
def dropout(c, input, p, train, **_):
    return c.op(name_of(c.node.target), [input, c.key()], p=p) if train and p else input


@rule("rrelu")
def rrelu(c, self, lower=0.125, upper=0.3333333333333333, training=False, **_):
    if not training:
        return c.op("leaky_relu", [self], negative_slope=(lower + upper) / 2)
    return c.op("rrelu", [self, c.key()], lower=lower, upper=upper)
