#!/usr/bin/env python3
"""golden_indexing.py GRADC > golden_indexing.t: what PyTorch gives for reads and writes by index; see golden.py.

Indices that are written twice are left out where PyTorch says nothing of the result."""
import torch
import torch.nn.functional as F

from golden import main


def reduce(how, include_self=True):
    return lambda a, i, s: a.scatter_reduce(1, i, s, how, include_self=include_self)


MIXED = [(f'scatter_reduce f64[3,5] i64[3,4] in(0,4) f64[3,4] dim=1 reduce={how}{flag}', reduce(how, not flag))
         for how in ['sum', 'prod', 'mean', 'amax', 'amin'] for flag in ['', ' include_self=false']]
ROWS = [
    ('scatter f64[2,5] i64[2,3]=[4,0,1,2,3,0] f64[2,3] dim=1', lambda a, i, s: a.scatter(1, i, s)),
    *MIXED,
    ('scatter_reduce f64[4] in(-0.02,0.02) i64[6] in(0,3) f64[6] in(-0.02,0.02) reduce=prod',
     lambda a, i, s: a.scatter_reduce(0, i, s, 'prod')),
    ('scatter_reduce f64[3] in(-0.02,0.02) i64[6] in(0,2) f64[6] in(-0.02,0.02) reduce=amax',
     lambda a, i, s: a.scatter_reduce(0, i, s, 'amax')),
    ('scatter_reduce i32[3] in(-9,9) i64[5] in(0,2) i32[5] in(-9,9) reduce=mean include_self=false',
     lambda a, i, s: a.scatter_reduce(0, i, s, 'mean', include_self=False)),
    ('index f64[4,3] i64[5] in(-4,3)', lambda a, i: a[i]),
    ('index f64[4,3,2] i64[5] in(-4,3) i64[5] in(-3,2)', lambda a, i, j: a[i, j]),
    ('index f64[4,3,2] i64[2,1] in(-4,3) i64[3] in(-2,1) dims=[0,2]', lambda a, i, j: a[i, :, j]),
    ('index f64[2,4,3] i64[2,2] in(0,3) i64[2] in(0,2) dims=[1,2]', lambda a, i, j: a[:, i, j]),
    ('index f64[2,3,2,2] i64[2] in(0,2) i64[2] in(0,1) dims=[1,3]', lambda a, i, j: a[:, i, :, j]),
    ('index_put f64[4,3] i64[5] in(-4,3) f64[5,3] accumulate', lambda a, i, v: a.index_put((i,), v, True)),
    ('index_put f64[4,3,2] i64[2,1] in(-4,3) i64[3] in(-2,1) f64[3,1] dims=[0,2] accumulate',
     lambda a, i, j, v: torch.ops.aten.index_put(a, [i, None, j], v, True)),
    ('index_put f64[2,4,3] i64[2]=[3,1] f64[2,2,3] dims=[1]', lambda a, i, v: torch.ops.aten.index_put(a, [None, i], v)),
    ('take f64[2,3] i64[2,2] in(-6,5)', torch.take),
    ('put f64[2,3] i64[3]=[-1,0,2] f64[3]', lambda a, i, s: a.put(i, s)),
    ('put f64[2,3] i64[2,2] in(-6,5) f64[4] accumulate', lambda a, i, s: a.put(i, s, accumulate=True)),
    ('index_add f64[4,3] i64[5] in(0,3) f64[5,3] dim=0 alpha=1.5', lambda a, i, s: a.index_add(0, i, s, alpha=1.5)),
    ('index_copy f64[2,4] i64[2]=[3,0] f64[2,2] dim=1', lambda a, i, s: a.index_copy(1, i, s)),
    ('index_fill f64[4,3] i64[2]=[-1,1] dim=0 value=0.5', lambda a, i: a.index_fill(0, i, 0.5)),
    ('masked_fill f64[2,3] bool[3] value=2', lambda a, m: a.masked_fill(m, 2)),
    ('masked_fill f64[2,3] bool[2,1] f64[]', lambda a, m, v: a.masked_fill(m, v)),
    ('masked_scatter f64[2,3] bool[2,3] f64[7]', torch.masked_scatter),
    *[(f'embedding_bag i64[3,4] in(0,4) f64[5,2] mode={m} padding_idx=2',
       lambda i, w, m=m: F.embedding_bag(i, w, mode=m, padding_idx=2)) for m in ['sum', 'mean', 'max']],
    *[(f'embedding_bag i64[6] in(0,4) f64[5,2] i64[4]=[0,2,2,5] mode={m}',
       lambda i, w, o, m=m: F.embedding_bag(i, w, o, mode=m)) for m in ['sum', 'mean', 'max']],
    ('embedding_bag i64[6] in(0,4) f64[5,2] i64[4]=[0,2,2,6] f64[6] mode=sum include_last_offset',
     lambda i, w, o, s: F.embedding_bag(i, w, o, mode='sum', per_sample_weights=s, include_last_offset=True)),
]

if __name__ == '__main__':
    main(ROWS)
