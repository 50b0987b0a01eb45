"""What newcomers get wrong, and what they are told: a line with its place and what to do, and no file.

    errors.py DIR"""
import concurrent.futures
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(HERE, "..", "..", "cmd", "import", "torch")

# the body of a module, what it is called with, and the complaint
CASES = {
    "branch": ("def f(x):\n    if x.sum() > 0:\n        return x.sum()\n    return x.mean()\n", ["--input=f32[4,4]"],
               r"branch\.py:3: what the program does depends on the values of tensors: use torch\.where"),
    "loop": ("def f(x):\n    n = int(x.max().item())\n    return sum(x[i] for i in range(n)).sum()\n", ["--input=f32[4,4]"],
             r"loop\.py:3: what the program does depends on the values"),
    "mask": ("def f(x):\n    return x[x > 0].sum()\n", ["--input=f32[4]"],
             r"mask\.py:\d+: an index that is a mask: its result's size depends on data"),
    "nonzero": ("def f(x):\n    return torch.nonzero(x).sum() + x.sum()\n", ["--input=f32[4]"],
                r"nonzero\.py:\d+: aten\.nonzero\.default: a result whose size depends on data: keep the shape"),
    "in_place": ("class f(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
                 "        self.w = torch.nn.Parameter(torch.ones(4, 4))\n\n    def forward(self, x):\n"
                 "        self.w[0].mul_(2)\n        return (self.w @ x).sum()\n", ["--input=f32[4,4]"],
                 r"in_place\.py:8: a parameter is modified in place: let the model write to a copy"),
    "input_changed": ("def f(x):\n    x[0] += 1\n    return x.sum()\n", ["--input=f32[4]"],
                      r"input 'x' is modified in place: let the model write to a copy, x\.clone\(\)"),
    "complex_dtype": ("def f(x):\n    return torch.view_as_complex(x).abs().sum()\n", ["--input=f32[4,2]"],
                      r"complex_dtype\.py:\d+: aten\.view_as_complex\.default: complex numbers: compute with their real"),
    "int_parameter": ("class f(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
                      "        self.n = torch.nn.Parameter(torch.arange(4), requires_grad=False)\n\n"
                      "    def forward(self, x):\n        return (self.n * x).sum()\n", ["--input=f32[4]"],
                      r"parameter 'n' is int64, and only floats can be trained: make it a buffer"),
    "names": ("def f():\n    return dict(model=lambda P, x: (P['x'] * x).sum(), inputs=(torch.ones(3),),\n"
              "                params={'x': torch.ones(3)})\n", [], r"names\.py:\d+: a parameter and an input are both called 'x': rename one"),
    "fixed_size": ("def f(x):\n    return x.reshape(4, -1).sum() + x.view(16).sum()\n",
                   ["--input=f32[4,4]", "--dim=B=0:64"], r"the model fixes the size of dimension B"),
    "sum_of_sizes": ("def f(x):\n    return torch.cat([x, torch.ones(1, 4)]).sum()\n", ["--input=f32[6,4]", "--dim=B=0:64"],
                     r"sum_of_sizes\.py:\d+: a size of \w+ \+ 1, which is no product of dimensions"),
    "number_of_size": ("def f(x):\n    return torch.where(x > 0, x, x.shape[0]).sum()\n", ["--input=f32[6,4]", "--dim=B=0:64"],
                       r"number_of_size\.py:\d+: a number that depends on a symbolic dimension"),
    "by_frequency": ("def f():\n    return dict(model=lambda P, i: torch.nn.functional.embedding(i, P['w'], scale_grad_by_freq=True)"
                     ".sum(),\n                inputs=(torch.tensor([1, 1]),), params={'w': torch.ones(3, 2)})\n", [],
                     r"by_frequency\.py:\d+: a gradient that is divided by how often an index occurs: leave scale_grad_by_freq"),
    "infinite_integer": ("def f(x):\n    return torch.nn.functional.pad((x > 0).long(), (1, 1), value=float('inf')).sum() + x.sum()\n",
                         ["--input=f32[4]"], r"infinite_integer\.py:\d+: (inf as an element of i64|make_fx: value cannot be converted)"),
    "packed": ("class f(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
               "        self.rnn = torch.nn.GRU(4, 5)\n\n    def forward(self, x):\n"
               "        y, _ = self.rnn(torch.nn.utils.rnn.pack_sequence([x, x]))\n        return y.data.sum()\n",
               ["--input=f32[3,4]"], r"packed\.py:8: packed sequences are not supported: call the layer on the padded batch"),
    "through_lstm": ("rnn = torch.nn.LSTM(4, 5)\n\ndef f(x):\n    x.requires_grad_()\n"
                     "    return torch.autograd.grad(rnn(x)[0].sum(), x, create_graph=True)[0].sum()\n", ["--input=f32[3,4]"],
                     r"through_lstm\.py:6: derivatives within the model, through a recurrent layer, are not supported"),
    "custom": ("class Reverse(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        return x.view_as(x)\n\n"
               "    @staticmethod\n    def backward(ctx, g):\n        return -g\n\n\ndef f(x):\n    return Reverse.apply(x).sum()\n",
               ["--input=f32[3,4]"], r"custom\.py:13: a torch\.autograd\.Function, whose backward is not a graph: write"),
    "derived_dims": ("def f(x):\n    x.requires_grad_()\n"
                     "    return torch.autograd.grad(x.tanh().sum(), x, create_graph=True)[0].sum()\n",
                     ["--input=f32[3,4]", "--dim=B=0:9"],
                     r"a model that differentiates within itself must have fixed sizes: leave the dimension out"),
    "shape": ("def f(x):\n    return (x @ torch.ones(3, 3)).sum()\n", ["--input=f32[4,4]"], r"shape\.py:3: (torch\.export|make_fx): .*"),
    "raises": ("def f():\n    return undefined\n", [], r"raises\.py:3: NameError: name 'undefined' is not defined"),
    "no_input": ("f = torch.nn.Linear(4, 4)\n", [], r"example inputs are missing: --input='f32\[8,784\]' for each"),
    "no_loss": ("f = torch.nn.Linear(4, 4)\n", ["--input=f32[4,4]", "--loss=cros_entropy"],
                r"torch\.nn\.functional has no cros_entropy; is it cross_entropy\?"),
    "no_object": ("g = 1\n", ["--input=f32[4]"], r"no_object\.py:f: there is no f"),
}


def tell(folder, name):
    """None, or what the command did that it should not."""
    body, options, complaint = CASES[name]
    path, out = os.path.join(folder, name + ".py"), os.path.join(folder, name + ".json")
    with open(path, "w") as f:
        f.write("import torch\n" + body)
    if os.path.exists(out):
        os.remove(out)
    done = subprocess.run([sys.executable, "-m", "gradc_torch", path + ":f", "-o", out] + options,
                          env=dict(os.environ, PYTHONPATH=PACKAGE), capture_output=True, text=True)
    lines = done.stderr.strip().splitlines()
    good = done.returncode == 3 and len(lines) == 1 and re.match(r"error: ([^:]*/)?" + complaint, lines[0]) and \
        not done.stdout and not os.path.exists(out)
    return None if good else "FAIL %s: exit %d\n%s%s" % (name, done.returncode, done.stdout, done.stderr)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [told for told in pool.map(lambda name: tell(folder, name), CASES) if told]
    print("\n".join(wrong + ["%d passed, %d failed" % (len(CASES) - len(wrong), len(wrong))]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
