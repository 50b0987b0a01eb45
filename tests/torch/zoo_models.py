"""Thirteen models: plain functions loss(P, X) of parameters and inputs, which are numpy arrays drawn by numpy's frozen
RandomState, seeded by the model's name. A step is forward and backward by every entry of P; losses are means."""
import collections
import math
import zlib

import numpy as np
import torch
import torch.nn.functional as F

Spec = collections.namedtuple("Spec", "name desc make loss")
ZOO = collections.OrderedDict()


def model(name, desc, make):
    def deco(fn):
        ZOO[name] = Spec(name, desc, make, fn)
        return fn
    return deco


class Gen:
    """Deterministic generator of numpy arrays."""

    def __init__(self, name):
        self.r = np.random.RandomState(zlib.crc32(name.encode()) & 0x7FFFFFFF)
        self.P = collections.OrderedDict()
        self.X = collections.OrderedDict()

    # raw draws
    def normal(self, *shape, scale=1.0):
        return (self.r.standard_normal(shape) * scale).astype(np.float32)

    def uniform(self, *shape, lo=0.0, hi=1.0):
        return self.r.uniform(lo, hi, size=shape).astype(np.float32)

    def ints(self, hi, *shape):
        return self.r.randint(0, hi, size=shape).astype(np.int64)

    # parameters
    def linear(self, name, fin, fout, bias=True, scale=None):
        self.P[name + ".w"] = self.normal(fout, fin, scale=scale or math.sqrt(1.0 / fin))
        if bias:
            self.P[name + ".b"] = self.normal(fout, scale=0.02)

    def conv(self, name, cin, cout, k, groups=1, bias=True, dims=2):
        fan = cin // groups * k ** dims
        self.P[name + ".w"] = self.normal(cout, cin // groups, *([k] * dims), scale=math.sqrt(2.0 / fan))
        if bias:
            self.P[name + ".b"] = self.normal(cout, scale=0.02)

    def norm(self, name, c):
        self.P[name + ".w"] = 1.0 + self.normal(c, scale=0.05)
        self.P[name + ".b"] = self.normal(c, scale=0.05)

    def done(self):
        return self.P, self.X


# --------------------------------------------------------------------------
# 1. MLP
def _mk_mlp():
    g = Gen("mlp")
    for i, (a, b) in enumerate([(784, 512), (512, 512), (512, 10)]):
        g.linear("fc%d" % i, a, b, scale=math.sqrt(2.0 / a))
    g.X["x"] = g.normal(128, 784)
    g.X["y"] = g.ints(10, 128)
    return g.done()


@model("mlp", "MLP 784-512-512-10, batch 128, relu, cross-entropy", _mk_mlp)
def mlp(P, X):
    h = F.relu(F.linear(X["x"], P["fc0.w"], P["fc0.b"]))
    h = F.relu(F.linear(h, P["fc1.w"], P["fc1.b"]))
    return F.cross_entropy(F.linear(h, P["fc2.w"], P["fc2.b"]), X["y"])


# --------------------------------------------------------------------------
# 2. ConvNet (LeNet-like)
def _mk_convnet():
    g = Gen("convnet")
    g.conv("c1", 1, 16, 5)
    g.conv("c2", 16, 32, 5)
    g.linear("f1", 32 * 7 * 7, 128, scale=math.sqrt(2.0 / (32 * 49)))
    g.linear("f2", 128, 10)
    g.X["x"] = g.normal(64, 1, 28, 28)
    g.X["y"] = g.ints(10, 64)
    return g.done()


@model("convnet", "LeNet-like: 2x(conv5x5+relu+maxpool2)+2 fc, batch 64, 1x28x28", _mk_convnet)
def convnet(P, X):
    h = F.max_pool2d(F.relu(F.conv2d(X["x"], P["c1.w"], P["c1.b"], padding=2)), 2)
    h = F.max_pool2d(F.relu(F.conv2d(h, P["c2.w"], P["c2.b"], padding=2)), 2)
    h = h.reshape(h.shape[0], -1)
    h = F.relu(F.linear(h, P["f1.w"], P["f1.b"]))
    return F.cross_entropy(F.linear(h, P["f2.w"], P["f2.b"]), X["y"])


# --------------------------------------------------------------------------
# 3. ResNet-20, CIFAR size. BatchNorm uses batch statistics (training mode);
#    running statistics are not part of the step.
def _bn(x, P, n):
    return F.batch_norm(x, None, None, P[n + ".w"], P[n + ".b"], training=True, momentum=0.0, eps=1e-5)


_RN = [(16, 16, 1), (16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 32, 1),
       (32, 64, 2), (64, 64, 1), (64, 64, 1)]


def _mk_resnet20():
    g = Gen("resnet20")
    g.conv("stem", 3, 16, 3, bias=False)
    g.norm("stembn", 16)
    for i, (a, b, s) in enumerate(_RN):
        g.conv("b%d.c1" % i, a, b, 3, bias=False)
        g.norm("b%d.n1" % i, b)
        g.conv("b%d.c2" % i, b, b, 3, bias=False)
        g.norm("b%d.n2" % i, b)
        if s != 1 or a != b:
            g.conv("b%d.sc" % i, a, b, 1, bias=False)
            g.norm("b%d.scn" % i, b)
    g.linear("fc", 64, 10)
    g.X["x"] = g.normal(32, 3, 32, 32)
    g.X["y"] = g.ints(10, 32)
    return g.done()


@model("resnet20", "ResNet-20 (1x1-conv shortcuts), BatchNorm in training mode, batch 32, 3x32x32", _mk_resnet20)
def resnet20(P, X):
    h = F.relu(_bn(F.conv2d(X["x"], P["stem.w"], padding=1), P, "stembn"))
    for i, (a, b, s) in enumerate(_RN):
        n = "b%d." % i
        z = F.relu(_bn(F.conv2d(h, P[n + "c1.w"], stride=s, padding=1), P, n + "n1"))
        z = _bn(F.conv2d(z, P[n + "c2.w"], padding=1), P, n + "n2")
        if s != 1 or a != b:
            h = _bn(F.conv2d(h, P[n + "sc.w"], stride=s), P, n + "scn")
        h = F.relu(z + h)
    h = h.mean(dim=(2, 3))
    return F.cross_entropy(F.linear(h, P["fc.w"], P["fc.b"]), X["y"])


# --------------------------------------------------------------------------
# 4. MobileNet-like
_MB = [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1)]


