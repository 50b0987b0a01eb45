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
    ('binary_cross_entropy_with_logits f64[2,3] f64[2,3] in(0,1)', F.binary_cross_entropy_with_logits),
    ('layer_norm f64[2,4] f64[4] f64[4] normalized_shape=[4]', lambda a, w, b: F.layer_norm(a, [4], w, b)),
    ('layer_norm f64[2,3,2] normalized_shape=[3,2] eps=0.1', lambda a: F.layer_norm(a, [3, 2], eps=0.1)),
    ('rms_norm f64[2,4] f64[4] normalized_shape=[4] eps=0.01', lambda a, w: F.rms_norm(a, [4], w, 0.01)),
    ('scaled_dot_product_attention f64[2,3,2] f64[2,4,2] f64[2,4,3]', F.scaled_dot_product_attention),
    ('scaled_dot_product_attention f64[2,3,2] f64[2,3,2] f64[2,3,2] is_causal',
     lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True)),
    ('scaled_dot_product_attention f64[2,3,2] f64[2,4,2] f64[2,4,3] f64[3,4]',
     lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m)),
    ('fmax f64[8] in(-0.05,0.05) f64[8] in(-0.05,0.05)', torch.fmax),
    ('fmin f64[8] in(-0.05,0.05) f64[8] in(-0.05,0.05)', torch.fmin),
    ('copysign f64[6] f64[6]', torch.copysign),
    ('heaviside f64[8] in(-0.03,0.03) f64[8]', lambda a, b: torch.heaviside(a.detach(), b.detach())),
    unary('exp2', torch.exp2),
    unary('log10', torch.log10, ' in(0.1,3)'),
    ('hypot f64[2,3] f64[3]', torch.hypot),
    ('logaddexp f64[2,3] f64[3]', torch.logaddexp),
    ('logaddexp2 f64[2,3] f64[3]', torch.logaddexp2),
    ('xlogy f64[8] in(-0.05,0.05) f64[8] in(0.1,2)', torch.xlogy),
    ('xlog1py f64[8] in(-0.05,0.05) f64[8] in(-0.9,2)', torch.special.xlog1py),
    unary('sinc', torch.sinc),
    ('lgamma f64[12] in(-3,9)', torch.lgamma),
    ('digamma f64[12] in(0.1,9)', lambda a: torch.digamma(a.detach())),
    # not polygamma, the first order of which, digamma's slope, PyTorch has to 10 digits, nor hardsigmoid, whose slope it has as f32
    unary('erfinv', torch.erfinv, ' in(-0.98,0.98)'),
    unary('ndtri', torch.special.ndtri, ' in(0.02,0.98)'),
    ('erfcx f64[12] in(-3,30)', torch.special.erfcx),
    ('i0 f64[6] in(-9,9)', torch.i0),
    ('i0e f64[8] in(-40,40)', torch.special.i0e),
    ('i1 f64[6] in(-9,9)', torch.special.i1),
    ('i1e f64[8] in(-40,40)', torch.special.i1e),
    unary('frac', torch.frac),
    ('floor_divide f64[2,3] f64[3]', lambda a, b: torch.floor_divide(a.detach(), b.detach())),
    ('floor_divide i32[8] in(-9,9) i32[8] in(1,4)', torch.floor_divide),
    unary('signbit', lambda a: torch.signbit(a.detach())),
    ('bitwise_and i32[8] in(-20,20) i32[8] in(-20,20)', torch.bitwise_and),
    ('bitwise_or i32[8] in(-20,20) i32[8] in(-20,20)', torch.bitwise_or),
    ('bitwise_xor i8[8] in(-20,20) i8[8] in(-20,20)', torch.bitwise_xor),
    ('bitwise_not i8[8] in(-20,20)', torch.bitwise_not),
    ('bitwise_left_shift i8[8] in(-20,20) i8[8] in(0,7)', torch.bitwise_left_shift),
    ('bitwise_right_shift i32[8] in(-200,200) i32[8] in(0,9)', torch.bitwise_right_shift),
    ('gcd i32[8] in(-40,40) i32[8] in(-40,40)', torch.gcd),
    ('lcm i32[8] in(-40,40) i32[8] in(-40,40)', torch.lcm),

    ('threshold f64[6] threshold=0.1 value=3', lambda a: F.threshold(a, 0.1, 3)),
    ('hardtanh f64[6]', F.hardtanh),
    ('hardtanh f64[6] min_val=-0.5 max_val=1.5', lambda a: F.hardtanh(a, -0.5, 1.5)),
    ('relu6 f64[8] in(-2,9)', F.relu6),
    ('hardswish f64[8] in(-5,5)', F.hardswish),
    ('hardshrink f64[8]', F.hardshrink),
    ('hardshrink f64[8] lambd=1', lambda a: F.hardshrink(a, 1)),
    ('softshrink f64[8]', F.softshrink),
    ('celu f64[6] alpha=0.5', lambda a: F.celu(a, 0.5)),
    ('selu f64[6]', F.selu),
    ('prelu f64[2,3,2] f64[3]', F.prelu),
    ('prelu f64[6] f64[1]', F.prelu),
    ('logsigmoid f64[6] in(-9,9)', F.logsigmoid),
    ('mish f64[6] in(-9,9)', F.mish),
    ('softsign f64[6]', F.softsign),
    ('tanhshrink f64[6]', F.tanhshrink),
    ('softmin f64[2,3] dim=1', lambda a: F.softmin(a, 1)),
    ('glu f64[2,4]', F.glu),
    ('glu f64[4,3] dim=0', lambda a: F.glu(a, 0)),

    ('nll_loss f64[3,4] i64[3] in(0,3) f64[4] in(0.2,2)', lambda a, t, w: F.nll_loss(a, t, w)),
    ('cross_entropy f64[3,4] i64[3] in(0,3) f64[4] in(0.2,2)', lambda a, t, w: F.cross_entropy(a, t, w)),
    ('cross_entropy f64[2,3,4] i64[2,4] in(0,2) f64[3] in(0.2,2) label_smoothing=0.2',
     lambda a, t, w: F.cross_entropy(a, t, w, label_smoothing=0.2)),
    ('cross_entropy f64[3,4] i64[3] in(0,3) f64[4] in(0.2,2) label_smoothing=0.2 reduction=sum ignore_index=1',
     lambda a, t, w: F.cross_entropy(a, t, w, label_smoothing=0.2, reduction='sum', ignore_index=1)),
    ('cross_entropy f64[3,4] f64[3,4] in(0,1) f64[4] in(0.2,2) label_smoothing=0.1',
     lambda a, t, w: F.cross_entropy(a, t, w, label_smoothing=0.1)),
    ('binary_cross_entropy f64[2,3] in(0.1,0.9) f64[2,3] in(0,1)', F.binary_cross_entropy),
    ('kl_div f64[2,3] f64[2,3] in(0.1,1)', F.kl_div),
    ('kl_div f64[2,3] f64[2,3] reduction=batchmean log_target',
     lambda a, t: F.kl_div(a, t, reduction='batchmean', log_target=True)),
    ('huber_loss f64[2,4] f64[2,4] delta=0.7', lambda a, b: F.huber_loss(a, b, delta=0.7)),
    ('smooth_l1_loss f64[2,4] f64[2,4] beta=0.7', lambda a, b: F.smooth_l1_loss(a, b, beta=0.7)),
    ('soft_margin_loss f64[2,4] f64[2,4]', F.soft_margin_loss),
    ('hinge_embedding_loss f64[2,3] f64[2,3]=[1,-1,1,1,-1,-1]', F.hinge_embedding_loss),
    ('margin_ranking_loss f64[2,3] f64[2,3] f64[2,3]=[1,-1,1,1,-1,-1] margin=0.3',
     lambda a, b, t: F.margin_ranking_loss(a, b, t, 0.3)),
    ('poisson_nll_loss f64[2,3] f64[2,3] in(0,4)', F.poisson_nll_loss),
    ('poisson_nll_loss f64[2,3] in(0.1,3) f64[2,3] in(0,4) log_input=false full reduction=sum',
     lambda a, t: F.poisson_nll_loss(a, t, log_input=False, full=True, reduction='sum')),
    ('gaussian_nll_loss f64[2,3] f64[2,3] f64[2,3] in(0.1,2)', F.gaussian_nll_loss),
    ('gaussian_nll_loss f64[2,3] f64[2,3] f64[2] in(0.1,2) full eps=0.5',
     lambda a, t, v: F.gaussian_nll_loss(a, t, v, full=True, eps=0.5)),
    ('multi_margin_loss f64[3,4] i64[3] in(0,3)', F.multi_margin_loss),
    ('multi_margin_loss f64[3,4] i64[3] in(0,3) p=2 margin=0.5', lambda a, t: F.multi_margin_loss(a, t, 2, 0.5)),
    ('multilabel_soft_margin_loss f64[3,4] f64[3,4] in(0,1)', F.multilabel_soft_margin_loss),
    ('multilabel_margin_loss f64[2,4] i64[2,4]=[3,0,-1,1,2,1,0,-1]', F.multilabel_margin_loss),
    ('triplet_margin_loss f64[3,4] f64[3,4] f64[3,4]', F.triplet_margin_loss),
    ('triplet_margin_loss f64[3,4] f64[3,4] f64[3,4] p=1 swap margin=2',
     lambda a, b, c: F.triplet_margin_loss(a, b, c, 2, 1, swap=True)),
    ('cosine_embedding_loss f64[4,3] f64[4,3] f64[4]=[1,-1,-1,1] margin=0.1',
     lambda a, b, t: F.cosine_embedding_loss(a, b, t, 0.1)),
    ('normalize f64[2,3]', F.normalize),
    ('normalize f64[2,3] p=3 dim=0', lambda a: F.normalize(a, 3, 0)),
    ('cosine_similarity f64[2,3] f64[2,3]', F.cosine_similarity),
    ('cosine_similarity f64[2,1,3] f64[4,3] dim=-1', lambda a, b: F.cosine_similarity(a, b, -1)),
    ('pairwise_distance f64[2,3] f64[2,3]', F.pairwise_distance),
    ('pairwise_distance f64[2,3] f64[3] p=3 keepdim', lambda a, b: F.pairwise_distance(a, b, 3, keepdim=True)),
]

