"""A one-layer decoder-only transformer by hand, and generation with and without a cache of keys and values."""

import numpy as np

from groundup.ops.activations import gelu
from groundup.ops.attention import (
    attention_weights,
    causal_mask,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
)
from groundup.ops.embedding import embedding
from groundup.ops.init import embedding_params, linear_params, norm_params
from groundup.ops.linear import linear
from groundup.ops.norms import layer_norm
from groundup.ops.positions import sinusoidal_positions
from groundup.ops.types import Array, Backward, Mask, Tree


def init(rng: np.random.Generator, vocabulary: int, width: int, dtype: type = np.float32) -> Tree:
    """Parameters of the decoder; inside the MLP it is four times as wide (Vaswani et al. 2017, section 3.3)."""
    return {
        "embedding": embedding_params(rng, vocabulary, width, dtype=dtype),
        "attention_norm": norm_params(width, dtype),
        "attention": {
            "qkv": linear_params(rng, width, 3 * width, dtype=dtype),
            "out": linear_params(rng, width, width, dtype=dtype),
        },
        "mlp_norm": norm_params(width, dtype),
        "mlp": {
            "up": linear_params(rng, width, 4 * width, dtype=dtype),
            "down": linear_params(rng, 4 * width, width, dtype=dtype),
        },
        "norm": norm_params(width, dtype),
        "readout": linear_params(rng, width, vocabulary, dtype=dtype),
    }


def decoder(
    params: Tree, tokens: Array, heads: int, mask: Mask = None, positions: Array | None = None
) -> tuple[Array, Backward]:
    """Read tokens, and at each of them give the logits of the next one.

    tokens (B, T) integers -> logits (B, T, V); ``backward(d_logits)`` returns the gradient tree of ``params``.
    ``mask`` is causal and ``positions`` (T, D) are sinusoids unless given; the lesson gives others to see what
    they are good for. The norms stand before the sublayers (Pre-LN: Xiong et al. 2020, arXiv:2002.04745,
    figure 1b), so that the sum x + sublayer(norm(x)) lets gradients pass untouched.
    Raises ValueError if the heads do not divide the width.
    """
    # Attention alone knows no order: positions tell places apart, the mask hides the future.
    length, width = tokens.shape[1], params["embedding"]["weight"].shape[1]
    mask = causal_mask(length) if mask is None else mask
    embedded, embedding_backward = embedding(tokens, params["embedding"]["weight"])  # (2)
    positions = sinusoidal_positions(length, width, embedded.dtype.type) if positions is None else positions
    x = embedded + positions  # (2) (B, T, D)

    # Positions read from each other; what each has read is added, so what it was passes on unchanged.
    normed, attention_norm_backward = norm(x, params["attention_norm"])  # (2)
    attended, attention_backward = self_attention(normed, params["attention"], heads, mask)  # (2)
    middle = x + attended  # (2)
    # Then each works alone on what it has gathered.
    normed, mlp_norm_backward = norm(middle, params["mlp_norm"])  # (3)
    thought, mlp_backward = mlp(normed, params["mlp"])  # (3)
    last = middle + thought  # (3)
    # The sum, once more normalised, becomes a score for each token of the vocabulary.
    normed, norm_backward = norm(last, params["norm"])  # (3)
    logits, readout_backward = linear(normed, **params["readout"])  # (3) (B, T, V)

    def backward(d_logits: Array) -> Tree:
        # Every block in reverse order, each by its own closure.
        d_normed, *d_readout = readout_backward(d_logits)
        d_last, d_norm = norm_backward(d_normed)
        # Two ways led here, through the sublayer and past it, so two gradients meet, (12).
        d_normed, d_mlp = mlp_backward(d_last)
        d_inside, d_mlp_norm = mlp_norm_backward(d_normed)
        d_middle = d_last + d_inside  # (12)
        # The same once more: the way past both sublayers brings the gradient here unchanged.
        d_normed, d_attention = attention_backward(d_middle)
        d_inside, d_attention_norm = attention_norm_backward(d_normed)
        dx = d_middle + d_inside  # (12)

        return {
            "embedding": {"weight": embedding_backward(dx)},
            "attention_norm": d_attention_norm,
            "attention": d_attention,
            "mlp_norm": d_mlp_norm,
            "mlp": d_mlp,
            "norm": d_norm,
            "readout": named(*d_readout),
        }

    return logits, backward


def self_attention(x: Array, params: Tree, heads: int, mask: Mask) -> tuple[Array, Backward]:
    """Several heads of attention of a sequence to itself, then a linear map that mixes them.

    x (B, T, D) -> (B, T, D); one linear map "qkv" makes queries, keys and values, "out" comes last (Vaswani et
    al. 2017, section 3.2.2). ``backward(dy)`` returns (dx, dparams).
    """
    packed, qkv_backward = linear(x, **params["qkv"])  # (B, T, 3D)
    query, key, value = split_qkv(packed, heads)
    per_head, attention_backward = scaled_dot_product_attention(query, key, value, mask)
    y, out_backward = linear(merge_heads(per_head), **params["out"])

    def backward(dy: Array) -> tuple[Array, Tree]:
        d_merged, *d_out = out_backward(dy)
        d_parts = np.stack(attention_backward(split_heads(d_merged, heads)))  # (3, B, heads, T, D/heads)
        d_packed = d_parts.transpose(1, 3, 0, 2, 4).reshape(packed.shape)  # split_qkv undone
        dx, *d_qkv = qkv_backward(d_packed)
        return dx, {"qkv": named(*d_qkv), "out": named(*d_out)}

    return y, backward


