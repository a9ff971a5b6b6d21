"""The strongest plain rival: a recurrent network of ReLUs that begins as the identity."""

import numpy as np

from groundup.ops.types import Array, Backward


def relu_rnn(
    x: Array, hidden: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[tuple[Array, Array], Backward]:
    """h_t = max(0, W_ih x_t + b_ih + W_hh h_{t−1} + b_hh): x (B, T, in), hidden (B, H) -> (outputs (B, T, H), last).

    ``backward(d_outputs, d_last)`` returns the gradients of all six arguments.
    Source: Le, Jaitly & Hinton 2015 (arXiv:1504.00941), section 3, where W_hh begins as the identity.
    """
    states = [hidden]  # states[t] is what step t starts from
    for t in range(x.shape[1]):
        states.append(np.maximum(x[:, t] @ weight_ih.T + bias_ih + states[t] @ weight_hh.T + bias_hh, 0))

    def backward(d_outputs: Array, d_last: Array) -> tuple[Array, ...]:
        d_x, d_weight_ih, d_weight_hh = np.empty_like(x), np.zeros_like(weight_ih), np.zeros_like(weight_hh)
        d_bias, d_hidden = np.zeros_like(bias_ih), d_last
        for t in reversed(range(x.shape[1])):
            d_sum = (d_hidden + d_outputs[:, t]) * (states[t + 1] > 0)
            d_x[:, t] = d_sum @ weight_ih
            d_weight_ih += d_sum.T @ x[:, t]
            d_weight_hh += d_sum.T @ states[t]
            d_bias += d_sum.sum(axis=0)
            d_hidden = d_sum @ weight_hh
        return d_x, d_hidden, d_weight_ih, d_weight_hh, d_bias, d_bias.copy()

    return (np.stack(states[1:], axis=1), states[-1].copy()), backward
