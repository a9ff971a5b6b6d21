"""An exercise on back-propagation through time."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p02_char_rnn.exercises.recurrent import GIVES, weights
from groundup.ops.recurrent import rnn
from groundup.practice.exercise import Exercise, Right, Wrong


def sequence_arguments(rng: np.random.Generator, batch: int, length: int, inputs: int, width: int) -> dict[str, Any]:
    """What a network takes to read a sequence."""
    states = {"x": rng.normal(size=(batch, length, inputs)), "hidden": rng.normal(size=(batch, width))}
    return states | weights(rng, inputs, width)


def sequence_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for size in [
        *((1, 1, 1, 1), (1, 2, 1, 1), (1, 3, 1, 1), (2, 1, 3, 2), (1, 2, 2, 3), (2, 3, 1, 2)),
        *((3, 2, 2, 4), (2, 4, 3, 3), (4, 3, 2, 1), (3, 6, 2, 3)),
    ]:
        yield sequence_arguments(rng, *size)


RNN_BACKWARD = Exercise(
    name="rnn_backward",
    title="Back-propagation through time",
    functions=(rnn,),
    gives=GIVES,
    keep="forward",
    task=r"""
The forward pass is written: from the state `hidden` $= h_0$ it reads $x_1, \dots, x_T$ and returns the states
after all steps, `outputs` $(B, T, H)$, and the last of them once more, $(B, H)$:

$$h_t = \tanh(a_t), \qquad a_t = x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh}$$

Write `backward(d_outputs, d_last)`: from the gradients of both results it returns those of all six arguments, in
their order. A loop over the steps is right; none over batch or width is needed. What the forward pass keeps may be
used, not changed.""",
    hints=(
        "Walk from the last step to the first with one running gradient: that of the state. At each step it takes in "
        "what this step's output was asked for; the same weights served every step, so their gradients add up.",
        r"Equation (4) of the lesson (Werbos 1990): $\delta_t = dy_t + (\delta_{t+1} \odot (1 - h_{t+1}^2))\,"
        r"W_{hh}$, where $dy_t$ is `d_outputs` at step $t$ and `d_last` is added "
        r"at $t = T$. With $da_t = \delta_t \odot (1 - h_t^2)$: "
        r"$dW_{hh} = \sum_t da_t^\top h_{t-1}$, $dW_{ih} = \sum_t da_t^\top x_t$.",
        "`d_hidden = d_last`; for `t` in `reversed(range(length))`: `d_hidden = d_hidden + d_outputs[:, t]`, "
        "`d_sum = d_hidden * (1 - states[t + 1]**2)`, add `d_sum.T @ states[t]` and the rest, then "
        "`d_hidden = d_sum @ weight_hh`. What is left in `d_hidden` at the end is the gradient of `hidden`.",
    ),
    why=r"""$h_t$ reaches the loss in two ways: through its own output, and through $a_{t+1}$ of the next step. The
