"""The lesson in one file: one layer of self-attention learns to look things up."""

import numpy as np

from groundup.lessons.self_attention.experiment import deal
from groundup.lessons.self_attention.model import card_reader, init
from groundup.ops.losses import cross_entropy
from groundup.training.optim import adam, cosine

BOXES, CARDS, NAMES, CONTENTS, WIDTH, HEADS = 32, 32, 48, 16, 64, 2


def main(steps: int = 400) -> None:
    rng = np.random.default_rng(0)
    params = init(rng, NAMES, CONTENTS, WIDTH)
    optimiser, rate = adam(), cosine(5e-3, steps, warmup=20)
    state = optimiser.init(params)
    for step in range(steps):
        batch = deal(rng, BOXES, CARDS, NAMES, CONTENTS)
        logits, backward = card_reader(params, batch["cards"], HEADS)  # (B, T, 2, contents)
        loss, loss_backward = cross_entropy(logits, batch["answers"])
        optimiser.update(params, backward(loss_backward()), state, rate(step))
        if step % max(1, steps // 20) == 0 or step == steps - 1:
            print(f"step {step:4}: loss {loss:.4f}")

    new = deal(rng, BOXES, CARDS, NAMES, CONTENTS)
    answers = card_reader(params, new["cards"], HEADS)[0].argmax(axis=-1)
    print(f"right answers about new boxes: {np.mean(answers == new['answers']):.1%}")
    for fields, answer in zip(new["cards"][0, :5], answers[0], strict=False):
        first, second = fields[2] - NAMES - CONTENTS, fields[3] - 2 * NAMES - CONTENTS
        print(f"card {fields[0]} asks what is on {first} and {second}: the answer is {answer[0]} and {answer[1]}")
