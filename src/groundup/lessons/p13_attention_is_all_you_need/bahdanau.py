"""The strongest rival: LSTM encoder and decoder with additive attention (Bahdanau et al. 2014, arXiv:1409.0473)."""

import numpy as np

from groundup.data.dates import PAD
from groundup.lessons.p13_attention_is_all_you_need.decoding import Scorer
from groundup.ops.activations import softmax
from groundup.ops.embedding import embedding
from groundup.ops.init import embedding_params, linear_params, recurrent_params
from groundup.ops.linear import linear
from groundup.ops.recurrent import lstm, lstm_step
from groundup.ops.types import Array, Backward, Tree

CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
FORWARDS = tuple(f"{name}_l0" for name in CELL)  # the names of torch.nn.LSTM
BACKWARDS = tuple(f"{name}_l0_reverse" for name in CELL)


def attentive_init(
    rng: np.random.Generator, vocabulary: int, width: int, hidden: int, forget: float, dtype: type = np.float32
) -> Tree:
    """Parameters. ``forget`` is added to the forget gates' biases, so that at first the cells keep what they have."""

    def cell(names: tuple[str, ...], inputs: int) -> Tree:
        arrays = list(recurrent_params(rng, "lstm", inputs, hidden, dtype).values())
        arrays[2][hidden : 2 * hidden] += forget
        return dict(zip(names, arrays, strict=True))

    return {
        "embedding": embedding_params(rng, vocabulary, width, std=0.3, dtype=dtype),
        "encoder": cell(FORWARDS, width) | cell(BACKWARDS, width),
        "decoder": cell(CELL, width + 2 * hidden),
        "query": linear_params(rng, hidden, hidden, dtype=dtype),
        "key": linear_params(rng, 2 * hidden, hidden, bias=False, dtype=dtype),
        "score": linear_params(rng, hidden, 1, bias=False, dtype=dtype),
        "readout": linear_params(rng, 3 * hidden, vocabulary, dtype=dtype),
    }


def additive_attention(
    query: Array, keys: Array, memory: Array, score: Array, mask: Array
) -> tuple[tuple[Array, Array], Backward]:
    """What a query reads: (the mean of the memory under its weights (B, M), the weights (B, S)).

    query (B, A), keys (B, S, A), memory (B, S, M), score (1, A), mask (B, S), True where one may look.
    The score of place j is v·tanh(q + k_j), a small network where a Transformer has a product (their section 3.1).
    ``backward(d_context)`` returns (dquery, dkeys, dmemory, dscore).
    """
    # The query is added to every key, and a small network says how well the two go together.
    met = np.tanh(query[:, None] + keys)  # (13) (B, S, A)
    # The weights, and the mean under them, are those of every attention.
    weights, softmax_backward = softmax(np.where(mask, met @ score[0], -np.inf))  # (13)
    context = (weights[:, None] @ memory)[:, 0]  # (13)

    def backward(d_context: Array) -> tuple[Array, Array, Array, Array]:
        # A place of the memory hears as much as it was read; a weight, by how much that place would help.
        d_memory = weights[..., None] * d_context[:, None]
        d_scores = softmax_backward((memory @ d_context[..., None])[..., 0])  # (B, S)
        # One network serves all places, so what they ask of it adds up.
        d_score = np.tensordot(d_scores, met, axes=2)[None]
        # Through the network to the keys; the query was added to all of them, and so gets their sum.
        d_keys = d_scores[..., None] * score[0] * (1.0 - met**2)  # tanh' = 1 - tanh²
        return d_keys.sum(axis=1), d_keys, d_memory, d_score

    return (context, weights), backward


def read(params: Tree, source: Array) -> tuple[tuple[Array, Array, Array], Backward]:
    """The encoder, an LSTM in either direction: source (B, S) -> memory (B, S, 2H), and the decoder's first state.

    Both hidden state and cell (B, H) are those of the LSTM that reads backwards, and so has just met the beginning.
    ``backward(dmemory, dhidden, dcell)`` returns the gradients of embedding and encoder.
    """
    forwards, backwards = ([params["encoder"][name] for name in names] for names in (FORWARDS, BACKWARDS))
    x, embedding_backward = embedding(source, params["embedding"]["weight"])
    zeros = np.zeros((len(source), forwards[1].shape[1]), x.dtype)
    (right, _, _), right_backward = lstm(x, zeros, zeros, *forwards)
    (left, hidden, cell), left_backward = lstm(x[:, ::-1], zeros, zeros, *backwards)
    memory = np.concatenate([right, left[:, ::-1]], axis=-1)

    def backward(d_memory: Array, d_hidden: Array, d_cell: Array) -> Tree:
        d_right, d_left = np.split(d_memory, 2, axis=-1)
        dx_right, _, _, *d_forwards = right_backward(d_right, zeros, zeros)
        dx_left, _, _, *d_backwards = left_backward(d_left[:, ::-1], d_hidden, d_cell)
        return {
            "embedding": {"weight": embedding_backward(dx_right + dx_left[:, ::-1])},
            "encoder": dict(zip(FORWARDS + BACKWARDS, d_forwards + d_backwards, strict=True)),
        }

    return (memory, hidden, cell), backward


