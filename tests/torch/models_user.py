"""Programs as people write them: models that no rule was written for, exported as they stand."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from models import model, normal


def ids(most, *shape):
    return torch.randint(0, most, shape)


class Vae(nn.Module):
    def __init__(self, latent=6):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Flatten())
        self.mu = nn.Linear(8 * 16, latent)
        self.logvar = nn.Linear(8 * 16, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, 8 * 16), nn.Unflatten(1, (8, 4, 4)), nn.ReLU(),
                                     nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1))

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + std * torch.randn_like(std)

    def forward(self, x):
        h = self.encoder(x)
        mu, logvar = self.mu(h), self.logvar(h)
        return self.decoder(self.reparameterize(mu, logvar)), mu, logvar


def elbo(output, x):
    logits, mu, logvar = output
    rebuilt = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return (rebuilt - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())) / x.size(0)


@model
def vae():
    x = torch.rand(3, 1, 8, 8)
    return dict(model=Vae(), inputs=(x,), targets=(x,), loss=elbo)


class DoubleConv(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True),
                                 nn.Conv2d(b, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))

    def forward(self, x):
        return self.net(x)


class UNet(nn.Module):
    def __init__(self, channels=(3, 6, 12)):
        super().__init__()
        self.downs = nn.ModuleList([DoubleConv(a, b) for a, b in zip(channels, channels[1:])])
        self.middle = DoubleConv(12, 16)
        self.ups = nn.ModuleList([nn.ConvTranspose2d(16, 12, 2, 2), DoubleConv(24, 12), nn.ConvTranspose2d(12, 6, 2, 2),
                                  DoubleConv(12, 6)])
        self.head = nn.Conv2d(6, 1, 1)

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for up, conv, skip in zip(self.ups[::2], self.ups[1::2], reversed(skips)):
            x = up(x)
            if x.shape != skip.shape:
                x = F.interpolate(x, size=skip.shape[2:])
            x = conv(torch.cat((skip, x), dim=1))
        return self.head(x)


def dice(logits, mask):
    p = torch.sigmoid(logits).flatten(1)
    mask = mask.flatten(1)
    overlap = 2 * (p * mask).sum(1) + 1
    return 1 - (overlap / (p.sum(1) + mask.sum(1) + 1)).mean() + F.binary_cross_entropy(p, mask)


@model
def segmentation():
    return dict(model=UNet(), inputs=(normal(2, 3, 10, 12),), targets=((normal(2, 1, 10, 12) > 0).float(),), loss=dice)


class LanguageModel(nn.Module):
    """The weights of input and output are one."""

    def __init__(self, vocabulary=30, size=8):
        super().__init__()
        self.drop = nn.Dropout(0.3)
        self.encoder = nn.Embedding(vocabulary, size)
        self.rnn = nn.LSTM(size, size, 2)
        self.decoder = nn.Linear(size, vocabulary)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.5, 0.5)

    def forward(self, tokens, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(tokens)), hidden)
        return self.decoder(self.drop(output)), hidden


@model
def language_model():
    state = (normal(2, 4, 8), normal(2, 4, 8))
    return dict(model=LanguageModel(), inputs=(ids(30, 9, 4), state), targets=(ids(30, 9, 4),),
                loss=lambda out, target: F.cross_entropy(out[0].view(-1, 30), target.view(-1)))


class Attention(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.query, self.keys, self.score = nn.Linear(d, d), nn.Linear(2 * d, d), nn.Linear(d, 1)

    def forward(self, query, keys, mask):
        scores = self.score(torch.tanh(self.query(query).unsqueeze(1) + self.keys(keys))).squeeze(-1)
        weights = F.softmax(scores.masked_fill(mask == 0, -1e9), dim=-1)
        return torch.bmm(weights.unsqueeze(1), keys).squeeze(1)


class Translator(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.source, self.target = nn.Embedding(20, d), nn.Embedding(15, d)
        self.encoder = nn.GRU(d, d, bidirectional=True, batch_first=True)
        self.bridge = nn.Linear(2 * d, d)
        self.attention = Attention(d)
        self.cell = nn.GRUCell(3 * d, d)
        self.out = nn.Linear(3 * d, 15)

    def forward(self, source, target):
        mask = source != 0
        keys, last = self.encoder(self.source(source))
        h = torch.tanh(self.bridge(torch.cat([last[0], last[1]], dim=1)))
        outputs = []
        for t in range(target.size(1)):
            context = self.attention(h, keys, mask)
            h = self.cell(torch.cat([self.target(target[:, t]), context], dim=1), h)
            outputs.append(self.out(torch.cat([h, context], dim=1)))
        return torch.stack(outputs, dim=1)


@model
def translation():
    return dict(model=Translator(), inputs=(ids(20, 3, 6), ids(15, 3, 4)), targets=(ids(15, 3, 4),),
                loss=lambda out, target: F.cross_entropy(out.transpose(1, 2), target, ignore_index=0, label_smoothing=0.1))


class SelfAttention(nn.Module):
    """nn.MultiheadAttention with its weights among the results."""

    def __init__(self, d=8):
        super().__init__()
        self.cls = nn.Parameter(torch.zeros(1, 1, d))
        self.patch = nn.Conv2d(3, d, kernel_size=4, stride=4)
        self.position = nn.Parameter(normal(1, 5, d) * 0.02)
        self.norm = nn.LayerNorm(d)
        self.attention = nn.MultiheadAttention(d, 2, dropout=0.2, batch_first=True)
        self.head = nn.Linear(d, 3)

    def forward(self, image):
        x = self.patch(image).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.shape[0], -1, -1), x), dim=1) + self.position
        h = self.norm(x)
        h, weights = self.attention(h, h, h)
        return {"logits": self.head((x + h)[:, 0]), "weights": weights}


@model
def vision_transformer():
    return dict(model=SelfAttention(), inputs=(normal(2, 3, 8, 8),), targets=(ids(3, 2),),
                loss=lambda out, target: F.cross_entropy(out["logits"], target) + out["weights"].square().mean())


class GatLayer(nn.Module):
    def __init__(self, d_in, d_out, heads):
        super().__init__()
        self.heads, self.d = heads, d_out
        self.lin = nn.Linear(d_in, heads * d_out, bias=False)
        self.src = nn.Parameter(normal(1, heads, d_out))
        self.dst = nn.Parameter(normal(1, heads, d_out))

    def forward(self, x, edges):
        src, dst = edges
        h = self.lin(x).view(-1, self.heads, self.d)
        score = F.leaky_relu(((h * self.src).sum(-1))[src] + ((h * self.dst).sum(-1))[dst], 0.2)
        at = dst.unsqueeze(-1).expand_as(score)
        top = torch.full((x.size(0), self.heads), float("-inf")).scatter_reduce(0, at, score, reduce="amax")
        e = torch.exp(score - top[dst])
        total = torch.zeros(x.size(0), self.heads).scatter_add_(0, at, e)
        a = e / (total[dst] + 1e-16)
        out = torch.zeros_like(h)
        out.index_add_(0, dst, h[src] * a.unsqueeze(-1))
        return out.flatten(1)


class Gat(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = GatLayer(5, 4, 2), GatLayer(8, 3, 1)

    def forward(self, x, edges):
        h = F.elu(self.one(x, edges))
        return F.log_softmax(self.two(h, edges), dim=1)


@model
def graph_attention():
    edges = torch.cat([ids(7, 2, 20), torch.arange(7).repeat(2, 1)], 1)
    return dict(model=Gat(), inputs=(normal(7, 5), edges), targets=(ids(3, 7),), loss="nll_loss")


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(6, 12), nn.PReLU(), nn.LayerNorm(12), nn.Linear(12, 5))

    def forward(self, a, b, c):
        return [F.normalize(self.tower(x), dim=-1) for x in (a, b, c)]


def pairs(out, same):
    a, b, c = out
    logits = a @ b.t() / 0.07
    label = torch.arange(a.size(0))
    return F.cosine_embedding_loss(a, b, same, margin=0.2) + F.triplet_margin_loss(a, b, c) + \
        (F.cross_entropy(logits, label) + F.cross_entropy(logits.t(), label)) / 2


@model
def siamese():
    return dict(model=Siamese(), inputs=tuple(normal(4, 6) for _ in range(3)),
                targets=(torch.tensor([1.0, -1.0, 1.0, -1.0]),), loss=pairs)


class DeepSets(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(3, 8), nn.ELU(), nn.Linear(8, 8))
        self.rho = nn.Sequential(nn.Linear(24, 8), nn.Softplus(), nn.Linear(8, 1))

    def forward(self, points, mask):
        h = self.phi(points)
        far = h.masked_fill(~mask[..., None], float("-inf"))
        h = h * mask[..., None]
        pooled = torch.cat([h.sum(1), far.max(dim=1).values, torch.logsumexp(far, dim=1)], -1)
        return self.rho(pooled).squeeze(-1)


@model
def deep_sets():
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], dtype=torch.bool)
    return dict(model=DeepSets(), inputs=(normal(3, 5, 3), mask), targets=(normal(3),), loss="smooth_l1_loss")


class Mixer(nn.Module):
    class Block(nn.Module):
        def __init__(self, tokens, d):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
            self.tokens = nn.Sequential(nn.Linear(tokens, 12), nn.GELU(), nn.Dropout(0.1), nn.Linear(12, tokens))
            self.channels = nn.Sequential(nn.Linear(d, 16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, d))

        def forward(self, x):
            x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
            return x + self.channels(self.norm2(x))

    def __init__(self, d=6):
        super().__init__()
        self.stem = nn.Conv2d(3, d, 4, 4)
        self.blocks = nn.Sequential(*[Mixer.Block(4, d) for _ in range(2)])
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(d, 5)

    def forward(self, x):
        x = self.stem(x).flatten(2).mT
        return self.head(self.norm(self.blocks(x)).mean(dim=1))


@model
def mlp_mixer():
    return dict(model=Mixer(), inputs=(normal(2, 3, 8, 8),), targets=(ids(5, 2),),
                loss=nn.CrossEntropyLoss(label_smoothing=0.1))


class NeuralOde(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(3, 10), nn.Tanh(), nn.Linear(10, 2))

    def field(self, t, y):
        return self.f(torch.cat([y, torch.full_like(y[:, :1], t)], 1))

    def forward(self, y, steps=4, h=0.1):
        path = [y]
        for i in range(steps):
            t = i * h
            k1 = self.field(t, y)
            k2 = self.field(t + h / 2, y + h * k1 / 2)
            k3 = self.field(t + h / 2, y + h * k2 / 2)
            k4 = self.field(t + h, y + h * k3)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            path.append(y)
        return torch.stack(path)


@model
def neural_ode():
    return dict(model=NeuralOde(), inputs=(normal(4, 2),), targets=(normal(5, 4, 2),), loss="mse_loss")


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.history = nn.EmbeddingBag(20, 6, mode="mean")
        self.tags = nn.EmbeddingBag(12, 6, mode="sum", padding_idx=0)
        self.user = nn.Embedding(9, 6)
        self.dense = nn.Linear(3, 6)
        self.top = nn.Sequential(nn.Linear(6 + 6, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, user, dense, history, offsets, tags):
        parts = torch.stack([self.user(user), F.relu(self.dense(dense)), self.history(history, offsets), self.tags(tags)], 1)
        crossed = torch.bmm(parts, parts.transpose(1, 2))
        i, j = torch.triu_indices(4, 4, 1)
        return self.top(torch.cat([parts[:, 1], crossed[:, i, j]], 1)).squeeze(1)


@model
def recommender():
    return dict(model=Recommender(), inputs=(ids(9, 4), normal(4, 3), ids(20, 10), torch.tensor([0, 2, 5, 6]), ids(12, 4, 3)),
                targets=((normal(4) > 0).float(),), loss=nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0)))


class SqueezeExcite(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(c, c // 4, 1), nn.Conv2d(c // 4, c, 1)

    def forward(self, x):
        s = F.adaptive_avg_pool2d(x, 1)
        return x * F.hardsigmoid(self.fc2(F.relu(self.fc1(s))))


class MobileNet(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8, momentum=0.01), nn.Hardswish(),
            nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU6(inplace=True),
            SqueezeExcite(8), nn.Conv2d(8, 12, 1), nn.BatchNorm2d(12), nn.Dropout2d(0.2), nn.SiLU())
        self.classifier = nn.Sequential(nn.Dropout(p=0.2, inplace=True), nn.Linear(12, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


@model
def mobilenet():
    return dict(model=MobileNet(), inputs=(normal(4, 3, 12, 12),), targets=(ids(5, 4),),
                loss=nn.CrossEntropyLoss(label_smoothing=0.1))


class WaveNet(nn.Module):
    def __init__(self, channels=6):
        super().__init__()
        norm = nn.utils.parametrizations.weight_norm
        self.start = nn.Conv1d(1, channels, 1)
        self.dilated = nn.ModuleList([norm(nn.Conv1d(channels, 2 * channels, 2, dilation=2 ** i)) for i in range(3)])
        self.mix = nn.ModuleList([nn.Conv1d(channels, channels, 1) for _ in range(3)])
        self.end = nn.Conv1d(channels, 4, 1)

    def forward(self, audio):
        x, skip = self.start(audio.unsqueeze(1)), 0
        for i, (conv, mix) in enumerate(zip(self.dilated, self.mix)):
            a, b = conv(F.pad(x, (2 ** i, 0))).chunk(2, dim=1)
            h = mix(torch.tanh(a) * torch.sigmoid(b))
            x, skip = x + h, skip + h
        return self.end(F.relu(skip))


@model
def wavenet():
    return dict(model=WaveNet(), inputs=(normal(2, 12),), targets=(ids(4, 2, 12),), loss="cross_entropy")


class RealNvp(nn.Module):
    def __init__(self, d=4):
        super().__init__()
        self.nets = nn.ModuleList([nn.Sequential(nn.Linear(d, 8), nn.ReLU(), nn.Linear(8, 2 * d)) for _ in range(3)])
        self.register_buffer("mask", torch.tensor([1.0, 0.0, 1.0, 0.0]))
        self.base = torch.distributions.Normal(0.0, 1.0)

    def forward(self, x):
        log_det = x.new_zeros(x.shape[0])
        for i, net in enumerate(self.nets):
            m = self.mask if i % 2 == 0 else 1 - self.mask
            s, t = net(x * m).chunk(2, 1)
            s = torch.tanh(s) * (1 - m)
            x = x * m + (1 - m) * (x * s.exp() + t)
            log_det += s.sum(1)
        return -(torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(1) + log_det).mean()


@model
def normalizing_flow():
    return dict(model=RealNvp(), inputs=(normal(5, 4),))


class MixtureDensity(nn.Module):
    def __init__(self, k=3):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 10), nn.Mish())
        self.weight, self.mean, self.scale = nn.Linear(10, k), nn.Linear(10, k), nn.Linear(10, k)

    def forward(self, x, y):
        h = self.body(x)
        mix = torch.distributions.Categorical(logits=self.weight(h))
        parts = torch.distributions.Normal(self.mean(h), F.softplus(self.scale(h)) + 1e-3)
        return -torch.distributions.MixtureSameFamily(mix, parts).log_prob(y).mean()


@model
def mixture_density():
    return dict(model=MixtureDensity(), inputs=(normal(6, 2), normal(6)))


class RmsNorm(nn.Module):
    def __init__(self, d, eps=1e-6):
        super().__init__()
        self.eps, self.weight = eps, nn.Parameter(torch.ones(d))

    def forward(self, x):
        return self.weight * (x.float() * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + self.eps)).type_as(x)


def rotate(x, cos, sin):
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


class LlamaBlock(nn.Module):
    def __init__(self, d=16, heads=4, kv=2):
        super().__init__()
        self.heads, self.kv, self.h = heads, kv, d // heads
        self.q, self.k, self.v = (nn.Linear(d, n * self.h, bias=False) for n in (heads, kv, kv))
        self.o = nn.Linear(d, d, bias=False)
        self.norm1, self.norm2 = RmsNorm(d), RmsNorm(d)
        self.gate, self.up, self.down = nn.Linear(d, 24, bias=False), nn.Linear(d, 24, bias=False), nn.Linear(24, d, bias=False)

    def forward(self, x):
        b, t, d = x.shape
        freqs = torch.outer(torch.arange(t).float(), 1.0 / 10000 ** (torch.arange(0, self.h, 2).float() / self.h))
        cos, sin = freqs.cos(), freqs.sin()
        y = self.norm1(x)
        q, k, v = (f(y).view(b, t, -1, self.h).transpose(1, 2) for f in (self.q, self.k, self.v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = (z.repeat_interleave(self.heads // self.kv, dim=1) for z in (k, v))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(a.transpose(1, 2).reshape(b, t, d))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


@model
def llama_block():
    return dict(model=LlamaBlock(), inputs=(normal(2, 6, 16),), targets=(normal(2, 6, 16),), loss="mse_loss")


class Quantizer(nn.Module):
    def __init__(self, codes=8, d=4):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(6, d), nn.Linear(d, 6)
        self.codebook = nn.Embedding(codes, d)

    def forward(self, x):
        z = self.encoder(x)
        distance = torch.cdist(z, self.codebook.weight)
        code = distance.argmin(dim=1)
        q = self.codebook(code)
        loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        q = z + (q - z).detach()
        usage = F.one_hot(code, 8).float().mean(0)
        perplexity = torch.exp(-torch.sum(usage * torch.log(usage + 1e-10)))
        return {"loss": loss + F.mse_loss(self.decoder(q), x), "perplexity": perplexity}


@model
def vector_quantizer():
    return dict(model=Quantizer(), inputs=(normal(7, 6),))


class Experts(nn.Module):
    def __init__(self, d=6, experts=4, k=2):
        super().__init__()
        self.k, self.experts = k, experts
        self.gate = nn.Linear(d, experts)
        self.w1 = nn.Parameter(normal(experts, d, 8) * 0.3)
        self.w2 = nn.Parameter(normal(experts, 8, d) * 0.3)

    def forward(self, x):
        logits = self.gate(x)
        top, at = logits.topk(self.k, dim=-1)
        weights = torch.zeros_like(logits).scatter(-1, at, top.softmax(-1))
        h = torch.einsum("nd,edh->enh", x, self.w1)
        y = torch.einsum("enh,ehd->end", F.gelu(h, approximate="tanh"), self.w2)
        balance = (logits.softmax(-1).mean(0) * (weights > 0).float().mean(0)).sum() * self.experts
        return torch.einsum("ne,end->nd", weights, y), balance


@model
def experts():
    return dict(model=Experts(), inputs=(normal(5, 6),), targets=(normal(5, 6),),
                loss=lambda out, target: F.mse_loss(out[0], target) + 0.01 * out[1])


class ConvLstm(nn.Module):
    def __init__(self, c=2, h=3):
        super().__init__()
        self.h = h
        self.gates = nn.Conv2d(c + h, 4 * h, 3, padding=1)
        self.out = nn.Conv2d(h, c, 1)

    def forward(self, frames):
        b, t, _, y, x = frames.shape
        h = torch.zeros(b, self.h, y, x)
        c = torch.zeros_like(h)
        predicted = []
        for k in range(t - 1):
            i, f, o, g = torch.split(self.gates(torch.cat([frames[:, k], h], 1)), self.h, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            predicted.append(self.out(h))
        return F.l1_loss(torch.stack(predicted, 1), frames[:, 1:])


@model
def conv_lstm():
    return dict(model=ConvLstm(), inputs=(normal(2, 4, 2, 5, 5),))


class StateSpace(nn.Module):
    """A diagonal linear recurrence, by prefix sums of logarithms."""

    def __init__(self, d=5):
        super().__init__()
        self.to_gate, self.to_value, self.out = nn.Linear(3, d), nn.Linear(3, d), nn.Linear(d, 1)

    def forward(self, x):
        gate = self.to_gate(x)
        log_f, log_i = -F.softplus(-gate), -F.softplus(gate)
        total = torch.cumsum(log_f, dim=1)
        log_h = total + torch.logcumsumexp(log_i + F.logsigmoid(self.to_value(x)) - total, dim=1)
        return self.out(log_h.exp()).squeeze(-1)


@model
def state_space():
    return dict(model=StateSpace(), inputs=(normal(2, 9, 3),), targets=(normal(2, 9),), loss="huber_loss")


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 4, 3, stride=2))
        self.fc = nn.utils.spectral_norm(nn.Linear(4 * 9, 1))

    def forward(self, x):
        return self.fc(F.leaky_relu(self.conv(x), 0.1).flatten(1))


@model
def discriminator():
    return dict(model=Discriminator(), inputs=(normal(3, 1, 8, 8),), loss=lambda out: F.relu(1 - out).mean())


class Diffusion(nn.Module):
    def __init__(self, steps=20, d=8):
        super().__init__()
        self.register_buffer("kept", torch.cumprod(1 - torch.linspace(1e-4, 0.02, steps), 0))
        self.time = nn.Sequential(nn.Linear(d, d), nn.SiLU())
        self.one, self.two = nn.Conv2d(1, d, 3, padding=1), nn.Conv2d(d, 1, 3, padding=1)
        self.norm = nn.GroupNorm(2, d)
        self.d = d

    def embedding(self, t):
        freqs = torch.exp(-math.log(1e4) * torch.arange(self.d // 2) / (self.d // 2))
        args = t[:, None].float() * freqs[None]
        return torch.cat([args.sin(), args.cos()], dim=-1)

    def forward(self, x, t):
        noise = torch.randn_like(x)
        kept = self.kept[t].view(-1, 1, 1, 1)
        noisy = kept.sqrt() * x + (1 - kept).sqrt() * noise
        h = self.norm(self.one(noisy)) + self.time(self.embedding(t))[:, :, None, None]
        return F.mse_loss(self.two(F.silu(h)), noise)


@model
def diffusion():
    return dict(model=Diffusion(), inputs=(normal(3, 1, 6, 6), ids(20, 3)))


class DropPath(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        keep = 1 - self.p
        mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep)
        return x * mask.div_(keep)


class ConvNext(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.depthwise = nn.Conv2d(d, d, 7, padding=3, groups=d)
        self.norm = nn.LayerNorm(d, eps=1e-6)
        self.wide, self.narrow = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        self.gamma = nn.Parameter(1e-1 * torch.ones(d))
        self.drop = DropPath(0.3)

    def forward(self, x):
        h = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        h = self.gamma * self.narrow(F.gelu(self.wide(h)))
        return x + self.drop(h.permute(0, 3, 1, 2))


@model
def convnext_block():
    return dict(model=ConvNext(), inputs=(normal(4, 6, 5, 5),), targets=(normal(4, 6, 5, 5),), loss="mse_loss")


class Tabular(nn.Module):
    """Sparsemax attention over columns."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(7)
        self.attend = nn.Linear(7, 7)
        self.glu = nn.Linear(7, 10)
        self.out = nn.Linear(5, 1)

    def sparsemax(self, z):
        s, _ = torch.sort(z, dim=-1, descending=True)
        k = torch.arange(1, z.size(-1) + 1, dtype=z.dtype)
        total = s.cumsum(-1)
        size = (1 + k * s > total).sum(-1, keepdim=True)
        tau = (total.gather(-1, size - 1) - 1) / size
        return torch.clamp(z - tau, min=0)

    def forward(self, x):
        x = self.norm(x)
        mask = self.sparsemax(self.attend(x))
        entropy = -(mask * torch.log(mask + 1e-15)).sum(-1).mean()
        return self.out(F.glu(self.glu(x * mask))).squeeze(-1), entropy


