"""PyTorch's own samples of its ops, through the exporter, the interpreter and emitted C.

    opinfo.py GRADC DIR CC [--all] [--ops=REGEX] [--jobs=N] [--table=FILE] [--verbose]

Every op of torch.testing's op_db is called with samples of float64, float32, int64 and bool: up to five of them, or all.
Values, and gradients by random cotangents of all floating results, are compared with PyTorch's in float64. Many
samples make one model: each is a module of it, so that what is refused is known by its module path."""
import argparse
import collections
import json
import multiprocessing
import multiprocessing.connection
import os
import pickle
import random
import re
import subprocess
import sys
import warnings

import numpy as np
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "cmd", "import", "torch"))
from gradc_torch import ExportError, rules                              # noqa: E402
from gradc_torch.export import Exporter                                 # noqa: E402
from gradc_torch.graph import DTYPES                                    # noqa: E402
from gradc_torch.program import Program                                 # noqa: E402
from gradc_torch.safetensors import write                               # noqa: E402
from gradc_torch.trace import trace                                     # noqa: E402
import op_coverage                                                      # noqa: E402
from references import REFERENCES                                       # noqa: E402

UNIT = 64                      # samples of one compiled model
TIMEOUT = 120                  # seconds of one call of gradc
HALF = (torch.float16, torch.bfloat16)
DRAWS = 24                     # seeds by which to see whether a result hangs on random numbers
FLOOR = 64                     # what cancels leaves so many units in the last place of the greatest operand

Record = collections.namedtuple("Record", "op index dtype status why")


def tensors(x):
    return [t for t in pytree.tree_leaves(x) if isinstance(t, torch.Tensor)]


class Sample(nn.Module):
    """One call of an op; its tensors are parameters, where it is differentiated by them, or buffers."""

    def __init__(self, op, index, dtype, sample):
        super().__init__()
        self.op, self.index, self.dtype = op, index, dtype
        self.function = op.get_op()
        leaves, self.spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
        self.leaves = []
        for i, x in enumerate(leaves):
            if isinstance(x, torch.Tensor):
                name = "a%d" % i
                if x.requires_grad:
                    self.register_parameter(name, nn.Parameter(x.detach().clone()))
                else:
                    self.register_buffer(name, x.detach().clone())
                self.leaves.append((name,))
            else:
                self.leaves.append(x)

    def arguments(self, of):
        """The input, further arguments, and those by name."""
        return pytree.tree_unflatten([of(x[0]) if isinstance(x, tuple) else x for x in self.leaves], self.spec)

    def called(self, of, function=None):
        x, args, kwargs = self.arguments(of)
        results = tensors((function or self.function)(x, *args, **kwargs))
        return [t.clone() if isinstance(t, nn.Parameter) else t for t in results]

    def forward(self):
        return self.called(lambda name: getattr(self, name))

    def record(self, status, why=""):
        return Record(op_coverage.full_name(self.op), self.index, str(self.dtype)[6:], status, why)


class Samples(nn.Module):
    def __init__(self, samples):
        super().__init__()
        for name, sample in samples.items():
            self.add_module(name, sample)

    def forward(self):
        return {name: sample() for name, sample in self.named_children()}


# ---- choosing samples

def spread(items, n):
    """n of the items, the first and the last among them."""
    if n is None or len(items) <= n:
        return list(enumerate(items))
    at = sorted({round(i * (len(items) - 1) / max(n - 1, 1)) for i in range(n)})
    return [(i, items[i]) for i in at]


def samples_of(op, every):
    """Samples of each dtype that the op takes: three of double, one of float, one of integers, else of what there is."""
    dtypes = [d for d in (torch.float64, torch.float32, torch.int64, torch.bool) if d in op.dtypes]
    room = {torch.float64: 3, torch.float32: 1, torch.int64: 1, torch.bool: 0}
    if torch.float64 not in dtypes:
        room = {d: 5 if len(dtypes) == 1 else 3 for d in dtypes}
    elif torch.int64 not in dtypes:
        room[torch.bool] = 1
    for dtype in dtypes:
        if not every and not room[dtype]:
            continue
        torch.manual_seed(1)
        np.random.seed(1)
        random.seed(1)
        grad = dtype.is_floating_point and op.supports_autograd
        made = list(op.sample_inputs("cpu", dtype, requires_grad=grad))
        for index, sample in spread(made, None if every else room[dtype]):
            yield Sample(op, index, dtype, sample)


