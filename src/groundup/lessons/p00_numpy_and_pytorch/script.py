"""The lesson in one file: a network with one hidden layer learns to read handwritten digits."""

import numpy as np

from groundup.data.digits import load_digits, split_digits
from groundup.lessons.p00_numpy_and_pytorch.model import init, mlp
from groundup.ops.losses import cross_entropy
from groundup.training.optim import sgd

HIDDEN, BATCH, RATE = 64, 64, 0.5


def main(steps: int = 2000) -> None:
    rng = np.random.default_rng(0)
    train, _, test = split_digits(load_digits())
    params = init(rng, inputs=64, hidden=HIDDEN, classes=10)
    optimiser = sgd()
    state = optimiser.init(params)
    for step in range(steps):
        rows = rng.integers(len(train.labels), size=BATCH)
        logits, backward = mlp(params, train.images[rows])
        loss, loss_backward = cross_entropy(logits, train.labels[rows])
        optimiser.update(params, backward(loss_backward()), state, RATE)
        if step % max(1, steps // 10) == 0 or step == steps - 1:
            print(f"step {step:4}: loss {loss:.4f}")

    guesses = mlp(params, test.images)[0].argmax(axis=1)
    print(f"of {len(guesses)} digits it has not seen it reads {np.mean(guesses == test.labels):.1%}")
    for image, guess in zip(test.images[:2], guesses[:2], strict=True):
        print("\n".join("".join(" .:*#"[round(4 * float(ink))] for ink in row) for row in image))
        print("read as", guess)
