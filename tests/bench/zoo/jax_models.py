"""The thirteen models of tests/torch/zoo_models.py in JAX: the same arithmetic on the same data.

Only idiomatic jnp and lax calls; loops are unrolled as they are there."""
import math

import jax
import jax.numpy as jnp
from jax import lax

M = {}


def m(f):
    M[f.__name__] = f
    return f


def lin(x, w, b=None):
    y = x @ w.T
    return y if b is None else y + b


def relu(x):
    return jnp.maximum(x, 0)


def xent(logits, y):
    lp = jax.nn.log_softmax(logits, axis=-1)
    return -jnp.mean(jnp.take_along_axis(lp, y[:, None], axis=1))


def conv(x, w, s=1, p=0, groups=1):
    return lax.conv_general_dilated(x, w, (s, s), [(p, p), (p, p)], dimension_numbers=("NCHW", "OIHW", "NCHW"),
                                    feature_group_count=groups)


def convb(x, P, n, s=1, p=0, groups=1):
    return conv(x, P[n + ".w"], s, p, groups) + P[n + ".b"][None, :, None, None]


def maxpool2(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def bn(x, P, n):
    mu = jnp.mean(x, axis=(0, 2, 3), keepdims=True)
    var = jnp.mean((x - mu) ** 2, axis=(0, 2, 3), keepdims=True)
    w = P[n + ".w"][None, :, None, None]
    b = P[n + ".b"][None, :, None, None]
    return (x - mu) * lax.rsqrt(var + 1e-5) * w + b


def ln(x, P, n):
    mu = jnp.mean(x, axis=-1, keepdims=True)
    var = jnp.mean((x - mu) ** 2, axis=-1, keepdims=True)
    return (x - mu) * lax.rsqrt(var + 1e-5) * P[n + ".w"] + P[n + ".b"]


def bce(x, y):
    return jnp.mean(jnp.maximum(x, 0) - x * y + jnp.log1p(jnp.exp(-jnp.abs(x))))


@m
def mlp(P, X):
    h = relu(lin(X["x"], P["fc0.w"], P["fc0.b"]))
    h = relu(lin(h, P["fc1.w"], P["fc1.b"]))
    return xent(lin(h, P["fc2.w"], P["fc2.b"]), X["y"])


@m
def convnet(P, X):
    h = maxpool2(relu(convb(X["x"], P, "c1", p=2)))
    h = maxpool2(relu(convb(h, P, "c2", p=2)))
    h = h.reshape(h.shape[0], -1)
    h = relu(lin(h, P["f1.w"], P["f1.b"]))
    return xent(lin(h, P["f2.w"], P["f2.b"]), X["y"])


_RN = [(16, 16, 1), (16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 32, 1),
       (32, 64, 2), (64, 64, 1), (64, 64, 1)]


@m
def resnet20(P, X):
    h = relu(bn(conv(X["x"], P["stem.w"], p=1), P, "stembn"))
    for i, (a, b, s) in enumerate(_RN):
        n = "b%d." % i
        z = relu(bn(conv(h, P[n + "c1.w"], s, 1), P, n + "n1"))
        z = bn(conv(z, P[n + "c2.w"], 1, 1), P, n + "n2")
        if s != 1 or a != b:
            h = bn(conv(h, P[n + "sc.w"], s, 0), P, n + "scn")
        h = relu(z + h)
    h = jnp.mean(h, axis=(2, 3))
    return xent(lin(h, P["fc.w"], P["fc.b"]), X["y"])


_MB = [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1)]


@m
def mobilenet(P, X):
    def r6(x):
        return jnp.minimum(jnp.maximum(x, 0), 6.0)
    h = r6(bn(conv(X["x"], P["stem.w"], 2, 1), P, "stembn"))
    for i, (a, b, s) in enumerate(_MB):
        n = "b%d." % i
        h = r6(bn(conv(h, P[n + "dw.w"], s, 1, groups=a), P, n + "n1"))
        h = r6(bn(conv(h, P[n + "pw.w"]), P, n + "n2"))
    h = jnp.mean(h, axis=(2, 3))
    return xent(lin(h, P["fc.w"], P["fc.b"]), X["y"])


@m
def unet(P, X):
    def c(x, n):
        return relu(convb(x, P, n, p=1))
    d0 = c(c(X["x"], "d0a"), "d0b")
    d1 = c(c(maxpool2(d0), "d1a"), "d1b")
    mm = c(c(maxpool2(d1), "ma"), "mb")
    B, C, H, W = mm.shape
    u1 = jnp.einsum("bcij,cdkl->bdikjl", mm, P["up1.w"]).reshape(B, 32, 2 * H, 2 * W)
    u1 = u1 + P["up1.b"][None, :, None, None]
    u1 = c(c(jnp.concatenate([u1, d1], 1), "u1a"), "u1b")
    u0 = c(jnp.repeat(jnp.repeat(u1, 2, axis=2), 2, axis=3), "up0")
    u0 = c(c(jnp.concatenate([u0, d0], 1), "u0a"), "u0b")
    return bce(convb(u0, P, "out"), X["y"])


