"""python3 -m gradc_torch FILE.py:OBJECT [options]: a model to JSON IR and safetensors."""
import argparse
import importlib
import importlib.util
import os
import re
import sys

import torch

from .blame import place
from .errors import ExportError
from .export import export
from .graph import DTYPES

HELP = """OBJECT is an nn.Module, a class of one that needs no arguments, or a function of tensors; or a function
without arguments that returns (model, inputs), or a dict of export()'s arguments (model, inputs, targets, loss,
params, dims). FILE.py may be a module's name."""


def guarded(call):
    """What the user's own code raises, in a line."""
    try:
        return call()
    except ExportError:
        raise
    except Exception as e:
        raise ExportError(["%s%s: %s" % (place(e, ""), type(e).__name__, e)]) from e


def load(where):
    if ":" not in where:
        raise ExportError(["%s: not of the form FILE.py:OBJECT" % where])
    file, name = where.rsplit(":", 1)
    if file.endswith(".py"):
        if not os.path.exists(file):
            raise ExportError(["%s: no such file" % file])
        sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
        file = os.path.splitext(os.path.basename(file))[0]
    else:
        sys.path.insert(0, os.getcwd())
    value = guarded(lambda: importlib.import_module(file))
    for part in name.split("."):
        if not hasattr(value, part):
            raise ExportError(["%s: there is no %s" % (where, part)])
        value = getattr(value, part)
    return value


def example(text):
    """A tensor of a type such as f32[8,784]: standard normal, or zeros of integers."""
    m = re.fullmatch(r"(\w+)\[([\d,]*)\]", text)
    dtypes = {name: dtype for dtype, name in DTYPES.items()}
    if not m or m.group(1) not in dtypes:
        raise ExportError(["%s: not a type such as f32[8,784]" % text])
    shape = [int(n) for n in m.group(2).split(",") if n]
    dtype = dtypes[m.group(1)]
    return torch.randn(shape).to(dtype) if dtype.is_floating_point else torch.zeros(shape, dtype=dtype)


def float_type(name):
    dtype = {n: d for d, n in DTYPES.items()}.get(name)
    if dtype is None or not dtype.is_floating_point:
        raise ExportError(["--dtype=%s: not f32 or f64" % name])
    return dtype


def dimension(text):
    """B=0:128: dimension 0, at most 128."""
    m = re.fullmatch(r"(\w+)=(\d+):(\d+)", text)
    if not m:
        raise ExportError(["--dim=%s: not of the form NAME=DIMENSION:MAX" % text])
    return m.group(1), (int(m.group(2)), int(m.group(3)))


def arguments(args):
    """What export() gets."""
    model = load(args.model)
    given = {}
    if isinstance(model, type) and issubclass(model, torch.nn.Module):
        model = guarded(model)
    elif not isinstance(model, torch.nn.Module) and not args.input:
        given = guarded(model)
        given = dict(zip(("model", "inputs"), given)) if isinstance(given, tuple) else dict(given)
        model = given.pop("model")
    if args.input:
        given["inputs"] = tuple(example(t) for t in args.input)
    if args.target:
        given["targets"] = tuple(example(t) for t in args.target)
    if args.loss:
        given["loss"] = args.loss
    if args.dim:
        given["dims"] = dict(dimension(t) for t in args.dim)
    if args.dtype:
        given["dtype"] = float_type(args.dtype)
    if args.eval:
        model.eval()
    if "inputs" not in given:
        raise ExportError(["example inputs are missing: --input='f32[8,784]' for each"])
    return model, given


def main():
    p = argparse.ArgumentParser(prog="gradc_torch", description=__doc__, epilog=HELP)
    p.add_argument("model", metavar="FILE.py:OBJECT")
    p.add_argument("-o", default="model.json", metavar="FILE", help="the IR; tensors go beside it (default model.json)")
    p.add_argument("--input", action="append", metavar="TYPE", help="type of an input, such as f32[8,784]; in order")
    p.add_argument("--target", action="append", metavar="TYPE", help="type of a further input of the loss")
    p.add_argument("--loss", metavar="NAME", help="a function of torch.nn.functional: NAME(output, target...)")
    p.add_argument("--dim", action="append", metavar="NAME=DIM:MAX",
                   help="make a dimension symbolic wherever an input has the first one's size there: B=0:128")
    p.add_argument("--dtype", metavar="TYPE", help="f64: all floats in that dtype, as after model.double()")
    p.add_argument("--eval", action="store_true", help="as in model.eval(): no dropout, running statistics")
    p.add_argument("--name", help="prefix of the emitted C (default: the file's name)")
    args = p.parse_args()
    try:
        model, given = arguments(args)
        export(model, given.pop("inputs"), args.o, name=args.name, **given)
    except ExportError as e:
        for line in e.problems:
            print("error: %s" % line, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
