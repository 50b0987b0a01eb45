"""Models that differentiate as they go, with torch.autograd.grad or torch.func.

torch.export loses what autograd keeps for such derivatives. So these models are first traced below autograd,
where derivatives are ops like others; what torch.export is given is the graph that comes of it."""
import torch
import torch.nn.functional as F
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from . import decompositions

library = torch.library.Library("gradc_torch", "FRAGMENT")
library.define("stop_gradient(Tensor self) -> Tensor")
SYMPTOMS = r"fake tensor in the exported program constant's list|no attribute 'constant'"


@torch.library.register_fake("gradc_torch::stop_gradient", lib=library)
def same(x):
    return torch.empty_like(x)


@torch.library.impl(library, "stop_gradient", "CompositeExplicitAutograd")
def copy(x):
    return x.clone()


class Marked(TorchFunctionMode):
    """What the model itself detaches, or computes under no_grad, is marked; detach is what autograd does as well."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, getattr(function, "__name__", "")
        if name == "detach":
            return stopped(args[0])
        if not torch.is_grad_enabled() and not name.startswith("__") and not name.endswith("_"):
            args, kwargs = pytree.tree_map(stopped, (args, kwargs))
        return FUNCTIONS.get(function, function)(*args, **kwargs)


# ---- functions whose derivatives are in PyTorch no ops that could be differentiated again

MODES, BORDERS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    sample = decompositions.grid_sampler_3d if input.dim() == 5 else \
        torch._decomp.decomposition_table[torch.ops.aten.grid_sampler_2d.default]
    return sample(input, grid, MODES.index(mode), BORDERS.index(padding_mode), bool(align_corners))


def det(A=None, input=None):
    sign, logarithm = torch.linalg.slogdet(input if A is None else A)
    return sign * logarithm.exp()


def lacks_functions(graph):
    """Whether derivatives in it are of what should have been one of these."""
    return any(str(node.target).startswith("aten.grid_sampler_") and "backward" in str(node.target) for node in graph.nodes)


FUNCTIONS = {F.grid_sample: grid_sample, torch.linalg.det: det, torch.det: det, torch.Tensor.det: det}


def stopped(x):
    floating = isinstance(x, torch.Tensor) and x.is_floating_point()
    return torch.ops.gradc_torch.stop_gradient(x) if floating and x.requires_grad else x


def given(program):
    """Parameters and buffers, by name."""
    return {**dict(program.named_parameters()), **dict(program.named_buffers())}


aten = torch.ops.aten


def calls(graph, op):
    return graph.find_nodes(op="call_function", target=op)


def differentiable_statistics(graph):
    """Derivatives of norms read the mean and 1 / deviation that the norm left, results that are not differentiated:
    they get others, computed from the input."""
    for node in calls(graph, aten.native_layer_norm_backward.default):
        input, shape, forward = node.args[1], node.args[2], node.args[3].args[0]
        standardize(graph, node, 3, input, list(range(-len(shape), 0)), True, forward.args[4])
    for node in calls(graph, aten.native_batch_norm_backward.default):
        input, train, eps = node.args[1], node.args[7], node.args[8]
        if train:
            standardize(graph, node, 5, input, [d for d in range(input.meta["val"].dim()) if d != 1], False, eps)


def standardize(graph, node, at, input, dims, keep, eps):
    """Mean and 1 / deviation of input become arguments `at` and after of node."""
    with graph.inserting_before(node):
        mean = graph.call_function(aten.mean.dim, (input, dims, keep))
        variance = graph.call_function(aten.var.correction, (input, dims), {"correction": 0, "keepdim": keep})
        factor = graph.call_function(aten.rsqrt.default, (graph.call_function(aten.add.Tensor, (variance, eps)),))
    node.update_arg(at, mean)
    node.update_arg(at + 1, factor)


def visible_updates(graph):
    """Running statistics are written to; this op's schema says so, which torch.export goes by."""
    for node in calls(graph, aten.native_batch_norm.default):
        if node.args[5] and node.args[3] is not None:
            node.target = aten._native_batch_norm_legit.default


def without_derivatives(program, inputs, targets):
    """Give program.forward the same meaning, without autograd."""
    leaves, structure = pytree.tree_flatten((inputs, targets))
    results = []

    def flat(tensors, leaves):
        named = {k: v.requires_grad_(of.requires_grad) for (k, of), v in zip(given(program).items(), tensors)}
        with Marked(), sdpa_kernel(SDPBackend.MATH):
            out = torch.func.functional_call(program, named, pytree.tree_unflatten(leaves, structure))
        out, spec = pytree.tree_flatten(out)
        results[:] = [spec]
        return out

    graph = make_fx(flat, tracing_mode="fake")([v.detach() for v in given(program).values()], leaves)
    for node in graph.graph.find_nodes(op="call_function", target=torch.ops.aten.detach.default):
        node.replace_all_uses_with(node.args[0])
        graph.graph.erase_node(node)
    differentiable_statistics(graph.graph)
    visible_updates(graph.graph)
    graph.recompile()

    def forward(inputs, targets):
        out = graph(list(given(program).values()), pytree.tree_leaves((inputs, targets)))
        return pytree.tree_unflatten(out, results[0])

    program.forward = forward