def split_qkv(packed: Array, heads: int) -> Array:
    """(B, T, 3D) -> (3, B, heads, T, D/heads), queries, keys and values.

    Raises ValueError if the heads do not divide D.
    """
    batch, length, width = packed.shape
    if width % (3 * heads):
        raise ValueError(f"a width of {width // 3} does not divide into {heads} heads")
    return packed.reshape(batch, length, 3, heads, -1).transpose(2, 0, 3, 1, 4)


def mlp(x: Array, params: Tree) -> tuple[Array, Backward]:
    """Two linear maps with a GELU between, at every position by itself: x (B, T, D) -> (B, T, D).

    ``backward(dy)`` returns (dx, dparams). Source: Vaswani et al. 2017, section 3.3, with GPT-2's GELU.
    """
    wide, up_backward = linear(x, **params["up"])  # (B, T, 4D)
    active, gelu_backward = gelu(wide)
    y, down_backward = linear(active, **params["down"])

    def backward(dy: Array) -> tuple[Array, Tree]:
        d_active, *d_down = down_backward(dy)
        dx, *d_up = up_backward(gelu_backward(d_active))
        return dx, {"up": named(*d_up), "down": named(*d_down)}

    return y, backward


def norm(x: Array, params: Tree) -> tuple[Array, Backward]:
    """Layer norm with parameters {"weight": gain, "bias"}; ``backward(dy)`` returns (dx, dparams)."""
    y, layer_norm_backward = layer_norm(x, params["weight"], params["bias"])

    def backward(dy: Array) -> tuple[Array, Tree]:
        dx, *d_affine = layer_norm_backward(dy)
        return dx, named(*d_affine)

    return y, backward


def named(weight: Array, bias: Array) -> Tree:
    """Two gradients under the names of their parameters."""
    return {"weight": weight, "bias": bias}


def start_cache(params: Tree, batch: int, heads: int, capacity: int) -> Tree:
    """What ``decode_step`` needs before the first token, for at most ``capacity`` tokens in all.

    {"keys", "values": (B, heads, tokens so far, D/heads), "positions": (capacity, D)}.
    """
    table = params["embedding"]["weight"]
    width = table.shape[1]
    empty = np.empty((batch, heads, 0, width // heads), table.dtype)
    return {"keys": empty, "values": empty, "positions": sinusoidal_positions(capacity, width, table.dtype.type)}


def decode_step(params: Tree, token: Array, cache: Tree) -> tuple[Array, Tree]:
    """Read one more token of every sequence: token (B,) -> logits of the next (B, V), and the longer cache.

    Equal to the last column of ``decoder`` on the whole sequence: the keys and values of earlier tokens cannot
    change, because nothing before a token depends on it. No mask is needed: there is no future to hide.
    Raises IndexError when the cache is full.
    """
    heads, length = cache["keys"].shape[1:3]
    x = params["embedding"]["weight"][token] + cache["positions"][length]  # (2) (B, D)
    x = x[:, None]  # a sequence of one, (B, 1, D)
    normed, _ = norm(x, params["attention_norm"])  # (2)
    query, key, value = split_qkv(linear(normed, **params["attention"]["qkv"])[0], heads)  # (2)
    keys = np.concatenate([cache["keys"], key], axis=2)  # (B, heads, length + 1, D/heads)
    values = np.concatenate([cache["values"], value], axis=2)
    per_head = attention_weights(query, keys) @ values  # (2)
    x = x + linear(merge_heads(per_head), **params["attention"]["out"])[0]  # (2)
    x = x + mlp(norm(x, params["mlp_norm"])[0], params["mlp"])[0]  # (3)
    logits, _ = linear(norm(x, params["norm"])[0], **params["readout"])  # (3)
    return logits[:, 0], {**cache, "keys": keys, "values": values}


def generate(
    params: Tree,
    prompt: Array,
    count: int,
    heads: int,
    cached: bool = True,
    temperature: float = 1.0,
    rng: np.random.Generator | None = None,
) -> tuple[Array, Array]:
    """Go on from prompts (B, T): ``count`` tokens (B, count) and the logits they were drawn from (B, count, V).

    Without ``rng`` each token is the likeliest one, with it it is drawn from softmax(logits / temperature).
    ``cached=False`` reads the whole sequence again for every token.
    """
    batch, start = prompt.shape
    sequence = np.concatenate([prompt, np.zeros((batch, count), prompt.dtype)], axis=1)
    cache = start_cache(params, batch, heads, start + count)
    read, found = 0, []
    for place in range(start, start + count):
        if cached:
            for column in range(read, place):  # at first the prompt, then one token a turn
                logits, cache = decode_step(params, sequence[:, column], cache)
            read = place
        else:
            logits = decoder(params, sequence[:, :place], heads)[0][:, -1]
        scores = logits
        if rng is not None:  # the Gumbel-max trick: the largest of these is a draw from the softmax
            scores = logits / temperature + rng.gumbel(size=logits.shape)
        sequence[:, place] = scores.argmax(axis=-1)
        found.append(logits)
    return sequence[:, start:], np.stack(found, axis=1)
