"""Transformers with one thing changed, for a small table 3: pre-LN, no 1/√d_k, no warm-up."""

import math

import numpy as np

from groundup.data.dates import PAD
from groundup.lessons.p13_attention_is_all_you_need.model import embed, feed_forward, init, transformer
from groundup.ops.attention import causal_mask, multi_head_attention, padding_mask
from groundup.ops.init import norm_params
from groundup.ops.linear import linear
from groundup.ops.norms import layer_norm
from groundup.ops.types import Array, Backward, Mask, Tree
from groundup.training.optim import Schedule
from groundup.training.params import map_tree

SUB_LAYERS = ("attention", "cross_attention", "feed_forward")


def without_scale(params: Tree, source: Array, target: Array, heads: int) -> tuple[Array, Backward]:
    """``transformer`` with softmax(Q Kᵀ) V: W_Q is multiplied by √d_k on the way in, and so is its gradient."""
    width = params["embedding"]["weight"].shape[1]
    logits, backward = transformer(louder(params, math.sqrt(width / heads)), source, target, heads)
    return logits, lambda d_logits: louder(backward(d_logits), math.sqrt(width / heads))


def louder(tree: Tree, factor: float) -> Tree:
    """The tree with every query matrix multiplied by a factor."""
    changed = map_tree(lambda leaf: leaf, tree)
    for layer in [*changed["encoder"], *changed["decoder"]]:
        for kind in SUB_LAYERS[:2]:
            if kind in layer:
                layer[kind]["query"]["weight"] = factor * layer[kind]["query"]["weight"]
    return changed


def at_once(width: int, warmup: int) -> Schedule:
    """``inverse_root`` without its rise: from the first step at the rate of step ``warmup``, then down as ever."""
    return lambda step: float(width**-0.5 * max(step + 1, warmup) ** -0.5)


def pre_norm_init(
    rng: np.random.Generator, vocabulary: int, width: int, hidden: int, layers: int, dtype: type = np.float32
) -> Tree:
    """``init`` with a normalisation more at the end of encoder and decoder, where the sums have never met one."""
    params = init(rng, vocabulary, width, hidden, layers, dtype=dtype)
    return {**params, "encoder_norm": norm_params(width, dtype), "decoder_norm": norm_params(width, dtype)}


def pre_norm_stack(
    x: Array, layers: list[Tree], last: Tree, heads: int, mask: Mask, memory: Array | None = None, seen: Mask = None
) -> tuple[Array, Backward]:
    """x + F(LayerNorm(x)) for each sub-layer of each layer, and a LayerNorm behind the last.

    ``mask`` is for self-attention, ``seen`` for the attention to ``memory`` (B, S, D).
    ``backward(dz)`` returns (dx, dmemory, dlayers, dlast).
    """
    done = []
    for layer, params in enumerate(layers):
        for kind in (kind for kind in SUB_LAYERS if kind in params):
            u, norm_backward = layer_norm(x, *params[f"{kind}_norm"].values())
            if kind == "feed_forward":
                y, backward_of = feed_forward(u, params[kind])
            elif kind == "attention":
                y, backward_of = multi_head_attention(u, u, params[kind], heads, mask)
            elif memory is not None:
                y, backward_of = multi_head_attention(u, memory, params[kind], heads, seen)
            x = x + y
            done.append((layer, kind, norm_backward, backward_of))
    z, last_backward = layer_norm(x, *last.values())

    def named(d_gain: Array, d_bias: Array) -> Tree:
        return {"weight": d_gain, "bias": d_bias}

    def backward(dz: Array) -> tuple[Array, Array | None, list[Tree], Tree]:
        dx, *d_last = last_backward(dz)
        d_layers: list[Tree] = [{} for _ in layers]
        d_memory = None if memory is None else np.zeros_like(memory)
        for layer, kind, norm_backward, backward_of in reversed(done):
            du, *d_answers, d_layers[layer][kind] = backward_of(dx)
            if kind == "attention":
                du = du + d_answers[0]
            elif kind == "cross_attention":
                d_memory = d_memory + d_answers[0]
            through, *d_norm = norm_backward(du)
            d_layers[layer][f"{kind}_norm"] = named(*d_norm)
            dx = dx + through  # past the sub-layer, and through it
        ordered = [{name: found[name] for name in params} for found, params in zip(d_layers, layers, strict=True)]
        return dx, d_memory, ordered, named(*d_last)

    return z, backward


def pre_norm_transformer(params: Tree, source: Array, target: Array, heads: int) -> tuple[Array, Backward]:
    """Logits (B, T, V), as by ``transformer``, with the normalisation inside the branches (pre-LN)."""
    seen, table = padding_mask(source != PAD), params["embedding"]["weight"]
    so_far = causal_mask(target.shape[1]) & padding_mask(target != PAD)
    x, read_backward = embed(params, source, 0.0, None)
    memory, encoder_backward = pre_norm_stack(x, params["encoder"], params["encoder_norm"], heads, seen)
    y, given_backward = embed(params, target, 0.0, None)
    states, decoder_backward = pre_norm_stack(y, params["decoder"], params["decoder_norm"], heads, so_far, memory, seen)
    logits, readout_backward = linear(states, table)

    def backward(d_logits: Array) -> Tree:
        d_states, d_table = readout_backward(d_logits)
        dy, d_memory, d_decoder, d_decoder_norm = decoder_backward(d_states)
        dx, _, d_encoder, d_encoder_norm = encoder_backward(d_memory)
        uses = (read_backward(dx), given_backward(dy), {"embedding": {"weight": d_table}})
        return {
            "embedding": {"weight": sum(use["embedding"]["weight"] for use in uses)},
            "encoder": d_encoder,
            "decoder": d_decoder,
            "encoder_norm": d_encoder_norm,
            "decoder_norm": d_decoder_norm,
        }

    return logits, backward
