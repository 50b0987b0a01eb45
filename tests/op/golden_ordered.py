#!/usr/bin/env python3
"""golden_ordered.py GRADC > golden_ordered.t: what PyTorch gives for scans, sorts and what stands on them; see golden.py."""
import torch

from golden import main


def flip(fn):
    return lambda a: fn(a.flip(1), 1).flip(1)


ROWS = [
    ('cumsum f64[2,5] dim=1', lambda a: a.cumsum(1)),
    ('cumsum f64[2,3,2] dim=-2', lambda a: a.cumsum(-2)),
    ('cumsum f64[2,5] dim=1 reverse', flip(torch.cumsum)),
    ('cumsum i8[2,6] in(-128,127) dim=1', lambda a: a.cumsum(1)),
    ('cumprod f64[2,5] dim=1', lambda a: a.cumprod(1)),
    ('cumprod f64[3,6] in(-0.02,0.02) dim=1', lambda a: a.cumprod(1)),
    ('cumprod f64[2,4] dim=1 reverse', flip(torch.cumprod)),
    ('logcumsumexp f64[2,5] dim=1', lambda a: a.logcumsumexp(1)),
    ('logcumsumexp f64[4,2] in(-60,60) dim=0', lambda a: a.logcumsumexp(0)),
    ('cummax f64[2,6] in(-0.05,0.05) dim=1', lambda a: a.cummax(1)),
    ('cummin f64[2,6] in(-0.05,0.05) dim=1', lambda a: a.cummin(1)),
    ('cummax i32[8] in(-2,2) dim=0', lambda a: a.cummax(0)),
    ('argsort f64[2,9] in(-0.05,0.05)', lambda a: a.argsort(stable=True)),
    ('argsort i32[3,8] in(-3,3) dim=0 descending', lambda a: a.argsort(dim=0, descending=True, stable=True)),
    ('sort f64[2,6] in(-0.05,0.05)', lambda a: a.sort(stable=True)),
    ('sort f64[3,4] dim=0 descending', lambda a: a.sort(dim=0, descending=True, stable=True)),
    ('topk f64[2,7] k=3', lambda a: a.topk(3)),
    ('topk f64[5,2] k=2 dim=0 largest=false', lambda a: a.topk(2, 0, False)),
    ('kthvalue f64[2,7] k=3', lambda a: a.kthvalue(3)),
    ('median f64[2,7] dim=1', lambda a: a.median(1)),
    ('median f64[3,6] dim=1 keepdim', lambda a: a.median(1, True)),
    ('nanmedian f64[2,7] dim=1', lambda a: a.nanmedian(1)),
    ('mode i32[2,8] in(0,3) dim=1', lambda a: a.mode(1)),
    ('quantile f64[2,5] q=0.3', lambda a: a.quantile(0.3)),
    ('quantile f64[2,5] f64[3] in(0,1) dim=1', lambda a, q: a.quantile(q, 1)),
    ('quantile f64[2,5] f64[] in(0,1) dim=0 keepdim', lambda a, q: a.quantile(q, 0, True)),
    *[(f'quantile f64[2,6] q=0.37 dim=1 interpolation={how}',
       lambda a, how=how: a.quantile(0.37, 1, interpolation=how)) for how in ['lower', 'higher', 'midpoint', 'nearest']],
    ('nanquantile f64[2,5] q=0.3 dim=1', lambda a: a.nanquantile(0.3, 1)),
    ('searchsorted i32[6]=[-3,-1,-1,2,2,7] i32[2,5] in(-5,9)', torch.searchsorted),
    ('searchsorted i32[6]=[-3,-1,-1,2,2,7] i32[2,5] in(-5,9) right', lambda s, x: torch.searchsorted(s, x, right=True)),
    ('bucketize i64[9] in(-5,9) i64[6]=[-3,-1,-1,2,2,7]', torch.bucketize),
]

if __name__ == '__main__':
    main(ROWS)
