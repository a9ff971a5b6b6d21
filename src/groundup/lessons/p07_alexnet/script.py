"""The lesson in one file: a small AlexNet learns to read digits, and digits that are moved."""

import numpy as np

from groundup.data.mnist import load_mnist, split_mnist
from groundup.lessons.p07_alexnet.model import alexnet, init, shift
from groundup.ops.losses import cross_entropy
from groundup.training.optim import cosine, sgd

BATCH, DROPOUT = 32, 0.3


def main(steps: int = 1500) -> None:
    rng = np.random.default_rng(0)
    train, _, test = split_mnist(load_mnist())
    params = init(rng, size=28, channels=1, classes=10, filters=(16, 32), hidden=128)
    optimiser, rate = sgd(momentum=0.9, weight_decay=5e-4), cosine(0.05, steps)
    state = optimiser.init(params)
    mean = train.images.mean()
    for step in range(steps):
        rows = rng.integers(len(train.labels), size=BATCH)
        moved = shift(train.images[rows][..., None], rng.uniform(-2, 2, size=(BATCH, 2)))  # augmentation
        logits, backward = alexnet(params, moved - mean, DROPOUT, rng)
        loss, loss_backward = cross_entropy(logits, train.labels[rows])
        optimiser.update(params, backward(loss_backward()), state, rate(step))
        if step % max(1, steps // 20) == 0 or step == steps - 1:
            print(f"step {step:4}: loss {loss:.4f}")

    images = test.images[..., None]
    for name, seen in (
        ("as they are", images),
        ("moved by three pixels", shift(images, np.full((len(images), 2), (0, 3)))),
    ):
        guesses = alexnet(params, seen - mean)[0].argmax(axis=1)
        print(f"of {len(guesses)} digits it has not met it reads, {name}, {np.mean(guesses == test.labels):.1%}")
    print("\n".join("".join(" .:*#"[round(4 * float(ink))] for ink in row) for row in images[0, ::2, :, 0]))
    print("read as", alexnet(params, images[:1] - mean)[0].argmax())
