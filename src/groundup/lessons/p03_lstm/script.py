"""The lesson in one file: an LSTM reads numbers, keeps two of them in mind for fifty steps, and says their sum."""

import numpy as np

from groundup.lessons.p03_lstm.experiment import adding
from groundup.lessons.p03_lstm.model import adder, init
from groundup.ops.losses import mse
from groundup.training.optim import adam, clip_by_global_norm, cosine

HIDDEN, LENGTH, BATCH = 32, 50, 32


def main(steps: int = 600) -> None:
    rng = np.random.default_rng(0)
    params = init(rng, "lstm", HIDDEN, (-3.0, 3.0))
    optimiser, rate = adam(), cosine(2e-2, steps, warmup=20)
    state = optimiser.init(params)
    for step in range(steps):
        examples = adding(rng, BATCH, LENGTH)
        y, backward = adder(params, examples["x"])
        loss, loss_backward = mse(y, examples["wanted"])
        gradients, _ = clip_by_global_norm(backward(loss_backward()), 1.0)
        optimiser.update(params, gradients, state, rate(step))
        if step % max(1, steps // 20) == 0 or step == steps - 1:
            print(f"step {step:4}: loss {loss:.4f} (always saying 1: 0.167)")

    new = adding(rng, 5, LENGTH)
    for said, wanted in zip(adder(params, new["x"])[0], new["wanted"], strict=True):
        print(f"it says {said[0]:.2f}, the sum is {wanted[0]:.2f}")
