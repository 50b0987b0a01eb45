"""Thirteen models, exported, compiled and run: loss and every gradient against PyTorch in float64.

    zoo.py GRADC DIR CC [--models=NAME,...] [--full]

In f64 a gradient may be off by 1e-9 (relative L2), in f32 by four times what float32 costs PyTorch, four times what a
change of the parameters by one ulp moves it (zoo.json, measured), or 1e-6, whichever is most. zoo.json also has the
bytes of activations that torch 2.11 saves for backward with its partitioners. --full runs every partition without
fusion too."""
import argparse
import json
import os
import subprocess
import sys

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "cmd", "import", "torch"))
import gradc_torch                                                      # noqa: E402
from emitted import Lacks, Program                                            # noqa: E402
from zoo_models import ZOO                                              # noqa: E402

PARTITIONS = ("default", "min-cut", "recompute")
DTYPES = {"f64": torch.float64, "f32": torch.float32}


def distance(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-300))


def tensors(arrays, dtype):
    made = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in arrays.items()}
    return {k: v.to(dtype) if v.is_floating_point() else v for k, v in made.items()}


def reference(spec, P, X, dtype):
    """Loss and gradients that PyTorch makes."""
    params = {k: v.requires_grad_() for k, v in tensors(P, dtype).items()}
    loss = spec.loss(params, tensors(X, dtype))
    loss.backward()
    return {"loss": loss.detach().numpy()}, {k: v.grad.numpy() for k, v in params.items()}


def worst(got, want):
    """The greatest distance of the loss or a gradient, and of which."""
    pairs = [("loss", got[0]["loss"], want[0]["loss"])] + [("d." + k, got[1][k], g) for k, g in want[1].items()]
    return max((distance(a, b) if np.isfinite(a).all() else float("inf"), k) for k, a, b in pairs)


def variants(full):
    """(dtype, backend, partition): all, or each partition fused and one that is not."""
    for dtype in DTYPES:
        for partition in PARTITIONS:
            yield dtype, "fused", partition
            if full or (partition, dtype) == ("default", "f64"):
                yield dtype, "nop", partition


def run_model(spec, facts, options):
    """Lines of what failed, and a row of the table."""
    P, X = spec.make()
    want, own = reference(spec, P, X, torch.float64), reference(spec, P, X, torch.float32)
    eager = worst(own, want)[0]
    limit = {"f64": 1e-9, "f32": max(4 * eager, 4 * facts["sensitivity"], 1e-6)}
    row = {"model": spec.name, "eager": eager, "limit": limit["f32"], "f64": 0.0, "f32": 0.0}
    failed, made = [], set()
    for dtype, backend, partition in variants(options.full):
        folder = os.path.join(options.folder, "%s.%s" % (spec.name, dtype))
        path = os.path.join(folder, spec.name + ".json")
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
            gradc_torch.export(spec.loss, (tensors(X, torch.float32),), path, params=tensors(P, torch.float32),
                               dtype=DTYPES[dtype])
        program = Program(options.gradc, path, os.path.join(folder, backend + "." + partition), options.cc,
                          ["--backend=" + backend, "--partition=" + partition])
        params = {k: v.numpy() for k, v in tensors(P, DTYPES[dtype]).items()}
        inputs = {k: v.numpy() for k, v in tensors(X, DTYPES[dtype]).items()}
        far, which = worst(program.loss_and_gradients(inputs, params), want)
        row[dtype] = max(row[dtype], far)
        if not far <= limit[dtype]:
            failed.append("%s, %s, %s, %s: %s is off by %.2g, more than %.2g"
                          % (spec.name, dtype, backend, partition, which, far, limit[dtype]))
        if (dtype, backend) == ("f32", "fused"):
            row["saved " + partition] = program.saved()
            if partition == "min-cut":
                row["lines"] = program.lines
                row["kernels"] = "%d/%d" % (program.kernels("forward"), program.kernels("backward"))
                row["gradc"], row["cc"] = program.gradc_seconds, program.cc_seconds
    return failed, row


HEAD = ("| model | f64 | f32 | PyTorch f32 | limit | saved: min-cut | default | recompute | torch: mincut | default | aggressive "
        "| kernels fw/bw | lines of C | gradc s | cc s |")


def line(row, facts):
    kib = ["{:,.0f}".format(n / 1024) for n in
           [row["saved " + p] for p in ("min-cut", "default", "recompute")]
           + [facts[k] for k in ("mincut", "default", "mincut_aggr")]]
    return "| %s | %.1e | %.1e | %.1e | %.1e | %s | %s | %s | %.2f | %.1f |" % (
        row["model"], row["f64"], row["f32"], row["eager"], row["limit"], " | ".join(kib), row["kernels"],
        "{:,}".format(row["lines"]), row["gradc"], row["cc"])


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("gradc")
    p.add_argument("folder")
    p.add_argument("cc")
    p.add_argument("--models", default=",".join(ZOO))
    p.add_argument("--full", action="store_true")
    options = p.parse_args()
    with open(os.path.join(HERE, "zoo.json")) as f:
        facts = json.load(f)
    passed, failures, refused = 0, [], []
    print("Saved bytes in KiB, those of torch 2.11; seconds of f32, min-cut, fused.\n\n%s\n|%s" % (HEAD, " --- |" * 15))
    for name in options.models.split(","):
        try:
            failed, row = run_model(ZOO[name], facts[name], options)
        except (gradc_torch.ExportError, Lacks) as e:
            refused.append("%s: %s" % (name, e))
            continue
        except (RuntimeError, subprocess.CalledProcessError) as e:
            failed, row = ["%s: %s" % (name, e)], None
        failures += failed
        passed += not failed
        if row:
            print(line(row, facts[name]), flush=True)
    print()
    for text in refused:
        print("refused", text)
    for text in failures:
        print("FAIL", text)
    print("%d passed, %d failed, %d refused" % (passed, len(failures), len(refused)))
    return len(failures) != 0


if __name__ == "__main__":
    sys.exit(main())
