"""Exported models against PyTorch: loss, every gradient and every update, by the interpreter and as emitted C.

    run.py GRADC DIR CC [MODEL...]

PyTorch computes in float64; an f32 program may lie from it by what float32 costs PyTorch itself, times a few, or by
four times what a change of the parameters by one ulp moves it: sums that cancel cost PyTorch little only by chance."""
import json
import os
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "cmd", "import", "torch"))
import gradc_torch                                                      # noqa: E402
from gradc_torch.export import find_loss                                # noqa: E402
from gradc_torch.program import argument_names                          # noqa: E402
from models import MODELS                                               # noqa: E402
import models_derived                                                   # noqa: E402, F401
import models_recurrent                                                 # noqa: E402, F401
import models_user                                                      # noqa: E402, F401
import models_window                                                    # noqa: E402, F401
from served import Served, drawn                                        # noqa: E402
from tally import check, end                                            # noqa: E402


def to(x, dtype):
    return torch.utils._pytree.tree_map(
        lambda t: t.to(dtype) if isinstance(t, torch.Tensor) and t.is_floating_point() else t, x)


def reference(case, dtype, random):
    """The loss, gradients and buffers by name, in dtype; with these random numbers."""
    torch.set_default_dtype(dtype)
    try:
        model, loss = case.get("like", case["model"]), find_loss(case.get("loss"))     # what PyTorch can differentiate
        inputs, targets = to(case["inputs"], dtype), to(case.get("targets", ()), dtype)
        if "params" in case:
            params = {k: v.to(dtype).requires_grad_() for k, v in case["params"].items()}
            run = lambda: model(params, *inputs)                                   # noqa: E731
        else:
            model.load_state_dict(case["state"])
            model = model.to(dtype)
            params = {k: p for k, p in model.named_parameters() if p.requires_grad}
            model.zero_grad()
            run = lambda: model(*inputs)                                           # noqa: E731
        with Served(random) as served:
            out = run()
            value = loss(out, *targets) if loss else out["loss"] if isinstance(out, dict) else out
        check(not served.values, "%d random tensors that PyTorch does not draw" % len(served.values))
        value.backward()
        zero = {k: p.grad if p.grad is not None else torch.zeros_like(p) for k, p in params.items()}
        results = {"loss": value.detach(), **{"d." + k: g for k, g in zero.items()}}
        if "params" not in case:
            results.update(model.named_buffers())
        return {k: x.double().numpy().copy() for k, x in results.items()}
    finally:
        torch.set_default_dtype(torch.float32)


def distance(a, b):
    return float(np.linalg.norm(np.asarray(a, float) - b) / max(np.linalg.norm(b), 1e-30))


def moved(case, random, what, want):
    """The most that a result moves by, of a few changes of all parameters and buffers by one ulp of float32."""
    most, of = 0.0, "params" if "params" in case else "state"
    for seed in range(4):
        source = torch.Generator().manual_seed(seed)
        changed = {k: t * (1 + (torch.randint(2, t.shape, generator=source) * 2 - 1) * 2.0 ** -23)
                   if t.is_floating_point() else t for k, t in to(case[of], torch.float64).items()}
        most = max(most, distance(reference(dict(case, **{of: changed}), torch.float64, random)[what], want))
    return most