# ---- what PyTorch makes of a sample

def doubled(x):
    """A copy: some ops write to their operands."""
    return x.detach().clone().double() if x.is_floating_point() else x.detach().clone()


def evaluate(sample, double, function=None):
    """Results, and gradients by name, in float64 or in the sample's dtype; the cotangents are the same."""
    made = {}
    for name, x in list(sample.named_parameters()) + list(sample.named_buffers()):
        made[name] = (doubled(x) if double else x.detach().clone())
        if isinstance(x, nn.Parameter):
            made[name].requires_grad_()
    torch.manual_seed(7)
    out = sample.called(lambda name: made[name], function)
    generator = torch.Generator().manual_seed(11)
    cotangents = [torch.randn(t.shape, generator=generator, dtype=torch.float32).to(stored(t.dtype)).double()
                  if t.is_floating_point() else None for t in out]
    params = {n: x for n, x in made.items() if x.requires_grad}
    use = [(t, g.to(t.dtype)) for t, g in zip(out, cotangents) if g is not None and t.requires_grad]
    grads = {}
    if params and use:
        found = torch.autograd.grad([t for t, _ in use], list(params.values()), [g for _, g in use], allow_unused=True)
        grads = {n: torch.zeros_like(x) if g is None else g for (n, x), g in zip(params.items(), found)}
    return [t.detach() for t in out], grads, cotangents


def stored(dtype):
    """Cotangents are such that every precision of results has them exactly."""
    return dtype if dtype in HALF else torch.float32


class Expected:
    """A sample's results and gradients: in float64, and what its own dtype costs PyTorch."""

    def __init__(self, sample):
        self.out, self.grads, self.cotangents = evaluate(sample, True)
        if sample.op.name in REFERENCES:
            self.refer(sample, REFERENCES[sample.op.name][0])
        self.own, self.own_grads, _ = evaluate(sample, False)
        given = [t for t in list(sample.parameters()) + list(sample.buffers()) + self.cotangents
                 if t is not None and t.is_floating_point()]
        finite = [t.detach()[torch.isfinite(t)] for t in given]
        self.scale = max([float(t.abs().max()) for t in finite if t.numel()], default=0.0)
        self.random = random_results(lambda: evaluate(sample, False)[0])

    def refer(self, sample, function):
        """The results of another function with the same values, the derivatives of which finite differences confirm."""
        own = self.out
        self.out, self.grads, _ = evaluate(sample, True, function)
        for a, b in zip(own, self.out):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
        params = [p.detach().clone().requires_grad_() for p in sample.parameters()]
        names = [name for name, _ in sample.named_parameters()]
        if params and sample.dtype == torch.float64:
            def of(*given):
                values = dict(sample.named_buffers(), **dict(zip(names, given)))
                return tuple(t for t in sample.called(values.__getitem__, function) if t.requires_grad)
            torch.autograd.gradcheck(of, params)


class Draws(TorchDispatchMode):
    """Sees whether random numbers are drawn."""
    seen = False

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.seen = self.seen or torch.Tag.nondeterministic_seeded in function.tags
        return function(*args, **(kwargs or {}))


def random_results(function):
    """Whether results hang on what is drawn, also by what sets the seed itself: few elements may be equal by chance, so it
    is drawn often."""
    with Draws() as draws:
        first = function()
    seed, state = torch.manual_seed, torch.get_rng_state()

    def again(n):
        seed(n)
        return any(not same(a, b) for a, b in zip(function(), first))

    try:
        torch.manual_seed = lambda _: None
        return draws.seen and any(again(n) for n in range(DRAWS))
    finally:
        torch.manual_seed = seed
        torch.set_rng_state(state)


def same(a, b):
    return a.shape == b.shape and torch.equal(torch.nan_to_num(a) if not a.is_complex() else a,
                                              torch.nan_to_num(b) if not b.is_complex() else b)


