"""The same decoder as a PyTorch practitioner would write it."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Cache = tuple[Tensor, Tensor]


def sinusoids(length: int, width: int) -> Tensor:
    """(length, width): sine and cosine of position / 10000^(2i / width) in columns 2i and 2i + 1."""
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)
    frequency = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10000.0) / width))
    table = torch.zeros(length, width, dtype=torch.float64)
    table[:, 0::2] = torch.sin(position * frequency)
    table[:, 1::2] = torch.cos(position * frequency)
    return table


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself, and to what a cache remembers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None, past: Cache | None) -> tuple[Tensor, Cache]:
        batch, length, width = x.shape
        split = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        causal = mask is None and past is None
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)
        return self.out(y.transpose(1, 2).reshape(batch, length, width)), (key, value)


class TinyDecoder(nn.Module):
    """One Pre-LN block between an embedding with sinusoidal positions and a readout."""

    positions: Tensor

    def __init__(self, vocabulary: int, width: int, heads: int, longest: int = 1024) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"up": nn.Linear(width, 4 * width), "down": nn.Linear(4 * width, width)})
        self.norm = nn.LayerNorm(width)
        self.readout = nn.Linear(width, vocabulary)
        self.register_buffer("positions", sinusoids(longest, width), persistent=False)

    def forward(
        self, tokens: Tensor, mask: Tensor | None = None, positions: Tensor | None = None, past: Cache | None = None
    ) -> tuple[Tensor, Cache]:
        """Logits (B, T, V) and the keys and values; with ``past`` the tokens go on from a cache, one at a time."""
        start = 0 if past is None else past[0].shape[2]
        if positions is None:
            positions = self.positions[start : start + tokens.shape[1]]
        x = self.embedding(tokens) + positions.to(self.embedding.weight.dtype)  # (2)
        attended, present = self.attention(self.attention_norm(x), mask, past)  # (2), (9)
        x = x + attended  # (2)
        x = x + self.mlp["down"](F.gelu(self.mlp["up"](self.mlp_norm(x)), approximate="tanh"))  # (3), (9)
        return self.readout(self.norm(x)), present  # (3), (9)


class LSTMDecoder(nn.Module):
    """The rival: embedding, one LSTM layer, readout."""

    def __init__(self, vocabulary: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.readout(self.lstm(self.embedding(tokens))[0])


def answer_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats; targets of -1 do not count."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)


@torch.no_grad()
def generate(model: TinyDecoder, prompt: Tensor, count: int) -> Tensor:
    """The likeliest continuation (B, count) of prompts (B, T): the prompt in one go, then a token at a time."""
    logits, past = model(prompt)
    written = [logits[:, -1].argmax(dim=-1)]
    for _ in range(count - 1):
        logits, past = model(written[-1].unsqueeze(1), past=past)
        written.append(logits[:, -1].argmax(dim=-1))
    return torch.stack(written, dim=1)
