"""The checks are checked: each planted mistake must be caught by the functions that prove the real code."""

import numpy as np
import pytest

from groundup.lesson import Model
from groundup.lessons import find_lesson
from groundup.ops.activations import softmax
from groundup.ops.attention import causal_mask, multi_head_attention, scaled_dot_product_attention
from groundup.ops.cases import CASES
from groundup.ops.linear import linear
from groundup.ops.norms import layer_norm
from groundup.ops.recurrent import rnn
from groundup.ops.types import Case
from groundup.proof.checks import check_case, check_model, check_parity
from groundup.training.learner import NumpyLearner


def case_named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def caught(case: Case, function, checks: set[str]) -> bool:
    """Whether the mistake fails exactly where it must, while the real function passes everything."""
    assert all(finding.passed for finding in check_case(case))
    wrong = Case(case.name, function, case.arguments, case.differentiable, case.oracle)
    return checks <= {finding.check for finding in check_case(wrong) if not finding.passed}


def with_backward(function, change):
    """The function with its gradients changed."""

    def wrong(**arguments):
        value, backward = function(**arguments)

        def changed(*upstream):
            found = backward(*upstream)
            return change(found, *upstream)

        return value, changed

    return wrong


def test_softmax_with_a_zero_backward():
    zero = with_backward(softmax, lambda gradient, upstream: np.zeros_like(gradient))
    assert caught(case_named("softmax"), zero, {"gradient", "oracle"})


def test_softmax_whose_backward_forgets_that_the_rows_sum_to_one():
    def wrong(x, axis=-1):
        y, _ = softmax(x, axis)
        return y, lambda dy: y * dy

    assert caught(case_named("softmax"), wrong, {"gradient", "oracle"})


def test_layer_norm_with_a_zero_backward():
    zero = with_backward(layer_norm, lambda found, upstream: tuple(np.zeros_like(gradient) for gradient in found))
    assert caught(case_named("layer_norm"), zero, {"gradient", "oracle"})


def test_layer_norm_whose_mean_is_held_constant():
    def wrong(x, gain, bias, eps=1e-5):
        y, backward = layer_norm(x, gain, bias, eps)
        scale = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
        return y, lambda dy: (dy * gain * scale, *backward(dy)[1:])

    assert caught(case_named("layer_norm"), wrong, {"gradient", "oracle"})


def test_layer_norm_with_epsilon_outside_the_root():
    def wrong(x, gain, bias, eps=1e-5):
        _, backward = layer_norm(x, gain, bias, eps)
        spread = np.sqrt(x.var(axis=-1, keepdims=True)) + eps
        return (x - x.mean(axis=-1, keepdims=True)) / spread * gain + bias, backward

    assert caught(case_named("layer_norm"), wrong, {"oracle"})


def test_attention_without_its_scale():
    def wrong(query, key, value, mask=None, scale=None):
        return scaled_dot_product_attention(query, key, value, mask, 1.0)

    assert caught(case_named("scaled_dot_product_attention"), wrong, {"oracle"})


def test_a_mask_that_leaks_one_position():
    case = next(
        case for case in CASES if case.name.startswith("scaled_dot_product_attention") and "causal" in case.name
    )

    def wrong(query, key, value, mask=None, scale=None):
        leaking = np.array(mask)
        leaking[..., 0, 1] = True
        return scaled_dot_product_attention(query, key, value, leaking, scale)

    assert caught(case, wrong, {"oracle"})


def test_causal_mask_itself_does_not_leak():
    assert not np.triu(causal_mask(5), 1).any()


def test_linear_without_its_bias_sum():
    wrong = with_backward(linear, lambda found, upstream: (found[0], found[1], np.zeros_like(found[2])))
    assert caught(case_named("linear"), wrong, {"gradient", "oracle"})


def test_linear_whose_bias_gradient_takes_one_row_only():
    def change(found, upstream):
        return found[0], found[1], upstream.reshape(-1, upstream.shape[-1])[-1].copy()

    case = next(
        case for case in CASES if case.function is linear and np.ndim(case.arguments(np.random.default_rng(0))["x"]) > 1
    )
    assert caught(case, with_backward(linear, change), {"gradient", "oracle"})


def test_back_propagation_through_time_that_is_off_by_one():
    def wrong(x, hidden, weight_ih, weight_hh, bias_ih, bias_hh):
        value, backward = rnn(x, hidden, weight_ih, weight_hh, bias_ih, bias_hh)

        def late(d_outputs, d_last):
            shifted = np.concatenate([d_outputs[:, 1:], np.zeros_like(d_outputs[:, :1])], axis=1)
            return backward(shifted, d_last)

        return value, late

    assert caught(case_named("rnn"), wrong, {"gradient", "oracle"})


def test_a_backward_that_changes_between_calls():
    calls = []

    def wrong(x, axis=-1):
        y, backward = softmax(x, axis)

        def drifting(dy):
            calls.append(1)
            return backward(dy) * (1 + 1e-12 * len(calls))

        return y, drifting

    assert caught(case_named("softmax"), wrong, {"backward twice"})


def test_a_function_that_writes_into_its_argument():
    def wrong(x, axis=-1):
        y, backward = softmax(x, axis)
        x += 0.5  # softmax does not see a shift, but the caller does
        return y, backward

    assert caught(case_named("softmax"), wrong, {"arguments kept"})


def test_a_function_that_promotes_to_float64():
    def wrong(x, axis=-1):
        y, backward = softmax(x.astype(np.float64), axis)
        return y, backward

    assert caught(case_named("softmax"), wrong, {"float32 kept"})


def planted_model(change):
    """The character RNN's record with a learner whose gradients are changed on the NumPy side."""
    real = find_lesson("char_rnn").models[0]

    def learner(track, rng, **size):
        made = real.learner(track, rng, **size)
        if isinstance(made, NumpyLearner):
            forward = made.forward

            def wrong(params, batch, rng):
                outputs, backward = forward(params, batch, rng)
                return outputs, lambda *upstream: change(backward(*upstream))

            made.forward = wrong
        return made

    return Model(real.name, learner, real.batch, real.tiny, real.size, real.proves)


def drop_bias(gradients):
    rnn_gradients = {**gradients["rnn"], "bias_hh_l0": np.zeros_like(gradients["rnn"]["bias_hh_l0"])}
    return {**gradients, "rnn": rnn_gradients}


def test_a_model_that_drops_a_bias_gradient_fails_gradient_and_parity():
    wrong = planted_model(drop_bias)
    assert "gradient" in {finding.check for finding in check_model(wrong) if not finding.passed}
    failed = {finding.check for finding in check_parity(wrong) if not finding.passed}
    assert {"gradients", "one step", "20-step losses"} <= failed


def test_a_model_whose_gradient_is_slightly_too_large_fails():
    wrong = planted_model(
        lambda gradients: {**gradients, "readout": {k: g * 1.00001 for k, g in gradients["readout"].items()}}
    )
    assert "gradient" in {finding.check for finding in check_model(wrong) if not finding.passed}


@pytest.mark.parametrize("lost", ["dx_query", "dx_memory", "params"])
def test_attention_that_loses_one_of_its_gradients(lost):
    index = ["dx_query", "dx_memory", "params"].index(lost)

    def change(found, upstream):
        def zero(tree):
            return (
                {key: zero(branch) for key, branch in tree.items()} if isinstance(tree, dict) else np.zeros_like(tree)
            )

        return tuple(zero(part) if place == index else part for place, part in enumerate(found))

    assert caught(case_named("multi_head_attention"), with_backward(multi_head_attention, change), {"gradient"})
