"""The rival: an LSTM that reads and writes the same tokens, with as many parameters (Sutskever et al. 2014)."""

import numpy as np

from groundup.ops.embedding import embedding
from groundup.ops.init import embedding_params, linear_params, recurrent_params
from groundup.ops.linear import linear
from groundup.ops.recurrent import lstm
from groundup.ops.types import Array, Backward, Tree

WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
FORGET = 1.0  # added to the forget gates' biases, so that at first the cell keeps what it has


def lstm_init(rng: np.random.Generator, vocabulary: int, width: int, hidden: int, dtype: type = np.float32) -> Tree:
    """Parameters of the LSTM: embedding (V, width), one layer of ``hidden`` cells, readout."""
    cell = {f"{name}_l0": array for name, array in recurrent_params(rng, "lstm", width, hidden, dtype).items()}
    cell["bias_ih_l0"][hidden : 2 * hidden] += dtype(FORGET)
    return {
        "embedding": embedding_params(rng, vocabulary, width, dtype=dtype),
        "lstm": cell,
        "readout": linear_params(rng, hidden, vocabulary, dtype=dtype),
    }


def lstm_decoder(params: Tree, tokens: Array) -> tuple[Array, Backward]:
    """Read tokens (B, T), and at each of them give the logits (B, T, V) of the next one.

    What it knows of the word stands in its cell alone. ``backward(d_logits)`` returns the gradient tree.
    """
    weights = [params["lstm"][name] for name in WEIGHTS]
    x, embedding_backward = embedding(tokens, params["embedding"]["weight"])
    zeros = np.zeros((len(tokens), weights[1].shape[1]), x.dtype)
    (states, _, _), lstm_backward = lstm(x, zeros, zeros, *weights)
    logits, readout_backward = linear(states, params["readout"]["weight"], params["readout"]["bias"])

    def backward(d_logits: Array) -> Tree:
        d_states, d_weight, d_bias = readout_backward(d_logits)
        dx, _, _, *d_cell = lstm_backward(d_states, zeros, zeros)
        return {
            "embedding": {"weight": embedding_backward(dx)},
            "lstm": dict(zip(WEIGHTS, d_cell, strict=True)),
            "readout": {"weight": d_weight, "bias": d_bias},
        }

    return logits, backward
