"""What gradc emitted, as a shared library that Python calls."""
import ctypes
import json
import os
import re
import subprocess
import time

import numpy as np

DTYPES = {"f32": np.float32, "f64": np.float64, "i64": np.int64, "i32": np.int32, "i16": np.int16, "i8": np.int8,
          "u64": np.uint64, "u8": np.uint8, "bool": np.bool_}


class Lacks(Exception):
    """The model has ops that gradc does not know."""


class Program:
    """gradc compile of a model, and the C compiler's work on it; seconds of both."""

    def __init__(self, gradc, model, folder, cc, options=()):
        self.name = re.search(r'"name": "(\w+)"', open(model).read()).group(1)
        begin = time.time()
        done = subprocess.run([gradc, "compile", model, "-o", folder, "--no-reparse", *options], stderr=subprocess.PIPE,
                              text=True)
        lacks = sorted(set(re.findall(r"unknown op '(\w+)'", done.stderr)))
        if lacks:
            raise Lacks("gradc has no " + ", ".join(lacks))
        if done.returncode:
            raise RuntimeError("gradc: " + done.stderr.strip())
        self.gradc_seconds = time.time() - begin
        stem = os.path.join(folder, self.name)
        with open(stem + ".manifest.json") as f:
            self.manifest = json.load(f)
        with open(stem + ".h") as f:
            defines = re.findall(r"#define %s_(\w+) (\d+)" % self.name.upper(), f.read())
        self.sizes = {k: int(v) for k, v in defines}
        with open(stem + ".c") as f:
            self.lines = sum(not re.match(r"\t-?(0x|\d)", line) for line in f)     # but for initial values
        begin = time.time()
        subprocess.run(cc.split() + ["-shared", "-fPIC", stem + ".c", "-o", stem + ".so", "-lm"], check=True)
        self.cc_seconds = time.time() - begin
        self.library = ctypes.CDLL(os.path.abspath(stem + ".so"))
        self.memory = {}
        self.arrays = {}

    def bytes(self, what):
        """Memory for saved values or work, aligned."""
        if what not in self.memory:
            flat = np.zeros(self.sizes.get(what, 0) + 128, np.uint8)
            self.memory[what] = flat[-flat.ctypes.data % 64:]
        return ctypes.c_void_p(self.memory[what].ctypes.data)

    def struct(self, section, arrays, dims=None):
        """A struct of pointers to arrays, which are by name; inputs have symbolic dimensions too."""
        members = self.manifest[section]
        fields = [(m["c"], ctypes.c_void_p) for m in members] + [(d, ctypes.c_int64) for d in dims or {}]
        made = type(section, (ctypes.Structure,), {"_fields_": fields})()
        for m in members:
            array = arrays.get(m["name"])
            if array is not None:
                want = DTYPES[m["type"].split("[")[0]]
                assert array.dtype == want and array.flags.c_contiguous, (m, array.dtype)
                setattr(made, m["c"], array.ctypes.data)
        for d, n in (dims or {}).items():
            setattr(made, d, n)
        return made

    def empty(self, section, dims=None):
        """Arrays for what is in a section."""
        made = {}
        for m in self.manifest[section]:
            dtype, shape = re.fullmatch(r"(\w+)\[(.*)\]", m["type"]).groups()
            sizes = [eval(n, {}, dims or {}) for n in shape.split(",") if n]    # products of dimensions
            made[m["name"]] = np.zeros(sizes, DTYPES[dtype])
        return made

    def call(self, function, *structs):
        status = getattr(self.library, "%s_%s" % (self.name, function))(
            *[s if isinstance(s, ctypes.c_void_p) else ctypes.byref(s) for s in structs])
        if status:
            raise RuntimeError("%s_%s returns %d" % (self.name, function, status))

    def loss_and_gradients(self, inputs, params, dims=None):
        """Outputs and gradients, by name."""
        out, grads = self.empty("outputs", dims), self.empty("grads", dims)
        given = [self.struct("inputs", inputs, dims), self.struct("params", params)]
        self.call("forward", *given, self.struct("outputs", out), self.bytes("SAVED_BYTES"), self.bytes("WORKSPACE_BYTES"))
        self.call("backward", *given, self.bytes("SAVED_BYTES"), self.struct("grads", grads), self.bytes("WORKSPACE_BYTES"))
        return out, grads

    def kernels(self, function):
        return len(self.manifest["functions"][function]["steps"])

    def saved(self):
        return sum(v["bytes"] for v in self.manifest.get("saved", []))
