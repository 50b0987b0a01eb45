"""What stops a trace, in a line that says where and what to do about it."""
import contextlib
import io
import logging
import os
import re
import traceback
import warnings

import torch

from .whole import CUSTOM, DERIVED, PACKED

DIMENSIONS = "a model that differentiates within itself must have fixed sizes: leave the dimension out"
NORMS = "derivatives within the model, through a layer that standardizes, need PyTorch 2.6 or later"
WRITTEN = "a parameter is modified in place: let the model write to a copy, parameter.clone()"
FIXED = "the model fixes the size of dimension %s, or what it divides by: leave that dimension out, or write x.shape[i] in the model"

# what PyTorch complains of, and what to do about it
ADVICE = [
    (r"data-dependent|DataDependent|get value out of a tracing tensor|^aten\.(_local_scalar_dense|equal|allclose|item)\b",
     "what the program does depends on the values of tensors: use torch.where or masks instead of if, while and .item()"),
    (r"dynamic output shape|DynamicOutputShape|unbacked symbols|^aten\.(nonzero|masked_select|_?unique\w*|bincount|_ctc_loss)\b",
     "a result whose size depends on data: keep the shape, with torch.where or a mask that multiplies"),
    (r"leaf Variable that requires grad", WRITTEN),
    (r"Constraints violated \((.*?)\)", FIXED % r"\1"),
    ("(%s)" % "|".join(map(re.escape, (CUSTOM, DERIVED, PACKED, DIMENSIONS, NORMS))), r"\1"),
    (r"\.numpy\(\) is not supported", "numpy cannot be traced: use the functions of torch"),
]

TRACER = "torch.export" if hasattr(torch, "export") else "make_fx"


def explained(text):
    for pattern, advice in ADVICE:
        found = re.search(pattern, text)
        if found:
            return found.expand(advice)
    return TRACER + ": %s" % text.splitlines()[0].replace("FakeTensor", "Tensor")


def place(e, text):
    """The last line of the user's code that an exception names."""
    inside = os.path.dirname(torch.__file__)
    frames = re.findall(r'File "([^"]+)", line (\d+)', text)
    frames += [(f.filename, str(f.lineno)) for f in traceback.extract_tb(e.__traceback__)] if e else []
    own = [f for f in frames if not f[0].startswith((inside, os.path.dirname(__file__), os.path.dirname(os.__file__), "<"))]
    return ":".join(own[-1]) + ": " if own else ""


def blame(e):
    """What torch.export complains of, in a line, behind the line of the user's code."""
    text = str(e).strip() or type(e).__name__
    return place(e, text) + explained(text)


@contextlib.contextmanager
def quiet():
    """PyTorch prints graphs beside its exceptions."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


@contextlib.contextmanager
def unchecked():
    """Distributions that do not look at the values of their arguments."""
    from torch.distributions import Distribution
    before = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(before)
