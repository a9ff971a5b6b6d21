"""The lesson in one file: Adam with warm-up and a cosine teaches a network to read handwritten digits."""

import numpy as np

from groundup.data.mnist import load_mnist, split_mnist
from groundup.lessons.optimizers.model import init, mlp
from groundup.ops.losses import cross_entropy
from groundup.training.optim import adam, clip_by_global_norm, cosine

SIZES, BATCH, RATE, WARMUP, LONGEST = (784, 64, 10), 64, 2**-6, 40, 5.0


def main(steps: int = 400) -> None:
    rng = np.random.default_rng(0)
    train, _, test = split_mnist(load_mnist())
    params, optimiser, rate = init(rng, SIZES), adam(), cosine(RATE, steps, WARMUP)
    state = optimiser.init(params)
    for step in range(steps):
        rows = rng.integers(len(train.labels), size=BATCH)
        logits, backward = mlp(params, train.images[rows])
        loss, loss_backward = cross_entropy(logits, train.labels[rows])
        gradients, norm = clip_by_global_norm(backward(loss_backward()), LONGEST)
        optimiser.update(params, gradients, state, rate(step))
        if step % max(1, steps // 10) == 0 or step == steps - 1:
            print(f"step {step:4}: rate {rate(step):.5f}, length of the gradient {norm:.2f}, loss {loss:.4f}")

    guesses = mlp(params, test.images)[0].argmax(axis=1)
    print(f"of {len(guesses)} digits it has not seen it reads {np.mean(guesses == test.labels):.1%}")
