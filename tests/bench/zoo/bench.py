"""Training steps (loss and every gradient) of thirteen models: emitted C beside PyTorch and JAX on this CPU.

    bench.py GRADC DIR [--models=NAME,...] [--threads=1,...] [--peers=eager,compile,jax] [--rounds=N] [--json=FILE]

Each system has a process of its own for each model and number of threads, pinned to as many CPUs; they are made ready
one model at a time, and then called in turn, round by round, so that what disturbs the machine disturbs all. A time is
the median of all samples. The ratio is that of the fastest peer's time to ours: above 1, ours is faster.

Fair settings: an allocator that keeps its memory (or PyTorch pays for page faults in every step), BLAS that chooses its
own kernels, inputs and parameters made before the clock starts, JAX compiled ahead of time."""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TORCH = os.path.join(HERE, "..", "..", "torch")
PACKAGE = os.path.join(HERE, "..", "..", "..", "cmd", "import", "torch")
ALLOCATOR = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456"}
OURS, EXPORT = "gradc", "export"
PEERS = ("eager", "compile", "jax")


# ---- the process of one system: makes a step, then answers "run SECONDS" with times


def model_path(model, options):
    return os.path.join(options.folder, model, model + ".json")


def tensors(arrays):
    import numpy as np
    import torch
    return {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in arrays.items()}


def make_gradc(spec, threads, options):
    import numpy as np
    from emitted import Program
    P, X = spec.make()
    P, X = ({k: np.ascontiguousarray(v) for k, v in of.items()} for of in (P, X))
    path = model_path(spec.name, options)
    cc = "cc -O3 -march=native -fno-math-errno" + (" -fopenmp" if threads > 1 else "")
    program = Program(options.gradc, path, os.path.join(options.folder, spec.name, "t%d" % threads), cc)
    out, grads = program.empty("outputs"), program.empty("grads")
    given = [program.struct("inputs", X), program.struct("params", P)]
    forward = [*given, program.struct("outputs", out), program.bytes("SAVED_BYTES"), program.bytes("WORKSPACE_BYTES")]
    backward = [*given, program.bytes("SAVED_BYTES"), program.struct("grads", grads), program.bytes("WORKSPACE_BYTES")]

    def step():
        program.call("forward", *forward)
        program.call("backward", *backward)
        return float(next(iter(out.values())))
    step.memory = P, X, out, grads             # the structs hold addresses alone
    return step


def export(spec, options):
    """The model as IR."""
    import gradc_torch
    P, X = spec.make()
    gradc_torch.export(spec.loss, (tensors(X),), model_path(spec.name, options), params=tensors(P))


def make_torch(spec, threads, options, compiled):
    import torch
    torch.set_num_threads(threads)
    P, X = spec.make()
    params, inputs = {k: v.requires_grad_() for k, v in tensors(P).items()}, tensors(X)
    loss_of = spec.loss
    if compiled:
        import torch._inductor.config
        torch._inductor.config.cpp.threads = threads
        loss_of = torch.compile(spec.loss, dynamic=False, fullgraph=True)

    def step():
        for p in params.values():
            p.grad = None
        loss = loss_of(params, inputs)
        loss.backward()
        return loss.item()
    return step


def make_jax(spec, threads, options):
    import jax
    import numpy as np
    from jax_models import M
    P, X = spec.make()
    P = {k: jax.numpy.asarray(v) for k, v in P.items()}
    X = {k: jax.numpy.asarray(v.astype(np.int32) if v.dtype == np.int64 else v) for k, v in X.items()}
    compiled = jax.jit(jax.value_and_grad(M[spec.name])).lower(P, X).compile()

    def step():
        return float(jax.block_until_ready(compiled(P, X))[0])
    return step


def worker(options):
    sys.path[:0] = [TORCH, PACKAGE, HERE]
    system, name, threads = options.worker.split(",")
    threads = int(threads)
    import torch
    torch.set_num_threads(threads)
    from zoo_models import ZOO
    spec = ZOO[name]
    if system == EXPORT:
        return export(spec, options)
    make = {"gradc": make_gradc, "jax": make_jax}.get(system)
    step = make(spec, threads, options) if make else make_torch(spec, threads, options, system == "compile")
    loss = step()
    step()
    print(json.dumps({"loss": loss}), flush=True)
    for line in sys.stdin:
        end, times = time.perf_counter() + float(line), []
        while not times or time.perf_counter() < end:
            begin = time.perf_counter()
            step()
            times.append(time.perf_counter() - begin)
        print(json.dumps(times), flush=True)


