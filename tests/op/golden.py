#!/usr/bin/env python3
"""golden.py GRADC > golden.t: lines with the values and gradients that PyTorch gives.

Needs PyTorch 2; nothing else does. Operands are multiples of 1/64, so that their
texts are short and ties occur; cotangents are random too. Rows of ops that GRADC
does not have are left out. A row is the head of a line, as README.md describes it
without elements, and the same function in PyTorch."""
import re
import subprocess
import sys
import zlib

import torch
import torch.nn.functional as F


def unary(name, fn, rng=''):
    return (f'{name} f64[2,3]{rng}', fn)


def axes(name, fn):
    """a reduction over all, one and two dimensions"""
    return [(f'{name} f64[2,3]', lambda a: fn(a, [0, 1], False)),
            (f'{name} f64[2,3] dim=1', lambda a: fn(a, [1], False)),
            (f'{name} f64[2,3,2] dim=[0,2] keepdim', lambda a: fn(a, [0, 2], True))]


ROWS = [
    ('add f64[2,3] f64[3]', torch.add),
    ('sub f64[2,1] f64[3]', torch.sub),
    ('mul f64[2,3] f64[3]', torch.mul),
    ('div f64[2,3] f64[3] in(0.5,2)', torch.div),
    unary('neg', torch.neg),
    unary('abs', torch.abs),
    unary('sign', torch.sign),
    unary('square', torch.square),
    unary('reciprocal', torch.reciprocal, ' in(0.5,2)'),
    unary('sqrt', torch.sqrt, ' in(0.1,3)'),
    unary('rsqrt', torch.rsqrt, ' in(0.1,3)'),
    ('pow f64[2,3] in(0.2,3) f64[3]', torch.pow),
    ('fmod f64[2,3] f64[3] in(0.5,2)', torch.fmod),
    ('remainder f64[2,3] f64[3] in(-2,-0.5)', torch.remainder),
    ('maximum f64[8] in(-0.05,0.05) f64[8] in(-0.05,0.05)', torch.maximum),
    ('minimum f64[8] in(-0.05,0.05) f64[8] in(-0.05,0.05)', torch.minimum),
    ('clamp f64[6] min=-0.95 max=0.55', lambda a: torch.clamp(a, -0.95, 0.55)),
    unary('exp', torch.exp),
    unary('expm1', torch.expm1),
    unary('log', torch.log, ' in(0.1,3)'),
    unary('log1p', torch.log1p, ' in(-0.9,3)'),
    unary('log2', torch.log2, ' in(0.1,3)'),
    unary('sigmoid', torch.sigmoid),
    unary('erf', torch.erf),
    unary('erfc', torch.erfc),
    unary('sin', torch.sin),
    unary('cos', torch.cos),
    unary('tan', torch.tan, ' in(-1.2,1.2)'),
    unary('asin', torch.asin, ' in(-0.9,0.9)'),
    unary('acos', torch.acos, ' in(-0.9,0.9)'),
    unary('atan', torch.atan),
    ('atan2 f64[2,3] f64[3]', torch.atan2),
    unary('sinh', torch.sinh),
    unary('cosh', torch.cosh),
    unary('tanh', torch.tanh),
    unary('asinh', torch.asinh),
    unary('acosh', torch.acosh, ' in(1.1,3)'),
    unary('atanh', torch.atanh, ' in(-0.9,0.9)'),
    unary('floor', torch.floor),
    unary('ceil', torch.ceil),
    unary('trunc', torch.trunc),
    unary('round', torch.round),
    ('eq i32[8] in(0,1) i32[8] in(0,1)', torch.eq),
    ('ne i32[8] in(0,1) i32[8] in(0,1)', torch.ne),
    ('lt f64[6] f64[6]', torch.lt),
    ('le i32[8] in(0,2) i32[8] in(0,2)', torch.le),
    ('gt f64[6] f64[6]', torch.gt),
    ('ge i32[8] in(0,2) i32[8] in(0,2)', torch.ge),
    ('logical_and bool[6] bool[6]', torch.logical_and),
    ('logical_or bool[6] bool[6]', torch.logical_or),
    ('logical_xor bool[6] bool[6]', torch.logical_xor),
    ('logical_not bool[6]', torch.logical_not),
    ('where bool[2,3] f64[3] f64[2,1]', torch.where),

    ('reshape f64[2,3] shape=[3,-1]', lambda a: a.reshape(3, -1)),
    ('permute f64[2,3,2] dims=[2,0,1]', lambda a: a.permute(2, 0, 1)),
    ('transpose f64[2,3,2] dim0=0 dim1=-1', lambda a: a.transpose(0, -1)),
    ('expand f64[3,1] shape=[2,-1,2]', lambda a: a.expand(2, -1, 2)),
    ('squeeze f64[2,1,3] dim=1', lambda a: a.squeeze(1)),
    ('unsqueeze f64[2,3] dim=1', lambda a: a.unsqueeze(1)),
    ('slice f64[5,2] start=1 end=-1 step=2', lambda a: a[1:-1:2]),
    ('flip f64[2,3] dims=[0,1]', lambda a: a.flip([0, 1])),
    ('pad f64[2,2] low=[1,0] high=[0,2] value=0.5', lambda a: F.pad(a, (0, 2, 1, 0), value=0.5)),
    ('cat f64[2,2] f64[2,1] dim=1', lambda a, b: torch.cat([a, b], 1)),
    ('stack f64[3] f64[3] dim=1', lambda a, b: torch.stack([a, b], 1)),
    ('split f64[5,2] split_size_or_sections=2 results(3)', lambda a: a.split(2)),
    ('tril f64[3,4] diagonal=1', lambda a: a.tril(1)),
    ('triu f64[3,4] diagonal=-1', lambda a: a.triu(-1)),

    *axes('sum', lambda a, d, k: a.sum(d, k)),
    *axes('mean', lambda a, d, k: a.mean(d, k)),
    *axes('amax', lambda a, d, k: a.amax(d, k)),
    *axes('amin', lambda a, d, k: a.amin(d, k)),
    *axes('logsumexp', lambda a, d, k: a.logsumexp(d, k)),
    *axes('var', lambda a, d, k: a.var(d, correction=1, keepdim=k)),
    *axes('std', lambda a, d, k: a.std(d, correction=1, keepdim=k)),
    ('var f64[2,3] dim=1 correction=0', lambda a: a.var(1, correction=0)),
    ('amax f64[2,6] in(-0.02,0.02) dim=1', lambda a: a.amax(1)),
    ('amin f64[2,6] in(-0.02,0.02) dim=1', lambda a: a.amin(1)),
    ('prod f64[2,3] dim=1', lambda a: a.prod(1)),
    ('prod f64[5] in(-0.02,0.02)', lambda a: a.prod()),
    ('norm f64[2,3]', lambda a: torch.linalg.vector_norm(a)),
    ('norm f64[2,3] p=1 dim=1', lambda a: torch.linalg.vector_norm(a, 1, 1)),
    ('norm f64[2,3] p=3 dim=0 keepdim', lambda a: torch.linalg.vector_norm(a, 3, 0, True)),
    ('norm f64[2,3] p=inf dim=1', lambda a: torch.linalg.vector_norm(a, float('inf'), 1)),
    ('argmax f64[2,6] dim=1', lambda a: a.argmax(1)),
    ('argmin i32[2,6] in(0,9) dim=1', lambda a: a.argmin(1)),
    ('any bool[3,2] dim=1', lambda a: a.any(1)),
    ('all bool[3,2] dim=1', lambda a: a.all(1)),
    ('sum i8[3,4] in(-128,127) dim=0', lambda a: a.sum(0)),
    ('sum bool[3,4] dim=0', lambda a: a.sum(0)),

    ('dot f64[2,3] f64[3,2] spec=ij,jk->ki', lambda a, b: torch.einsum('ij,jk->ki', a, b)),
    ('dot f64[2,2,3] f64[2,3,2] spec=bmk,bkn->bmn', torch.bmm),
    ('matmul f64[2,3] f64[3,2]', torch.matmul),
    ('matmul f64[3] f64[3]', torch.matmul),
    ('matmul f64[2,1,2,3] f64[2,3,2]', torch.matmul),
    ('matmul f64[2,2,3] f64[3]', torch.matmul),
    ('bmm f64[2,2,3] f64[2,3,2]', torch.bmm),
    ('linear f64[2,3] f64[4,3] f64[4]', F.linear),
    ('linear f64[2,2,3] f64[4,3]', F.linear),
    ('outer f64[2] f64[3]', torch.outer),
    ('einsum f64[2,3] f64[3,2] equation=ij,jk->ik', lambda a, b: torch.einsum('ij,jk->ik', a, b)),
    ('einsum f64[3,3] equation=ii->i', lambda a: torch.einsum('ii->i', a)),
    ('einsum f64[3,2,3,3] f64[2] equation=iaii,a', lambda a, b: torch.einsum('iaii,a', a, b)),
    ('einsum f64[2,1,3] f64[4,3,2] equation=...i,...ij', lambda a, b: torch.einsum('...i,...ij', a, b)),
    ('einsum f64[2,2] f64[2,3] f64[3,2] equation=Ab,bc,cA->bA',
     lambda a, b, c: torch.einsum('Ab,bc,cA->bA', a, b, c)),
    ('einsum f64[2,3] f64[4,3] equation=ba,Ca', lambda a, b: torch.einsum('ba,Ca', a, b)),
    ('prod f64[18] in(-2,2)', lambda a: a.prod()),
    ('take_along_dim f64[1,3] i64[2,4] in(0,2) dim=1', lambda a, i: torch.take_along_dim(a, i, 1)),
    ('take_along_dim f64[2,3] i64[4] in(0,5)', lambda a, i: torch.take_along_dim(a, i)),
    ('embedding i64[2,5] in(0,3) f64[4,2] padding_idx=1', lambda i, w: F.embedding(i, w, padding_idx=1)),
    ('gather f64[3,4] i64[4,2] in(0,2)', lambda a, i: a.gather(0, i)),
    ('norm f64[2,3] p=1.5 dim=1', lambda a: torch.linalg.vector_norm(a, 1.5, 1)),
    ('norm f64[2,3] p=-inf dim=1', lambda a: torch.linalg.vector_norm(a, -float('inf'), 1)),
    ('norm f64[2,3] p=-2', lambda a: torch.linalg.vector_norm(a, -2)),

    ('gather f64[3,2] i64[4,2] in(0,2)', lambda a, i: a.gather(0, i)),
    ('gather f64[2,3] i64[2,4] in(0,2) dim=1', lambda a, i: a.gather(1, i)),
    ('scatter_add f64[3,2] i64[4,2] in(0,2) f64[4,2]', lambda a, i, s: a.scatter_add(0, i, s)),
    ('take_along_dim f64[2,3] i64[2,4] in(0,2) dim=1', lambda a, i: torch.take_along_dim(a, i, 1)),
    ('index_select f64[3,2] i64[4] in(0,2) dim=0', lambda a, i: a.index_select(0, i)),
    ('embedding i64[2,2] in(0,3) f64[4,2]', F.embedding),
    ('one_hot i64[3] in(0,3) num_classes=4', lambda a: F.one_hot(a, 4)),

    unary('relu', F.relu),
    ('leaky_relu f64[6] negative_slope=0.1', lambda a: F.leaky_relu(a, 0.1)),
    ('elu f64[6] alpha=0.7', lambda a: F.elu(a, 0.7)),
    ('elu f64[6]', F.elu),
    ('gelu f64[6]', F.gelu),
    ('gelu f64[6] approximate=tanh', lambda a: F.gelu(a, approximate='tanh')),
    ('silu f64[6]', F.silu),
    ('softplus f64[6]', F.softplus),
    ('softplus f64[6] beta=2 threshold=1', lambda a: F.softplus(a, 2, 1)),
    ('softmax f64[2,3] dim=1', lambda a: F.softmax(a, 1)),
    ('softmax f64[2,3,2] dim=1', lambda a: F.softmax(a, 1)),
    ('log_softmax f64[2,3] dim=-1', lambda a: F.log_softmax(a, -1)),
    ('cross_entropy f64[3,4] i64[3] in(0,3)', F.cross_entropy),
    ('cross_entropy f64[3,4] i64[3] in(0,3) reduction=sum', lambda a, t: F.cross_entropy(a, t, reduction='sum')),
    ('cross_entropy f64[3,4] i64[3] in(0,3) label_smoothing=0.1',
     lambda a, t: F.cross_entropy(a, t, label_smoothing=0.1)),
    ('nll_loss f64[3,4] i64[3] in(0,3)', F.nll_loss),
    ('mse_loss f64[2,3] f64[2,3]', F.mse_loss),
    ('mse_loss f64[2,3] f64[2,3] reduction=none', lambda a, b: F.mse_loss(a, b, reduction='none')),
    ('l1_loss f64[2,3] f64[2,3]', F.l1_loss),
    ('bce_with_logits f64[2,3] f64[2,3] in(0,1)', F.binary_cross_entropy_with_logits),
    ('layer_norm f64[2,4] f64[4] f64[4] normalized_shape=[4]', lambda a, w, b: F.layer_norm(a, [4], w, b)),
    ('layer_norm f64[2,3,2] normalized_shape=[3,2] eps=0.1', lambda a: F.layer_norm(a, [3, 2], eps=0.1)),
    ('rms_norm f64[2,4] f64[4] normalized_shape=[4] eps=0.01', lambda a, w: F.rms_norm(a, [4], w, 0.01)),
    ('scaled_dot_product_attention f64[2,3,2] f64[2,4,2] f64[2,4,3]', F.scaled_dot_product_attention),
    ('scaled_dot_product_attention f64[2,3,2] f64[2,3,2] f64[2,3,2] is_causal',
     lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True)),
    ('scaled_dot_product_attention f64[2,3,2] f64[2,4,2] f64[2,4,3] f64[3,4]',
     lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m)),
]