def _mk_mobilenet():
    g = Gen("mobilenet")
    g.conv("stem", 3, 32, 3, bias=False)
    g.norm("stembn", 32)
    for i, (a, b, s) in enumerate(_MB):
        g.conv("b%d.dw" % i, a, a, 3, groups=a, bias=False)
        g.norm("b%d.n1" % i, a)
        g.conv("b%d.pw" % i, a, b, 1, bias=False)
        g.norm("b%d.n2" % i, b)
    g.linear("fc", 256, 10)
    g.X["x"] = g.normal(16, 3, 64, 64)
    g.X["y"] = g.ints(10, 16)
    return g.done()


@model("mobilenet", "MobileNet-v1-like: stem + 5 depthwise-separable blocks, BN(train), relu6, batch 16, 3x64x64",
       _mk_mobilenet)
def mobilenet(P, X):
    h = F.relu6(_bn(F.conv2d(X["x"], P["stem.w"], stride=2, padding=1), P, "stembn"))
    for i, (a, b, s) in enumerate(_MB):
        n = "b%d." % i
        h = F.relu6(_bn(F.conv2d(h, P[n + "dw.w"], stride=s, padding=1, groups=a), P, n + "n1"))
        h = F.relu6(_bn(F.conv2d(h, P[n + "pw.w"]), P, n + "n2"))
    h = h.mean(dim=(2, 3))
    return F.cross_entropy(F.linear(h, P["fc.w"], P["fc.b"]), X["y"])


# --------------------------------------------------------------------------
# 5. Small U-Net
def _mk_unet():
    g = Gen("unet")
    for n, a, b in [("d0a", 3, 16), ("d0b", 16, 16), ("d1a", 16, 32), ("d1b", 32, 32),
                    ("ma", 32, 64), ("mb", 64, 64)]:
        g.conv(n, a, b, 3)
    g.P["up1.w"] = g.normal(64, 32, 2, 2, scale=math.sqrt(1.0 / 64))  # conv_transpose weight
    g.P["up1.b"] = g.normal(32, scale=0.02)
    g.conv("u1a", 64, 32, 3)
    g.conv("u1b", 32, 32, 3)
    g.conv("up0", 32, 16, 3)  # after nearest upsample
    g.conv("u0a", 32, 16, 3)
    g.conv("u0b", 16, 16, 3)
    g.conv("out", 16, 1, 1)
    g.X["x"] = g.normal(4, 3, 64, 64)
    g.X["y"] = (g.uniform(4, 1, 64, 64) > 0.5).astype(np.float32)
    return g.done()


