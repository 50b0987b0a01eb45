"""docs/examples/pytorch_net from end to end: exported, trained in C, and the checkpoint exchanged both ways.

    example.py GRADC DIR CC

From one start, over the same batches, the losses of 200 steps of AdamW in C are those of PyTorch: within 1e-5 for the first
20 steps, and within 2e-3 for all, since training amplifies what float32 rounds. PyTorch in float64 lies as far from
PyTorch in float32."""
import os
import shutil
import subprocess
import sys

import numpy as np
import torch

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PACKAGE = os.path.join(ROOT, "cmd", "import", "torch")


def main():
    gradc, folder, cc = sys.argv[1:]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(ROOT, "docs", "examples", "pytorch_net"), folder)
    env = dict(os.environ, PYTHONPATH=PACKAGE)
    make = ["make", "-s", "GRADC=" + gradc, "GRADC_SHARE=" + os.path.join(ROOT, "share"), "PYTHON=" + sys.executable, "CC=" + cc]

    def run(*command):
        return subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout

    lines = [float(x) for x in run(*make, "exchange").splitlines()]
    ours, evaluated = np.array(lines[:-2]), lines[-2:]
    sys.path[:0] = [PACKAGE, folder]
    import net
    model = net.Net()
    theirs = np.array(list(net.train(model)))
    images, labels = net.data()
    net.data = lambda: (images.double(), labels)
    exact = np.array(list(net.train(net.Net().double())))
    near, far = np.abs(ours - theirs), np.abs(theirs - exact)
    print("loss %.4f to %.4f; off by %.1e in 20 steps, %.1e in %d; PyTorch's own float32: %.1e, %.1e"
          % (ours[0], ours[-1], near[:20].max(), near.max(), len(ours), far[:20].max(), far.max()))
    failed = 0
    identical = same(folder)
    for ok, what in [(len(ours) == len(theirs) == 200, "200 steps"), (near[:20].max() < 1e-5, "the first steps"),
                     (near.max() < 2e-3, "all steps"), (ours[-20:].mean() < 0.5 * ours[0], "it learns"),
                     (abs(evaluated[0] - evaluated[1]) < 2e-6,
                      "C and PyTorch on one checkpoint: %f, %f" % tuple(evaluated)),
                     (identical, "the checkpoint that went through PyTorch")]:
        failed += not ok
        if not ok:
            print("FAIL example:", what)
    print("%d passed, %d failed" % (6 - failed, failed))
    return failed != 0


def same(folder):
    """Tensors, whatever their order."""
    import gradc_torch
    a, b = [gradc_torch.load(os.path.join(folder, f + ".safetensors")) for f in ("trained", "back")]
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


if __name__ == "__main__":
    sys.exit(main())
