"""Symbolic sizes where PyTorch knows only numbers: a model is traced at its examples and at two sizes of each dimension.

All sizes of all dimensions are different primes. So a number that is p in one graph and q in the other is a multiple c * B^e
for one c and e alone: e is the power of q/p in their ratio. The graph of the examples must agree."""
import math

import sympy
import torch
from torch.utils import _pytree as pytree

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31)


class Differs(Exception):
    """The graphs cannot be one; node: where."""

    def __init__(self, text, node=None):
        super().__init__(text)
        self.node = node


class Size:
    """An expression of dimensions, as torch.SymInt has it."""

    def __init__(self, expr):
        self.node, self.expr = self, expr

    def __str__(self):
        return str(self.expr)


class Sized(torch.Tensor):
    """A dtype, and a shape that may be symbolic."""
    __torch_function__ = torch._C._disabled_torch_function_impl

    @property
    def shape(self):
        return self.sizes

    def dim(self):
        return len(self.sizes)


def sized(dtype, sizes):
    made = torch.empty(0, dtype=dtype, device="meta").as_subclass(Sized)
    made.sizes = sizes
    return made


class Sizes:
    """dims: name -> (dimension, greatest size). A dimension is symbolic in each tensor that has the first one's size there."""

    def __init__(self, dims, inputs, targets):
        leaves = [x for x in pytree.tree_flatten((inputs, targets))[0] if isinstance(x, torch.Tensor)]
        free = list(PRIMES)
        self.at = {}                   # name -> (dimension, its size in the examples, and in each of two more traces)
        for name, (axis, most) in dims.items():
            size = next((x.shape[axis] for x in leaves if x.dim() > axis), None)
            small = [n for n in free if n <= most][-2:]
            if size is None:
                continue
            if len(small) < 2:
                raise Differs("dimension %s is too small to be symbolic in PyTorch %s: leave it out"
                              % (name, torch.__version__))
            free = [n for n in free if n not in small]
            self.at[name] = (axis, size, *small)
        self.symbols = {name: sympy.Symbol(name, integer=True, positive=True) for name in self.at}

    def resized(self, which, tree):
        """The examples at other sizes: their elements over and over."""
        def of(x):
            if isinstance(x, torch.Tensor):
                before = list(x.shape)
                for axis, *size in self.at.values():
                    if x.dim() > axis and before[axis] == size[0]:
                        x = x.index_select(axis, torch.arange(size[which]) % max(size[0], 1))
            return x
        return pytree.tree_map(of, tree)

    def value(self, expr, which):
        return expr.subs({self.symbols[name]: at[1 + which] for name, at in self.at.items()})

    def number(self, examples, first, second):
        """What is first and second in the two traces: an integer, or a Size."""
        if first == second == examples:
            return first
        expr = self.product(first, second) or self.linear(first, second)
        if expr is None or self.value(expr, 0) != examples and all(at[1] > 1 for at in self.at.values()):
            expr = sympy.Function("f")(*self.symbols.values())
        return Size(expr) if expr.free_symbols else int(expr)

    def product(self, first, second):
        expr, of_first, of_second = sympy.Integer(1), 1, 1
        for name, (_, _, p, q) in self.at.items():
            power = 0
            while first and second and second // math.gcd(first, second) % q ** (power + 1) == 0:
                power += 1
            expr, of_first, of_second = expr * self.symbols[name] ** power, of_first * p ** power, of_second * q ** power
        return expr * (first // of_first) if first * of_second == second * of_first and first % of_first == 0 else None

    def linear(self, first, second):
        for name, (_, _, p, q) in self.at.items():
            if (second - first) % (q - p) == 0:
                slope = (second - first) // (q - p)
                return slope * self.symbols[name] + first - slope * p
        return None


def joined(sizes, examples, first, second):
    """The graph module of the examples, of which all numbers that hang on dimensions are Sizes."""
    names = " and ".join(sizes.at)
    graphs = [list(made.graph.nodes) for made in (examples, first, second)]
    order = {node: i for nodes in graphs for i, node in enumerate(nodes)}

    def join(a, b, c):
        if isinstance(a, torch.fx.Node) and isinstance(b, torch.fx.Node) and isinstance(c, torch.fx.Node):
            if order[a] == order[b] == order[c]:
                return a
        elif type(a) is type(b) is type(c):
            if isinstance(a, Sized) and a.dtype == b.dtype == c.dtype and a.dim() == b.dim() == c.dim():
                return sized(a.dtype, join(list(a.shape), list(b.shape), list(c.shape)))
            if isinstance(a, (list, tuple)) and len(a) == len(b) == len(c):
                return type(a)([join(*parts) for parts in zip(a, b, c)])
            if isinstance(a, dict) and a.keys() == b.keys() == c.keys():
                return type(a)((k, join(a[k], b[k], c[k])) for k in a)
            if type(a) is int:
                return sizes.number(a, b, c)
            if a == b == c or a != a and b != b and c != c:
                return a
            if type(a) is float:
                raise Differs("a number that depends on the size of dimension %s: compute it with tensors, "
                              "or leave the dimension out" % names)
        raise Differs("what the program does depends on the size of dimension %s: leave that dimension out" % names)

    for parts in zip(*graphs):
        node = parts[0]
        try:
            join(*[n.op + str(n.target) for n in parts])
            node.args, node.kwargs = join(*[n.args for n in parts]), join(*[dict(n.kwargs) for n in parts])
            node.meta["val"] = join(*[n.meta.get("val") for n in parts])
            if node.op == "get_attr" and not all(torch.equal(getattr(examples, node.target), getattr(made, node.target))
                                                 for made in (first, second)):
                raise Differs("a constant that depends on the size of dimension %s: leave that dimension out" % names)
        except Differs as e:
            raise Differs(str(e), node) from e
    if len({len(nodes) for nodes in graphs}) > 1:
        join(None, "", "")
    return examples
