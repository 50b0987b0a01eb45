"""The road of PyTorch 1.13, whose gradients the interpreter's and the emitted C's are compared with.

    torch113.py GRADC DIR CC [MODEL...]

run.py's models, but for those of torch113.json, which must be refused for the reason that it gives; the zoo's in f64,
off by 1e-9 at most; the complaints of errors.py."""
import json
import os
import sys

import torch

import errors
import run
import zoo
from tally import check, end

HERE = os.path.dirname(os.path.abspath(__file__))


def refused(name, why):
    """A model that needs what 1.13 has not."""
    try:
        case = run.MODELS[name]()
        more = {k: case[k] for k in ("targets", "loss", "params", "dims") if k in case}
        run.gradc_torch.export(case["model"], case["inputs"], os.devnull, **more)
    except (AttributeError, run.gradc_torch.ExportError) as e:
        check(why in str(e), "%s: refused as %s" % (name, e))
    else:
        check(False, "%s: exported, while torch113.json says: %s" % (name, why))


def of_zoo(name, gradc, folder, cc):
    P, X = zoo.ZOO[name].make()
    want = zoo.reference(zoo.ZOO[name], P, X, torch.float64)
    params, inputs = zoo.tensors(P, torch.float64), zoo.tensors(X, torch.float64)
    path = os.path.join(folder, name + ".json")
    run.gradc_torch.export(zoo.ZOO[name].loss, (inputs,), path, params=params)
    program = zoo.Program(gradc, path, os.path.join(folder, name), cc)
    got = program.loss_and_gradients({k: v.numpy() for k, v in inputs.items()}, {k: v.numpy() for k, v in params.items()})
    far, which = zoo.worst(got, want)
    check(far <= 1e-9, "%s: %s is off by %.2g" % (name, which, far))


def main():
    gradc, folder, cc = sys.argv[1:4]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(HERE, "torch113.json")) as f:
        later = json.load(f)
    for name in sys.argv[4:] or [*run.MODELS, *zoo.ZOO]:
        torch.manual_seed(1)
        try:
            if name in later:
                refused(name, later[name])
            elif name in zoo.ZOO:
                of_zoo(name, gradc, folder, cc)
            else:
                run.run_case(name, run.MODELS[name](), gradc, folder, cc)
        except (RuntimeError, run.gradc_torch.ExportError, run.subprocess.CalledProcessError) as e:
            check(False, "%s: %s" % (name, e))
    for name in errors.CASES:
        told = errors.tell(folder, name)
        check(not told, told)
    run.steps(gradc, folder)
    run.refusals(folder)
    return end()


if __name__ == "__main__":
    sys.exit(main())
