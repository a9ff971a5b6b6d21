"""Writing with a trained model: greedy, with a temperature, or by beam search; and what its heads look at."""

from collections.abc import Callable

import numpy as np

from groundup.data.dates import END, PAD, START
from groundup.lessons.p13_attention_is_all_you_need.model import (
    add_and_norm,
    decode,
    decoder_layer,
    embed,
    encode,
    encoder_layer,
)
from groundup.ops.activations import log_softmax
from groundup.ops.attention import attention_weights, causal_mask, multi_head_attention, padding_mask, split_heads
from groundup.ops.linear import linear
from groundup.ops.types import Array, Mask, Tree

# A `Scorer` gives the logits (N, V) of the next token of each prefix (N, t); rows (N,) say whose source it is.
Scorer = Callable[[Array, Array], Array]


def transformer_scorer(params: Tree, source: Array, heads: int) -> Scorer:
    """Encodes the sources (B, S) once; the decoder then reads every prefix anew, without a cache."""
    memory, _ = encode(params, source, heads)

    def score(prefixes: Array, rows: Array) -> Array:
        logits, _ = decode(params, prefixes, memory[rows], source[rows], heads)
        return logits[:, -1]

    return score


def generate(
    score: Scorer, count: int, length: int, temperature: float = 0.0, rng: np.random.Generator | None = None
) -> Array:
    """Write ``count`` rows of at most ``length`` tokens: (count, ≤ length), END and PAD after it included.

    At temperature 0 the likeliest token is taken (greedy); above it one is drawn from
    softmax(logits / temperature), by the Gumbel-max trick, with ``rng``.
    """
    rows = np.arange(count)
    written = np.full((count, 1), START)
    done = np.zeros(count, bool)
    for _ in range(length):
        logits = score(written, rows)
        if temperature > 0 and rng is not None:
            logits = logits / temperature + rng.gumbel(size=logits.shape)
        token = np.where(done, PAD, logits.argmax(axis=-1))
        written = np.concatenate([written, token[:, None]], axis=1)
        done |= token == END
        if done.all():
            break
    return written[:, 1:]


def length_penalty(length: Array, alpha: float) -> Array:
    """((5 + |Y|) / 6)^α (Wu et al. 2016, arXiv:1609.08144, eq. 14): what log-probabilities are divided by."""
    return ((5.0 + length) / 6.0) ** alpha  # (12)


def beam_search(score: Scorer, count: int, length: int, width: int = 4, alpha: float = 0.6) -> tuple[Array, Array]:
    """The best of ``width`` hypotheses a row: tokens (count, ≤ length) and their log-probabilities (count,).

    At every step the candidates are ranked by log P(Y|X) / length_penalty, |Y| counting END. A hypothesis that
    has ended stays in the beam, filled up with PAD at no cost. Width 4 and α = 0.6 are the paper's (section 6.1).
    """
    tokens = np.full((count, 1, 1), START)  # (B, hypotheses, t)
    totals = np.zeros((count, 1))
    lengths = np.zeros((count, 1))
    done = np.zeros((count, 1), bool)
    for _ in range(length):
        beams = tokens.shape[1]
        logits = score(tokens.reshape(count * beams, -1), np.repeat(np.arange(count), beams))
        log_p = log_softmax(logits)[0].astype(np.float64).reshape(count, beams, -1)
        log_p[done] = -np.inf
        log_p[done, PAD] = 0.0
        candidates = totals[..., None] + log_p  # (12) (B, hypotheses, V)
        grown = lengths + ~done
        ranked = candidates / length_penalty(grown, alpha)[..., None]  # (12)
        best = np.argsort(-ranked.reshape(count, -1), axis=-1, kind="stable")[:, :width]
        parent, token = np.divmod(best, log_p.shape[-1])
        totals = np.take_along_axis(candidates.reshape(count, -1), best, axis=1)
        lengths = np.take_along_axis(grown, parent, axis=1)
        done = np.take_along_axis(done, parent, axis=1) | (token == END)
        tokens = np.concatenate([np.take_along_axis(tokens, parent[..., None], axis=1), token[..., None]], axis=2)
        if done.all():
            break
    return tokens[:, 0, 1:], totals[:, 0]


def attention_maps(params: Tree, source: Array, target: Array, heads: int) -> dict[str, Array]:
    """The weights of every head: "encoder", "decoder" and "cross", each (layers, B, heads, Tq, Tk)."""

    def weights(x: Array, memory: Array, layer: Tree, mask: Mask) -> Array:
        query, key = (
            split_heads(linear(given, layer[name]["weight"])[0], heads)
            for given, name in ((x, "query"), (memory, "key"))
        )
        return attention_weights(query, key, mask)

    found: dict[str, list[Array]] = {"encoder": [], "decoder": [], "cross": []}
    memory_mask = padding_mask(source != PAD)
    mask = causal_mask(target.shape[1]) & padding_mask(target != PAD)
    x, _ = embed(params, source, 0.0, None)
    for layer in params["encoder"]:
        found["encoder"].append(weights(x, x, layer["attention"], memory_mask))
        x, _ = encoder_layer(x, layer, memory_mask, heads, 0.0, None)
    y, _ = embed(params, target, 0.0, None)
    for layer in params["decoder"]:
        found["decoder"].append(weights(y, y, layer["attention"], mask))
        mixed, _ = multi_head_attention(y, y, layer["attention"], heads, mask)
        asking, _ = add_and_norm(y, mixed, layer["attention_norm"], 0.0, None)
        found["cross"].append(weights(asking, x, layer["cross_attention"], memory_mask))
        y, _ = decoder_layer(y, x, layer, mask, memory_mask, heads, 0.0, None)
    return {name: np.stack(layers) for name, layers in found.items()}
