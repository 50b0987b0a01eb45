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
