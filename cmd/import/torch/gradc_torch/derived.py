"""Models that differentiate as they go, with torch.autograd.grad or torch.func.

torch.export loses what autograd keeps for such derivatives. So these models are first traced below autograd,
where derivatives are ops like others; what torch.export is given is the graph that comes of it."""
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

library = torch.library.Library("gradc_torch", "FRAGMENT")
library.define("stop_gradient(Tensor self) -> Tensor")
SYMPTOMS = r"fake tensor in the exported program constant's list|no attribute 'constant'"
DIMENSIONS = "a model that differentiates within itself must have fixed sizes: leave the dimension out"
STATISTICS = "batch norm in training, in a model that differentiates within itself: call eval() on it, or use another norm"


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
        return function(*args, **kwargs)


def stopped(x):
    floating = isinstance(x, torch.Tensor) and x.is_floating_point()
    return torch.ops.gradc_torch.stop_gradient(x) if floating and x.requires_grad else x


def given(program):
    """Parameters and buffers, by name."""
    return {**dict(program.named_parameters()), **dict(program.named_buffers())}


def without_derivatives(program, inputs, targets):
    """Give program.forward the same meaning, without autograd."""
    if any(isinstance(m, _BatchNorm) and m.training and m.track_running_stats for m in program.modules()):
        raise NotImplementedError(STATISTICS)
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
    graph.recompile()

    def forward(inputs, targets):
        out = graph(list(given(program).values()), pytree.tree_leaves((inputs, targets)))
        return pytree.tree_unflatten(out, results[0])

    program.forward = forward
