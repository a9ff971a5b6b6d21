"""What must be so in this lesson; ``groundup check tiny_decoder`` proves it."""

import numpy as np

from groundup.lesson import Fact
from groundup.lessons.tiny_decoder.learners import SIZE
from groundup.lessons.tiny_decoder.model import decode_step, decoder, init, start_cache
from groundup.lessons.tiny_decoder.words import draw_words, reversal
from groundup.ops.types import Array, Tree
from groundup.proof.instruments import leaks
from groundup.training.params import map_tree

HEADS = SIZE["heads"]


def example(rows: int) -> tuple[Tree, Array]:
    """Random parameters with logits of a few units, and the tokens (rows, 33) of random words."""
    rng = np.random.default_rng(0)
    params = init(rng, SIZE["vocabulary"], SIZE["width"])
    params = map_tree(lambda leaf: leaf + 0.1 * rng.standard_normal(leaf.shape, np.float32), params)
    return params, reversal(draw_words(rng, rows))["tokens"]


def cache_apart() -> float:
    """The largest difference of any logit of any row, in float32: token by token, and the whole line at once."""
    params, tokens = example(64)
    at_once, _ = decoder(params, tokens, HEADS)
    cache, worst = start_cache(params, len(tokens), HEADS, tokens.shape[1]), 0.0
    for place in range(tokens.shape[1]):
        logits, cache = decode_step(params, tokens[:, place], cache)
        worst = max(worst, float(np.abs(logits - at_once[:, place]).max()))
    return worst


def future_seen() -> float:
    """The largest change of any output before t when token t is changed, for all t."""
    params, tokens = example(16)
    return float(leaks(lambda tokens: decoder(params, tokens, HEADS)[0], tokens).max())


def hidden_leaks() -> float:
    """The share of all t at which a mask that lets each token see the next is not found out."""
    params, tokens = example(16)
    one_ahead = np.tri(tokens.shape[1], k=1, dtype=bool)
    return float(np.mean(leaks(lambda tokens: decoder(params, tokens, HEADS, one_ahead)[0], tokens) == 0))


FACTS = (
    Fact("cache", "Token by token with a KV cache the logits are those of the whole line at once", cache_apart, 1e-5),
    Fact("causal", "Changing token t changes no output before t, for all t: not by one bit", future_seen),
    Fact("planted", "A mask that lets each token see the next is found out at every t", hidden_leaks),
)