OPERAND = re.compile(r'(f64|i8|i32|i64|bool)\[([\d,]*)\]$')
TYPES = {'f64': torch.float64, 'i8': torch.int8, 'i32': torch.int32, 'i64': torch.int64, 'bool': torch.bool}


def number(x):
    if isinstance(x, (bool, int)):
        return str(int(x))
    s = repr(x + 0.0)
    return '0' if x == 0 else s[:-2] if s.endswith('.0') else s


def text(t):
    return '[' + ','.join(number(x) for x in t.detach().flatten().tolist()) + ']'


def draw(gen, dtype, shape, lo, hi):
    u = torch.rand(shape, generator=gen, dtype=torch.float64)
    if dtype == 'f64':
        return torch.round((lo + (hi - lo) * u) * 64) / 64
    if dtype == 'bool':
        return u < 0.5
    return torch.floor(lo + (hi + 1 - lo) * u).to(TYPES[dtype])


def operands(gen, words):
    """the words with elements put in, and the tensors"""
    out, tensors, i = [], [], 0
    while i < len(words):
        m = OPERAND.match(words[i])
        if not m:
            out.append(words[i])
            i += 1
            continue
        r = re.match(r'in\((.*),(.*)\)$', words[i + 1]) if i + 1 < len(words) else None
        lo, hi = (float(r[1]), float(r[2])) if r else (-2, 2)
        t = draw(gen, m[1], [int(d) for d in m[2].split(',')] if m[2] else [], lo, hi)
        out.append(f'{words[i]}={text(t)}')
        tensors.append(t)
        i += 2 if r else 1
    return out, tensors