def mha(x, P, n, H, mask):
    B, T, C = x.shape
    q, k, v = jnp.split(lin(x, P[n + "qkv.w"], P[n + "qkv.b"]), 3, axis=2)
    q, k, v = [t.reshape(B, T, H, C // H).transpose(0, 2, 1, 3) for t in (q, k, v)]
    a = (q @ k.transpose(0, 1, 3, 2)) * (1.0 / math.sqrt(C // H)) + mask
    o = jax.nn.softmax(a, axis=-1) @ v
    o = o.transpose(0, 2, 1, 3).reshape(B, T, C)
    return lin(o, P[n + "proj.w"], P[n + "proj.b"])


@m
def gpt2_tiny(P, X):
    x = P["wte"][X["tok"]] + P["wpe"]
    for i in range(4):
        n = "h%d." % i
        x = x + mha(ln(x, P, n + "ln1"), P, n, 4, X["mask"])
        h = jax.nn.gelu(lin(ln(x, P, n + "ln2"), P[n + "fc.w"], P[n + "fc.b"]), approximate=True)
        x = x + lin(h, P[n + "fc2.w"], P[n + "fc2.b"])
    logits = lin(ln(x, P, "lnf"), P["wte"])
    return xent(logits.reshape(-1, 1024), X["tgt"].reshape(-1))


@m
def lstm(P, X):
    H = 128
    h = X["h0"]
    c = X["h0"]
    hs = []
    for t in range(32):
        z = lin(X["x"][t], P["wx"], P["b"]) + lin(h, P["wh"])
        i = jax.nn.sigmoid(z[:, 0:H])
        f = jax.nn.sigmoid(z[:, H:2 * H])
        u = jnp.tanh(z[:, 2 * H:3 * H])
        o = jax.nn.sigmoid(z[:, 3 * H:4 * H])
        c = f * c + i * u
        h = o * jnp.tanh(c)
        hs.append(h)
    y = lin(jnp.stack(hs), P["out.w"], P["out.b"])
    return xent(y.reshape(-1, 10), X["y"].reshape(-1))


@m
def vae(P, X):
    h = relu(lin(X["x"], P["e1.w"], P["e1.b"]))
    mu = lin(h, P["mu.w"], P["mu.b"])
    lv = lin(h, P["lv.w"], P["lv.b"])
    z = mu + X["eps"] * jnp.exp(0.5 * lv)
    h = relu(lin(z, P["d1.w"], P["d1.b"]))
    rec = bce(lin(h, P["d2.w"], P["d2.b"]), X["x"])
    return rec - 0.5 * jnp.mean(1.0 + lv - mu * mu - jnp.exp(lv))


@m
def gcn(P, X):
    h = X["x"]
    for n in ("l1", "l2", "l3"):
        z = lin(h, P[n + ".w"])
        msg = z[X["src"]] * X["coef"]
        agg = jax.ops.segment_sum(msg, X["dst"], num_segments=4096)
        h = agg + z * X["self"] + P[n + ".b"]
        if n != "l3":
            h = relu(h)
    return xent(h, X["y"])


@m
def pointwise(P, X):
    h = jax.nn.gelu(P["x"] + P["bias"], approximate=True) + P["res"]
    h = ln(h, P, "ln")
    d = h - X["tgt"]
    return jnp.mean(d * d)


@m
def softmax_xent(P, X):
    return xent(lin(P["h"], P["w"]), X["y"])


@m
def wave(P, X):
    dt2, lam = 0.4 ** 2, 0.3
    c2 = P["c"] * P["c"]
    prev = u = P["u0"]
    for _ in range(20):
        lap = jnp.roll(u, 1, 0) + jnp.roll(u, -1, 0) + jnp.roll(u, 1, 1) + jnp.roll(u, -1, 1) - 4.0 * u
        nxt = 2.0 * u - prev + dt2 * (c2 * lap - lam * (u * u * u))
        prev, u = u, nxt
    d = u - X["tgt"]
    return jnp.mean(d * d)


@m
def attention(P, X):
    a = (P["q"] @ P["k"].transpose(0, 1, 3, 2)) * (1.0 / math.sqrt(64))
    o = jax.nn.softmax(a, axis=-1) @ P["v"]
    d = o - X["tgt"]
    return jnp.mean(d * d)
