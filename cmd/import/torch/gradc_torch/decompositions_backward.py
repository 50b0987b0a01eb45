"""Ops of backward passes in terms of others that can be differentiated again, as decompositions.py has other ops."""
import math

import torch

from .decompositions import instead


@instead("log_sigmoid_backward")
def log_sigmoid_backward(g, x, buffer):
    return g * torch.sigmoid(-x)


@instead("hardshrink_backward", "softshrink_backward")
def shrink_backward(g, x, lambd):
    return torch.where((x >= -lambd) & (x <= lambd), 0.0, g)


# ---- to the elements that were taken

def of_pool(space, *ops):
    """Their last argument has the places of the greatest elements, counted in an image of space dimensions."""
    def backward(g, x, *more):
        at = more[-1]
        into = torch.zeros_like(x).flatten(-space)
        return into.scatter_add(-1, at.flatten(-space), g.flatten(-space)).reshape(x.shape)
    instead(*ops)(backward)


of_pool(2, "adaptive_max_pool2d_backward", "fractional_max_pool2d_backward")
of_pool(3, "max_pool3d_with_indices_backward", "adaptive_max_pool3d_backward",
        "fractional_max_pool3d_backward")


@instead("masked_scatter_backward")
def masked_scatter_backward(g, mask, sizes):
    """What the k-th element of the mask took is the k-th of the source."""
    mask = mask.expand_as(g).flatten()
    at = (mask.to(torch.int64).cumsum(0) - 1).clamp(min=0)
    count = math.prod(sizes)
    taken = g.new_zeros(max(count, mask.numel())).index_add(0, at, torch.where(mask, g.flatten(), 0.0))
    return taken[:count].reshape(sizes)


# ---- distances

def slope_of_norm(d, norm, p):
    """The derivative of (sum |d|^p)^(1/p) by d, 0 where PyTorch takes that."""
    if p == 0:
        return torch.zeros_like(d)
    if p == 1:
        return torch.sign(d)
    zero = norm == 0
    norm = torch.where(zero, 1.0, norm)
    if math.isinf(p):
        return torch.sign(d) * (d.abs() == norm)
    if p == 2:
        return torch.where(zero, 0.0, d / norm)
    away = d != 0
    size = torch.where(away, d.abs(), 1.0)
    return torch.where(zero | ~away, 0.0, torch.sign(d) * (size / norm) ** (p - 1))


@instead("_cdist_backward")
def cdist_backward(g, x1, x2, p, cdist):
    d = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    return (g.unsqueeze(-1) * slope_of_norm(d, cdist.unsqueeze(-1), p)).sum(-2)


@instead("_pdist_backward")
def pdist_backward(g, x, p, pdist):
    n = x.shape[0]
    rows, columns = torch.triu_indices(n, n, 1).unbind()
    d = x.index_select(0, rows) - x.index_select(0, columns)
    each = g.unsqueeze(-1) * slope_of_norm(d, pdist.unsqueeze(-1), p)
    return torch.zeros_like(x).index_add(0, rows, each).index_add(0, columns, each, alpha=-1)
