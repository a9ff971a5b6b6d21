"""The lesson in one file: a decoder with one layer learns to write words backwards."""

import numpy as np

from groundup.lessons.tiny_decoder.learners import answer_loss
from groundup.lessons.tiny_decoder.model import decoder, generate, init
from groundup.lessons.tiny_decoder.words import LONGEST, SYMBOLS, draw_words, reversal
from groundup.training.optim import adam, clip_by_global_norm, cosine

WIDTH, HEADS, BATCH = 64, 4, 32


def main(steps: int = 500) -> None:
    rng = np.random.default_rng(0)
    params = init(rng, len(SYMBOLS), WIDTH)
    optimiser, rate = adam(weight_decay=0.3), cosine(8e-3, steps, warmup=20)
    state = optimiser.init(params)
    for step in range(steps):
        batch = reversal(draw_words(rng, BATCH))
        logits, backward = decoder(params, batch["tokens"], HEADS)
        loss, loss_backward = answer_loss(logits, batch["targets"])
        gradients, _ = clip_by_global_norm(backward(loss_backward()), 1.0)
        optimiser.update(params, gradients, state, rate(step))
        if step % max(1, steps // 20) == 0 or step == steps - 1:
            print(f"step {step:4}: loss {loss:.4f}")

    prompts = reversal(draw_words(rng, 5))["tokens"][:, : LONGEST + 1]  # new words, each followed by ">"
    answers, _ = generate(params, prompts, LONGEST + 1, HEADS)
    for prompt, answer in zip(prompts, answers, strict=True):
        print(
            "".join(SYMBOLS[token] for token in prompt), "".join(SYMBOLS[token] for token in answer).partition(".")[0]
        )
