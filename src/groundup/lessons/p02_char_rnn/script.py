"""The lesson in one file: a recurrent network learns to write, one character at a time."""

import math

import numpy as np

from groundup.data.text import build_vocabulary, decode, encode, novels
from groundup.lessons.p02_char_rnn.model import char_rnn, generate, init, next_character_loss
from groundup.training.optim import adam, clip_by_global_norm, cosine

WIDTH, HIDDEN, BATCH, TIME = 64, 256, 32, 64


def main(steps: int = 1200) -> None:
    rng = np.random.default_rng(0)
    text = "\n\n\n".join(novels())
    vocabulary = build_vocabulary(text)
    tokens = encode(text, vocabulary)
    params = init(rng, len(vocabulary), WIDTH, HIDDEN)
    optimiser, rate = adam(), cosine(4e-3, steps, warmup=20)
    state = optimiser.init(params)
    nothing = np.zeros((BATCH, HIDDEN), np.float32)
    for step in range(steps):
        starts = rng.integers(len(tokens) - TIME, size=(BATCH, 1))
        read = tokens[starts + np.arange(TIME + 1)]  # (B, T + 1): each character's target is the one after it
        (logits, _), backward = char_rnn(params, read[:, :-1], nothing)
        loss, loss_backward = next_character_loss(logits, read[:, 1:])
        gradients, _ = clip_by_global_norm(backward(loss_backward(), nothing), 0.25)
        optimiser.update(params, gradients, state, rate(step))
        if step % max(1, steps // 20) == 0 or step == steps - 1:
            print(f"step {step:4}: loss {loss:.4f}, {loss / math.log(2):.3f} bits per character")

    written = generate(params, encode("\n", vocabulary), 500, 0.8, rng)
    print(decode(written, vocabulary))
