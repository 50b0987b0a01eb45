"""Models that differentiate within themselves, as models.py has others."""
import torch
import torch.nn.functional as F
from torch import nn

from models import model, normal


def slope(y, x, weight=None):
    return torch.autograd.grad(y, x, torch.ones_like(y) if weight is None else weight, create_graph=True)[0]


class ConvCritic(nn.Module):
    """Wasserstein, with a penalty on the gradient (Gulrajani et al. 2017), of images."""

    def __init__(self):
        super().__init__()
        self.score = nn.Sequential(
            nn.Conv2d(2, 4, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 8, 4, 2, 1, groups=2), nn.SiLU(),
            nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False), nn.Softplus(), nn.Flatten(), nn.Linear(32, 1))

    def forward(self, real, fake, mix):
        between = (mix * real + (1 - mix) * fake.detach()).requires_grad_(True)
        steep = slope(self.score(between).sum(), between).flatten(1).norm(2, dim=1)
        return self.score(fake).mean() - self.score(real).mean() + 10 * ((steep - 1) ** 2).mean()


@model
def conv_critic():
    return dict(model=ConvCritic(), inputs=(normal(3, 2, 9, 8), normal(3, 2, 9, 8), torch.rand(3, 1, 1, 1)))


class Wave(nn.Module):
    """The residual of u_t + u u_x = u_xx, where convolutions make u of x and t."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(2, 6, 3, padding=1), nn.Tanh(), nn.Conv1d(6, 6, 5, padding=2, groups=3), nn.Tanh(),
                                 nn.Conv1d(6, 1, 1))

    def forward(self, x, t):
        x, t = x.requires_grad_(True), t.requires_grad_(True)
        u = self.net(torch.stack([x, t], 1)).squeeze(1)
        u_x, u_t = slope(u, x), slope(u, t)
        return (u_t + u * u_x - slope(u_x, x)).square().mean() + (u - x.sin()).square().mean()


@model
def wave():
    return dict(model=Wave(), inputs=(normal(3, 7), normal(3, 7)))


class Convolutions(nn.Module):
    """Gradients by input, weight and bias of convolutions and transposes, in one to three dimensions."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv1d(4, 6, 3, 2, 1, 2, 2), nn.Conv2d(4, 4, (3, 2), (1, 2), (0, 1)), nn.Conv3d(4, 2, 2, 2)])
        self.up = nn.ModuleList([nn.ConvTranspose1d(4, 6, 3, 3, 1, 2, 2), nn.ConvTranspose2d(4, 2, (3, 2), 2, (1, 0), (1, 0)),
                                 nn.ConvTranspose3d(4, 4, 2, 2, 1, 1, 4, False)])

    def forward(self, a, b, c):
        total = 0.0
        for layers in (self.down, self.up):
            for layer, x in zip(layers, (a, b, c)):
                x = x.requires_grad_(True)
                y = layer(x).sin().square().mean()
                of = torch.autograd.grad(y, [x] + list(layer.parameters()), create_graph=True)
                total = total + sum((g * (1 + g).cos()).sum() for g in of)
        return total


@model
def convolutions_derived():
    return dict(model=Convolutions(), inputs=(normal(2, 4, 8), normal(2, 4, 6, 5), normal(2, 4, 5, 4, 3)))


