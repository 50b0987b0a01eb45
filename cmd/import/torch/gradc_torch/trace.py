"""A module or function as a functional graph of ATen ops, through torch.export.

What the rules know stays whole (linear, layer_norm, cross_entropy_loss, ...), everything else is
decomposed, in rounds, by PyTorch's own decompositions; mutations become results.
"""
import re

import torch
from torch.utils import _pytree as pytree

from . import decompositions, decompositions_backward, derived, functions        # noqa: F401
from .blame import DIMENSIONS, blame, quiet, unchecked
from .errors import ExportError
from .whole import whole


def dynamic_shapes(dims, inputs, targets):
    """dims: name -> (dimension, greatest size). A dimension is symbolic in each tensor that has the first one's
    size there."""
    leaves = [x for x in pytree.tree_leaves((inputs, targets)) if isinstance(x, torch.Tensor)]
    made = {}
    for name, (axis, most) in dims.items():
        size = next((x.shape[axis] for x in leaves if x.dim() > axis), None)
        made[name] = (axis, size, torch.export.Dim(name, min=1, max=most))

    def of(x):
        if not isinstance(x, torch.Tensor):
            return None
        return {axis: dim for axis, size, dim in made.values() if x.dim() > axis and x.shape[axis] == size}

    return pytree.tree_map(of, (inputs, targets))


def exported_program(program, inputs, targets, dims):
    """As torch.export has it; where the model differentiates as it goes, and that is not enough, without that."""
    shapes = dynamic_shapes(dims, inputs, targets) if dims else None
    try:
        exported = torch.export.export(program, (inputs, targets), dynamic_shapes=shapes, strict=False)
        if not derived.lacks_functions(exported.graph):
            return exported
    except Exception as e:
        if not re.search(derived.SYMPTOMS, str(e)):
            raise
    if dims:
        raise NotImplementedError(DIMENSIONS)
    derived.without_derivatives(program, inputs, targets)
    return torch.export.export(program, (inputs, targets), strict=False)


def trace(program, inputs, targets, dims, known):
    """The exported program, of ops for which known(op) holds or that PyTorch cannot decompose."""
    with quiet():
        try:
            with whole(), unchecked(), functions.Static():
                exported = exported_program(program, inputs, targets, dims)
            cut_gradients(exported)
            return decomposed(exported, known)
        except Exception as e:             # its own classes are private, and change
            raise ExportError([blame(e)]) from e


def cut_gradients(exported):
    """Regions under torch.no_grad() see their operands detached; decomposing would forget where they are."""
    for module in exported.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            if getattr(node.target, "__name__", "") == "wrap_with_set_grad_enabled" and not node.args[0]:
                detach_inputs(getattr(module, node.args[1].target).graph)


def detach_inputs(graph):
    """All but those that are written to, which are buffers."""
    for node in [n for n in graph.nodes if n.op == "placeholder"]:
        val = node.meta.get("val")
        written = any(user.args and user.args[0] is node and user.target._schema.is_mutable for user in node.users
                      if hasattr(user.target, "_schema"))
        if isinstance(val, torch.Tensor) and val.is_floating_point() and not written:
            with graph.inserting_after(node):
                detached = graph.call_function(torch.ops.aten.detach.default, (node,))
            detached.meta = dict(node.meta)
            node.replace_all_uses_with(detached, delete_user_cb=lambda user: user is not detached)


def decomposed(exported, known):
    """What is known stays, everything else that PyTorch can decompose is decomposed, in whatever it stands."""
    table = dict(torch.export.default_decompositions())
    for op, function in torch._decomp.decomposition_table.items():
        table.setdefault(op, function)
    table = {op: function for op, function in table.items() if not known(op)}
    return exported.run_decompositions({**table, **decompositions.TABLE})
