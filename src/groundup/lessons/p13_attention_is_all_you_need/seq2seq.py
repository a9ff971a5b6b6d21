"""The rival: an encoder–decoder LSTM without attention (Sutskever, Vinyals & Le 2014, arXiv:1409.3215)."""

import numpy as np

from groundup.lessons.p13_attention_is_all_you_need.decoding import Scorer
from groundup.ops.embedding import embedding
from groundup.ops.init import embedding_params, linear_params, recurrent_params
from groundup.ops.linear import linear
from groundup.ops.recurrent import lstm
from groundup.ops.types import Array, Backward, Tree

WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def seq2seq_init(
    rng: np.random.Generator, vocabulary: int, width: int, hidden: int, forget: float, dtype: type = np.float32
) -> Tree:
    """Parameters. ``forget`` is added to the forget gates' biases, so that at first the cell keeps what it has."""

    def cell() -> Tree:
        params = {f"{name}_l0": array for name, array in recurrent_params(rng, "lstm", width, hidden, dtype).items()}
        params["bias_ih_l0"][hidden : 2 * hidden] += forget
        return params

    return {
        "embedding": embedding_params(rng, vocabulary, width, std=0.3, dtype=dtype),
        "encoder": cell(),
        "decoder": cell(),
        "readout": linear_params(rng, hidden, vocabulary, dtype=dtype),
    }


def seq2seq(params: Tree, source: Array, target: Array) -> tuple[Array, Backward]:
    """Logits (B, T, V) of the token after each of ``target`` (B, T), given ``source`` (B, S).

    The source is read backwards, as in the paper; so PADs on the right come first, where they do least harm.
    All that the decoder learns of it is the encoder's last state. ``backward(dlogits)`` returns the gradient tree.
    """
    table = params["embedding"]["weight"]
    encoder, decoder = ([params[name][weight] for weight in WEIGHTS] for name in ("encoder", "decoder"))
    x, source_backward = embedding(source[:, ::-1], table)
    y, target_backward = embedding(target, table)
    zeros = np.zeros((len(source), encoder[1].shape[1]), table.dtype)
    (read, hidden, cell), encoder_backward = lstm(x, zeros, zeros, *encoder)
    (states, _, _), decoder_backward = lstm(y, hidden, cell, *decoder)
    logits, readout_backward = linear(states, params["readout"]["weight"], params["readout"]["bias"])

    def backward(d_logits: Array) -> Tree:
        d_states, d_weight, d_bias = readout_backward(d_logits)
        dy, d_hidden, d_cell, *d_decoder = decoder_backward(d_states, zeros, zeros)
        dx, _, _, *d_encoder = encoder_backward(np.zeros_like(read), d_hidden, d_cell)
        return {
            "embedding": {"weight": source_backward(dx) + target_backward(dy)},
            "encoder": dict(zip(WEIGHTS, d_encoder, strict=True)),
            "decoder": dict(zip(WEIGHTS, d_decoder, strict=True)),
            "readout": {"weight": d_weight, "bias": d_bias},
        }

    return logits, backward


def seq2seq_scorer(params: Tree, source: Array) -> Scorer:
    """For greedy decoding: every prefix is read anew, as by ``transformer_scorer``."""

    def score(prefixes: Array, rows: Array) -> Array:
        return seq2seq(params, source[rows], prefixes)[0][:, -1]

    return score
