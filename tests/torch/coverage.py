"""What PyTorch's ops came to, as a table.

    coverage.py TABLE RECORDS...    writes it from records of opinfo.py; later files stand for an op instead of earlier ones"""
import collections
import json
import re
import sys

UNDEFINED = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted"}
TIES = {"topk", "kthvalue"}                # of equal elements PyTorch may name any

# what is not counted in the share of ops that shall pass
LINALG = re.compile(r"linalg\.|cholesky|lu$|lu_|svd|qr$|geqrf|ormqr|triangular_solve|pinverse|logdet|matrix_exp|lobpcg|symeig|eig|"
                    r"pca_lowrank|inverse$|det$")
COMPLEX = re.compile(r"fft|complex|polar|angle|conj|real$|imag$|stft|istft|view_as_real")
DYNAMIC = re.compile(r"no rule for aten\.nonzero|depends on data|no tensor|depends on the values|unbacked|DynamicOutput")
SPARSE = re.compile(r"sparse|nested|jagged|jiterator|to_sparse")


def kind(op, records):
    """Why an op is not among those that shall pass; None: it is."""
    if LINALG.search(op):
        return "linear algebra"
    if COMPLEX.search(op):
        return "complex numbers"
    if SPARSE.search(op):
        return "sparse or of another device"
    if any(DYNAMIC.search(r["why"]) for r in records):
        return "shape or program depends on data"
    return None


def status(records):
    kinds = {r["status"] for r in records}
    if "failed" in kinds:
        return "failed"
    if "refused" not in kinds:
        return "passed" if "passed" in kinds else "unusable"
    return "partly" if "passed" in kinds else "refused"


def by_op(records):
    ops = collections.defaultdict(list)
    for r in records:
        ops[r["op"]].append(r)
    return dict(sorted(ops.items()))


def reason(records):
    whys = collections.Counter(re.sub(r"^\S+:\d+: ", "", r["why"]) for r in records if r["status"] in ("refused", "failed"))
    return whys.most_common(1)[0][0].replace("|", "\\|")[:110] if whys else ""


def summary(ops, differentiable):
    """Lines that count."""
    counts = collections.Counter(status(rs) for rs in ops.values())
    wanted = [op for op, rs in ops.items() if op in differentiable and kind(op, rs) is None and status(rs) != "unusable"]
    good = [op for op in wanted if status(ops[op]) == "passed"]
    samples = collections.Counter(r["status"] for rs in ops.values() for r in rs)
    return ["%d ops: %d passed, %d in part, %d refused, %d failed; of samples %d passed, %d refused, %d failed"
            % (len(ops), counts["passed"], counts["partly"], counts["refused"], counts["failed"], samples["passed"],
               samples["refused"], samples["failed"]),
            "of %d differentiable ops of static shape without complex numbers and linear algebra %d pass (%.1f %%)"
            % (len(wanted), len(good), 100.0 * len(good) / max(len(wanted), 1))]


def text(ops, differentiable):
    lines = ["# PyTorch's ops", "",
             "Samples of `torch.testing`'s op database (torch 2.13, CPU; up to five an op, of float64, float32, int64 and bool),",
             "exported, run by the interpreter and as emitted C; values and gradients are compared with PyTorch in float64.",
             "Written by `tests/torch/coverage.py`; `make check-torch-all` takes all samples.", ""]
    lines += ["- " + line for line in summary(ops, differentiable)]
    passed = [op for op, rs in ops.items() if status(rs) == "passed"]
    lines += ["", "## Passed", "", ", ".join("`%s`" % op for op in passed), ""]
    for word, title in (("failed", "Failed"), ("partly", "In part"), ("refused", "Refused")):
        some = {op: rs for op, rs in ops.items() if status(rs) == word}
        if some:
            lines += ["## " + title, "", "| op | samples that pass | reason |", "| --- | --- | --- |"]
            lines += ["| `%s` | %d of %d | %s |" % (op, sum(r["status"] == "passed" for r in rs), len(rs), reason(rs))
                      for op, rs in some.items()] + [""]
    return "\n".join(lines)


def of_gradients(op_db):
    return {op.name + ("." + op.variant_test_name if op.variant_test_name else "") for op in op_db if op.supports_autograd}


def report(records, op_db, table):
    """Print what failed, and counts; write the table if a path is given. 1 if something failed."""
    ops = by_op([r._asdict() for r in records])
    for r in records:
        if r.status == "failed":
            print("FAIL %s, sample %d of %s: %s" % (r.op, r.index, r.dtype, r.why))
    for line in summary(ops, of_gradients(op_db)):
        print(line)
    if table:
        with open(table, "w") as f:
            f.write(text(ops, of_gradients(op_db)))
    return any(r.status == "failed" for r in records)


def main():
    from torch.testing._internal.common_methods_invocations import op_db
    ops = {}
    for path in sys.argv[2:]:
        with open(path) as f:
            ops.update(by_op([json.loads(line) for line in f]))
    ops = dict(sorted(ops.items()))
    with open(sys.argv[1], "w") as f:
        f.write(text(ops, of_gradients(op_db)))
    print("\n".join(summary(ops, of_gradients(op_db))))


if __name__ == "__main__":
    main()
