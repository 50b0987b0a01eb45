"""Models that no rule was written for by name: each a dict of gradc_torch.export's arguments."""
import torch
import torch.nn.functional as F
from torch import nn

MODELS = {}


def model(function):
    MODELS[function.__name__] = function
    return function


def normal(*shape):
    return torch.randn(*shape)


class Norms(nn.Module):
    def __init__(self, d=12):
        super().__init__()
        self.fc = nn.Linear(8, d)
        self.bn = nn.BatchNorm1d(d)
        self.ln = nn.LayerNorm(d)
        self.emb = nn.Embedding(20, d, padding_idx=0)
        self.out = nn.Linear(d, 5)
        self.register_buffer("scale", torch.tensor(0.5))

    def forward(self, x, ids):
        h = F.relu(self.bn(self.fc(x)), inplace=True)
        h = self.ln(h + self.emb(ids).mean(1)) * self.scale
        return self.out(h.reshape(x.shape[0], 3, -1).transpose(1, 2).flatten(1))


@model
def norms():
    return dict(model=Norms(), inputs=(normal(4, 8), torch.randint(0, 20, (4, 3))), targets=(torch.randint(0, 5, (4,)),),
                loss="cross_entropy", dims={"B": (0, 64)})


class Running(nn.Module):
    """Statistics that are written more than once a step, by layers and by the model."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        self.bn = nn.BatchNorm2d(3)
        self.each = nn.InstanceNorm2d(3, affine=True, track_running_stats=True)
        self.register_buffer("steps", torch.zeros(()))
        self.register_buffer("scale", torch.ones(3))

    def forward(self, x):
        h = self.each(self.bn(torch.tanh(self.bn(self.conv(x)))))
        with torch.no_grad():
            self.scale.mul_(0.9).add_(h.abs().mean((0, 2, 3)), alpha=0.1)
        self.steps = self.steps + 1
        h = h / self.scale.clone().view(-1, 1, 1)
        h[:, 0] *= 2
        return h.pow(3).sum() / x.shape[0]


@model
def running():
    return dict(model=Running(), inputs=(normal(4, 2, 6, 6),), dims={"B": (0, 64)})


@model
def transformer():
    layer = nn.TransformerEncoderLayer(16, 4, 24, dropout=0.0, activation="gelu", batch_first=True)
    return dict(model=layer, inputs=(normal(2, 5, 16),), targets=(normal(2, 5, 16),), loss="mse_loss")


@model
def cell():
    class Unrolled(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.LSTMCell(6, 7)

        def forward(self, x):
            h = c = torch.zeros(x.shape[1], 7)
            for t in range(x.shape[0]):
                h, c = self.cell(x[t], (h, c))
            return h.square().mean()

    return dict(model=Unrolled(), inputs=(normal(4, 3, 6),))


@model
def function_of_params():
    def loss(P, X):
        h = torch.tanh(X["x"] @ P["w.1"] + P["b"]).clamp(-0.9, 0.9)
        top = h.max(dim=1)[0]
        rows = h[:, [0, 2, 3]].std(0)
        near = torch.where(h > 0, h, h.exp() - 1).logsumexp(-1)
        return top.mean() + rows.sum() + near.sum() * 1e-2 + F.softplus(h).norm()

    return dict(model=loss, params={"w.1": normal(5, 4) * 0.5, "b": normal(4)}, inputs=({"x": normal(6, 5)},))


@model
def indices():
    def loss(P, x, src, dst):
        z = F.linear(x, P["w"])
        agg = torch.zeros_like(z).index_add(0, dst, z.index_select(0, src))
        put = torch.zeros(6, 3).index_put((src, dst % 3), agg[:, 0][:8], accumulate=True)
        return (agg[dst, -1] * z.gather(1, src[:6, None] % 3)[:, 0].sum()).sum() + put.pow(3).sum()

    return dict(model=loss, params={"w": normal(3, 4)}, inputs=(normal(8, 4), torch.randint(0, 6, (8,)), torch.randint(0, 6, (8,))))


def weighed(parts, w):
    """A loss that each element of integers and bool weighs on."""
    flat = torch.cat([part.flatten().to(w.dtype) for part in parts])
    return (flat * (w.repeat(len(flat) // len(w) + 1)[:len(flat)]).sin()).sum()


@model
def of_bool():
    """Sums of bool are true where any term is, products where all are; numbers become bool."""
    def loss(P, x, at):
        m = x > 0
        row, places = m[0], at[:, 0]
        return weighed([
            m.sum(0, dtype=torch.bool), m.prod(1, dtype=torch.bool), torch.outer(row, m[:, 0]), torch.heaviside(m, ~m), m.sign(),
            F.pad(m, (1, 2), value=2), m.masked_fill(x > 1, 10), torch.add(m, ~m, alpha=False), torch.full((2,), 6, dtype=torch.bool),
            m.scatter_add(0, at, m), m.scatter_reduce(0, at, m, "sum"), m.scatter_reduce(0, at, m, "prod"), m.scatter(0, at, 2),
            m.scatter(0, at, True, reduce="add"), m.scatter(0, at, False, reduce="multiply"),
            m.index_put((places,), row, accumulate=True), m.put(places, m[:, 1], accumulate=True), m.put(places, m[:, 1]),
            m.index_add(0, places, m), m.index_fill(1, places % 4, True)], P["w"])

    return dict(model=loss, params={"w": normal(17)}, inputs=(normal(5, 4), torch.randint(0, 5, (5, 4))))


@model
def of_integers():
    """Numbers that are no integers are rounded towards zero where they meet integers."""
    def loss(P, n, at):
        i = torch.int64
        return weighed([
            torch.addmv(n[:, 0], n, n[0], beta=0.6, alpha=2), torch.addbmm(n[:, :4], n[None], n[None, :, :4], beta=1.6),
            n.masked_fill(n > 0, 2.7), n.scatter(0, at, -2.5), F.pad(n, (1, 1), value=2.7), n.index_fill(0, at[0], 1.5),
            torch.full((3,), -4.3, dtype=i), torch.full((2,), -1, dtype=torch.uint8), torch.arange(-0.9, 6.1, 1.9, dtype=i),
            torch.linspace(-2.6, 4.3, 9, dtype=i), torch.linspace(5.5, 5.5, 1, dtype=i)], P["w"])

    return dict(model=loss, params={"w": normal(17)}, inputs=(torch.randint(-3, 4, (5, 5)), torch.randint(0, 5, (5, 5))))


@model
def few_indices():
    """Scalars are vectors of one element; no index may have any rank; padding counted from the end."""
    def loss(P, at):
        w, none = P["w"], torch.zeros(2, 0, dtype=torch.int64)
        bags = F.embedding_bag(at, w, torch.tensor([0, 3]), mode="sum", padding_idx=-1)
        return w[0].gather(0, none).sum() + w[0, 0].gather(0, at[:1] * 0).sum() + w[1].scatter(0, none, w[:2].detach()).sum() + \
            w[1].scatter_add(0, none, w[:2].detach()).square().sum() + (bags * w[:2]).sum()

    return dict(model=loss, params={"w": normal(6, 4)}, inputs=(torch.tensor([0, 5, 1, 5, 2]),))


@model
def losses():
    def loss(P, y, label):
        x = P["x"]
        parts = [F.cross_entropy(x, label, ignore_index=1, label_smoothing=0.1), F.nll_loss(F.log_softmax(x, 1), label),
                 F.l1_loss(x, y), F.binary_cross_entropy_with_logits(x, y.sigmoid()), F.smooth_l1_loss(x, y),
                 F.huber_loss(x, y, delta=0.5), F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean"),
                 F.hinge_embedding_loss(x, y.sign()), F.cosine_similarity(x, y).mean(),
                 F.cross_entropy(x, label, weight=torch.tensor([0.5, 2.0, 1.0, 0.1]), ignore_index=3)]
        return torch.stack(parts).sum()

    return dict(model=loss, params={"x": normal(6, 4)}, inputs=(normal(6, 4), torch.randint(0, 4, (6,))))


@model
def activations():
    def loss(P, y):
        x = P["x"]
        fs = [F.celu, F.selu, F.mish, F.hardswish, F.hardsigmoid, F.hardtanh, F.relu6, F.softsign, F.logsigmoid, F.tanhshrink,
              F.softshrink, F.hardshrink, F.elu, F.silu, F.gelu, lambda v: F.gelu(v, approximate="tanh"), F.leaky_relu,
              lambda v: F.glu(v, 1), lambda v: F.threshold(v, 0.1, -2.0), lambda v: F.softmin(v, 1), F.normalize]
        return sum((f(x)[:, :2] * y[:, :2]).sum() for f in fs)

    return dict(model=loss, params={"x": normal(5, 4)}, inputs=(normal(5, 4),))


@model
def detached():
    def loss(P, y):
        x = P["x"]
        with torch.no_grad():
            norm = x.square().sum(1, keepdim=True).sqrt()
        return (x * x.data + x.detach().exp() * y).sum() / (x / norm).pow(3).sum()

    return dict(model=loss, params={"x": normal(4, 6)}, inputs=(normal(4, 6),))


@model
def views():
    def loss(P, y):
        x = P["x"]                                   # [4, 6]
        a = torch.cat([x, x.flip(1), x.roll(2, 1)], 0).unfold(1, 3, 2).sum(-1)
        b = torch.stack(x.chunk(3, 1)).permute(2, 0, 1).contiguous().view(-1)
        c = F.pad(x, (1, -2, 0, 1), value=0.5).tril(1) + torch.einsum("ij,kj->ik", x, x).repeat(2, 2)[:5, :5]
        d = x.unsqueeze(0).expand(3, 4, 6).movedim(0, 2).diagonal(0, 0, 1).narrow(0, 1, 2)
        return (a * a).sum() + (b * torch.arange(24.0)).sum() + c.cos().sum() + d.exp().mean()

    return dict(model=loss, params={"x": normal(4, 6)}, inputs=(normal(4, 6),))


@model
def bilinear():
    """Pairs of entities scored by a product of three, beside a product without a bias over more dimensions."""
    class Scored(nn.Module):
        def __init__(self):
            super().__init__()
            self.entity = nn.Embedding(9, 4)
            self.pair, self.gate = nn.Bilinear(4, 4, 5), nn.Bilinear(5, 3, 2, bias=False)

        def forward(self, ids, x):
            h = torch.tanh(self.pair(self.entity(ids[..., 0]), self.entity(ids[..., 1])))
            return self.gate(h, x).logsumexp(-1)

    return dict(model=Scored(), inputs=(torch.randint(0, 9, (6, 3, 2)), normal(6, 3, 3)), targets=(normal(6, 3),),
                loss="mse_loss", dims={"B": (0, 8)})
