"""A character RNN by hand: embedding, Elman RNN, readout, and sampling with a temperature."""

import numpy as np

from groundup.ops.embedding import embedding
from groundup.ops.init import embedding_params, linear_params, recurrent_params
from groundup.ops.linear import linear
from groundup.ops.losses import cross_entropy
from groundup.ops.recurrent import rnn, rnn_step
from groundup.ops.types import Array, Backward, Tree


def init(rng: np.random.Generator, vocabulary: int, width: int, hidden: int, dtype: type = np.float32) -> Tree:
    """Parameters of the network; their flat names are those of the twin's ``state_dict``."""
    cell = recurrent_params(rng, "rnn", width, hidden, dtype)
    return {
        "embedding": embedding_params(rng, vocabulary, width, dtype=dtype),
        "rnn": {f"{name}_l0": array for name, array in cell.items()},
        "readout": linear_params(rng, hidden, vocabulary, dtype=dtype),
    }


def char_rnn(params: Tree, tokens: Array, hidden: Array) -> tuple[tuple[Array, Array], Backward]:
    """Read characters, and at each of them give the logits of the next one.

    tokens (B, T) integers, hidden (B, H) the state carried in. Returns ``(logits (B, T, V), last hidden (B, H))``.
    ``backward(d_logits, d_last)`` returns the gradient tree of ``params``. With ``d_last`` zero the gradient
    stops at the segment's end: truncated back-propagation through time (Williams & Peng 1990).
    """
    cell = params["rnn"]
    x, embedding_backward = embedding(tokens, params["embedding"]["weight"])  # (B, T, W)
    (states, last), rnn_backward = rnn(
        x, hidden, cell["weight_ih_l0"], cell["weight_hh_l0"], cell["bias_ih_l0"], cell["bias_hh_l0"]
    )  # (B, T, H)
    logits, readout_backward = linear(states, params["readout"]["weight"], params["readout"]["bias"])  # (2)

    def backward(d_logits: Array, d_last: Array) -> Tree:
        d_states, d_weight, d_bias = readout_backward(d_logits)
        d_x, _, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh = rnn_backward(d_states, d_last)
        return {
            "embedding": {"weight": embedding_backward(d_x)},
            "rnn": {
                "weight_ih_l0": d_weight_ih,
                "weight_hh_l0": d_weight_hh,
                "bias_ih_l0": d_bias_ih,
                "bias_hh_l0": d_bias_hh,
            },
            "readout": {"weight": d_weight, "bias": d_bias},
        }

    return (logits, last), backward


def next_character_loss(logits: Array, targets: Array) -> tuple[Array, Backward]:
    """Mean cross-entropy in nats per character; divided by ln 2 it is bits per character."""
    return cross_entropy(logits, targets)


def draw(logits: Array, temperature: float, rng: np.random.Generator) -> int:
    """One index from softmax(logits / temperature), by the Gumbel-max trick; temperature 0 takes the largest."""
    if temperature == 0:
        return int(np.argmax(logits))
    return int(np.argmax(logits / temperature + rng.gumbel(size=logits.shape)))


def generate(
    params: Tree, prompt: Array, length: int, temperature: float, rng: np.random.Generator, banned: int = 0
) -> Array:
    """Characters that follow ``prompt`` (a 1-D array of at least one token), each fed back in as the next input.

    ``banned`` is never drawn: it stands for characters that training did not see.
    """
    cell, table = params["rnn"], params["embedding"]["weight"]
    weights = (cell["weight_ih_l0"], cell["weight_hh_l0"], cell["bias_ih_l0"], cell["bias_hh_l0"])
    hidden = np.zeros((1, cell["weight_hh_l0"].shape[0]), dtype=table.dtype)
    for token in prompt:
        hidden, _ = rnn_step(table[[token]], hidden, *weights)
    written = np.empty(length, dtype=np.int64)
    for place in range(length):
        logits, _ = linear(hidden, params["readout"]["weight"], params["readout"]["bias"])  # (2)
        logits[0, banned] = -np.inf
        written[place] = draw(logits[0], temperature, rng)
        hidden, _ = rnn_step(table[[written[place]]], hidden, *weights)
    return written
