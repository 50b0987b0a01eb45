"""Models of images and signals, as models.py has others."""
import torch
import torch.nn.functional as F
from torch import nn

from models import model, normal


class Residual(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(a, b, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(b)
        self.conv2 = nn.Conv2d(b, b, 3, padding="same", groups=b)
        self.bn2 = nn.BatchNorm2d(b)
        self.short = nn.Conv2d(a, b, 1, stride, bias=False)

    def forward(self, x):
        h = F.relu6(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + self.short(x))


@model
def residual():
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.MaxPool2d(3, 2, 1), Residual(8, 12, 2),
                        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 4))
    return dict(model=net, inputs=(normal(4, 3, 16, 16),), targets=(torch.randint(0, 4, (4,)),), loss="cross_entropy",
                dims={"B": (0, 8)})


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(2, 6, 3, padding=1, padding_mode="reflect")
        self.mid = nn.Conv2d(6, 8, 3, padding=1, padding_mode="circular")
        self.up = nn.ConvTranspose2d(8, 6, 2, 2)
        self.norm = nn.InstanceNorm2d(6, affine=True)
        self.out = nn.Conv2d(12, 4, 1)

    def forward(self, x):
        a = F.relu(self.down(x))
        b = F.relu(self.mid(F.avg_pool2d(a, 2)))
        c = F.interpolate(F.max_pool2d(b, 2), scale_factor=2, mode="bilinear")
        h = torch.cat([self.norm(self.up(b + c)), a], 1)
        return F.pixel_shuffle(self.out(h), 2)


@model
def images():
    return dict(model=Unet(), inputs=(normal(2, 2, 8, 8),), targets=(normal(2, 1, 16, 16),), loss="mse_loss")


class Signal(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 6, 5, stride=2, padding=2)
        self.wide = nn.Conv1d(6, 6, 3, padding=2, dilation=2, groups=3)
        self.up = nn.ConvTranspose1d(6, 3, 4, 2, 1, output_padding=1)
        self.pool = nn.LPPool1d(2, 3, 2)

    def forward(self, x):
        h = F.elu(self.wide(F.pad(self.conv(x), (1, 1), "replicate")))
        h = F.adaptive_max_pool1d(h.square() + 0.1, 7) + self.pool(h.exp())[..., :7].roll(1, -1)
        frames = self.up(h).unfold(-1, 4, 3)
        return F.interpolate(frames.flatten(2), size=10, mode="nearest").square().mean()


@model
def waveform():
    return dict(model=Signal(), inputs=(normal(3, 2, 32),))


@model
def patches():
    class Patches(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Conv2d(3, 10, 4, stride=4)
            self.volume = nn.Conv3d(1, 2, 2)

        def forward(self, x):
            tokens = self.embed(x).flatten(2).transpose(1, 2)
            columns = F.unfold(x, 3, padding=1, stride=2)
            image = F.fold(columns, (8, 8), 3, padding=1, stride=2)
            small = F.local_response_norm(F.interpolate(image, size=(5, 6), mode="bicubic", align_corners=True), 2)
            values, at = F.max_pool2d(x, 2, return_indices=True)
            volume = F.max_pool3d(self.volume(small.unsqueeze(1)), 2)
            return tokens.sin().mean() + volume.mean() + F.max_unpool2d(values, at, 2).square().mean()

    return dict(model=Patches(), inputs=(normal(2, 3, 8, 8),))
