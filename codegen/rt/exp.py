"""exp.py: the coefficients of rt/exp.h, least in their greatest relative error.

e^r = 1 + r + r^2 (c0 + c1 r + ... + c4 r^4) for |r| <= ln(2) / 2, found by the exchange algorithm of Remez (1934; see
Muller, Elementary Functions, 3rd edition, section 3.4) on a grid. Prints them as floats of C, and the greatest error
relative to e^r, with exact coefficients and with rounded ones."""
import math
import struct

DEGREE, GRID = 4, 40001
EDGE = math.log(2) / 2 * (1 + 1e-6)


def rounded(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def rest(r):
    """(e^r - 1 - r) / r^2, by its series: no cancellation."""
    term, total = 0.5, 0.0
    for k in range(3, 30):
        total += term
        term *= r / k
    return total


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
    y = 0.0
    for k in reversed(c):
        y = y * r + k
    return y


def error(c, r):
    """Relative to e^r, signed."""
    return (polynomial(c, r) - rest(r)) * r * r * math.exp(-r)


def remez():
    grid = [EDGE * (2 * i / (GRID - 1) - 1) for i in range(GRID)]
    n = DEGREE + 2
    points = [EDGE * math.cos(math.pi * (n - 1 - i) / (n - 1)) for i in range(n)]
    for _ in range(30):
        # the error at 0 is 0 whatever the coefficients: weights that vanish there are kept off it
        points = [p if abs(p) > 1e-3 else 0.05 for p in points]
        rows = [[p ** k for k in range(DEGREE + 1)] + [(-1) ** i * math.exp(p) / (p * p)] for i, p in enumerate(points)]
        c = solve(rows, [rest(p) for p in points])[:-1]
        runs, last = [], 0
        for r in grid:                     # the greatest error between changes of sign
            e = error(c, r)
            if not runs or (e > 0) != (last > 0):
                runs.append((abs(e), r))
            elif abs(e) > runs[-1][0]:
                runs[-1] = (abs(e), r)
            last = e
        runs = sorted(sorted(runs)[-n:], key=lambda x: x[1])
        if len(runs) < n or runs[0][0] == 0:
            break
        points = [r for _, r in runs]
        if max(e for e, _ in runs) < 1.0001 * min(e for e, _ in runs):
            break
    return c, max(abs(error(c, r)) for r in grid), grid


c, exact, grid = remez()
single = [rounded(x) for x in c]
print("greatest relative error: %.3g; with rounded coefficients: %.3g" % (exact, max(abs(error(single, r)) for r in grid)))
for x in single:
    print("%s" % x.hex())