@model("unet", "small U-Net: 2 levels, one conv_transpose and one nearest upsample, concat skips, batch 4, 3x64x64, BCE",
       _mk_unet)
def unet(P, X):
    def c(x, n):
        return F.relu(F.conv2d(x, P[n + ".w"], P[n + ".b"], padding=1))
    d0 = c(c(X["x"], "d0a"), "d0b")
    d1 = c(c(F.max_pool2d(d0, 2), "d1a"), "d1b")
    m = c(c(F.max_pool2d(d1, 2), "ma"), "mb")
    u1 = F.conv_transpose2d(m, P["up1.w"], P["up1.b"], stride=2)
    u1 = c(c(torch.cat([u1, d1], 1), "u1a"), "u1b")
    u0 = c(F.interpolate(u1, scale_factor=2, mode="nearest"), "up0")
    u0 = c(c(torch.cat([u0, d0], 1), "u0a"), "u0b")
    logit = F.conv2d(u0, P["out.w"], P["out.b"])
    return F.binary_cross_entropy_with_logits(logit, X["y"])


# --------------------------------------------------------------------------
# 6. GPT-2 tiny
GPT2 = dict(L=4, C=256, H=4, T=128, B=4, V=1024)


def _mk_gpt2():
    g = Gen("gpt2_tiny")
    c = GPT2
    C = c["C"]
    g.P["wte"] = g.normal(c["V"], C, scale=0.02)
    g.P["wpe"] = g.normal(c["T"], C, scale=0.01)
    for i in range(c["L"]):
        n = "h%d." % i
        g.norm(n + "ln1", C)
        g.linear(n + "qkv", C, 3 * C, scale=0.06)
        g.linear(n + "proj", C, C, scale=0.03)
        g.norm(n + "ln2", C)
        g.linear(n + "fc", C, 4 * C, scale=0.06)
        g.linear(n + "fc2", 4 * C, C, scale=0.03)
    g.norm("lnf", C)
    g.X["tok"] = g.ints(c["V"], c["B"], c["T"])
    g.X["tgt"] = g.ints(c["V"], c["B"], c["T"])
    # additive causal mask: 0 where allowed, -1e9 where not
    g.X["mask"] = np.triu(np.full((c["T"], c["T"]), -1e9, dtype=np.float32), 1)
    return g.done()


