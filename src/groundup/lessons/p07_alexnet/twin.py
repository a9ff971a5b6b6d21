"""The same network as a PyTorch practitioner would write it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AlexNet(nn.Module):
    """Two blocks of convolution, ReLU, local response norm and overlapping pooling, then three linear layers."""

    def __init__(
        self,
        size: int,
        channels: int,
        classes: int,
        filters: tuple[int, int] = (16, 32),
        hidden: int = 128,
        dropout: float = 0.5,
        activation: Callable[[Tensor], Tensor] = torch.relu,
    ) -> None:
        super().__init__()
        large = size >= 16
        self.conv1 = nn.Conv2d(channels, filters[0], 5, stride=2 if large else 1, padding=2)
        self.conv2 = nn.Conv2d(filters[0], filters[1], 3, padding=1)
        self.norm = nn.LocalResponseNorm(5, alpha=5 * 0.1, beta=0.75, k=2.0)  # (5) PyTorch divides alpha by the size
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.activation = activation
        for _ in range(3 if large else 2):  # every stride of 2 halves, rounding up
            size = (size + 1) // 2
        self.fc1 = nn.Linear(filters[1] * size * size, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, classes)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2, self.fc3):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if layer is self.fc3 else "relu")
            nn.init.constant_(layer.bias, 0.0)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        x = images.permute(0, 3, 1, 2)  # the batch is channels-last
        x = self.pool(self.norm(self.activation(self.conv1(x))))  # (1), (5)
        x = self.pool(self.norm(self.activation(self.conv2(x))))  # (1), (5)
        x = self.dropout(self.activation(self.fc1(x.flatten(1))))
        x = self.dropout(self.activation(self.fc2(x)))
        return self.fc3(x)


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels)
