"""The same layer and readers as a PyTorch practitioner would write them."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """Multi-head self-attention; PyTorch's fused kernel does the scaling, the softmax and the blocks."""

    def __init__(self, width: int, heads: int, stretch: float = 1.0) -> None:
        super().__init__()
        self.heads = heads
        self.scale = stretch * (width // heads) ** -0.5  # PyTorch's own, unless one wants to see what another does
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, D/heads)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (self.split(part(x)) for part in (self.query, self.key, self.value))  # (13)
        y = F.scaled_dot_product_attention(query, key, value, scale=self.scale)  # (11), (13)
        return self.out(y.transpose(1, 2).flatten(2))  # (13)


class MeanPooling(nn.Module):
    """Every card receives the same mean of all cards, then passes a hidden layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.hidden = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        h = x + self.out(self.value(x).mean(dim=1, keepdim=True))
        return h + self.output(F.relu(self.hidden(h)))


class CardReader(nn.Module):
    """Cards (B, T, 4) to logits (B, T, 2, contents): one attention layer and a linear readout."""

    def __init__(self, names: int, contents: int, width: int, heads: int, stretch: float = 1.0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(3 * names + contents, width)
        self.attention = SelfAttention(width, heads, stretch)
        self.readout = nn.Linear(width, 2 * contents)

    def forward(self, cards: Tensor) -> Tensor:
        x = self.embedding(cards).sum(dim=2)
        return self.readout(self.attention(x)).unflatten(-1, (2, -1))


class MeanReader(nn.Module):
    """The baseline with as many parameters."""

    def __init__(self, names: int, contents: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(3 * names + contents, width)
        self.mean = MeanPooling(width)
        self.readout = nn.Linear(width, 2 * contents)

    def forward(self, cards: Tensor) -> Tensor:
        x = self.embedding(cards).sum(dim=2)
        return self.readout(self.mean(x)).unflatten(-1, (2, -1))


def answer_loss(logits: Tensor, answers: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, -2), answers.flatten())


@torch.no_grad()
def share_right(model: nn.Module, cards: Tensor, answers: Tensor) -> float:
    """The share of questions that get the right content."""
    return (model(cards).argmax(dim=-1) == answers).float().mean().item()
