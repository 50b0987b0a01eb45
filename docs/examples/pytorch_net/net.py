"""A small convolutional network in PyTorch, and the data that it learns from: bars, rings and crosses with noise.

    python3 net.py data          writes data.bin: 64 batches of 32 images (f32[1,16,16]), then their labels (i64)
    python3 net.py train         trains it in PyTorch, on the same batches, and prints the losses
    python3 net.py eval FILE     loads a checkpoint that the C program wrote, prints the loss over the first batch,
                                 and writes back.safetensors for it
"""
import sys

import torch
import torch.nn.functional as F
from torch import nn

BATCHES, BATCH, SIZE = 64, 32, 16


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)               # the weights that training starts from
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def data():
    """Images and labels of all batches."""
    g = torch.Generator().manual_seed(1)
    n = BATCHES * BATCH
    label = torch.randint(0, 3, (n,), generator=g)
    x, y = [torch.arange(SIZE) - SIZE / 2 - torch.rand(n, 1, 1, generator=g) * 6 + 3 for _ in range(2)]
    y = y.transpose(1, 2)
    bar = (x.abs() < 2) & (y.abs() < 6)
    ring = ((x * x + y * y).sqrt() - 4.5).abs() < 1
    cross = ((x - y).abs() < 2) | ((x + y).abs() < 2)
    shape = torch.where(label[:, None, None] == 0, bar, torch.where(label[:, None, None] == 1, ring, cross))
    image = shape.float() + torch.randn(n, SIZE, SIZE, generator=g)
    return image.reshape(BATCHES, BATCH, 1, SIZE, SIZE), label.reshape(BATCHES, BATCH)


def train(model, steps=200):
    """Losses of each step."""
    images, labels = data()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for i in range(steps):
        loss = F.cross_entropy(model(images[i % BATCHES]), labels[i % BATCHES])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def evaluate(path):
    """The loss over the first batch, of a model with the checkpoint's weights."""
    import gradc_torch
    model, (images, labels) = Net(), data()
    model.load_state_dict(gradc_torch.load(path))
    gradc_torch.save(model.state_dict(), "back.safetensors")
    with torch.no_grad():
        return F.cross_entropy(model.eval()(images[0]), labels[0]).item()


if __name__ == "__main__":
    if sys.argv[1] == "data":
        with open("data.bin", "wb") as file:
            for tensor in data():
                tensor.numpy().tofile(file)
    elif sys.argv[1] == "train":
        for loss in train(Net()):
            print("%.6f" % loss)
    else:
        print("%.6f" % evaluate(sys.argv[2]))
