"""The Transformer by hand: embeddings, encoder, decoder and readout, each with its backward (Vaswani et al. 2017)."""

import math

import numpy as np

from groundup.data.dates import PAD
from groundup.ops.activations import relu
from groundup.ops.attention import causal_mask, multi_head_attention, padding_mask
from groundup.ops.dropout import dropout
from groundup.ops.embedding import embedding
from groundup.ops.init import embedding_params, linear_params, norm_params
from groundup.ops.linear import linear
from groundup.ops.losses import cross_entropy
from groundup.ops.norms import layer_norm
from groundup.ops.positions import sinusoidal_positions
from groundup.ops.types import Array, Backward, Mask, Tree
from groundup.training.params import add_trees

Rng = np.random.Generator | None  # without one, in use, nothing is dropped


def init(
    rng: np.random.Generator,
    vocabulary: int,
    width: int,
    hidden: int,
    layers: int,
    learned: int = 0,
    dtype: type = np.float32,
) -> Tree:
    """Parameters; ``hidden`` is the paper's d_ff, ``learned`` the number of learned positions (0: sinusoids).

    The embedding has standard deviation 1/√width, for it is multiplied by √width where it is read, and is a
    readout with logits of about 1 where it is written. So have the projections of attention, which keeps the
    scale of what passes through them (Glorot & Bengio 2010).
    """
    std = 1 / math.sqrt(width)

    def attention() -> Tree:  # W_Q, W_K, W_V, W_O of section 3.2.2: no biases
        names = ("query", "key", "value", "out")
        return {name: linear_params(rng, width, width, bias=False, std=std, dtype=dtype) for name in names}

    def feed_forward() -> Tree:
        return {
            "up": linear_params(rng, width, hidden, dtype=dtype),
            "down": linear_params(rng, hidden, width, dtype=dtype),
        }

    def layer(*kinds: str) -> Tree:
        parts = {kind: attention() for kind in kinds} | {"feed_forward": feed_forward()}
        return parts | {f"{name}_norm": norm_params(width, dtype) for name in parts}

    params = {
        "embedding": embedding_params(rng, vocabulary, width, std, dtype),
        "encoder": [layer("attention") for _ in range(layers)],
        "decoder": [layer("attention", "cross_attention") for _ in range(layers)],
    }
    if learned:
        params["positions"] = embedding_params(rng, learned, width, 1.0, dtype)
    return params


def embed(params: Tree, tokens: Array, rate: float, rng: Rng) -> tuple[Array, Backward]:
    """√d E[token] + position (sections 3.4, 3.5): tokens (B, T) -> (B, T, D).

    ``backward(dy)`` returns the gradients of E and, where positions are learned, of their table.
    """
    table = params["embedding"]["weight"]
    length, width = tokens.shape[1], table.shape[1]
    scale = math.sqrt(width)  # (7)
    looked_up, embedding_backward = embedding(tokens, table)  # (7)
    if "positions" in params:
        positions = params["positions"]["weight"][:length]
    else:
        positions = sinusoidal_positions(length, width, table.dtype)  # (7)
    x = scale * looked_up + positions  # (7)
    y, dropout_backward = drop(x, rate, rng)

    def backward(dy: Array) -> Tree:
        dx = dropout_backward(dy)
        gradients = {"embedding": {"weight": embedding_backward(dx) * scale}}  # (8)
        if "positions" in params:
            d_positions = np.zeros_like(params["positions"]["weight"])
            d_positions[:length] = dx.sum(axis=0)  # a position serves every row of the batch
            gradients["positions"] = {"weight": d_positions}
        return gradients

    return y, backward


def drop(x: Array, rate: float, rng: Rng) -> tuple[Array, Backward]:
    """Dropout in training; without a Generator, in use, nothing is dropped."""
    return (x, lambda dy: dy) if rng is None else dropout(x, rate, rng)


