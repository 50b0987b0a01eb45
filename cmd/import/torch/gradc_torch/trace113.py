"""A module or function as a functional graph of ATen ops, through make_fx: for PyTorch 1.13, which has no torch.export.

What comes of it has the fields of torch.export's program that the exporter reads. make_fx sees ops below autograd, where
linear, layer_norm and their like are taken apart and batch norm writes to its running statistics without saying so.
Therefore what the rules know becomes calls of ops of our own (kept.py), and Recorder, a dispatch mode, notes for each
node the module and the line of the program. Sizes are those of the examples: where a dimension is symbolic the model is
traced at two more, and what differs between the graphs is a multiple of the dimension (sizes.py). A model that
differentiates as it goes is traced again, without ops of our own, for which there are no derivatives.
"""
import contextlib
import sys
from types import SimpleNamespace

import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

from . import decompositions, decompositions_backward, functions, rules
from .blame import DIMENSIONS, FIXED, WRITTEN, blame, place, quiet, unchecked
from .errors import ExportError
from .kept import ORIGINAL, OURS, Derived, Differentiates, Kept, transparent
from .sizes import Differs, Sizes, joined, sized
from .whole import whole

aten = torch.ops.aten


class Recorder(TorchDispatchMode):
    """For each node that make_fx adds: the lines of the program that led to it and the innermost module, or, while a graph
    is decomposed, what is known of the node that it comes of."""

    def __init__(self, graph, modules):
        super().__init__()
        self.graph, self.modules, self.origin = graph, modules, None

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        try:
            return OURS.get(op, op)(*args, **(kwargs or {}))
        finally:
            self.note()

    def note(self):
        meta = self.origin or self.here()
        for node in reversed(self.graph.nodes):
            if node.op == "placeholder" or "stack_trace" in node.meta:
                break
            node.meta.update(meta)

    def here(self):
        frame, lines, module = sys._getframe(2), [], None
        while frame:
            if module is None and frame.f_code is nn.Module._call_impl.__code__:
                module = frame.f_locals["self"]
            lines.append('File "%s", line %d' % (frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        path = self.modules.get(id(module), "")
        return {"stack_trace": "\n".join(reversed(lines)), "nn_module_stack": {path: (path, type(module))}}


@contextlib.contextmanager
def functionalization():
    torch._enable_functionalization(reapply_views=True)
    try:
        yield
    finally:
        torch._disable_functionalization()


def on_tensors(function):
    return lambda tree: pytree.tree_map(lambda x: function(x) if isinstance(x, torch.Tensor) else x, tree)


def describe(made):
    """meta["val"] of each node: dtypes and shapes of its results."""
    for node in made.graph.nodes:
        found = node.meta.pop("tensor_meta", None)
        if node.op == "get_attr":
            found = getattr(made, node.target)
        if found is not None:
            node.meta["val"] = sized(found.dtype, list(found.shape))
    for node in made.graph.nodes:
        parts = {user.args[1]: user.meta.get("val") for user in node.users if getattr(user.target, "__name__", "") == "getitem"}
        if parts:
            node.meta["val"] = [parts.get(i) for i in range(count(node, parts))]


def count(node, parts):
    returns = node.target._schema.returns
    return max(parts) + 1 if len(returns) == 1 else len(returns)


def functional_graph(function, tensors, modules):
    """function(recorder, tensors), a list of tensors, as a graph without mutations."""
    def run(tensors):
        mode = _get_current_dispatch_mode()
        with Recorder(mode.tracer.graph, modules) as recorder, functionalization():
            out = function(recorder, on_tensors(torch._to_functional_tensor)(tensors))
            on_tensors(torch._sync)(out)
            return on_tensors(lambda x: torch._from_functional_tensor(x) if torch._is_functional_tensor(x) else x)(out)

    made = make_fx(run)(tensors)
    describe(made)
    made.graph.eliminate_dead_code()
    return made


class Decomposed(torch.fx.Interpreter):
    """A graph whose ops are replaced as a table says."""

    def __init__(self, module, table, recorder):
        super().__init__(module)
        self.table, self.recorder, self.changed = table, recorder, False

    def run_node(self, node):
        self.recorder.origin = {k: v for k, v in node.meta.items() if k in ("stack_trace", "nn_module_stack", "original_aten")}
        self.recorder.origin.setdefault("original_aten", node.target)
        return super().run_node(node)

    def call_function(self, target, args, kwargs):
        instead = self.table.get(ORIGINAL.get(target, target))
        if instead:
            out = instead(*args, **kwargs)
            if out is not NotImplemented:
                self.changed = True
                return out
        return target(*args, **kwargs)


def triangle(side, rows, columns, offset=0):
    at = [(i, j) for i in range(rows) for j in range(columns) if side(j - i, offset)]
    return [[i for i, _ in at], [j for _, j in at]]


def linspace(start, end, steps, dtype=None, **_):
    """From both ends, as PyTorch has it."""
    if dtype is not None and not dtype.is_floating_point:
        return decompositions.linspace(start, end, steps, dtype=dtype)
    step = (end - start) / max(steps - 1, 1)
    at = torch.arange(steps, dtype=dtype or torch.get_default_dtype())
    return torch.where(at < steps // 2, start + step * at, end - step * (steps - 1 - at)) if steps > 1 else at + start


MISSING = {                    # what the decompositions of 1.13 lack
    aten.fill.Scalar: torch.full_like,
    aten.fill.Tensor: lambda x, value: value.to(x.dtype).expand(x.shape),
    aten.linspace.default: linspace,
    aten.tril_indices.default: lambda *args, **_: torch.tensor(triangle(int.__le__, *args)),
    aten.triu_indices.default: lambda *args, **_: torch.tensor(triangle(int.__ge__, *args)),
}
decompositions_backward.of_pool(2, "max_pool2d_with_indices_backward")


def decomposed(made, tensors):
    """In rounds, since what an op is replaced by may be replaced."""
    table = {op: f for op, f in torch._decomp.decomposition_table.items() if not rules.known(op)}
    table.pop(aten.native_batch_norm.default)      # it writes to its arguments
    table.update({**decompositions.TABLE, **MISSING})
    changed = True
    while changed and any(ORIGINAL.get(node.target, node.target) in table for node in made.graph.nodes):
        rounds = []

        def run(recorder, tensors, made=made):
            rounds.append(Decomposed(made, table, recorder))
            return rounds[0].run(tensors)

        made = functional_graph(run, tensors, {})
        changed = rounds[0].changed
    return made


@contextlib.contextmanager
def held(program, tensors):
    """While a program has these tensors, by the id of the parameter or buffer that each stands for."""
    groups = [g for m in program.modules() for g in (m._parameters, m._buffers)]
    before = [dict(g) for g in groups]

    def flat_weights():
        for m in program.modules():
            if isinstance(m, nn.RNNBase):
                m._flat_weights = [getattr(m, name) for name in m._flat_weights_names]

    try:
        for g in groups:
            g.update((name, tensors[id(x)]) for name, x in g.items() if x is not None)
        flat_weights()
        yield
    finally:
        for g, was in zip(groups, before):
            g.update(was)
        flat_weights()


def traced(program, inputs, targets, mode=Kept):
    """The graph of a program: placeholders of parameters, buffers and inputs; results, then what the placeholders are after it.
    And the structure of the results."""
    named = dict(program.named_parameters())
    buffers = dict(program.named_buffers())
    named.update(buffers)
    leaves, structure = pytree.tree_flatten((inputs, targets))
    at = [i for i, x in enumerate(leaves) if isinstance(x, torch.Tensor)]
    tensors = [x.detach() for x in [*named.values(), *(leaves[i] for i in at)]]
    modules = {id(m): path for path, m in program.named_modules()}
    spec = []

    def run(recorder, tensors):
        given = list(leaves)
        for i, x in zip(at, tensors[len(named):]):
            given[i] = x
        if mode is Derived:
            for of, x in zip(named.values(), tensors):
                x.requires_grad_(of.requires_grad)
        with held(program, {id(x): t for x, t in zip(named.values(), tensors)}):
            with transparent(), mode(tensors[len(named) - len(buffers):len(named)]), functions.Static():
                out = program(*pytree.tree_unflatten(given, structure))
        out, of_out = pytree.tree_flatten(out)
        spec[:] = [of_out]
        return [*out, *tensors]

    made = functional_graph(run, tensors, modules)
    if mode is Derived:
        for node in [n for n in made.graph.nodes if n.target is aten.detach.default]:
            node.replace_all_uses_with(node.args[0])
            made.graph.erase_node(node)
        made.recompile()
    return decomposed(made, tensors), spec[0]


# ---- what torch.export would say of the graph

def spec(kind, target=None):
    return SimpleNamespace(kind=SimpleNamespace(name=kind), target=target)


def writer(node):
    """The op whose result went to a part of a tensor."""
    return writer(node.all_input_nodes[-1]) if "_scatter" in str(node.target) else node


def signed(program, made, out_spec):
    """A traced graph as torch.export's program, as far as the exporter reads it."""
    params, buffers = dict(program.named_parameters()), dict(program.named_buffers())
    places = [node for node in made.graph.nodes if node.op == "placeholder"]
    output = next(node for node in made.graph.nodes if node.op == "output")
    results, kept = list(output.args[0]), len(params) + len(buffers)
    end = len(results) - len(places)
    after = dict(zip(places, results[end:]))
    for node in places[:len(params)]:
        if after[node] is not node:
            raise ExportError([place(None, writer(after[node]).meta.get("stack_trace", "")) + WRITTEN])
    inputs = [spec("PARAMETER", path) for path in params] + [spec("BUFFER", path) for path in buffers]
    inputs += [spec("USER_INPUT") for _ in places[kept:]]
    written = [(spec("USER_OUTPUT"), node) for node in results[:end]]
    written += [(spec("BUFFER_MUTATION", path), after[node]) for path, node in zip(buffers, places[len(params):])
                if after[node] is not node]
    written += [(spec("USER_INPUT_MUTATION", node.name), node) for node in places[kept:] if after[node] is not node]
    output.args = ([node for _, node in written],)
    return SimpleNamespace(
        graph=made.graph, graph_module=made, state_dict={**params, **buffers}, constants={},
        call_spec=SimpleNamespace(out_spec=out_spec),
        graph_signature=SimpleNamespace(input_specs=inputs, output_specs=[s for s, _ in written]))


def traced_somehow(program, inputs, targets, dims):
    try:
        return traced(program, inputs, targets)
    except Differentiates:
        pass
    if dims:
        raise NotImplementedError(DIMENSIONS)
    return traced(program, inputs, targets, Derived)


def trace(program, inputs, targets, dims, known):
    """The exported program."""
    with quiet():
        try:
            with whole(), unchecked():
                made, out_spec = traced_somehow(program, inputs, targets, dims)
                if dims:
                    made = symbolic(program, inputs, targets, dims, made)
        except Differs as e:
            raise ExportError([place(e, e.node.meta.get("stack_trace", "") if e.node else "") + str(e)]) from e
        except Exception as e:
            raise ExportError([blame(e)]) from e
    return signed(program, made, out_spec)


def symbolic(program, inputs, targets, dims, made):
    sizes = Sizes(dims, inputs, targets)
    try:
        more = [traced(program, *sizes.resized(which, (inputs, targets)))[0] for which in (1, 2)]
    except Exception as e:
        raise Differs(FIXED % " and ".join(dims)) from e
    return joined(sizes, made, *more)
