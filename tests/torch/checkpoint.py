"""Weights and checkpoints that emitted C and PyTorch exchange, bit for bit: a model with tied weights and running statistics.

    checkpoint.py GRADC DIR CC"""
import ctypes
import os
import shutil
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "cmd", "import", "torch"))
import gradc_torch                                                      # noqa: E402
from emitted import Program                                             # noqa: E402
from tally import check, end                                            # noqa: E402

E_OPEN, E_MISSING, E_UNKNOWN, E_TYPE = 6, 9, 10, 11

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 20, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, i):
        return self.head(self.norm(self.embed(i)))


def main():
    gradc, folder, cc = sys.argv[1:]
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    torch.manual_seed(1)
    model, path = Tied(), os.path.join(folder, "tied.json")
    words = torch.randint(0, 20, (16,))
    gradc_torch.export(model, (words,), path, targets=(words,), loss=F.cross_entropy)
    program = Program(gradc, path, folder, cc, ["--weights=file", "--optimizer=adam"])
    params, state = program.empty("params"), program.empty("state")
    given = [ctypes.byref(program.struct("params", params)), ctypes.byref(program.struct("state", state))]

    def call(function, file, *more):
        why = ctypes.create_string_buffer(256)
        code = getattr(program.library, "tied_" + function)(file.encode(), *given, *more, why)
        return code, why.value.decode()

    def holds():
        """The arrays of the C have the values of the model, under the first name of each."""
        names = dict(model.state_dict())
        del names["head.weight"]
        arrays = {**params, **state}
        return arrays.keys() == names.keys() and all((arrays[k] == v.numpy()).all() for k, v in names.items())

    def file(name):
        return os.path.join(folder, name + ".safetensors")

    check(call("weights_load", os.path.join(folder, "none"))[0] == E_OPEN, "no file")
    check(not holds(), "the arrays, before")
    check(call("weights_load", folder) == (0, ""), "the weights")
    check(holds(), "the weights' values")
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p))
        model(words)                       # which moves the running statistics
    gradc_torch.save(model.state_dict(), file("ours"))
    check(not holds() and call("load", file("ours"), None) == (0, "") and holds(), "what PyTorch saved")
    check(call("save", file("theirs"), None) == (0, ""), "saving")
    again = Tied()
    again.load_state_dict(gradc_torch.load(file("theirs")), strict=False)
    check(all(torch.equal(v, again.state_dict()[k]) for k, v in model.state_dict().items()), "what the C saved")
    stored = gradc_torch.load(file("theirs"))
    for change, code, why in [
            (lambda t: t.pop("norm.bias"), E_MISSING, "norm.bias: is not in the file"),
            (lambda t: t.update({"head.bias": torch.zeros(20)}), E_UNKNOWN, "head.bias: is no tensor of the model"),
            (lambda t: t.update({"norm.bias": torch.zeros(8).half()}), E_TYPE, "norm.bias: f32[8] in the model, F16[8] in the file"),
            (lambda t: t.update({"norm.bias": torch.zeros(2, 4)}), E_TYPE, "norm.bias: f32[8] in the model, F32[2,4] in the file")]:
        wrong = dict(stored)
        change(wrong)
        gradc_torch.save(wrong, file("wrong"))
        check(call("load", file("wrong"), None) == (code, why) and holds(), why)
    return end()


if __name__ == "__main__":
    sys.exit(main())