def _mha(x, P, n, H, mask):
    B, T, C = x.shape
    q, k, v = F.linear(x, P[n + "qkv.w"], P[n + "qkv.b"]).split(C, dim=2)
    q = q.view(B, T, H, C // H).transpose(1, 2)
    k = k.view(B, T, H, C // H).transpose(1, 2)
    v = v.view(B, T, H, C // H).transpose(1, 2)
    a = torch.matmul(q, k.transpose(-2, -1)) * (1.0 / math.sqrt(C // H)) + mask
    o = torch.matmul(torch.softmax(a, dim=-1), v)
    o = o.transpose(1, 2).reshape(B, T, C)
    return F.linear(o, P[n + "proj.w"], P[n + "proj.b"])


def _ln(x, P, n):
    return F.layer_norm(x, (x.shape[-1],), P[n + ".w"], P[n + ".b"], 1e-5)


@model("gpt2_tiny", "GPT-2: 4 layers, d=256, 4 heads, T=128, B=4, vocab 1024, tied embedding, gelu(tanh)", _mk_gpt2)
def gpt2_tiny(P, X):
    x = F.embedding(X["tok"], P["wte"]) + P["wpe"]
    for i in range(GPT2["L"]):
        n = "h%d." % i
        x = x + _mha(_ln(x, P, n + "ln1"), P, n, GPT2["H"], X["mask"])
        h = F.gelu(F.linear(_ln(x, P, n + "ln2"), P[n + "fc.w"], P[n + "fc.b"]), approximate="tanh")
        x = x + F.linear(h, P[n + "fc2.w"], P[n + "fc2.b"])
    logits = F.linear(_ln(x, P, "lnf"), P["wte"])
    return F.cross_entropy(logits.view(-1, GPT2["V"]), X["tgt"].view(-1))


# --------------------------------------------------------------------------
# 7. LSTM, written out
RNN = dict(T=32, B=32, I=64, H=128, O=10)


def _mk_lstm():
    g = Gen("lstm")
    c = RNN
    g.P["wx"] = g.normal(4 * c["H"], c["I"], scale=0.09)
    g.P["wh"] = g.normal(4 * c["H"], c["H"], scale=0.09)
    g.P["b"] = g.normal(4 * c["H"], scale=0.09)
    g.linear("out", c["H"], c["O"])
    g.X["x"] = g.normal(c["T"], c["B"], c["I"])
    g.X["y"] = g.ints(c["O"], c["T"], c["B"])
    g.X["h0"] = np.zeros((c["B"], c["H"]), np.float32)
    return g.done()


@model("lstm", "LSTM written out, T=32, B=32, I=64, H=128, per-step classification", _mk_lstm)
def lstm(P, X):
    H = RNN["H"]
    h = X["h0"]
    c = X["h0"]
    hs = []
    for t in range(RNN["T"]):
        z = F.linear(X["x"][t], P["wx"], P["b"]) + F.linear(h, P["wh"])
        i = torch.sigmoid(z[:, 0:H])
        f = torch.sigmoid(z[:, H:2 * H])
        u = torch.tanh(z[:, 2 * H:3 * H])
        o = torch.sigmoid(z[:, 3 * H:4 * H])
        c = f * c + i * u
        h = o * torch.tanh(c)
        hs.append(h)
    y = F.linear(torch.stack(hs), P["out.w"], P["out.b"])
    return F.cross_entropy(y.view(-1, RNN["O"]), X["y"].view(-1))


# --------------------------------------------------------------------------
# 8. VAE
def _mk_vae():
    g = Gen("vae")
    g.linear("e1", 784, 400)
    g.linear("mu", 400, 20)
    g.linear("lv", 400, 20)
    g.linear("d1", 20, 400)
    g.linear("d2", 400, 784)
    g.X["x"] = g.uniform(128, 784)
    g.X["eps"] = g.normal(128, 20)
    return g.done()


@model("vae", "MLP VAE 784-400-20-400-784, batch 128, noise as an input, BCE-with-logits + KL", _mk_vae)
def vae(P, X):
    h = F.relu(F.linear(X["x"], P["e1.w"], P["e1.b"]))
    mu = F.linear(h, P["mu.w"], P["mu.b"])
    lv = F.linear(h, P["lv.w"], P["lv.b"])
    z = mu + X["eps"] * torch.exp(0.5 * lv)
    h = F.relu(F.linear(z, P["d1.w"], P["d1.b"]))
    rec = F.binary_cross_entropy_with_logits(F.linear(h, P["d2.w"], P["d2.b"]), X["x"])
    kl = -0.5 * (1.0 + lv - mu * mu - torch.exp(lv)).mean()
    return rec + kl


# --------------------------------------------------------------------------
# 9. GCN
GCN = dict(N=4096, E=32768, F0=128, F1=128, O=16)


def _mk_gcn():
    g = Gen("gcn")
    c = GCN
    g.linear("l1", c["F0"], c["F1"])
    g.linear("l2", c["F1"], c["F1"])
    g.linear("l3", c["F1"], c["O"])
    g.X["x"] = g.normal(c["N"], c["F0"])
    src = g.ints(c["N"], c["E"])
    dst = g.ints(c["N"], c["E"])
    deg_o = np.bincount(src, minlength=c["N"]).astype(np.float64) + 1.0
    deg_i = np.bincount(dst, minlength=c["N"]).astype(np.float64) + 1.0
    g.X["src"] = src
    g.X["dst"] = dst
    g.X["coef"] = (1.0 / np.sqrt(deg_o[src] * deg_i[dst])).astype(np.float32)[:, None]
    g.X["self"] = (1.0 / np.sqrt(deg_o * deg_i)).astype(np.float32)[:, None]
    g.X["y"] = g.ints(c["O"], c["N"])
    return g.done()


@model("gcn", "3-layer GCN, 4096 nodes, 32768 random edges, gather * coef -> index_add, 128 features", _mk_gcn)
def gcn(P, X):
    h = X["x"]
    for n in ("l1", "l2", "l3"):
        z = F.linear(h, P[n + ".w"])
        msg = z.index_select(0, X["src"]) * X["coef"]
        agg = torch.zeros_like(z).index_add(0, X["dst"], msg)
        h = agg + z * X["self"] + P[n + ".b"]
        if n != "l3":
            h = F.relu(h)
    return F.cross_entropy(h, X["y"])


# --------------------------------------------------------------------------
# 10. Memory-bound pointwise chain
def _mk_pointwise():
    g = Gen("pointwise")
    g.P["x"] = g.normal(4096, 1024)
    g.P["res"] = g.normal(4096, 1024)
    g.P["bias"] = g.normal(1024, scale=0.1)
    g.norm("ln", 1024)
    g.X["tgt"] = g.normal(4096, 1024)
    return g.done()


@model("pointwise", "bias + gelu(tanh) + residual + layernorm on 4096x1024, squared error; grads for both big tensors",
       _mk_pointwise)
def pointwise(P, X):
    h = F.gelu(P["x"] + P["bias"], approximate="tanh") + P["res"]
    h = F.layer_norm(h, (1024,), P["ln.w"], P["ln.b"], 1e-5)
    d = h - X["tgt"]
    return (d * d).mean()


# --------------------------------------------------------------------------
# 11. Big-vocabulary softmax cross-entropy
def _mk_softmax_xent():
    g = Gen("softmax_xent")
    g.P["h"] = g.normal(512, 256)
    g.P["w"] = g.normal(50257, 256, scale=0.06)
    g.X["y"] = g.ints(50257, 512)
    return g.done()


@model("softmax_xent", "logits 512x50257 = hidden 512x256 @ W^T, mean cross-entropy; grads for hidden and W",
       _mk_softmax_xent)
def softmax_xent(P, X):
    return F.cross_entropy(F.linear(P["h"], P["w"]), X["y"])


# --------------------------------------------------------------------------
# 12. Scientific: nonlinear 2D wave equation (Klein-Gordon phi^4), periodic,
#     20 leapfrog steps, differentiated w.r.t. initial field and wave speed.
WAVE = dict(N=512, steps=20, dt=0.4, lam=0.3)


def _mk_wave():
    g = Gen("wave")
    N = WAVE["N"]
    yy, xx = np.meshgrid(np.arange(N), np.arange(N), indexing="ij")
    u = np.zeros((N, N))
    for _ in range(12):
        cx, cy = g.r.uniform(0, N, 2)
        s = g.r.uniform(6, 20)
        a = g.r.uniform(-1, 1)
        u += a * np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * s * s))
    g.P["u0"] = u.astype(np.float32)
    g.P["c"] = 1.0 + g.normal(N, N, scale=0.05)
    g.X["tgt"] = g.normal(N, N, scale=0.1)
    return g.done()


@model("wave", "2D nonlinear wave stencil, 512x512 periodic (torch.roll), 20 steps, grads for u0 and c (non-ML)", _mk_wave)
def wave(P, X):
    dt2, lam = WAVE["dt"] ** 2, WAVE["lam"]
    c2 = P["c"] * P["c"]
    prev = P["u0"]
    u = P["u0"]
    for _ in range(WAVE["steps"]):
        lap = (torch.roll(u, 1, 0) + torch.roll(u, -1, 0) + torch.roll(u, 1, 1) + torch.roll(u, -1, 1) - 4.0 * u)
        nxt = 2.0 * u - prev + dt2 * (c2 * lap - lam * (u * u * u))
        prev, u = u, nxt
    d = u - X["tgt"]
    return (d * d).mean()


# --------------------------------------------------------------------------
# 13. Attention alone
def _mk_attention():
    g = Gen("attention")
    for n in "qkv":
        g.P[n] = g.normal(2, 8, 512, 64)
    g.X["tgt"] = g.normal(2, 8, 512, 64)
    return g.done()


@model("attention", "softmax(QK^T/sqrt d)V alone, B=2, H=8, T=512, d=64, squared error; grads for q,k,v", _mk_attention)
def attention(P, X):
    a = torch.matmul(P["q"], P["k"].transpose(-2, -1)) * (1.0 / math.sqrt(64))
    o = torch.matmul(torch.softmax(a, dim=-1), P["v"])
    d = o - X["tgt"]
    return (d * d).mean()