# ---- all of them


def command(system, model, threads, options):
    return [sys.executable, __file__, options.gradc, options.folder, "--worker=%s,%s,%d" % (system, model, threads)]


class System:
    """A worker of one model."""

    def __init__(self, name, model, threads, options):
        env = dict(os.environ, **ALLOCATOR, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
                   OPENBLAS_NUM_THREADS=str(threads), JAX_PLATFORMS="cpu", OMP_PROC_BIND="false")
        env.pop("OPENBLAS_CORETYPE", None)
        self.cpus = sorted(os.sched_getaffinity(0))[:threads]
        self.name, self.times = name, []
        self.log = open(os.path.join(options.folder, model, "%s.t%d.log" % (name, threads)), "w")
        # JAX makes as many threads as there are CPUs when it starts; the others may use all while they compile
        pin = (lambda: os.sched_setaffinity(0, self.cpus)) if name == "jax" else None
        self.process = subprocess.Popen(command(name, model, threads, options), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, env=env, preexec_fn=pin)

    def ready(self):
        line = self.process.stdout.readline()
        self.loss = json.loads(line)["loss"] if line else None
        if line:
            for task in os.listdir("/proc/%d/task" % self.process.pid):
                os.sched_setaffinity(int(task), self.cpus)
        return self.loss is not None

    def sample(self, seconds):
        self.process.stdin.write("%g\n" % seconds)
        self.process.stdin.flush()
        self.times += json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


def measure(model, threads, options):
    systems = [System(n, model, threads, options) for n in [OURS] + options.peers]
    alive = [s for s in systems if s.ready()]
    for s in systems:
        if s not in alive:
            print("%s: %s cannot run it (%s)" % (model, s.name, s.log.name), file=sys.stderr)
    for s in alive:
        if abs(s.loss - alive[0].loss) > 1e-3 * abs(alive[0].loss):
            print("%s: the loss of %s is %g, of %s %g" % (model, s.name, s.loss, alive[0].name, alive[0].loss))
    for _ in range(options.rounds):
        for s in alive:
            s.sample(options.seconds)
            time.sleep(0.1)                # threads that spin go to sleep
    for s in systems:
        s.end()
    row = {"model": model, "threads": threads}
    row.update({s.name: 1e3 * statistics.median(s.times) for s in alive})
    return row


def show(rows, options):
    names = [OURS] + options.peers
    print("| model | threads | " + " | ".join(n + " ms" for n in names) + " | fastest peer / gradc |")
    print("| --- |" + " ---: |" * (len(names) + 2))
    for r in rows:
        print("| %s | %d | %s | %.2f |" % (r["model"], r["threads"], " | ".join(
            "%.3g" % r[n] if n in r else "-" for n in names), ratio(r, options)))
    for threads in options.threads:
        all = [ratio(r, options) for r in rows if r["threads"] == threads and ratio(r, options) > 0]
        if all:
            print("geometric mean, %d thread%s: %.2f; ahead on %d of %d" % (threads, "s" * (threads > 1), math.exp(
                sum(map(math.log, all)) / len(all)), sum(x >= 1 for x in all), len(all)))


def ratio(row, options):
    peers = [row[p] for p in options.peers if p in row]
    return min(peers) / row[OURS] if peers and OURS in row else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gradc")
    parser.add_argument("folder")
    parser.add_argument("--models", default="")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--json")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.folder = os.path.abspath(options.folder)
    if options.worker:
        return worker(options)
    options.gradc = os.path.abspath(options.gradc)
    options.peers = [p for p in options.peers.split(",") if p]
    options.threads = [int(t) for t in options.threads.split(",")]
    sys.path[:0] = [TORCH]
    from zoo_models import ZOO
    models = options.models.split(",") if options.models else list(ZOO)
    rows = []
    for model in models:
        os.makedirs(os.path.join(options.folder, model), exist_ok=True)
        subprocess.run(command(EXPORT, model, 1, options), check=True)
        for threads in options.threads:
            rows.append(measure(model, threads, options))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
            if options.json:
                with open(options.json, "w") as f:
                    json.dump(rows, f)
    show(rows, options)


if __name__ == "__main__":
    main()