@model
def tabular():
    return dict(model=Tabular(), inputs=(normal(8, 7),), targets=((normal(8) > 0).float(),),
                loss=lambda out, y: F.binary_cross_entropy_with_logits(out[0], y) + 1e-3 * out[1])


class Distilled(nn.Module):
    """A trained head on frozen features, with a teacher that follows it under no_grad."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.BatchNorm1d(8))
        self.head, self.teacher = nn.Linear(8, 3), nn.Linear(8, 3)
        self.register_buffer("center", torch.zeros(3))
        for p in self.features.parameters():
            p.requires_grad = False

    def forward(self, x, y):
        student = self.head(self.features(x))
        with torch.no_grad():
            teacher = self.teacher(self.features(y))
            self.center = self.center * 0.9 + teacher.mean(0) * 0.1
            target = F.softmax((teacher - self.center) / 0.5, dim=-1)
        layers = torch.utils.checkpoint.checkpoint(torch.sin, student, use_reentrant=True)
        return F.cross_entropy(student, target) + layers.square().mean()


@model
def distilled():
    return dict(model=Distilled(), inputs=(normal(6, 5), normal(6, 5)))


class Pinn(nn.Module):
    """u_t + u u_x = v u_xx, by derivatives of the network's output."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
        self.viscosity = nn.Parameter(torch.tensor(0.02))

    def forward(self, x, t):
        x.requires_grad_(True)
        t.requires_grad_(True)
        u = self.net(torch.stack([x, t], -1)).squeeze(-1)
        u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
        u_xx, = torch.autograd.grad(u_x, x, torch.ones_like(u_x), create_graph=True)
        residual = u_t + u * u_x - self.viscosity * u_xx
        return residual.pow(2).mean() + (u - torch.sin(math.pi * x)).square().mean()