def run_case(name, case, gradc, folder, cc):
    path = os.path.join(folder, name + ".json")
    if "params" not in case:
        case["state"] = {k: v.clone() for k, v in case["model"].state_dict().items()}
    more = {k: case[k] for k in ("targets", "loss", "params", "dims") if k in case}
    gradc_torch.export(case["model"], case["inputs"], path, **more)
    names = argument_names(case["model"], case.get("params"), case["inputs"], case.get("targets", ()))
    given = (case["inputs"], case.get("targets", ()))
    leaves = [x for x in torch.utils._pytree.tree_flatten(given)[0] if isinstance(x, torch.Tensor)]
    options = []
    for leaf_name, tensor in zip(names, leaves):
        file = os.path.join(folder, "%s.%s.npy" % (name, leaf_name))
        np.save(file, tensor.numpy())
        options.append("--in=%s=%s" % (leaf_name, file))
    key = os.path.join(folder, "key.npy")
    np.save(key, np.uint64(7))
    with open(path) as f:
        options += ["--in=key=" + key] if "key" in json.load(f)["inputs"] else []
    random = drawn(path, gradc, options)
    wanted, own = (reference(case, dtype, random) for dtype in (torch.float64, torch.float32))
    grad = os.path.join(folder, name + ".grad.json")
    with open(grad, "w") as f:
        subprocess.run([gradc, "grad", path], stdout=f, check=True)
    for backend, exact in (("interp", True), ("fused", False)):
        result = os.path.join(folder, "%s.%s.npz" % (name, backend))
        subprocess.run([gradc, "run", grad, "-o", result, "--backend=" + backend] + options
                       + (["--cc=" + cc] if not exact else []), check=True)
        got = np.load(result)
        # results are stored in f32; kinks aside, f32 arithmetic may cost what it costs PyTorch
        for what in [k for k in wanted if k in got or k == "loss" or k.startswith("d.")]:     # buffers that are updated
            want = wanted[what]
            tol = 1e-7 + (0 if exact else 8 * distance(own[what], want) + 1e-6)
            far = distance(got[what], want)
            if far > tol and not exact:
                tol = max(tol, 4 * moved(case, random, what, want))
            check(far <= tol or np.linalg.norm(got[what] - want) <= 1e-7,
                  "%s, %s: %s is off by %.2g, more than %.2g" % (name, backend, what, far, tol))
    state = case.get("state", {})
    lost = [k for k in wanted if k in state and k not in got and not np.array_equal(wanted[k], state[k].double())]
    check(not lost, "%s: updates of %s are missing" % (name, ", ".join(lost)))
    if "params" not in case:               # what gradc writes, PyTorch reads
        back = gradc_torch.load(path.replace(".json", ".safetensors"))
        check(all(torch.equal(back[k], v) for k, v in case["state"].items() if k in back), "%s: the checkpoint" % name)


def refusals(folder):
    """All at once, with the line that each stands in."""
    def bad(x):
        y = torch.fft.fft(x).real.sum()
        return y + x[x > 0].sum() + torch.linalg.svdvals(x).sum()

    try:
        gradc_torch.export(bad, (torch.randn(4, 4),), os.path.join(folder, "bad.json"))
        check(False, "an export of what cannot be said")
    except gradc_torch.ExportError as e:
        check(len(e.problems) == 3, "three problems: %s" % e)
        check(all("run.py:" in p for p in e.problems), "their lines: %s" % e)
    check(not os.path.exists(os.path.join(folder, "bad.json")), "nothing is written where something is refused")


def steps(gradc, folder):
    """A recurrent layer is a loop: its C does not grow with the number of steps. Dropout is between layers."""
    lines = []
    for n in (300, 600):
        path = os.path.join(folder, "steps.json")
        gradc_torch.export(nn.LSTM(4, 5, 3, dropout=0.5), (torch.randn(n, 2, 4),), path, targets=(torch.randn(n, 2, 5),),
                           loss=lambda out, target: F.mse_loss(out[0], target))
        subprocess.run([gradc, "compile", path, "-o", folder], check=True)
        with open(os.path.join(folder, "steps.c")) as f:
            lines.append(len(f.read().splitlines()))
        with open(path) as f:
            ops = [node["op"] for node in json.load(f)["nodes"]]
        check(ops.count("scan") == 3 and ops.count("dropout") == 2, "LSTM of three layers: %s" % " ".join(ops))
    # tiles and orders of sums depend on sizes; steps written out would be a line each at least
    check(abs(lines[1] - lines[0]) < 100, "lines of C of 300 and of 600 steps: %d, %d" % tuple(lines))


def main():
    gradc, folder, cc = sys.argv[1:4]
    os.makedirs(folder, exist_ok=True)
    for name in sys.argv[4:] or MODELS:
        torch.manual_seed(1)
        try:
            run_case(name, MODELS[name](), gradc, folder, cc)
        except (gradc_torch.ExportError, subprocess.CalledProcessError) as e:
            check(False, "%s: %s" % (name, e))
    steps(gradc, folder)
    refusals(folder)
    return end()


if __name__ == "__main__":
    sys.exit(main())