def add_and_norm(x: Array, y: Array, norm: Tree, rate: float, rng: Rng) -> tuple[Array, Backward]:
    """LayerNorm(x + Dropout(y)): the wrapping of every sub-layer (sections 3.1 and 5.4).

    ``backward(dz)`` returns (dx, dy, dnorm): what comes back goes along the residual path and into the sub-layer.
    """
    kept, dropout_backward = drop(y, rate, rng)  # (5)
    z, norm_backward = layer_norm(x + kept, norm["weight"], norm["bias"])  # (5)

    def backward(dz: Array) -> tuple[Array, Array, Tree]:
        d_sum, d_gain, d_bias = norm_backward(dz)
        return d_sum, dropout_backward(d_sum), {"weight": d_gain, "bias": d_bias}

    return z, backward


def feed_forward(x: Array, params: Tree) -> tuple[Array, Backward]:
    """max(0, x W₁ + b₁) W₂ + b₂, the same at every position (eq. 2). ``backward(dy)`` returns (dx, dparams)."""
    up, up_backward = linear(x, params["up"]["weight"], params["up"]["bias"])  # (9)
    active, relu_backward = relu(up)  # (9)
    y, down_backward = linear(active, params["down"]["weight"], params["down"]["bias"])  # (9)

    def backward(dy: Array) -> tuple[Array, Tree]:
        d_active, d_down, d_down_bias = down_backward(dy)
        dx, d_up, d_up_bias = up_backward(relu_backward(d_active))
        return dx, {"up": {"weight": d_up, "bias": d_up_bias}, "down": {"weight": d_down, "bias": d_down_bias}}

    return y, backward


def encoder_layer(x: Array, params: Tree, mask: Mask, heads: int, rate: float, rng: Rng) -> tuple[Array, Backward]:
    """Self-attention, then feed-forward, each added and normalised. ``backward(dy)`` returns (dx, dparams)."""
    # Every position reads from all others, and what it has read is added to what it was.
    mixed, attention_backward = multi_head_attention(x, x, params["attention"], heads, mask)
    h, attention_norm_backward = add_and_norm(x, mixed, params["attention_norm"], rate, rng)
    # Then each position by itself: here nothing passes between them.
    thought, feed_forward_backward = feed_forward(h, params["feed_forward"])
    y, feed_forward_norm_backward = add_and_norm(h, thought, params["feed_forward_norm"], rate, rng)

    def backward(dy: Array) -> tuple[Array, Tree]:
        # `h` was used twice, by the feed-forward network and by the sum behind it: its gradients add up.
        gradients = {}
        dh, d_thought, gradients["feed_forward_norm"] = feed_forward_norm_backward(dy)
        dh_inside, gradients["feed_forward"] = feed_forward_backward(d_thought)
        # `x` was used three times: it asked, it was read, and it went past.
        dx, d_mixed, gradients["attention_norm"] = attention_norm_backward(dh + dh_inside)
        dx_query, dx_memory, gradients["attention"] = attention_backward(d_mixed)
        return dx + dx_query + dx_memory, {name: gradients[name] for name in params}

    return y, backward


def decoder_layer(
    x: Array, memory: Array, params: Tree, mask: Mask, memory_mask: Mask, heads: int, rate: float, rng: Rng
) -> tuple[Array, Backward]:
    """Masked self-attention, attention to the encoder's ``memory``, feed-forward.

    ``backward(dy)`` returns (dx, dmemory, dparams).
    """
    mixed, attention_backward = multi_head_attention(x, x, params["attention"], heads, mask)
    h, attention_norm_backward = add_and_norm(x, mixed, params["attention_norm"], rate, rng)
    read, cross_backward = multi_head_attention(h, memory, params["cross_attention"], heads, memory_mask)
    g, cross_norm_backward = add_and_norm(h, read, params["cross_attention_norm"], rate, rng)
    thought, feed_forward_backward = feed_forward(g, params["feed_forward"])
    y, feed_forward_norm_backward = add_and_norm(g, thought, params["feed_forward_norm"], rate, rng)

    def backward(dy: Array) -> tuple[Array, Array, Tree]:
        gradients = {}
        dg, d_thought, gradients["feed_forward_norm"] = feed_forward_norm_backward(dy)
        dg_inside, gradients["feed_forward"] = feed_forward_backward(d_thought)
        dh, d_read, gradients["cross_attention_norm"] = cross_norm_backward(dg + dg_inside)
        dh_query, d_memory, gradients["cross_attention"] = cross_backward(d_read)
        dx, d_mixed, gradients["attention_norm"] = attention_norm_backward(dh + dh_query)
        dx_query, dx_memory, gradients["attention"] = attention_backward(d_mixed)
        return dx + dx_query + dx_memory, d_memory, {name: gradients[name] for name in params}

    return y, backward