def write(
    params: Tree, target: Array, memory: Array, hidden: Array, cell: Array, source: Array
) -> tuple[Array, Backward]:
    """The decoder: target (B, T) so far and what ``read`` returned -> logits (B, T, V) of the token after each.

    At every step the state asks, and what it has read goes into the next state with the character.
    ``backward(dlogits)`` returns (dparams without those of the encoder, dmemory, dhidden, dcell).
    """
    mask = source != PAD
    y, embedding_backward = embedding(target, params["embedding"]["weight"])
    keys, keys_backward = linear(memory, params["key"]["weight"])
    decoder, score = [params["decoder"][name] for name in CELL], params["score"]["weight"]
    outputs, steps = [], []
    for t in range(target.shape[1]):
        query, query_backward = linear(hidden, params["query"]["weight"], params["query"]["bias"])
        (context, _), attention_backward = additive_attention(query, keys, memory, score, mask)
        given = np.concatenate([y[:, t], context], axis=-1)
        (hidden, cell), step_backward = lstm_step(given, hidden, cell, *decoder)
        outputs.append(np.concatenate([hidden, context], axis=-1))
        steps.append((query_backward, attention_backward, step_backward))
    logits, readout_backward = linear(np.stack(outputs, axis=1), params["readout"]["weight"], params["readout"]["bias"])

    def backward(d_logits: Array) -> tuple[Tree, Array, Array, Array]:
        d_outputs, *d_readout = readout_backward(d_logits)
        dy, d_keys, d_memory, d_score = (np.zeros_like(array) for array in (y, keys, memory, score))
        d_hidden, d_cell = np.zeros_like(hidden), np.zeros_like(cell)
        d_decoder: list[Array] = [np.zeros_like(array) for array in decoder]
        d_query_params = [np.zeros_like(params["query"][name]) for name in ("weight", "bias")]
        for t in reversed(range(len(steps))):
            query_backward, attention_backward, step_backward = steps[t]
            # The state reaches the loss through its own character, and through all that comes after it.
            from_output, d_context = np.split(d_outputs[:, t], [hidden.shape[-1]], axis=-1)
            d_given, d_hidden, d_cell, *d_weights = step_backward(d_hidden + from_output, d_cell)
            dy[:, t], d_context_inside = np.split(d_given, [y.shape[-1]], axis=-1)
            d_query, *d_read = attention_backward(d_context + d_context_inside)
            dh_asking, *d_asking = query_backward(d_query)
            d_hidden = d_hidden + dh_asking
            # Keys, memory and weights serve every step: what the steps ask of them adds up.
            for total, more in zip(
                [d_keys, d_memory, d_score, *d_decoder, *d_query_params],
                [*d_read, *d_weights, *d_asking],
                strict=True,
            ):
                total += more
        dm_keys, d_key = keys_backward(d_keys)
        return (
            {
                "embedding": {"weight": embedding_backward(dy)},
                "decoder": dict(zip(CELL, d_decoder, strict=True)),
                "query": dict(zip(("weight", "bias"), d_query_params, strict=True)),
                "key": {"weight": d_key},
                "score": {"weight": d_score},
                "readout": dict(zip(("weight", "bias"), d_readout, strict=True)),
            },
            d_memory + dm_keys,
            d_hidden,
            d_cell,
        )

    return logits, backward


def attentive_seq2seq(params: Tree, source: Array, target: Array) -> tuple[Array, Backward]:
    """Logits (B, T, V) of the token after each of ``target`` (B, T), given ``source`` (B, S).

    ``backward(dlogits)`` returns the gradient tree.
    """
    (memory, hidden, cell), read_backward = read(params, source)
    logits, write_backward = write(params, target, memory, hidden, cell, source)

    def backward(d_logits: Array) -> Tree:
        gradients, *d_read = write_backward(d_logits)
        from_encoder = read_backward(*d_read)
        gradients["embedding"]["weight"] += from_encoder["embedding"]["weight"]
        gradients["encoder"] = from_encoder["encoder"]
        return {name: gradients[name] for name in params}

    return logits, backward


def attentive_scorer(params: Tree, source: Array) -> Scorer:
    """For greedy decoding: the source is read once, every prefix anew, as by ``transformer_scorer``."""
    (memory, hidden, cell), _ = read(params, source)

    def score(prefixes: Array, rows: Array) -> Array:
        logits, _ = write(params, prefixes, memory[rows], hidden[rows], cell[rows], source[rows])
        return logits[:, -1]

    return score