chain rule adds the two, which is the recursion; the last state is returned twice and so gets `d_last` on top. Each
weight stands in every $a_t$, so its gradient is a sum over $t$. The recurrent weights met $h_{t-1}$ at step $t$,
while the derivative of tanh is taken at $h_t$: with states kept in one list from $h_0$ on, these are neighbours,
and to take one for the other is the usual mistake. The last product with $W_{hh}$ carries the gradient to $h_0$;
truncated back-propagation throws exactly that one away.""",
    difficulty=3,
    minutes=25,
    cases=sequence_cases,
    loops="Over the time steps.",
    solution='''
from collections.abc import Callable

import numpy as np

Array = np.ndarray


def rnn(
    x: Array, hidden: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[tuple[Array, Array], Callable]:
    """A recurrent network reads x (B, T, in) from the state hidden (B, H): (outputs (B, T, H), last state (B, H)).

    ``backward(d_outputs, d_last)`` returns the gradients of all six arguments.
    """
    length = x.shape[1]
    states = [hidden]  # states[t + 1] is the state after reading x[:, t]
    for t in range(length):
        states.append(np.tanh(x[:, t] @ weight_ih.T + bias_ih + states[t] @ weight_hh.T + bias_hh))

    def backward(d_outputs: Array, d_last: Array) -> tuple[Array, ...]:
        d_x, d_bias = np.zeros_like(x), np.zeros_like(bias_ih)
        d_weight_ih, d_weight_hh = np.zeros_like(weight_ih), np.zeros_like(weight_hh)
        d_hidden = d_last
        for t in reversed(range(length)):
            d_hidden = d_hidden + d_outputs[:, t]  # h reaches the loss through its output and through the next step
            d_sum = d_hidden * (1 - states[t + 1] ** 2)  # tanh' = 1 - tanh²
            d_x[:, t] = d_sum @ weight_ih
            d_weight_ih += d_sum.T @ x[:, t]
            d_weight_hh += d_sum.T @ states[t]
            d_bias += d_sum.sum(axis=0)
            d_hidden = d_sum @ weight_hh  # to the state before
        return d_x, d_hidden, d_weight_ih, d_weight_hh, d_bias, d_bias.copy()

    return (np.stack(states[1:], axis=1), states[-1].copy()), backward
''',
    equivalent={
        "rnn.backward: np.zeros_like(x) → np.ones_like(x)": "Every step's part is overwritten.",
        "rnn.backward: d_x[:, t] = d_sum @ weight_ih → d_x[:, t] += d_sum @ weight_ih": (
            "Every step's part is written once, over zeros."
        ),
        "rnn.backward: d_bias.copy() → d_bias": (
            "Both biases have the same gradient; that it is one array is not asked against."
        ),
    },
    wrong=(
        Wrong(
            "nothing passed down",
            {"d_hidden = d_sum @ weight_hh ": "d_hidden = 0 * d_hidden "},
            "that passes nothing on from a step to the step before",
        ),
        Wrong(
            "derivative at the state before",
            {"(1 - states[t + 1] ** 2)": "(1 - states[t] ** 2)"},
            "that takes the derivative of tanh one step too early, at the state before",
        ),
        Wrong(
            "weights met the new state",
            {"d_sum.T @ states[t]\n": "d_sum.T @ states[t + 1]\n"},
            "whose gradient of weight_hh uses the state after the step: the weights met the one before",
        ),
        Wrong(
            "input one step late",
            {"d_sum.T @ x[:, t]": "d_sum.T @ x[:, t - 1]"},
            "whose gradient of weight_ih takes the input of the step before",
        ),
        Wrong("d_last ignored", {"d_hidden = d_last\n": "d_hidden = 0 * d_last\n"}, "that ignores `d_last`"),
        Wrong(
            "outputs ignored",
            {"d_hidden = d_hidden + d_outputs[:, t] ": "d_hidden = d_hidden + 0 "},
            "that ignores `d_outputs`",
        ),
        Wrong(
            "outputs in place of what comes down",
            {"d_hidden = d_hidden + d_outputs[:, t] ": "d_hidden = d_outputs[:, t] "},
            "in which `d_outputs` replaces what came down from the next step: the two have to be added",
        ),
        Wrong(
            "first state's gradient dropped",
            {"return d_x, d_hidden,": "return d_x, np.zeros_like(hidden),"},
            "whose gradient of the first state is 0",
        ),
        Wrong(
            "one product too few",
            {
                "            d_hidden = d_sum @ weight_hh ": "            if t:\n"
                "                d_hidden = d_sum @ weight_hh ",
            },
            "that stops one step early: its gradient of `hidden` is that of the state after the first step",
        ),
        Wrong(
            "only the first step's weights",
            {
                "d_weight_ih += d_sum.T": "d_weight_ih = d_sum.T",
                "d_weight_hh += d_sum.T": "d_weight_hh = d_sum.T",
                "d_bias += d_sum": "d_bias = d_sum",
            },
            "that keeps the weights' gradients of a single step, where all steps add up",
        ),
        Wrong("tanh' forgotten", {" * (1 - states[t + 1] ** 2)": ""}, "that leaves out the derivative of tanh"),
        Wrong(
            "weights transposed",
            {"d_sum @ weight_hh ": "d_sum @ weight_hh.T "},
            "that goes back through W_hhᵀ in place of W_hh",
        ),
        Wrong("forwards", {"in reversed(range(length))": "in range(length)"}, "that walks from the first step on"),
        Wrong(
            "mean over time",
            {"d_bias, d_bias.copy()": "d_bias / length, d_bias / length"},
            "whose gradients of the biases are means over the steps",
        ),
        Wrong(
            "d_last changed",
            {"d_hidden = d_hidden + d_outputs[:, t] ": "d_hidden += d_outputs[:, t] "},
            "that changes `d_last`",
        ),
    ),
    right=(
        Right(
            "sums of products by einsum, after the loop",
            """
            import numpy as np

            def rnn(x, h0, U, W, b, c):
                hs = [h0]
                for x_t in np.swapaxes(x, 0, 1):
                    hs.append(np.tanh(x_t @ U.T + hs[-1] @ W.T + b + c))
                H = np.array(hs)

                def backward(dy, dlast):
                    deltas, carry = [], dlast
                    for h, g in zip(H[:0:-1], np.swapaxes(dy, 0, 1)[::-1]):
                        deltas.insert(0, (carry + g) * (1 - h * h))
                        carry = deltas[0] @ W
                    D = np.stack(deltas)
                    return [
                        np.einsum("tbh,hi->bti", D, U), carry, np.einsum("tbh,bti->hi", D, x),
                        np.einsum("tbh,tbk->hk", D, H[:-1]), D.sum((0, 1)), D.sum(axis=(0, 1)),
                    ]

                return [H[1:].swapaxes(0, 1).copy(), H[-1].copy()], backward
            """,
        ),
        Right(
            "a stack of closures, one a step",
            """
            import numpy as np

            def _step(x, h, U, W, b):
                new = np.tanh(x @ U.T + h @ W.T + b)

                def pull(g):
                    a = g * (1 - new) * (1 + new)
                    return a @ U, a @ W, a.T @ x, a.T @ h, a.sum(0)

                return new, pull

            def rnn(x, hidden, weight_ih, weight_hh, bias_ih, bias_hh):
                stack, outputs, h = [], np.empty((*x.shape[:2], len(weight_hh)), x.dtype), hidden
                for t in range(x.shape[1]):
                    h, pull = _step(x[:, t], h, weight_ih, weight_hh, bias_ih + bias_hh)
                    stack.append(pull)
                    outputs[:, t] = h

                def backward(d_outputs, d_last):
                    totals, d_xs = [0, 0, 0], []
                    for t, pull in reversed(list(enumerate(stack))):
                        d_x, d_last, *parts = pull(d_last + d_outputs[:, t])
                        d_xs.append(d_x)
                        totals = [total + part for total, part in zip(totals, parts)]
                    return np.stack(d_xs[::-1], 1), d_last, totals[0], totals[1], totals[2], totals[2]

                return (outputs, h), backward
            """,
        ),
    ),
)
