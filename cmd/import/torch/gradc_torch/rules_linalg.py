"""Rules for dense linear algebra: what gradc has under PyTorch's names, and what is made of that."""
import torch

from .rules import name_of, rule


def turned(c, x):
    order = list(range(x.rank))
    order[-2:] = order[:-3:-1]
    return c.g.op("permute", [x], x.dtype, [x.shape[d] for d in order], dims=order)


def no_error(c):
    """The code of a factorisation: nothing is told of a failure but by NaN."""
    return [c.g.op("full", [], dtype, shape, value=0, shape=shape, type=dtype) for dtype, shape in c.results[1:]]


def of_vectors(a, b):
    return b.rank == 1 or b.shape == a.shape[:-1]


@rule("linalg_solve", "linalg_solve_ex")
def solve(c, A, B, left=True, **_):
    x = solution(c, A, B, left)
    return [x] + no_error(c) if len(c.results) > 1 else x


def solution(c, A, B, left):
    if left or of_vectors(A, B):
        return c.op("solve", [A, B], adjoint=None if left else True)
    dtype, shape = c.results[0]
    b = turned(c, B)
    return turned(c, c.g.op("solve", [A, b], dtype, shape[:-2] + [shape[-1], shape[-2]], adjoint=True))


@rule("_linalg_solve_ex", "_linalg_slogdet")
def with_factors(c, A, B=None, left=True, **_):
    """Derivatives that are differentiated again do not read the factors."""
    few = 1 if B is not None else 2
    if c.used(few, few + 1):
        c.refuse("factors of a matrix that a derivative reads: differentiate with create_graph=True")
    out = [solution(c, A, B, left)] if B is not None else c.g.ops("slogdet", [A], c.results[:2])
    return out + [None] * (len(c.results) - few)


@rule("linalg_inv", "inverse", "linalg_inv_ex")
def inverse(c, A=None, self=None, **_):
    x = c.op("inverse", [self if A is None else A])
    return [x] + no_error(c) if len(c.results) > 1 else x


@rule("linalg_det", "det", "logdet")
def det(c, A=None, self=None, **_):
    return c.op(name_of(c.node.target).replace("linalg_", ""), [self if A is None else A])


@rule("linalg_slogdet", "slogdet")
def slogdet(c, A=None, self=None, **_):
    return c.g.ops("slogdet", [self if A is None else A], c.results)


@rule("linalg_cholesky", "cholesky", "linalg_cholesky_ex")
def cholesky(c, self, upper=False, **_):
    """gradc takes the symmetric part of a matrix, PyTorch one triangle: the same where it is symmetric."""
    x = c.op("cholesky", [self], upper=upper or None)
    return [x] + no_error(c) if len(c.results) > 1 else x


@rule("linalg_solve_triangular")
def solve_triangular(c, self, B, upper, left=True, unitriangular=False, **_):
    return c.op("solve_triangular", [self, B], upper=upper, left=None if left else False,
                unitriangular=unitriangular or None)


@rule("triangular_solve")
def triangular_solve(c, self, A, upper=True, transpose=False, unitriangular=False, **_):
    a = turned(c, A) if transpose else A
    return [c.op("solve_triangular", [a, self], upper=upper != transpose, unitriangular=unitriangular or None), A]


def of_factor(c, factor, B, upper):
    """(L L^T)^-1 B, or (U^T U)^-1 B: two triangles one after the other. PyTorch reads the one triangle only."""
    dtype, shape = c.results[0]
    other = turned(c, factor)
    first, second = (other, factor) if upper else (factor, other)
    y = c.g.op("solve_triangular", [first, B], dtype, shape, upper=False)
    return c.g.op("solve_triangular", [second, y], dtype, shape, upper=True)


@rule("cholesky_solve")
def cholesky_solve(c, self, input2, upper=False, **_):
    return of_factor(c, input2, self, upper)


@rule("cholesky_inverse")
def cholesky_inverse(c, self, upper=False, **_):
    n = self.shape[-1]
    unit = c.constant("unit", torch.eye(n), self.dtype)
    shape = c.results[0][1]
    return of_factor(c, self, unit if self.rank == 2 else c.g.op("expand", [unit], self.dtype, shape, shape=shape), upper)
