"""Random numbers of an exported model, given to PyTorch as well: so models are compared in training, dropout and all."""
import json
import os
import subprocess

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

RANDOM = ("dropout", "feature_dropout", "bernoulli", "randn", "rand")


def drawn(path, gradc, options):
    """What each random op of a model draws, in the program's order; of dropout what it makes of ones."""
    with open(path) as f:
        graph = json.load(f)
    random, nodes = [], []
    for node in graph["nodes"]:
        if node["op"] in RANDOM:
            random.append(node["out"])
        if node["op"].endswith("dropout"):
            x, key = node["in"]
            nodes += [{"out": node["out"] + ".zero", "op": "mul", "in": [x, 0]},
                      {"out": node["out"] + ".one", "op": "add", "in": [node["out"] + ".zero", 1]}]
            node["in"] = [node["out"] + ".one", key]
        nodes.append(node)
    if not random:
        return []
    graph = {k: v for k, v in graph.items() if k not in ("loss", "updates")}
    graph.update(nodes=nodes, outputs={"drawn%d" % i: name for i, name in enumerate(random)})
    stem = os.path.splitext(path)[0] + ".drawn"
    with open(stem + ".json", "w") as f:
        json.dump(graph, f)
    subprocess.run([gradc, "run", stem + ".json", "-o", stem + ".npz", "--backend=interp"] + options, check=True)
    result = np.load(stem + ".npz")
    return [torch.from_numpy(result["drawn%d" % i]) for i in range(len(random))]


class Served(TorchDispatchMode):
    """While this is active, PyTorch's random numbers are these, one tensor after the other."""

    def __init__(self, values):
        super().__init__()
        self.values = list(values)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name.replace("aten::", "").replace("_like", "")
        if name.rstrip("_") not in ("bernoulli", "randn", "rand", "normal", "uniform"):
            return function(*args, **(kwargs or {}))
        result = args[0] if name.endswith("_") else function(*args, **(kwargs or {}))
        value = self.values.pop(0)
        if value.numel() != result.numel():            # feature_dropout: one for each channel
            value = value[tuple(map(slice, result.shape))]
        value = value.reshape(result.shape)
        return result.copy_(value != 0 if name.startswith("bernoulli") else value)
