"""optimizers.py: what torch.optim makes of given gradients, for optimizers.c.

    python3 tests/e2e/optimizers.py > tests/e2e/optimizers.h

The settings are none of the defaults; the defaults are in e2e's run.c.
"""
import torch

START = [1.5, -0.25, 0.0, 3.0, -2.0]
GRADS = [
    [0.5, -1.25, 0.001, 0.0, 8.0],
    [-0.75, -1.0, 0.002, 0.0, 4.0],
    [0.125, 2.5, -0.004, -1e-9, -16.0],
    [0.25, 0.0, 1.0, 0.5, 1.0],
]
RULES = {
    "sgd": (torch.optim.SGD, {"lr": 0.125, "weight_decay": 0.0625}),
    "momentum": (torch.optim.SGD, {"lr": 0.125, "momentum": 0.75, "weight_decay": 0.0625}),
    "adam": (torch.optim.Adam, {"lr": 0.0625, "betas": (0.75, 0.875), "eps": 1e-6, "weight_decay": 0.0625}),
    "adamw": (torch.optim.AdamW, {"lr": 0.0625, "betas": (0.75, 0.875), "eps": 1e-6, "weight_decay": 0.5}),
}


def numbers(values):
    return ", ".join(repr(float(v)) for v in values)


print(f"/* of torch.optim {torch.__version__.split('+')[0]}, by optimizers.py */")
print(f"enum {{ N = {len(START)}, STEPS = {len(GRADS)} }};")
print(f"static const double start[N] = {{{numbers(START)}}};")
print("static const double grads[STEPS][N] = {")
for g in GRADS:
    print(f"\t{{{numbers(g)}}},")
print("};")
for name, (rule, settings) in RULES.items():
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    opt = rule([w], **settings)
    print(f"static const double after_{name}[STEPS][N] = {{")
    for g in GRADS:
        w.grad = torch.tensor(g, dtype=torch.float64)
        opt.step()
        print(f"\t{{{numbers(w.detach())}}},")
    print("};")
