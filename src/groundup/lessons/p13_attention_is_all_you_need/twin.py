"""The same networks as a PyTorch practitioner would write them."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from groundup.data.dates import PAD, START


class Attention(nn.Module):
    """Multi-head attention: ``x`` asks, ``memory`` answers; ``mask`` is True where a query may look."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            y.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (3)
            for y in (self.query(x), self.key(memory), self.value(memory))  # (3)
        )
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)  # (1), (3)
        return self.out(y.transpose(1, 2).flatten(2))  # (3)


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.relu(self.up(x)))


class EncoderLayer(nn.Module):
    def __init__(self, width: int, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.feed_forward = FeedForward(width, hidden)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.attention_norm(x + self.dropout(self.attention(x, x, mask)))  # (5)
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))  # (5)


class DecoderLayer(nn.Module):
    def __init__(self, width: int, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.cross_attention = Attention(width, heads)
        self.feed_forward = FeedForward(width, hidden)
        self.attention_norm = nn.LayerNorm(width)
        self.cross_attention_norm = nn.LayerNorm(width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor) -> Tensor:
        x = self.attention_norm(x + self.dropout(self.attention(x, x, mask)))
        x = self.cross_attention_norm(x + self.dropout(self.cross_attention(x, memory, memory_mask)))
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))


class Transformer(nn.Module):
    """Post-LN encoder and decoder with one table for source, target and readout.

    ``learned`` is the number of learned positions; 0 stands for sinusoids.
    """

    sinusoids: Tensor

    def __init__(
        self, vocabulary: int, width: int, hidden: int, layers: int, heads: int, dropout: float = 0.1, learned: int = 0
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.positions = nn.Embedding(learned, width) if learned else None
        self.register_buffer("sinusoids", sinusoids(512, width), persistent=False)
        self.encoder = nn.ModuleList(EncoderLayer(width, hidden, heads, dropout) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(width, hidden, heads, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def embed(self, tokens: Tensor) -> Tensor:
        table = self.sinusoids if self.positions is None else self.positions.weight
        x = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        return self.dropout(x + table[: tokens.shape[1]].to(x.dtype))

    def encode(self, source: Tensor) -> Tensor:
        mask = (source != PAD)[:, None, None, :]
        x = self.embed(source)
        for layer in self.encoder:
            x = layer(x, mask)
        return x

    def decode(self, target: Tensor, memory: Tensor, source: Tensor) -> Tensor:
        length = target.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device=target.device).tril()
        mask = causal & (target != PAD)[:, None, None, :]
        memory_mask = (source != PAD)[:, None, None, :]
        x = self.embed(target)
        for layer in self.decoder:
            x = layer(x, memory, mask, memory_mask)
        return F.linear(x, self.embedding.weight)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self.decode(target, self.encode(source), source)


def sinusoids(length: int, width: int) -> Tensor:
    """(length, width), in float64 so that each use may round it to its own type."""
    angles = torch.arange(length).double()[:, None] / 10000 ** (torch.arange(0, width, 2).double() / width)
    table = torch.zeros(length, width, dtype=torch.float64)
    table[:, 0::2] = angles.sin()
    table[:, 1::2] = angles.cos()[:, : width // 2]
    return table


class Seq2Seq(nn.Module):
    """Two LSTMs; the second begins where the first, which reads backwards, has ended."""

    def __init__(self, vocabulary: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.encoder = nn.LSTM(width, hidden, batch_first=True)
        self.decoder = nn.LSTM(width, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, vocabulary)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        _, state = self.encoder(self.embedding(source.flip(1)))
        states, _ = self.decoder(self.embedding(target), state)
        return self.readout(states)


class AttentiveSeq2Seq(nn.Module):
    """An LSTM that reads in both directions, and one that looks back at all of its states before each character."""

    def __init__(self, vocabulary: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.encoder = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTMCell(width + 2 * hidden, hidden)
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(2 * hidden, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.readout = nn.Linear(3 * hidden, vocabulary)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory, (hidden, cell) = self.encoder(self.embedding(source))
        state, keys, padding, outputs = (hidden[1], cell[1]), self.key(memory), source == PAD, []
        for token in self.embedding(target).unbind(1):
            scores = self.score(torch.tanh(self.query(state[0])[:, None] + keys)).squeeze(-1)
            weights = scores.masked_fill(padding, -torch.inf).softmax(-1)
            context = (weights[:, None] @ memory).squeeze(1)
            state = self.decoder(torch.cat([token, context], -1), state)
            outputs.append(torch.cat([state[0], context], -1))
        return self.readout(torch.stack(outputs, 1))


def smoothed_loss(logits: Tensor, wanted: Tensor, smoothing: float = 0.1) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=PAD, label_smoothing=smoothing)


@torch.no_grad()
def greedy(model: Transformer, source: Tensor, length: int) -> Tensor:
    """The likeliest token, again and again: (B, length)."""
    model.eval()
    memory = model.encode(source)
    written = torch.full((len(source), 1), START)
    for _ in range(length):
        token = model.decode(written, memory, source)[:, -1].argmax(-1, keepdim=True)
        written = torch.cat([written, token], dim=1)
    return written[:, 1:]
