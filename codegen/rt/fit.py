"""fit.py: the coefficients of the elementary functions in rt/exp.h and rt/log.h.

Polynomials whose greatest weighted error on an interval is least, found by the exchange algorithm of Remez (1934; see
Muller, Elementary Functions, 3rd edition, section 3.4) on a grid, in double. Prints the coefficients as floats of C,
from the constant one on, and the greatest error relative to the function, with exact coefficients and with rounded ones."""
import math
import struct

GRID = 20001
LN2 = math.log(2)


def rounded(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def series(term, x, n):
    """The sum of term(k) x^k, k < n, from the last on."""
    y = 0.0
    for k in reversed(range(n)):
        y = y * x + term(k)
    return y


def solve(a, b):
    """x with a x = b, by elimination with pivots."""
    n = len(b)
    a = [row[:] + [y] for row, y in zip(a, b)]
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(a[i][k]))
        a[k], a[p] = a[p], a[k]
        for i in range(k + 1, n):
            f = a[i][k] / a[k][k]
            a[i] = [x - f * y for x, y in zip(a[i], a[k])]
    x = [0.0] * n
    for k in reversed(range(n)):
        x[k] = (a[k][n] - sum(a[k][j] * x[j] for j in range(k + 1, n))) / a[k][k]
    return x


def polynomial(c, r):
    return series(lambda k: c[k], r, len(c))


def extrema(errors):
    """The greatest error between changes of sign: [(|error|, index)]"""
    runs, last = [], 0.0
    for i, e in enumerate(errors):
        if not runs or (e > 0) != (last > 0):
            runs.append((abs(e), i))
        elif abs(e) > runs[-1][0]:
            runs[-1] = (abs(e), i)
        last = e
    return runs


def fit(degree, low, high, f, weight):
    """c with the greatest |weight(r) (polynomial(c, r) - f(r))| on [low, high] least, and that error."""
    mid, half, n = (low + high) / 2, (high - low) / 2, degree + 2
    # the weight may vanish at 0, and the points must not lie where it does
    grid = [mid + half * math.cos(math.pi * (GRID - 1 - i) / (GRID - 1)) for i in range(GRID)]
    grid = [r for r in grid if abs(weight(r)) > 1e-9]
    value, w = [f(r) for r in grid], [weight(r) for r in grid]
    points = [round((len(grid) - 1) * (1 - math.cos(math.pi * i / (n - 1))) / 2) for i in range(n)]
    for _ in range(50):
        rows = [[grid[p] ** k for k in range(degree + 1)] + [(-1) ** i / w[p]] for i, p in enumerate(points)]
        c = solve(rows, [value[p] for p in points])[:-1]
        runs = extrema([y * (polynomial(c, r) - x) for r, x, y in zip(grid, value, w)])
        if len(runs) < n:
            break
        while len(runs) > n:               # alternation must stay: an end goes, or two neighbours
            if len(runs) == n + 1:
                runs.pop(0 if runs[0] < runs[-1] else -1)
            else:
                k = min(range(len(runs) - 1), key=lambda i: max(runs[i], runs[i + 1]))
                del runs[k:k + 2]
        points = [i for _, i in runs]
        if max(runs)[0] < 1.0001 * min(runs)[0]:
            break
    return c, max(abs(y * (polynomial(c, r) - x)) for r, x, y in zip(grid, value, w)), (grid, value, w)


def show(name, degree, low, high, f, weight):
    c, exact, (grid, value, w) = fit(degree, low, high, f, weight)
    single = [rounded(x) for x in c]
    error = max(abs(y * (polynomial(single, r) - x)) for r, x, y in zip(grid, value, w))
    print("%s: greatest relative error 2^%.1f; with rounded coefficients 2^%.1f" % (name, math.log2(exact), math.log2(error)))
    print("    " + ", ".join(x.hex() for x in single))


def exp_rest(r):
    """(e^r - 1 - r) / r^2, by its series: no cancellation."""
    return series(lambda k: 1 / math.factorial(k + 2), r, 24)


def log_rest(f):
    """(log(1 + f) - f + f^2 / 2) / f^3"""
    if abs(f) > 0.1:
        return (math.log1p(f) - f + f * f / 2) / f ** 3
    return series(lambda k: (-1) ** k / (k + 3), f, 24)


def erf_rest(s):
    """erf(x) / x - 1 with s = x^2, by its series"""
    return 2 / math.sqrt(math.pi) * series(lambda k: (-1) ** k / (math.factorial(k) * (2 * k + 1)), s, 30) - 1


def erfc_rest(q):
    """e^(x^2) erfc(x) (x + 3) with q = (x - 3) / (x + 3)"""
    x = 3 * (1 + q) / (1 - q)
    return math.exp(x * x) * math.erfc(x) * (x + 3)


EDGE = LN2 / 2 * (1 + 1e-6)

show("e^r = 1 + r + r^2 p(r)", 4, -EDGE, EDGE, exp_rest, lambda r: r * r * math.exp(-r))
show("e^r - 1 = r + r^2 p(r)", 5, -EDGE, EDGE, exp_rest, lambda r: r * r / math.expm1(r) if r else 0)
show("log(1 + f) = f - f^2 / 2 + f^3 p(f)", 7, -1 / 3, 1 / 3, log_rest, lambda f: f ** 3 / math.log1p(f) if f else 0)
show("erf(x) = x + x p(x^2)", 6, 0, 1, erf_rest, lambda s: math.sqrt(s) / math.erf(math.sqrt(s)) if s else 0)
show("erf(x) = 1 - e^p(x)", 6, 1, 3.95, lambda x: math.log(math.erfc(x)), math.erfc)
show("erfc(x) = e^(-x^2) p((x - 3) / (x + 3)) / (x + 3)", 9, -1, 7.06 / 13.06, erfc_rest, lambda q: 1 / erfc_rest(q))