class Normed(nn.Module):
    """Second derivatives go through the statistics of norms."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3)
        self.norms = nn.ModuleList([nn.LayerNorm([4, 3, 3]), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True),
                                    nn.RMSNorm([3, 3]), nn.BatchNorm2d(4, track_running_stats=False)])
        self.fixed = nn.BatchNorm2d(4).eval()
        self.fixed.running_mean.normal_()

    def train(self, mode=True):
        super().train(mode)
        self.fixed.eval()
        return self

    def forward(self, x):
        x = x.requires_grad_(True)
        h = self.first(x)
        y = self.fixed(h)
        for norm in self.norms:
            y = y + norm(h + y).sin()
        return slope(y.square().sum(), x).square().mean() + y.mean()


@model
def normed_derived():
    return dict(model=Normed(), inputs=(normal(3, 2, 5, 5),))


@model
def running_statistics_derived():
    class Running(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5, momentum=0.3), nn.Tanh(), nn.Linear(5, 1))

        def forward(self, x):
            x = x.requires_grad_(True)
            return slope(self.net(x).square(), x).square().mean()

    return dict(model=Running(), inputs=(normal(6, 3),))


def penalty(functions, x):
    """What the squares of gradients of each function at x add up to."""
    x = x.requires_grad_(True)
    total = 0.0
    for f in functions:
        y = f(x)
        total = total + slope((y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sin(), x).square().mean()
    return total


@model
def pools_derived():
    def loss(P, x):
        def volume(f):
            return lambda x: f(x.unsqueeze(1))

        functions = [lambda x: F.avg_pool2d(x, 2), lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
                     lambda x: F.avg_pool2d(x, 3, 2, 1, divisor_override=5), lambda x: F.avg_pool1d(x[0], 2, 1),
                     volume(lambda x: F.avg_pool3d(x, 2)), lambda x: F.adaptive_avg_pool2d(x, (4, 3)),
                     volume(lambda x: F.adaptive_avg_pool3d(x, 2)), lambda x: F.max_pool2d(x, 3, 2, 1),
                     volume(lambda x: F.max_pool3d(x, 2)), lambda x: F.adaptive_max_pool2d(x, (4, 3)),
                     lambda x: F.adaptive_max_pool1d(x[0], 4), volume(lambda x: F.adaptive_max_pool3d(x, 2)),
                     lambda x: F.local_response_norm(x, 2), lambda x: F.lp_pool2d(x.exp(), 2, 2)]
        return penalty(functions, x * P["w"])

    return dict(model=loss, params={"w": normal(2, 3, 6, 6)}, inputs=(normal(2, 3, 6, 6),))


@model
def sizes_derived():
    def loss(P, x):
        functions = [lambda x, a=a: F.interpolate(x, **a) for a in (
            dict(scale_factor=2), dict(scale_factor=1.5), dict(size=(3, 9), mode="nearest-exact"),
            dict(scale_factor=2, mode="bilinear"), dict(size=(9, 5), mode="bilinear", align_corners=True),
            dict(scale_factor=2, mode="bicubic"), dict(size=(3, 4), mode="bilinear", antialias=True))]
        functions += [lambda x: F.interpolate(x[0], scale_factor=2, mode="linear"),
                      lambda x: F.interpolate(x.unsqueeze(1), scale_factor=2, mode="trilinear"),
                      lambda x: F.pad(x, (1, 2, 1, 0), "replicate"), lambda x: F.pad(x, (1, -1, 2, 0), "reflect"),
                      lambda x: F.pad(x[0], (1, 2), "replicate"), lambda x: F.pad(x, (1, 2, 1, 0), "circular"),
                      lambda x: F.pixel_shuffle(F.pixel_unshuffle(x, 2).sin(), 2)]
        return penalty(functions, x * P["w"])

    return dict(model=loss, params={"w": normal(2, 3, 6, 6)}, inputs=(normal(2, 3, 6, 6),))


@model
def samples_derived():
    def loss(P, x, grid):
        h = x * P["w"]
        functions = [lambda g: F.grid_sample(h, g, padding_mode="border", align_corners=False),
                     lambda g: F.grid_sample(h, g, "bicubic", "reflection", True),
                     lambda g: F.grid_sample(h.sin(), g.detach(), align_corners=False) * g.sum(-1).unsqueeze(1).cos()]
        return penalty(functions, grid.tanh() * P["v"]) + penalty([lambda x: F.grid_sample(x, grid, align_corners=False)], h)

    return dict(model=loss, params={"w": normal(2, 3, 6, 6), "v": normal(2, 4, 5, 2)},
                inputs=(normal(2, 3, 6, 6), normal(2, 4, 5, 2)))


@model
def pointwise_derived():
    def loss(P, x, label):
        functions = [F.gelu, lambda x: F.gelu(x, approximate="tanh"), F.silu, F.mish, F.elu, F.celu, F.selu, F.softplus, F.hardswish,
                     F.logsigmoid, F.tanhshrink, F.softshrink, F.hardshrink, F.softsign, F.relu6, F.glu, torch.sigmoid, torch.tanh,
                     lambda x: F.leaky_relu(x, 0.1), lambda x: F.prelu(x, P["slope"]), lambda x: F.threshold(x, 0.1, 2.0),
                     lambda x: F.softmax(x, 1), lambda x: F.log_softmax(x, 0), lambda x: x.logsumexp(1), F.normalize,
                     lambda x: F.cross_entropy(x, label, label_smoothing=0.1), lambda x: F.nll_loss(x.log_softmax(1), label),
                     lambda x: F.smooth_l1_loss(x, 1 - x), lambda x: F.kl_div(x.log_softmax(1), x.detach().softmax(1)),
                     lambda x: F.binary_cross_entropy_with_logits(x, x.detach().sigmoid()),
                     lambda x: x.new_zeros(5, 4).masked_scatter(x > 0, x), lambda x: F.embedding(label, x),
                     lambda x: x.cumsum(0).cumprod(1), lambda x: x.sort(1)[0][:, 1:].std(1)]
        return penalty(functions, x * P["w"])

    return dict(model=loss, params={"w": normal(5, 4), "slope": normal(1)}, inputs=(normal(5, 4), torch.randint(0, 4, (5,))))


@model
def attention_derived():
    class Attended(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, activation="gelu", batch_first=True)

        def forward(self, x):
            with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
                return penalty([self.layer], x)

    return dict(model=Attended(), inputs=(normal(2, 5, 8),))


@model
def matrices_derived():
    def loss(P, x):
        def gram(x):
            return x @ x.mT + torch.eye(3)

        functions = [lambda x: torch.linalg.solve(gram(x), x), lambda x: torch.linalg.solve(gram(x), x.mT, left=False),
                     lambda x: torch.linalg.inv(gram(x)), lambda x: torch.linalg.slogdet(gram(x))[1], lambda x: gram(x).det(),
                     lambda x: torch.logdet(gram(x)), lambda x: torch.linalg.cholesky(gram(x)),
                     lambda x: torch.linalg.solve_triangular(gram(x).tril(), x, upper=False)]
        return penalty(functions, x * P["w"])

    return dict(model=loss, params={"w": normal(2, 3, 4)}, inputs=(normal(2, 3, 4),))


def between(a, b, p):
    return (a.unsqueeze(-2) - b.unsqueeze(-3)).abs().pow(p).sum(-1).pow(1 / p)


@model
def distances_derived():
    """PyTorch differentiates the first two once, and the last one wrongly; it computes what they say."""
    def loss(cdist, pdist, weight_norm):
        def of(P, x):
            h = x * P["w"]
            functions = [lambda h: cdist(h, h + x.sin(), p) for p in (1.0, 2.0, 3.0)] + [lambda h: pdist(h, 2.0)]
            return penalty(functions, h) + penalty([lambda h: weight_norm(h, P["g"], 0)], h)
        return of

    rows, columns = torch.triu_indices(5, 5, 1)
    like = loss(between, lambda x, p: between(x[rows, None], x[columns, None], p).flatten(),
                lambda v, g, dim: v * (g / v.norm(2, 1, keepdim=True)))
    return dict(model=loss(torch.cdist, F.pdist, torch._weight_norm), like=like,
                params={"w": normal(5, 3), "g": normal(5, 1)}, inputs=(normal(5, 3),))