OPERAND = re.compile(r'(f64|i8|i32|i64|bool)\[([\d,]*)\]$')
GIVEN = re.compile(r'(f64|i8|i32|i64|bool)\[([\d,]*)\]=\[(.*)\]$')
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
        given = GIVEN.match(words[i])
        if given:
            shape = [int(d) for d in given[2].split(',')] if given[2] else []
            tensors.append(torch.tensor([float(x) for x in given[3].split(',')]).to(TYPES[given[1]]).reshape(shape))
            out.append(words[i])
            i += 1
            continue
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


def results(fn, tensors):
    y = fn(*tensors)
    return list(y) if isinstance(y, (tuple, list)) else [y]


def line(head, fn):
    gen = torch.Generator().manual_seed(zlib.crc32(head.encode()))
    words, tensors = operands(gen, head.split())
    floats = [t.requires_grad_() for t in tensors if t.is_floating_point()]
    try:
        ys = results(fn, tensors)
    except RuntimeError:               # PyTorch has no derivative with respect to a target
        for t in floats[1:]:
            t.requires_grad_(False)
        ys = results(fn, tensors)
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


def main(rows):
    have = {w.split()[0] for w in subprocess.run([sys.argv[1], 'ops'], capture_output=True, text=True,
                                                 check=True).stdout.splitlines() if w.strip()}
    torch.set_num_threads(1)
    print('# Written by golden.py with PyTorch ' + torch.__version__.split('+')[0] + '.')
    for head, fn in rows:
        if head.split()[0] in have:
            print(line(head, fn))
        else:
            print('left out:', head, file=sys.stderr)


if __name__ == '__main__':
    main(ROWS)
