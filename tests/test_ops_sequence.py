"""Recurrence and attention: what gradient cases cannot say."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from groundup.ops.attention import (
    attention_weights,
    causal_mask,
    merge_heads,
    multi_head_attention,
    padding_mask,
    scaled_dot_product_attention,
    split_heads,
)
from groundup.ops.recurrent import gru, gru_step, lstm, lstm_step, rnn, rnn_step
from groundup.ops.types import Array, Mask

BATCH, LENGTH, INPUTS, WIDTH = 3, 5, 4, 6
RECURRENT = [
    pytest.param(rnn, rnn_step, 1, 1, id="rnn"),
    pytest.param(lstm, lstm_step, 4, 2, id="lstm"),
    pytest.param(gru, gru_step, 3, 1, id="gru"),
]


def draw_recurrent(
    rng: np.random.Generator, gates: int, states: int, dtype: type = np.float64
) -> tuple[Array, list[Array], list[Array]]:
    """x (B, T, in), the initial states (B, H), the four weights."""
    x: Array = rng.normal(size=(BATCH, LENGTH, INPUTS)).astype(dtype)
    initial: list[Array] = [rng.normal(size=(BATCH, WIDTH)).astype(dtype) for _ in range(states)]
    shapes = [(gates * WIDTH, INPUTS), (gates * WIDTH, WIDTH), (gates * WIDTH,), (gates * WIDTH,)]
    return x, initial, [rng.normal(size=shape).astype(dtype) for shape in shapes]


def draw_projections(rng: np.random.Generator, width: int, dtype: type = np.float64) -> dict[str, dict[str, Array]]:
    return {
        name: {
            "weight": rng.normal(size=(width, width)).astype(dtype),
            "bias": rng.normal(size=width).astype(dtype),
        }
        for name in ("query", "key", "value", "out")
    }


# Recurrence


@pytest.mark.parametrize(("run", "step", "gates", "states"), RECURRENT)
def test_a_sequence_is_a_loop_of_steps(run: Callable, step: Callable, gates: int, states: int) -> None:
    rng = np.random.default_rng(0)
    x, initial, weights = draw_recurrent(rng, gates, states)
    d_outputs = rng.normal(size=(BATCH, LENGTH, WIDTH))
    d_last = [rng.normal(size=(BATCH, WIDTH)) for _ in range(states)]

    state, outputs, backs = initial, [], []
    for t in range(LENGTH):
        value, back = step(x[:, t], *state, *weights)
        state = list(value) if states == 2 else [value]
        outputs.append(state[0])
        backs.append(back)
    d_state, d_x, d_weights = d_last, np.zeros_like(x), [np.zeros_like(weight) for weight in weights]
    for t in reversed(range(LENGTH)):
        d_x[:, t], *rest = backs[t](d_state[0] + d_outputs[:, t], *d_state[1:])
        d_state, parts = rest[:states], rest[states:]
        d_weights = [total + part for total, part in zip(d_weights, parts, strict=True)]

    (found_outputs, *found_last), backward = run(x, *initial, *weights)
    np.testing.assert_allclose(found_outputs, np.stack(outputs, axis=1), rtol=1e-12, atol=1e-13)
    for found, expected in zip(found_last, state, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    for found, expected in zip(backward(d_outputs, *d_last), [d_x, *d_state, *d_weights], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def sigma(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def test_steps_by_scalar_loops() -> None:
    """Every unit of every example by itself, with nothing but floats and math."""
    rng = np.random.default_rng(1)
    steps: list[tuple[Callable, int]] = [(rnn_step, 1), (lstm_step, 4), (gru_step, 3)]
    for step, gates in steps:
        x, states, (weight_ih, weight_hh, bias_ih, bias_hh) = draw_recurrent(rng, gates, 2 if gates == 4 else 1)
        value, _ = step(x[:, 0], *states, weight_ih, weight_hh, bias_ih, bias_hh)
        for b in range(BATCH):
            h = states[0][b]
            for unit in range(WIDTH):
                rows = [gate * WIDTH + unit for gate in range(gates)]
                from_x = [sum(weight_ih[r, k] * x[b, 0, k] for k in range(INPUTS)) + bias_ih[r] for r in rows]
                from_h = [sum(weight_hh[r, k] * h[k] for k in range(WIDTH)) + bias_hh[r] for r in rows]
                if gates == 1:
                    expected = math.tanh(from_x[0] + from_h[0])
                elif gates == 4:
                    i, f, g, o = (left + right for left, right in zip(from_x, from_h, strict=True))
                    cell = sigma(f) * states[1][b, unit] + sigma(i) * math.tanh(g)
                    expected = sigma(o) * math.tanh(cell)
                    assert value[1][b, unit] == pytest.approx(cell, rel=1e-12)
                else:
                    r, z = sigma(from_x[0] + from_h[0]), sigma(from_x[1] + from_h[1])
                    n = math.tanh(from_x[2] + r * from_h[2])
                    expected = (1 - z) * n + z * h[unit]
                found = value[0] if gates == 4 else value
                assert found[b, unit] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("run", "step", "gates", "states"), RECURRENT)
def test_two_halves_with_carried_state_are_the_whole(run: Callable, step: Callable, gates: int, states: int) -> None:
    """Forward, and backward with the state's gradient carried from the second half into the first."""
    rng = np.random.default_rng(2)
    x, initial, weights = draw_recurrent(rng, gates, states)
    d_outputs = rng.normal(size=(BATCH, LENGTH, WIDTH))
    d_last = [rng.normal(size=(BATCH, WIDTH)) for _ in range(states)]
    (outputs, *last), back = run(x, *initial, *weights)
    d_x, *d_rest = back(d_outputs, *d_last)

    (early, *carried), back_early = run(x[:, :2], *initial, *weights)
    (late, *end), back_late = run(x[:, 2:], *carried, *weights)
    d_late, *rest_late = back_late(d_outputs[:, 2:], *d_last)
    d_early, *rest_early = back_early(d_outputs[:, :2], *rest_late[:states])

    np.testing.assert_allclose(np.concatenate([early, late], axis=1), outputs, rtol=1e-12, atol=1e-13)
    for found, expected in zip(end, last, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(np.concatenate([d_early, d_late], axis=1), d_x, rtol=1e-10, atol=1e-12)
    for found, expected in zip(rest_early[:states], d_rest[:states], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    for one, two, expected in zip(rest_early[states:], rest_late[states:], d_rest[states:], strict=True):
        np.testing.assert_allclose(one + two, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("run", "step", "gates", "states"), RECURRENT)
def test_recurrence_does_not_see_the_future(run: Callable, step: Callable, gates: int, states: int) -> None:
    rng = np.random.default_rng(3)
    x, initial, weights = draw_recurrent(rng, gates, states, np.float32)
    (outputs, *_), _ = run(x, *initial, *weights)
    changed = x.copy()
    changed[:, 3] += 1
    (after, *_), _ = run(changed, *initial, *weights)
    assert np.array_equal(after[:, :3], outputs[:, :3])
    assert (after[:, 3:] != outputs[:, 3:]).any(axis=-1).all()


@pytest.mark.parametrize(("run", "step", "gates", "states"), RECURRENT)
def test_the_last_output_is_the_last_hidden_state(run: Callable, step: Callable, gates: int, states: int) -> None:
    x, initial, weights = draw_recurrent(np.random.default_rng(4), gates, states)
    (outputs, last, *_), _ = run(x, *initial, *weights)
    assert np.array_equal(outputs[:, -1], last)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(("run", "step", "gates", "states"), RECURRENT)
def test_outputs_belong_to_the_caller(run: Callable, step: Callable, gates: int, states: int, size: int) -> None:
    """Whatever is done to the outputs in place, the gradient stays what it was. Also at batch 1, length 1."""
    rng = np.random.default_rng(5)
    x, initial, weights = draw_recurrent(rng, gates, states)
    x, initial = x[:size, :size], [state[:size] for state in initial]
    values, backward = run(x, *initial, *weights)
    upstream = [rng.normal(size=value.shape) for value in values]
    before = backward(*upstream)
    for value in values:
        value[:] = 7
    for gradient, expected in zip(backward(*upstream), before, strict=True):
        assert np.array_equal(gradient, expected)


@pytest.mark.parametrize(("run", "step", "gates", "states"), RECURRENT)
def test_an_empty_sequence_is_refused(run: Callable, step: Callable, gates: int, states: int) -> None:
    x, initial, weights = draw_recurrent(np.random.default_rng(6), gates, states)
    with pytest.raises(ValueError, match="T = 0"):
        run(x[:, :0], *initial, *weights)


@pytest.mark.parametrize(("run", "step", "gates", "states"), RECURRENT)
@pytest.mark.parametrize("size", [-1e4, 1e4])
def test_saturated_units_stay_finite(run: Callable, step: Callable, gates: int, states: int, size: float) -> None:
    x, initial, weights = draw_recurrent(np.random.default_rng(7), gates, states, np.float32)
    weights[2] = weights[2] + np.float32(size)
    for function, inputs in ((run, x), (step, x[:, 0])):
        value, backward = function(inputs, *initial, *weights)
        values = value if isinstance(value, tuple) else (value,)
        for array in (*values, *backward(*values)):
            assert np.isfinite(array).all()


def test_an_open_forget_gate_carries_the_cell_and_its_gradient() -> None:
    """With f = 1 and i = 0 the cell is constant through any number of steps: the constant error carousel."""
    rng = np.random.default_rng(8)
    x, (hidden, cell), weights = draw_recurrent(rng, 4, 2)
    weights = [np.zeros_like(weight) for weight in weights]
    weights[2][:WIDTH], weights[2][WIDTH : 2 * WIDTH] = -1e3, 1e3
    (outputs, _, last_cell), backward = lstm(x, hidden, cell, *weights)
    d_cell = rng.normal(size=cell.shape)
    gradients = backward(np.zeros_like(outputs), np.zeros_like(hidden), d_cell)
    assert np.array_equal(last_cell, cell)
    assert np.array_equal(gradients[2], d_cell)


# Attention


def looped_attention(query: Array, key: Array, value: Array, mask: Mask) -> Array:
    """One query at a time, one key at a time: (Tq, d), (Tk, d), (Tk, dv)."""
    y = np.zeros((len(query), value.shape[1]))
    for a, q in enumerate(query):
        seen = [b for b in range(len(key)) if mask is None or mask[a, b]]
        odds = [math.exp(sum(q[k] * key[b][k] for k in range(len(q))) / math.sqrt(len(q))) for b in seen]
        for b, odd in zip(seen, odds, strict=True):
            y[a] += odd / sum(odds) * value[b]
    return y


@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention_by_loops(masked: bool) -> None:
    """Each example and head by itself, each head reading its own slice of the projections."""
    rng = np.random.default_rng(10)
    batch, queries, keys, heads, size = 2, 3, 5, 3, 2
    width = heads * size
    x, memory = rng.normal(size=(batch, queries, width)), rng.normal(size=(batch, keys, width))
    params = draw_projections(rng, width)
    mask = rng.random((batch, heads, queries, keys)) < 0.6 if masked else None
    expected = np.zeros_like(x)
    for b in range(batch):
        per_head = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            q, k, v = (
                source[b] @ params[name]["weight"][part].T + params[name]["bias"][part]
                for name, source in (("query", x), ("key", memory), ("value", memory))
            )
            per_head.append(looped_attention(q, k, v, None if mask is None else mask[b, head]))
        expected[b] = np.concatenate(per_head, axis=-1) @ params["out"]["weight"].T + params["out"]["bias"]
    y, _ = multi_head_attention(x, memory, params, heads, mask)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def test_the_causal_mask_is_causal_bit_for_bit() -> None:
    """Changing token t leaves every output before t as it was, and every output from t on is another."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(2, 9, 8)).astype(np.float32)
    params = draw_projections(rng, 8, np.float32)
    y, _ = multi_head_attention(x, x, params, 2, causal_mask(9))
    for t in range(9):
        changed = x.copy()
        changed[:, t] += 1
        after, _ = multi_head_attention(changed, changed, params, 2, causal_mask(9))
        assert np.array_equal(after[:, :t], y[:, :t])
        assert (after[:, t:] != y[:, t:]).any(axis=-1).all()


def test_the_causal_mask_is_causal_backward() -> None:
    """The loss at position t has no gradient at later tokens."""
    rng = np.random.default_rng(12)
    x = rng.normal(size=(2, 6, 4))
    y, backward = multi_head_attention(x, x, draw_projections(rng, 4), 2, causal_mask(6))
    for t in range(6):
        dy = np.zeros_like(y)
        dy[:, t] = rng.normal(size=(2, 4))
        dx_query, dx_memory, _ = backward(dy)
        dx = dx_query + dx_memory
        assert not dx[:, t + 1 :].any()
        assert dx[:, : t + 1].any(axis=-1).all()


def test_padding_changes_nothing_for_the_real_tokens() -> None:
    """A padded example answers as it does alone, whatever stands in the padding."""
    rng = np.random.default_rng(13)
    x = rng.normal(size=(2, 5, 4))
    params = draw_projections(rng, 4)
    keep = np.array([[True] * 5, [True, True, True, False, False]])
    y, backward = multi_head_attention(x, x, params, 2, padding_mask(keep))
    alone, _ = multi_head_attention(x[1:, :3], x[1:, :3], params, 2)
    np.testing.assert_allclose(y[1:, :3], alone, rtol=1e-12, atol=1e-13)
    _, dx_memory, _ = backward(rng.normal(size=y.shape))
    assert not dx_memory[~keep].any()
    assert dx_memory[keep].all()


def test_self_attention_without_a_mask_commutes_with_permutations() -> None:
    rng = np.random.default_rng(14)
    x, dy = rng.normal(size=(2, 7, 6)), rng.normal(size=(2, 7, 6))
    params = draw_projections(rng, 6)
    order = rng.permutation(7)
    y, backward = multi_head_attention(x, x, params, 3)
    permuted, backward_permuted = multi_head_attention(x[:, order], x[:, order], params, 3)
    np.testing.assert_allclose(permuted, y[:, order], rtol=1e-12, atol=1e-12)
    for one, other in zip(backward(dy)[:2], backward_permuted(dy[:, order])[:2], strict=True):
        np.testing.assert_allclose(other, one[:, order], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_query_that_may_see_nothing(dtype: type) -> None:
    """Zeros out, no gradient back, and the other queries as if it were not there."""
    rng = np.random.default_rng(15)
    query, key, value, dy = rng.normal(size=(4, 2, 3, 4)).astype(dtype)
    mask = np.ones((3, 3), dtype=bool)
    mask[1] = False
    y, backward = scaled_dot_product_attention(query, key, value, mask)
    d_query, d_key, d_value = backward(dy)
    others = [0, 2]
    y_others, backward_others = scaled_dot_product_attention(query[:, others], key, value)
    d_query_others, d_key_others, d_value_others = backward_others(dy[:, others])
    assert not y[:, 1].any()
    assert not d_query[:, 1].any()
    tolerance = 100 * float(np.finfo(dtype).eps)
    for found, expected in (
        (y[:, others], y_others),
        (d_query[:, others], d_query_others),
        (d_key, d_key_others),
        (d_value, d_value_others),
    ):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_rows_of_attention_weights_sum_to_one_or_to_nothing() -> None:
    rng = np.random.default_rng(16)
    query, key = rng.normal(size=(2, 3, 50, 8)), rng.normal(size=(2, 3, 40, 8))
    mask = rng.random((50, 40)) < 0.1
    mask[7] = False
    weights = attention_weights(query, key, mask)
    assert weights.shape == (2, 3, 50, 40)
    assert (weights >= 0).all()
    assert not weights[..., ~mask].any()
    assert weights[..., mask].all()
    np.testing.assert_allclose(weights.sum(axis=-1), np.broadcast_to(mask.any(axis=-1), (2, 3, 50)), rtol=1e-14, atol=0)


@pytest.mark.parametrize("masked", [False, True])
def test_logits_of_ten_thousand(masked: bool) -> None:
    """In float32 the softmax becomes a choice of the largest; nothing overflows, forward or backward."""
    logits = np.array([[-1e4, 1e4, 0.0], [1e4, -1e4, 5e3]], np.float32)  # Tq = 2, Tk = 3
    key = np.eye(3, dtype=np.float32)  # so that the queries are the logits
    value = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)
    mask = np.array([[True, False, True], [True, True, True]]) if masked else None
    y, backward = scaled_dot_product_attention(logits, key, value, mask, scale=1.0)
    assert np.array_equal(y, value[[2 if masked else 1, 0]])
    for gradient in backward(np.ones_like(y)):
        assert gradient.dtype == np.float32
        assert np.isfinite(gradient).all()


def test_the_scale_is_one_over_the_root_of_the_width() -> None:
    """A NumPy scalar as scale must not turn float32 into float64."""
    rng = np.random.default_rng(17)
    query, key = (rng.normal(size=(2, 4, 16)).astype(np.float32) for _ in range(2))
    weights = attention_weights(query, key, scale=np.float64(0.25))
    assert weights.dtype == np.float32
    assert np.array_equal(weights, attention_weights(query, key))
    assert np.allclose(attention_weights(query, key, scale=0.0), 0.25)


def test_a_mask_of_numbers_is_refused() -> None:
    """An additive mask of 0 and -inf read as True and False would say the opposite of what it means."""
    x = np.ones((1, 2, 2))
    with pytest.raises(TypeError, match="Boolean"):
        scaled_dot_product_attention(x, x, x, np.where(causal_mask(2), 0.0, -np.inf))


def test_masks_have_the_shapes_and_the_sense_they_promise() -> None:
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    keep = np.array([[True, True, False], [True, False, False]])
    mask = padding_mask(keep)
    assert mask.shape == (2, 1, 1, 3)
    assert np.array_equal(mask[:, 0, 0], keep)
    assert mask.dtype == causal_mask(1).dtype == np.bool_


def test_merging_undoes_splitting() -> None:
    x = np.random.default_rng(18).normal(size=(2, 3, 8))
    per_head = split_heads(x, 4)
    assert per_head.shape == (2, 4, 3, 2)
    assert np.array_equal(per_head[1, 2, 0], x[1, 0, 4:6])  # head 2 reads the third slice of the features
    assert np.array_equal(merge_heads(per_head), x)
    with pytest.raises(ValueError, match="3 heads"):
        split_heads(x, 3)