def line(head, fn):
    gen = torch.Generator().manual_seed(zlib.crc32(head.encode()))
    words, tensors = operands(gen, head.split())
    for t in tensors:
        if t.is_floating_point():
            t.requires_grad_()
    y = fn(*tensors)
    ys = list(y) if isinstance(y, (tuple, list)) else [y]
    words += ['->'] + [text(r) for r in ys]
    smooth = [r for r in ys if r.requires_grad]
    if smooth:
        cts = [torch.round(torch.randn(r.shape, generator=gen, dtype=torch.float64) * 8) / 8 for r in smooth]
        wrt = [t for t in tensors if t.requires_grad]
        grads = iter(torch.autograd.grad(smooth, wrt, cts, allow_unused=True))
        words += ['ct'] + [text(c) for c in cts] + ['d']
        for t in tensors:
            g = next(grads) if t.requires_grad else None
            words.append('_' if not t.requires_grad else text(g if g is not None else torch.zeros_like(t)))
    return ' '.join(words)


def main():
    have = {w.split()[0] for w in subprocess.run([sys.argv[1], 'ops'], capture_output=True, text=True,
                                                 check=True).stdout.splitlines() if w.strip()}
    torch.set_num_threads(1)
    print('# Written by golden.py with PyTorch ' + torch.__version__.split('+')[0] + '.')
    for head, fn in ROWS:
        if head.split()[0] in have:
            print(line(head, fn))
        else:
            print('left out:', head, file=sys.stderr)


main()
