"""What PyTorch's ops came to, as a table.

    op_coverage.py TABLE RECORDS...    writes it from records of opinfo.py; later files stand for an op instead of earlier ones"""
import collections
import json
import os
import re
import sys

import torch

# what such an op gives is not defined: types and shapes alone are compared
UNDEFINED = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted"}
# of equal elements PyTorch may name any, unless its order is to be stable: what is compared is the elements that the indices name
# (the number of the result, and that of the argument which is the dimension)
TIES = {"topk": (1, 1), "kthvalue": (1, 1), "mode": (1, 0), "sort": (1, 0), "argsort": (0, 0)}


def excluded():
    """Ops that are not counted in the share of ops that shall pass, and why: a reason for each group of them."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "excluded.json")) as f:
        return {op: group["reason"] for group in json.load(f) for op in group["ops"]}


EXCLUDED = excluded()


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
    """The most frequent one, without its place, and without sets, whose order is another each time."""
    whys = collections.Counter(re.sub(r"\{[^{}]*\}", "{...}", re.sub(r"^.*?:\d+: ", "", r["why"]))
                               for r in records if r["status"] in ("refused", "failed"))
    return whys.most_common(1)[0][0].replace("|", "\\|")[:110] if whys else ""


def wanted(ops, differentiable):
    """Ops that shall pass."""
    return [op for op, rs in ops.items() if op in differentiable and op not in EXCLUDED and status(rs) != "unusable"]


def summary(ops, differentiable):
    """Lines that count."""
    counts = collections.Counter(status(rs) for rs in ops.values())
    wants = wanted(ops, differentiable)
    good = [op for op in wants if status(ops[op]) == "passed"]
    samples = collections.Counter(r["status"] for rs in ops.values() for r in rs)
    return ["%d ops: %d passed, %d in part, %d refused, %d failed; of samples %d passed, %d refused, %d failed"
            % (len(ops), counts["passed"], counts["partly"], counts["refused"], counts["failed"], samples["passed"],
               samples["refused"], samples["failed"]),
            "of %d differentiable ops that are in no excluded group %d pass (%.1f %%)"
            % (len(wants), len(good), 100.0 * len(good) / max(len(wants), 1))]


def rows(ops, differentiable):
    """Lines of a table of ops that do not pass."""
    return ["| op | samples that pass | differentiable | reason |", "| --- | --- | --- | --- |"] + [
        "| `%s` | %d of %d | %s | %s |" % (op, sum(r["status"] == "passed" for r in rs), len(rs),
                                         "yes" if op in differentiable else "no", reason(rs)) for op, rs in ops.items()] + [""]


def names(ops):
    return [", ".join("`%s`" % op for op in ops), ""]


def text(ops, differentiable):
    lines = ["# PyTorch's ops", "",
             "Samples of `torch.testing`'s op database (torch %s, CPU; up to five an op, of float64, float32, int64 and bool)," %
             torch.__version__.split("+")[0],
             "exported, run by the interpreter and as emitted C; values and gradients are compared with PyTorch in float64.",
             "`make op-coverage` writes this file; `make check-torch-all` takes all samples. What is compared how: `tests/torch/opinfo.py`,",
             "`tests/torch/references.py`; excluded groups: `tests/torch/excluded.json`.", ""]
    lines += ["- " + line for line in summary(ops, differentiable)]
    passed = {op: rs for op, rs in ops.items() if status(rs) == "passed"}
    loose = [op for op, rs in passed.items() if op in UNDEFINED or any(r["why"] == "random" for r in rs)]
    lines += ["", "## Passed", ""] + names([op for op in passed if op not in loose])
    lines += ["Of random numbers, or of elements that are not defined, types and shapes alone are compared:", ""] + names(loose)
    for word, title in (("failed", "Failed"), ("partly", "In part"), ("refused", "Refused")):
        some = {op: rs for op, rs in ops.items() if status(rs) == word and op not in EXCLUDED}
        if some:
            lines += ["## " + title, ""] + rows(some, differentiable)
    lines += ["## Excluded groups", ""]
    for why in dict.fromkeys(EXCLUDED.values()):
        some = {op: rs for op, rs in ops.items() if EXCLUDED.get(op) == why and status(rs) != "unusable"}
        lines += ["### %s%s" % (why[0].upper(), why[1:]), ""] + rows(some, differentiable)
    unusable = [op for op, rs in ops.items() if status(rs) == "unusable"]
    lines += ["## Without samples", "", "PyTorch itself runs none of them on the CPU in these types:", ""] + names(unusable)
    return "\n".join(lines)


def of_gradients(op_db):
    return {full_name(op) for op in op_db if op.supports_autograd}


def full_name(op):
    return op.name + ("." + op.variant_test_name if op.variant_test_name else "")


def complaints(ops, op_db, whole):
    """What is wrong with the list of excluded ops: it names ops that exist and do not pass."""
    known = {full_name(op) for op in op_db}
    lines = ["excluded.json: there is no op %s" % op for op in EXCLUDED if op not in known and whole]
    return lines + ["excluded.json: %s passes" % op for op in EXCLUDED if op in ops and status(ops[op]) == "passed"]


def report(records, op_db, options):
    """Print what failed, and counts; write the table, or compare it. 1 if something failed."""
    ops = by_op([r._asdict() for r in records])
    bad = ["%s, sample %d of %s: %s" % (r.op, r.index, r.dtype, r.why) for r in records if r.status == "failed"]
    bad += complaints(ops, op_db, not options.ops)
    table = text(ops, of_gradients(op_db))
    if options.table:
        with open(options.table, "w") as f:
            f.write(table)
    if options.compare:
        with open(options.compare) as f:
            if f.read() != table:
                bad.append("%s is not what came out: make op-coverage writes it" % options.compare)
    for line in bad:
        print("FAIL " + line)
    for line in summary(ops, of_gradients(op_db)):
        print(line)
    print("%d passed, %d failed" % (sum(r.status == "passed" for r in records), len(bad)))
    return bool(bad)


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
