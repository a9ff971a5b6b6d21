"""The same network as a PyTorch practitioner would write it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CharRNN(nn.Module):
    """Embedding, Elman RNN with tanh, readout."""

    def __init__(self, vocabulary: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.rnn = nn.RNN(width, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, vocabulary)

    def forward(self, tokens: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        states, last = self.rnn(self.embedding(tokens), hidden.unsqueeze(0))  # (1)
        return self.readout(states), last.squeeze(0)  # (2)


def next_character_loss(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@torch.no_grad()
def generate(model: CharRNN, prompt: Tensor, length: int, temperature: float) -> list[int]:
    """Characters that follow ``prompt`` (1-D), drawn from softmax(logits / temperature)."""
    hidden = torch.zeros(1, model.rnn.hidden_size)
    written: list[int] = []
    tokens = prompt
    for _ in range(length):
        logits, hidden = model(tokens.unsqueeze(0), hidden)
        scores = logits[0, -1] / temperature
        scores[0] = -torch.inf
        tokens = torch.multinomial(F.softmax(scores, dim=-1), 1)
        written.append(int(tokens))
    return written
