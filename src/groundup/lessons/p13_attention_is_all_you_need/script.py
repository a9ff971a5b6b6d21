"""The lesson in one file: a Transformer learns to read dates as people write them."""

import numpy as np

from groundup.data.dates import CHARACTERS, date_pairs, decode_date, encode_pairs
from groundup.lessons.p13_attention_is_all_you_need.decoding import generate, transformer_scorer
from groundup.lessons.p13_attention_is_all_you_need.model import init, smoothed_loss, transformer
from groundup.training.optim import adam, inverse_root

WIDTH, HIDDEN, LAYERS, HEADS, BATCH = 48, 96, 1, 4, 64


def main(steps: int = 1500) -> None:
    rng = np.random.default_rng(0)
    params = init(rng, len(CHARACTERS), WIDTH, HIDDEN, LAYERS)
    optimiser, rate = adam(0.9, 0.98, 1e-9), inverse_root(WIDTH, warmup=200)  # section 5.3 of the paper
    state = optimiser.init(params)
    for step in range(steps):
        source, target = encode_pairs(date_pairs(rng, BATCH))
        logits, backward = transformer(params, source, target[:, :-1], HEADS)
        loss, loss_backward = smoothed_loss(logits, target[:, 1:])
        optimiser.update(params, backward(loss_backward()), state, rate(step))
        if step % max(1, steps // 20) == 0 or step == steps - 1:
            print(f"step {step:4}: loss {loss:.4f}")

    new = date_pairs(rng, 8)
    source, _ = encode_pairs(new)
    written = generate(transformer_scorer(params, source, HEADS), len(new), 11)
    for (text, wanted), row in zip(new, written, strict=True):
        print(f"{text!r}: {decode_date(row)} ({wanted} is right)")
