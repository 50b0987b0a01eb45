#!/usr/bin/env python3
"""golden_arrange.py GRADC > golden_arrange.t: what PyTorch gives for repeated, moved and rotated dimensions; see golden.py."""
import torch

from golden import main

ROWS = [
    ('repeat f64[2,3] repeats=[2,1,2]', lambda a: a.repeat(2, 1, 2)),
    ('repeat i32[2,2] in(0,9) repeats=[1,3]', lambda a: a.repeat(1, 3)),
    ('tile f64[2,3] dims=2', lambda a: a.tile(2)),
    ('tile f64[2,1] dims=[2,1,3]', lambda a: a.tile(2, 1, 3)),
    ('repeat_interleave f64[2,2] repeats=2', lambda a: a.repeat_interleave(2)),
    ('repeat_interleave f64[2,3] repeats=2 dim=1', lambda a: a.repeat_interleave(2, 1)),
    ('repeat_interleave f64[2,3] repeats=2 dim=0', lambda a: a.repeat_interleave(2, 0)),
    ('movedim f64[2,3,2] source=0 destination=2', lambda a: a.movedim(0, 2)),
    ('movedim f64[2,3,2,1] source=[-1,0] destination=[1,-2]', lambda a: a.movedim((-1, 0), (1, -2))),
    ('unbind f64[2,3] results(2)', torch.unbind),
    ('unbind f64[2,3] dim=-1 results(3)', lambda a: a.unbind(-1)),
    ('diagonal f64[3,4]', torch.diagonal),
    ('diagonal f64[3,4] offset=2', lambda a: a.diagonal(2)),
    ('diagonal f64[4,2] offset=-1', lambda a: a.diagonal(-1)),
    ('diagonal f64[2,3,4] offset=1 dim1=2 dim2=0', lambda a: a.diagonal(1, 2, 0)),
    ('diagonal f64[2,3,3] dim1=-2 dim2=-1', lambda a: a.diagonal(0, -2, -1)),
    ('diag_embed f64[2,2]', torch.diag_embed),
    ('diag_embed f64[2,2] offset=1', lambda a: torch.diag_embed(a, 1)),
    ('diag_embed f64[2,2] offset=-1 dim1=0 dim2=2', lambda a: torch.diag_embed(a, -1, 0, 2)),
    ('diag_embed f64[2,2] offset=1 dim1=2 dim2=1', lambda a: torch.diag_embed(a, 1, 2, 1)),
    ('trace f64[3,4]', torch.trace),
    ('trace i8[3,3] in(-128,127)', torch.trace),
    *[(f'rot90 f64[2,3] k={k}', lambda a, k=k: a.rot90(k)) for k in [1, 2, 3, -1]],
    ('rot90 f64[2,2,3] dims=[2,0]', lambda a: a.rot90(1, [2, 0])),
    ('meshgrid f64[2] f64[3] results(2)', lambda a, b: torch.meshgrid(a, b, indexing='ij')),
    ('meshgrid f64[2] f64[3] f64[1] indexing=xy results(3)', lambda a, b, c: torch.meshgrid(a, b, c, indexing='xy')),
]

if __name__ == '__main__':
    main(ROWS)