def encode(params: Tree, source: Array, heads: int, rate: float = 0.0, rng: Rng = None) -> tuple[Array, Backward]:
    """The encoder: source (B, S) -> memory (B, S, D). Rows at PAD hold numbers that nobody may look at.

    ``backward(dmemory)`` returns the gradients of the parameters that it used.
    """
    mask = padding_mask(source != PAD)  # (B, 1, 1, S)
    x, embed_backward = embed(params, source, rate, rng)
    backwards = []
    for layer in params["encoder"]:
        x, layer_backward = encoder_layer(x, layer, mask, heads, rate, rng)
        backwards.append(layer_backward)

    def backward(dx: Array) -> Tree:
        d_layers = []
        for layer_backward in reversed(backwards):
            dx, d_layer = layer_backward(dx)
            d_layers.append(d_layer)
        return {**embed_backward(dx), "encoder": d_layers[::-1]}

    return x, backward


def decode(
    params: Tree, target: Array, memory: Array, source: Array, heads: int, rate: float = 0.0, rng: Rng = None
) -> tuple[Array, Backward]:
    """The decoder: target (B, T) so far, memory (B, S, D) -> logits (B, T, V) of the token after each.

    ``backward(dlogits)`` returns the gradients of the parameters that it used, and of the memory.
    """
    table = params["embedding"]["weight"]
    mask = causal_mask(target.shape[1]) & padding_mask(target != PAD)  # (B, 1, T, T)
    memory_mask = padding_mask(source != PAD)  # (B, 1, 1, S)
    x, embed_backward = embed(params, target, rate, rng)
    backwards = []
    for layer in params["decoder"]:
        x, layer_backward = decoder_layer(x, memory, layer, mask, memory_mask, heads, rate, rng)
        backwards.append(layer_backward)
    logits, readout_backward = linear(x, table)  # tied: the rows of E are the readout too (section 3.4)

    def backward(d_logits: Array) -> tuple[Tree, Array]:
        dx, d_table = readout_backward(d_logits)  # (8)
        d_memory = np.zeros_like(memory)
        d_layers = []
        for layer_backward in reversed(backwards):
            dx, d_from_layer, d_layer = layer_backward(dx)
            d_memory = d_memory + d_from_layer  # every layer reads the same memory
            d_layers.append(d_layer)
        gradients = embed_backward(dx)
        gradients["embedding"]["weight"] += d_table  # (8) one table, used as embedding and as readout
        return {**gradients, "decoder": d_layers[::-1]}, d_memory

    return logits, backward


def transformer(
    params: Tree, source: Array, target: Array, heads: int, rate: float = 0.0, rng: Rng = None
) -> tuple[Array, Backward]:
    """Logits (B, T, V) of the token after each of ``target`` (B, T), given ``source`` (B, S).

    ``backward(dlogits)`` returns the gradient tree of ``params``.
    """
    memory, encode_backward = encode(params, source, heads, rate, rng)
    logits, decode_backward = decode(params, target, memory, source, heads, rate, rng)

    def backward(d_logits: Array) -> Tree:
        from_decoder, d_memory = decode_backward(d_logits)
        from_encoder = encode_backward(d_memory)
        shared = {
            name: add_trees(from_encoder[name], from_decoder[name])  # the table, used by both
            for name in from_encoder
            if name != "encoder"
        }
        found = {**from_encoder, **from_decoder, **shared}
        return {name: found[name] for name in params}

    return logits, backward


def smoothed_loss(logits: Array, wanted: Array, smoothing: float = 0.1) -> tuple[Array, Backward]:
    """Cross-entropy with label smoothing (section 5.4), the mean over the tokens that are not PAD."""
    return cross_entropy(logits, wanted, smoothing, ignore_index=PAD)  # (10)
