"""The lesson in one file: a small AlexNet learns to read handwritten digits."""

import numpy as np

from groundup.data.digits import load_digits, split_digits
from groundup.lessons.p07_alexnet.model import alexnet, init, shift
from groundup.ops.losses import cross_entropy
from groundup.training.optim import cosine, sgd

BATCH, DROPOUT = 64, 0.3


def main(steps: int = 1500) -> None:
    rng = np.random.default_rng(0)
    train, _, test = split_digits(load_digits())
    params = init(rng, size=8, channels=1, classes=10, filters=(16, 32), hidden=128)
    optimiser, rate = sgd(momentum=0.9, weight_decay=5e-4), cosine(0.1, steps)
    state = optimiser.init(params)
    mean = train.images.mean()
    for step in range(steps):
        rows = rng.integers(len(train.labels), size=BATCH)
        moved = shift(train.images[rows][..., None], rng.uniform(-0.5, 0.5, size=(BATCH, 2)))  # augmentation
        logits, backward = alexnet(params, moved - mean, DROPOUT, rng)
        loss, loss_backward = cross_entropy(logits, train.labels[rows])
        optimiser.update(params, backward(loss_backward()), state, rate(step))
        if step % max(1, steps // 20) == 0 or step == steps - 1:
            print(f"step {step:4}: loss {loss:.4f}")

    guesses = alexnet(params, test.images[..., None] - mean)[0].argmax(axis=1)
    print(f"of {len(guesses)} digits it has not seen it reads {np.mean(guesses == test.labels):.1%}")
    for image, guess in zip(test.images[:2], guesses[:2], strict=True):
        print("\n".join("".join(" .:*#"[round(4 * float(ink))] for ink in row) for row in image))
        print("read as", guess)
