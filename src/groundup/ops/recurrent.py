"""Recurrent networks: one step as the papers write it, and whole sequences as a loop over time.

Names, shapes and gate orders are those of torch.nn.RNN, LSTM and GRU: ``weight_ih`` (G·H, in), ``weight_hh``
(G·H, H), ``bias_ih`` and ``bias_hh`` (G·H), where H is the hidden width and G the number of gates (1, 4, 3).

A sequence computes what its steps compute (Werbos 1990, "Backpropagation through time"). The input products of
all steps are one matrix product before the time loop, and the weight gradients, sums over time, are one matrix
product after it: only the recurrent product has to wait for the step before.
"""

import numpy as np

from groundup.ops.types import Array, Backward


def _sigmoid(x: Array) -> Array:
    """σ(x) = ½(1 + tanh(x/2)): never overflows, whatever the sign of x."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def rnn_step(
    x: Array, hidden: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[Array, Backward]:
    """One step of the simple recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh).

    x (B, in), hidden (B, H) -> new hidden (B, H).
    ``backward(dh)`` returns the gradients of all six arguments.
    Source: Elman 1990, "Finding structure in time".
    """
    new = np.tanh(x @ weight_ih.T + bias_ih + hidden @ weight_hh.T + bias_hh)

    def backward(d_new: Array) -> tuple[Array, ...]:
        d_sum = d_new * (1.0 - new * new)  # tanh' = 1 - tanh²
        return _linear_gradients(d_sum, d_sum, x, hidden, weight_ih, weight_hh)  # a sum gives it to both its parts

    return new, backward


def lstm_step(
    x: Array, hidden: Array, cell: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[tuple[Array, ...], Backward]:
    """One step of the LSTM: x (B, in), hidden (B, H), cell (B, H) -> (hidden, cell), both (B, H).

    i, f, o = σ(·), g = tanh(·) of W_ih x + b_ih + W_hh h + b_hh; c' = f c + i g; h' = o tanh(c').
    ``backward(dh, dc)`` returns the gradients of all seven arguments. Rows of the weights: i, f, g, o.
    Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000.
    """
    before = x @ weight_ih.T + bias_ih + hidden @ weight_hh.T + bias_hh  # (B, 4H)
    i, f, g, o = np.split(before, 4, axis=-1)  # (B, H) each
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    new_cell = f * cell + i * g
    tanh_cell = np.tanh(new_cell)
    new_hidden = o * tanh_cell

    def backward(d_hidden: Array, d_cell: Array) -> tuple[Array, ...]:
        d_cell = d_cell + d_hidden * o * (1.0 - tanh_cell * tanh_cell)  # c' reaches the loss itself and through h'
        # In a product each factor's gradient is the other factor times what comes in; then through σ or tanh.
        d_before = np.concatenate(
            [
                d_cell * g * i * (1.0 - i),  # ∂c'/∂i = g,  σ' = σ(1 - σ)
                d_cell * cell * f * (1.0 - f),  # ∂c'/∂f = c
                d_cell * i * (1.0 - g * g),  # ∂c'/∂g = i,  tanh' = 1 - tanh²
                d_hidden * tanh_cell * o * (1.0 - o),  # ∂h'/∂o = tanh(c')
            ],
            axis=-1,
        )
        # The sums inside were linear in x and h, and the old cell met nothing but f.
        dx, dh, *d_weights = _linear_gradients(d_before, d_before, x, hidden, weight_ih, weight_hh)
        return dx, dh, d_cell * f, *d_weights  # ∂c'/∂c = f: the path along which gradients survive

    return (new_hidden, new_cell), backward


def gru_step(
    x: Array, hidden: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[Array, Backward]:
    """One step of the gated recurrent unit: x (B, in), hidden (B, H) -> new hidden (B, H).

    r, z = σ(W_ih x + b_ih + W_hh h + b_hh); n = tanh(W_in x + b_in + r (W_hn h + b_hn));
    h' = (1 - z) n + z h.
    ``backward(dh)`` returns the gradients of all six arguments. Rows of the weights: r, z, n.
    Source: Cho et al. 2014, "Learning phrase representations", eqs. 5-8, in torch's variant: the reset gate
    multiplies *after* the matrix product, r (W h), where the paper has W (r h).
    """
    width = hidden.shape[-1]
    from_x = x @ weight_ih.T + bias_ih  # (B, 3H)
    from_hidden = hidden @ weight_hh.T + bias_hh  # (B, 3H)
    r, z = np.split(_sigmoid(from_x[:, : 2 * width] + from_hidden[:, : 2 * width]), 2, axis=-1)
    recall = from_hidden[:, 2 * width :]  # W_hn h + b_hn, what r lets through
    n = np.tanh(from_x[:, 2 * width :] + r * recall)
    new = (1.0 - z) * n + z * hidden

    def backward(d_new: Array) -> tuple[Array, ...]:
        d_n = d_new * (1.0 - z) * (1.0 - n * n)  # ∂h'/∂n = 1 - z,  then through tanh
        d_z = d_new * (hidden - n) * z * (1.0 - z)  # ∂h'/∂z = h - n,  then through σ
        d_r = d_n * recall * r * (1.0 - r)  # ∂(r recall)/∂r = recall,  then through σ
        d_from_x = np.concatenate([d_r, d_z, d_n], axis=-1)
        d_from_hidden = np.concatenate([d_r, d_z, d_n * r], axis=-1)  # ∂(r recall)/∂recall = r
        dx, dh, *d_weights = _linear_gradients(d_from_x, d_from_hidden, x, hidden, weight_ih, weight_hh)
        return dx, dh + d_new * z, *d_weights  # ∂h'/∂h = z directly

    return new, backward


def rnn(
    x: Array, hidden: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[tuple[Array, ...], Backward]:
    """``rnn_step`` along a sequence: x (B, T, in), hidden (B, H) -> (outputs (B, T, H), last hidden (B, H)).

    ``backward(d_outputs, d_last)`` returns the gradients of all six arguments. T = 0 is a ValueError.
    """
    # The inputs are all there already: their part of every step is one matrix product.
    from_x = _from_inputs(x, weight_ih, bias_ih + bias_hh)  # (B, T, H)
    # Only the recurrent part has to wait for the step before.
    states = [hidden]  # states[t] is what step t starts from
    for t in range(x.shape[1]):
        states.append(np.tanh(from_x[:, t] + states[t] @ weight_hh.T))

    def backward(d_outputs: Array, d_last: Array) -> tuple[Array, ...]:
        # From the last step to the first, for a state reaches the loss through its own output and through all that
        # comes after it.
        d_sums = np.empty_like(from_x)
        d_hidden = d_last
        for t in reversed(range(x.shape[1])):
            d_hidden = d_hidden + d_outputs[:, t]
            d_sums[:, t] = d_hidden * (1.0 - states[t + 1] ** 2)  # tanh' = 1 - tanh²
            d_hidden = d_sums[:, t] @ weight_hh  # to the hidden state one step earlier
        # The same weights served every step, so their gradients are sums over time; they can wait until now. `d_sums`
        # is for both parts of the sum, that of x and that of h.
        d_x, *d_weights = _sequence_gradients(d_sums, d_sums, x, states, weight_ih)
        return d_x, d_hidden, *d_weights

    return (np.stack(states[1:], axis=1), states[-1].copy()), backward


def lstm(
    x: Array, hidden: Array, cell: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[tuple[Array, ...], Backward]:
    """``lstm_step`` along a sequence: x (B, T, in), hidden and cell (B, H) -> (outputs, hidden, cell).

    Outputs (B, T, H) are the hidden states of all steps; the last hidden state and cell (B, H) follow.
    ``backward(d_outputs, d_last, d_last_cell)`` returns the gradients of all seven arguments.
    T = 0 is a ValueError.
    """
    (batch, length, _), width = x.shape, hidden.shape[-1]
    from_x = _from_inputs(x, weight_ih, bias_ih + bias_hh)  # (B, T, 4H)
    states, cells, gates = [hidden], [cell], []  # states[t] and cells[t] are what step t starts from
    for t in range(length):
        before = from_x[:, t] + states[t] @ weight_hh.T  # (B, 4H)
        i, f, g, o = before.reshape(batch, 4, width).swapaxes(0, 1)  # (B, H) each
        i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
        gates.append((i, f, g, o))
        cells.append(f * cells[t] + i * g)
        states.append(o * np.tanh(cells[t + 1]))

    def backward(d_outputs: Array, d_last: Array, d_last_cell: Array) -> tuple[Array, ...]:
        d_before = np.empty((batch, length, 4, width), from_x.dtype)
        d_hidden, d_cell = d_last, d_last_cell
        for t in reversed(range(length)):
            i, f, g, o = gates[t]
            tanh_cell = np.tanh(cells[t + 1])
            d_hidden = d_hidden + d_outputs[:, t]
            d_cell = d_cell + d_hidden * o * (1.0 - tanh_cell**2)  # c' reaches the loss itself and through h'
            d_before[:, t, 0] = d_cell * g * i * (1.0 - i)  # ∂c'/∂i = g,  σ' = σ(1 - σ)
            d_before[:, t, 1] = d_cell * cells[t] * f * (1.0 - f)  # ∂c'/∂f = c
            d_before[:, t, 2] = d_cell * i * (1.0 - g**2)  # ∂c'/∂g = i,  tanh' = 1 - tanh²
            d_before[:, t, 3] = d_hidden * tanh_cell * o * (1.0 - o)  # ∂h'/∂o = tanh(c')
            d_hidden = d_before[:, t].reshape(batch, 4 * width) @ weight_hh
            d_cell = d_cell * f  # ∂c'/∂c = f: the path along which gradients survive
        d_x, *d_weights = _sequence_gradients(d_before, d_before, x, states, weight_ih)
        return d_x, d_hidden, d_cell, *d_weights

    return (np.stack(states[1:], axis=1), states[-1].copy(), cells[-1].copy()), backward


def gru(
    x: Array, hidden: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[tuple[Array, ...], Backward]:
    """``gru_step`` along a sequence: x (B, T, in), hidden (B, H) -> (outputs (B, T, H), last hidden (B, H)).

    ``backward(d_outputs, d_last)`` returns the gradients of all six arguments. T = 0 is a ValueError.
    """
    from_x = _from_inputs(x, weight_ih, bias_ih)  # (B, T, 3H)
    states, gates = [hidden], []  # states[t] is what step t starts from
    for t in range(x.shape[1]):
        x_r, x_z, x_n = np.split(from_x[:, t], 3, axis=-1)  # (B, H) each
        h_r, h_z, recall = np.split(states[t] @ weight_hh.T + bias_hh, 3, axis=-1)
        r, z = _sigmoid(x_r + h_r), _sigmoid(x_z + h_z)
        n = np.tanh(x_n + r * recall)  # of W_hn h + b_hn, r lets a part through
        gates.append((r, z, n, recall))
        states.append((1.0 - z) * n + z * states[t])

    def backward(d_outputs: Array, d_last: Array) -> tuple[Array, ...]:
        d_from_x, d_from_hidden = np.empty_like(from_x), np.empty_like(from_x)
        d_hidden = d_last
        for t in reversed(range(x.shape[1])):
            r, z, n, recall = gates[t]
            d_hidden = d_hidden + d_outputs[:, t]
            d_n = d_hidden * (1.0 - z) * (1.0 - n**2)  # ∂h'/∂n = 1 - z,  then through tanh
            d_z = d_hidden * (states[t] - n) * z * (1.0 - z)  # ∂h'/∂z = h - n,  then through σ
            d_r = d_n * recall * r * (1.0 - r)  # ∂(r recall)/∂r = recall,  then through σ
            d_from_x[:, t] = np.concatenate([d_r, d_z, d_n], axis=-1)
            d_from_hidden[:, t] = np.concatenate([d_r, d_z, d_n * r], axis=-1)  # ∂(r recall)/∂recall = r
            d_hidden = d_from_hidden[:, t] @ weight_hh + d_hidden * z  # ∂h'/∂h = z directly
        d_x, *d_weights = _sequence_gradients(d_from_x, d_from_hidden, x, states, weight_ih)
        return d_x, d_hidden, *d_weights

    return (np.stack(states[1:], axis=1), states[-1].copy()), backward


def _linear_gradients(
    d_from_x: Array, d_from_hidden: Array, x: Array, hidden: Array, weight_ih: Array, weight_hh: Array
) -> tuple[Array, ...]:
    """Gradients of x, h, W_ih, W_hh, b_ih, b_hh, given those of x W_ihᵀ + b_ih and of h W_hhᵀ + b_hh."""
    d_x, d_hidden = d_from_x @ weight_ih, d_from_hidden @ weight_hh
    d_weight_ih, d_weight_hh = d_from_x.T @ x, d_from_hidden.T @ hidden
    return d_x, d_hidden, d_weight_ih, d_weight_hh, d_from_x.sum(axis=0), d_from_hidden.sum(axis=0)


def _from_inputs(x: Array, weight_ih: Array, bias_ih: Array) -> Array:
    """W_ih x + b_ih of all steps at once: x (B, T, in) -> (B, T, G·H)."""
    batch, length, inputs = x.shape
    if length == 0:
        raise ValueError("a sequence needs at least one time step, got T = 0")
    rows = x.reshape(batch * length, inputs)
    return (rows @ weight_ih.T + bias_ih).reshape(batch, length, len(weight_ih))


def _sequence_gradients(
    d_from_x: Array, d_from_hidden: Array, x: Array, states: list[Array], weight_ih: Array
) -> tuple[Array, ...]:
    """What can wait until the time loop is over: the gradients of x, W_ih, W_hh, b_ih, b_hh.

    d_from_x and d_from_hidden (B, T, G·H) belong to W_ih x + b_ih and to W_hh h + b_hh.
    """
    batch, length, inputs = x.shape
    before = np.stack(states[:-1], axis=1).reshape(batch * length, states[0].shape[-1])  # the states that met W_hh
    d_ih = d_from_x.reshape(batch * length, len(weight_ih))
    d_hh = d_from_hidden.reshape(batch * length, len(weight_ih))
    d_x = (d_ih @ weight_ih).reshape(x.shape)
    d_weight_ih, d_weight_hh = d_ih.T @ x.reshape(batch * length, inputs), d_hh.T @ before
    return d_x, d_weight_ih, d_weight_hh, d_ih.sum(axis=0), d_hh.sum(axis=0)