# ---- the exporter, on many samples at once

class Attributing(Exporter):
    """Knows whose problem it is."""

    def __init__(self, *args):
        super().__init__(*args)
        self.refused = collections.defaultdict(list)

    def problem(self, node, text):
        path = self.scope(node) or node.target if node.op == "call_function" else node.target
        spec = re.search(r"\bs\d+\b", str(path).replace("_", ".")) or re.search(r"s\d+", str(path))
        self.refused[spec.group(0) if spec else "?"].append(text)


def exported(samples, folder):
    """The graph of those samples that can be said, and why others cannot: by name."""
    program = Program(Samples(samples), None, None)
    program.eval()
    program.train(False)
    traced = trace(program, (), (), {}, rules.known)
    exporter = Attributing("unit", program, {})
    exporter.file = "unit.safetensors"
    signature = exporter.run(traced, [])
    user = [n for s, n in zip(signature.output_specs, exporter.results) if s.kind.name == "USER_OUTPUT"]
    outputs = pytree.tree_unflatten(user, traced.call_spec.out_spec)
    g = exporter.g
    for name, nodes in outputs.items():
        values = [exporter.env.get(n) if isinstance(n, torch.fx.Node) else None for n in nodes]
        if name in exporter.refused or None in values or not values:
            exporter.refused[name].append("a result that is no tensor")
            continue
        for i, (n, value) in enumerate(zip(nodes, values)):
            dtype = DTYPES.get(n.meta["val"].dtype)
            if value.dtype != dtype:
                exporter.refused[name].append("fault of the exporter: a result is %s, not %s" % (value.dtype, dtype))
            if n.meta["val"].dtype in HALF:        # NumPy's files have no such type
                value = g.op("cast", [value], "f32", value.shape, type="f32")
            g.outputs["%s.%d" % (name, i)] = value.name
    for name in list(g.constants):             # what the op was called with is no constant
        if re.match(r"s\d+\.a\d+$", name):
            g.inputs[name] = g.constants.pop(name)["type"]
    for name in list(g.buffers):
        g.inputs[name] = g.buffers.pop(name)["type"]
    g.updates = {}
    return exporter, {k: v for k, v in exporter.refused.items()}


def traceable(sample):
    """Whether the op runs without data: what does not would spoil the trace of others."""
    mode = FakeTensorMode()
    try:
        own = list(sample.named_parameters()) + list(sample.named_buffers())
        made = {name: mode.from_tensor(x.detach()) for name, x in own}
        with mode, torch.no_grad():
            sample.called(lambda name: made[name])
    except Exception:
        return False
    return True