@model
def burgers():
    return dict(model=Pinn(), inputs=(normal(9), normal(9)))


class Hamiltonian(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Softplus(), nn.Linear(8, 1))

    def forward(self, state, rate):
        h = lambda s: self.net(s).squeeze(-1)                              # noqa: E731
        dq, dp = torch.func.vmap(torch.func.grad(h))(state).chunk(2, -1)
        curvature = torch.func.vmap(torch.func.hessian(h))(state).diagonal(dim1=-2, dim2=-1).sum(-1)
        return F.mse_loss(torch.cat([dp, -dq], -1), rate) + 0.1 * curvature.square().mean()


@model
def hamiltonian():
    return dict(model=Hamiltonian(), inputs=(normal(5, 4), normal(5, 4)))


class Maml(nn.Module):
    """One step of gradient descent within the model; the meta-gradient goes through it."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))
        self.rate = nn.Parameter(torch.tensor(0.1))

    def forward(self, x, y, x_test, y_test):
        weights = dict(self.net.named_parameters())
        inner = F.mse_loss(torch.func.functional_call(self.net, weights, (x,)), y)
        grads = torch.autograd.grad(inner, list(weights.values()), create_graph=True)
        adapted = {k: w - self.rate * g for (k, w), g in zip(weights.items(), grads)}
        with torch.no_grad():
            scale = adapted["0.bias"].norm() + 1
        return F.mse_loss(torch.func.functional_call(self.net, adapted, (x_test,)), y_test) / scale


@model
def maml():
    return dict(model=Maml(), inputs=(normal(5, 2), normal(5, 1), normal(4, 2), normal(4, 1)))


class Critic(nn.Module):
    """Wasserstein, with a penalty on the gradient."""

    def __init__(self):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(4, 8), nn.SiLU(), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 1))

    def forward(self, real, fake, mix):
        between = (mix * real + (1 - mix) * fake.detach()).requires_grad_(True)
        slope, = torch.autograd.grad(self.score(between).sum(), between, create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        return self.score(fake).mean() - self.score(real).mean() + 10 * penalty


@model
def critic():
    return dict(model=Critic(), inputs=(normal(5, 4), normal(5, 4), torch.rand(5, 1)))


class PositionalEncoding(nn.Module):
    def __init__(self, d, length=50):
        super().__init__()
        position = torch.arange(length).unsqueeze(1)
        div = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        pe = torch.zeros(1, length, d)
        pe[0, :, 0::2] = torch.sin(position * div)
        pe[0, :, 1::2] = torch.cos(position * div)
        self.register_buffer("pe", pe)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        return self.dropout(x + self.pe[:, :x.size(1)])


class Classifier(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.d = d
        self.embed = nn.Embedding(25, d, padding_idx=0)
        self.position = PositionalEncoding(d)
        layer = nn.TransformerEncoderLayer(d, nhead=2, dim_feedforward=16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.head = nn.Linear(d, 4)

    def forward(self, tokens):
        pad = tokens == 0
        h = self.encoder(self.position(self.embed(tokens) * math.sqrt(self.d)), src_key_padding_mask=pad)
        keep = (~pad).unsqueeze(-1)
        return self.head((h * keep).sum(1) / keep.sum(1).clamp(min=1))


@model
def text_classifier():
    tokens = ids(24, 3, 7) + 1
    tokens[0, 4:] = 0
    return dict(model=Classifier(), inputs=(tokens,), targets=(ids(4, 3),), loss="cross_entropy", dims={"B": (0, 16)})


class Decoder(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        layer = nn.TransformerDecoderLayer(d, 4, 12, dropout=0.1, activation="gelu", norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, 2, nn.LayerNorm(d))

    def forward(self, target, memory):
        mask = nn.Transformer.generate_square_subsequent_mask(target.size(0))
        return self.decoder(target, memory, tgt_mask=mask, tgt_is_causal=True)


@model
def transformer_decoder():
    return dict(model=Decoder(), inputs=(normal(5, 2, 8), normal(7, 2, 8)), targets=(normal(5, 2, 8),), loss="mse_loss")