def export_all(samples, folder):
    """(exporter, names) for groups that trace together, and records of what does not."""
    try:
        exporter, refused = exported(samples, folder)
        if "?" in refused and len(samples) > 1:
            raise ExportError(refused["?"])
        if "?" in refused:
            refused = {name: refused["?"] for name in samples}
        good = {n: s for n, s in samples.items() if n not in refused}
        return [(exporter, good)], {n: why[0] for n, why in refused.items() if n in samples}
    except ExportError as e:
        if len(samples) == 1 or not any(traceable(s) for s in samples.values()):
            return [], {n: e.problems[0] for n in samples}
    groups = collections.defaultdict(dict)
    for name, sample in samples.items():       # by op, then by halves
        groups[id(sample.op)][name] = sample
    parts = list(groups.values())
    if len(parts) == 1:
        items = list(samples.items())
        parts = [dict(items[:len(items) // 2]), dict(items[len(items) // 2:])]
    units, records = [], {}
    for part in parts:
        u, r = export_all(part, folder)
        units += u
        records.update(r)
    return units, records


# ---- gradc on some of the samples of a graph

def subset(g, names):
    """The text of the graph with what these samples' results need."""
    keep = {k: v for k, v in g.outputs.items() if k.split(".")[0] in names}
    makers = {}
    for node in g.nodes:
        for out in node["out"] if isinstance(node["out"], list) else [node["out"]]:
            makers[out] = node
    need, seen, todo = set(), set(), list(keep.values())
    while todo:
        value = todo.pop()
        if value in seen:
            continue
        seen.add(value)
        if value in makers:
            need.add(id(makers[value]))
            todo += [x for x in makers[value].get("in", []) if isinstance(x, str)]
    full = dict(g.__dict__)
    g.nodes = [n for n in g.nodes if id(n) in need]
    g.outputs = keep
    # without parameters gradc would differentiate by inputs
    g.params = {k: v for k, v in g.params.items() if k in seen}
    g.inputs = {k: v for k, v in g.inputs.items() if k in seen}
    g.constants = {k: v for k, v in g.constants.items() if k in seen}
    text, params = g.text(), bool(g.params)
    g.__dict__.update(full)
    return text, params


def gradc(args, **more):
    done = subprocess.run(args, stderr=subprocess.PIPE, timeout=TIMEOUT, **more)
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip().splitlines() or ["exit %d" % done.returncode]
        raise Failed(next((t for t in text if "error" in t), text[0]))
    return done


class Failed(Exception):
    pass


def feed(types, samples, expected):
    given = {}
    for name, entry in types.items():
        type_ = entry if isinstance(entry, str) else entry["type"]
        if name.startswith("ct."):
            who, i = name[3:].split(".")
            given[name] = expected[who].cotangents[int(i)].numpy()
        elif name == "key":
            given[name] = np.uint64(5)
        else:
            who, attr = name.split(".")[:2]
            given[name] = np.array(getattr(samples[who], attr).detach().numpy(), order="C")
        if type_.startswith("f32"):
            given[name] = np.asarray(given[name], np.float32)
    return given


def evaluate_unit(exporter, samples, expected, path, program, cc):
    """name -> array for each backend."""
    text, params = subset(exporter.g, samples)
    write(exporter.tensors, os.path.join(os.path.dirname(path), "unit.safetensors"))
    with open(path + ".json", "w") as f:
        f.write(text)
    model = path + ".json"
    if params:
        model = path + ".grad.json"
        with open(model, "w") as f:
            gradc([program, "grad", path + ".json"], stdout=f)
    with open(model) as f:
        graph = json.load(f)
    if params:                                 # of the second order there is no need
        graph["wrt"] = []
        with open(model, "w") as f:
            json.dump(graph, f)
    np.savez(path + ".in.npz", **feed(graph.get("inputs", {}), samples, expected))
    np.savez(path + ".params.npz", **feed(graph.get("params", {}), samples, expected))
    results = {}
    own = {"interp": ["--round"] if "f16" in text else [], "fused": ["--cc=" + cc]}    # bf16 too
    for backend, more in own.items():
        out = "%s.%s.npz" % (path, backend)
        gradc([program, "run", model, "--backend=" + backend, "-o", out, "--in=" + path + ".in.npz",
               "--params=" + path + ".params.npz"] + more, stdout=subprocess.DEVNULL)
        results[backend] = dict(np.load(out))
    return results


# ---- comparing

def as_numpy(x):
    return (x.float() if x.dtype in HALF else x).numpy(force=True)


def far(got, want, own, operands):
    """None, or how the array differs. own: what PyTorch has in the sample's dtype; operands: their greatest magnitude."""
    got, want, own = np.asarray(got), as_numpy(want), as_numpy(own)
    if got.shape != want.shape:
        return "shape %s, not %s" % (list(got.shape), list(want.shape))
    if got.dtype.kind != own.dtype.kind or got.dtype.itemsize != own.dtype.itemsize:
        return "dtype %s, not %s" % (got.dtype, own.dtype)
    if got.dtype.kind in "bui":
        bad = got != own
        return None if not bad.any() else "%s, not %s" % (got[bad].ravel()[0], own[bad].ravel()[0])
    single = got.dtype.itemsize == 4
    eps = 2.0 ** -23 if single else 2.0 ** -52
    with np.errstate(all="ignore"):
        # beyond the range of float32 its infinities are right
        agree = (np.isnan(got) & (np.isnan(want) | np.isnan(own))) | (got == want) | (got == own)
        scale = np.abs(want[np.isfinite(want)]).max(initial=0.0)
        tolerance = (8 * eps if single else 1e-9) * np.abs(want) + 16 * eps * scale + FLOOR * eps * operands
        tolerance = tolerance + 4 * np.abs(own.astype(float) - want)
        agree |= np.abs(got.astype(float) - want) <= tolerance
    if agree.all():
        return None
    bad = ~agree
    return "%.17g, not %.17g" % (got[bad].ravel()[0], want[bad].ravel()[0])


def pointed_at(sample, own, got):
    """None, or what is wrong with indices of elements of which several may be equal: those that they name differ, or
    one is named twice."""
    x, args, kwargs = sample.arguments(lambda name: getattr(sample, name).detach())
    at = op_coverage.TIES[sample.op.name][1]
    dim = kwargs.get("dim", args[at] if len(args) > at else -1)
    got = torch.from_numpy(np.array(got))
    if got.shape != own.shape or got.dtype != own.dtype:
        return "%s%s, not %s%s" % (got.dtype, list(got.shape), own.dtype, list(own.shape))
    if not x.dim():
        return None if torch.equal(got, own) else "%s, not %s" % (got, own)
    if own.dim() < x.dim():
        own, got = own.unsqueeze(dim), got.unsqueeze(dim)
    if got.numel() and (got.min() < 0 or got.max() >= x.shape[dim]):
        return "an index out of range"
    if not torch.equal(x.gather(dim, got), x.gather(dim, own)):
        return "indices of other elements"
    order = got.sort(dim).values
    return "an index that comes twice" if (order.diff(dim=dim) == 0).any() else None


def differs(sample, e, i, want, own, got):
    """None, or how result i of the sample does."""
    if e.random or sample.op.name in op_coverage.UNDEFINED:
        same_type = got.shape == tuple(own.shape) and got.dtype == as_numpy(own).dtype
        return None if same_type else "%s%s, not %s%s" % (got.dtype, list(got.shape), own.dtype, list(own.shape))
    ties = op_coverage.TIES.get(sample.op.name)
    if ties and i == ties[0] and not sample.arguments(lambda name: None)[2].get("stable"):
        return pointed_at(sample, own, got)
    return far(got, want, own, e.scale)


def compare(name, sample, e, results):
    """A record."""
    for backend, found in results.items():
        for i, (want, own) in enumerate(zip(e.out, e.own)):
            how = differs(sample, e, i, want, own, found["%s.%d" % (name, i)])
            if how:
                return sample.record("failed", "%s: result %d is %s" % (backend, i, how))
        for attr, want in e.grads.items():
            got = found.get("d.%s.%s" % (name, attr))
            if e.random:
                continue
            if got is None:
                got = np.zeros(want.shape, as_numpy(e.own_grads[attr]).dtype)
            how = far(got, want, e.own_grads[attr], e.scale)
            if how:
                return sample.record("failed", "%s: gradient by %s is %s" % (backend, attr, how))
    return sample.record("passed", "random" if e.random else "")


def run_unit(exporter, samples, expected, path, program, cc):
    if not samples:
        return []
    try:
        results = evaluate_unit(exporter, samples, expected, path, program, cc)
    except (Failed, subprocess.TimeoutExpired) as e:
        if len(samples) == 1:
            (name, sample), = samples.items()
            return [sample.record("failed", "gradc: %s" % re.sub(r"^.*?: ", "", str(e)))]
        items = list(samples.items())
        half = len(items) // 2
        return run_unit(exporter, dict(items[:half]), expected, path, program, cc) + \
            run_unit(exporter, dict(items[half:]), expected, path, program, cc)
    return [compare(n, s, expected[n], results) for n, s in samples.items()]


def cpu():
    """Seconds that this process and the programs that it called have worked."""
    return sum(os.times()[:4])


def run_chunk(job):
    """All samples of some ops."""
    number, indices, options = job
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    from torch.testing._internal.common_methods_invocations import op_db
    folder = os.path.join(options.folder, "unit%s" % number)
    os.makedirs(folder, exist_ok=True)
    records, samples, expected, times = [], {}, {}, collections.Counter()
    begin = cpu()
    for i in indices:
        try:
            for s in samples_of(op_db[i], options.all):
                name = "s%d" % (len(samples) + len(records))
                try:
                    expected[name] = Expected(s)
                    samples[name] = s
                except Exception as e:          # PyTorch itself does not do it
                    records.append(s.record("unusable", "PyTorch: %s" % str(e).splitlines()[0][:100]))
        except Exception as e:
            records.append(Record(op_coverage.full_name(op_db[i]), 0, "", "unusable", "no samples: %s" % str(e).splitlines()[0][:100]))
    times["eager"] = cpu() - begin
    begin = cpu()
    units, refused = [], {}
    items = [(n, s) for n, s in samples.items() if traceable(s)]
    parts = [dict(items[at:at + UNIT]) for at in range(0, len(items), UNIT)]
    for i in indices:
        parts.append({n: s for n, s in samples.items() if s.op is op_db[i] and (n, s) not in items})
    for part in parts:
        u, r = export_all(part, folder) if part else ([], {})
        units += u
        refused.update(r)
    records += [samples[n].record("failed" if "fault of the exporter" in why else "refused", why)
                for n, why in refused.items()]
    times["export"] = cpu() - begin
    begin = cpu()
    for n, (exporter, some) in enumerate(units):
        records += run_unit(exporter, some, expected, os.path.join(folder, "u%d" % n), options.gradc, options.cc)
    times["gradc"] = cpu() - begin
    return records, times


def run_to_file(job, path):
    warnings.simplefilter("ignore")
    with open(path, "wb") as f:
        pickle.dump(run_chunk(job), f)


def run_jobs(jobs, options):
    """Results of all jobs, a process each. Some samples end the process: their op is found by itself."""
    from torch.testing._internal.common_methods_invocations import op_db
    context, waiting, running = multiprocessing.get_context("fork"), jobs[::-1], []
    os.makedirs(options.folder, exist_ok=True)
    while waiting or running:
        while waiting and len(running) < options.jobs:
            job = waiting.pop()
            path = os.path.join(options.folder, "%s.pickle" % job[0])
            process = context.Process(target=run_to_file, args=(job, path))
            process.start()
            running.append((process, job, path))
        multiprocessing.connection.wait([process.sentinel for process, _, _ in running])
        for entry in [e for e in running if e[0].exitcode is not None]:
            running.remove(entry)
            process, (number, indices, _), path = entry
            if process.exitcode == 0:
                with open(path, "rb") as f:
                    yield pickle.load(f)
            elif len(indices) > 1:
                waiting += [("%s-%d" % (number, i), [i], options) for i in indices]
            else:
                yield [Record(op_coverage.full_name(op_db[indices[0]]), 0, "", "failed", "the process ends")], {}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("gradc")
    p.add_argument("folder")
    p.add_argument("cc")
    p.add_argument("--all", action="store_true", help="all samples, not five an op")
    p.add_argument("--ops", default="", help="regular expression of names")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--chunk", type=int, default=13, help="ops of one job")
    p.add_argument("--table", help="write the table of coverage there")
    p.add_argument("--compare", help="the table there must be what comes out")
    p.add_argument("--records", help="write every sample's record there, as JSON lines")
    p.add_argument("--verbose", action="store_true")
    options = p.parse_args()
    options.gradc = os.path.abspath(options.gradc)
    from torch.testing._internal.common_methods_invocations import op_db
    chosen = [i for i, op in enumerate(op_db) if re.search(options.ops, op.name)]
    chunks = [chosen[i:i + options.chunk] for i in range(0, len(chosen), options.chunk)]
    jobs = [(n, c, options) for n, c in enumerate(chunks)]
    records, times = [], collections.Counter()
    for found, took in run_jobs(jobs, options):
        records += found
        times.update(took)
        if options.verbose:
            for r in found:
                if r.status in ("failed", "refused"):
                    print("%-8s %-40s %3d %-8s %s" % (r.status, r.op, r.index, r.dtype, r.why), flush=True)
    records.sort()
    if options.records:
        with open(options.records, "w") as f:
            f.writelines(json.dumps(r._asdict()) + "\n" for r in records)
    if options.verbose:
        print("CPU: " + " ".join("%s %.0f s" % t for t in times.items()))
    return op_coverage.report(records, op_db, options)


if __name__ == "__main__":
    sys.exit(main())
