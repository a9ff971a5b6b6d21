"""Recurrent networks: one step as the papers write it, and whole sequences that run fast.

Names, shapes and gate orders are those of torch.nn.RNN, LSTM and GRU: ``weight_ih`` (G·H, in), ``weight_hh``
(G·H, H), ``bias_ih`` and ``bias_hh`` (G·H), where H is the hidden width and G the number of gates (1, 4, 3).

A step is the textbook form, one example a row. A sequence computes the same with two savings (Werbos 1990,
"Backpropagation through time"): the input products of all steps are one matrix product before the time loop,
and the weight gradients, sums over time, are one matrix product after it. Only the recurrent product has to
wait for the step before. Inside a sequence an example is a *column*, as in the papers' W h: each gate is then
one contiguous block (H, B), and BLAS is fastest with the large matrix on the left.
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
        return _linear_gradients(d_sum, d_sum, x, hidden, weight_ih, weight_hh)

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
        d_before = np.concatenate(
            [
                d_cell * g * i * (1.0 - i),  # ∂c'/∂i = g,  σ' = σ(1 - σ)
                d_cell * cell * f * (1.0 - f),  # ∂c'/∂f = c
                d_cell * i * (1.0 - g * g),  # ∂c'/∂g = i,  tanh' = 1 - tanh²
                d_hidden * tanh_cell * o * (1.0 - o),  # ∂h'/∂o = tanh(c')
            ],
            axis=-1,
        )
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
    rows, projected = _project_inputs(x, weight_ih, bias_ih + bias_hh)  # projected (T, H, B)
    length = x.shape[1]
    states = _room_for_states(hidden, length)  # (T+1, H, B); states[t+1] is h' of step t
    for t in range(length):
        np.matmul(weight_hh, states[t], out=states[t + 1])
        states[t + 1] += projected[t]
        np.tanh(states[t + 1], out=states[t + 1])

    def backward(d_outputs: Array, d_last: Array) -> tuple[Array, ...]:
        transposed, d_sums = np.ascontiguousarray(weight_hh.T), _room_for_gradients(projected)
        d_hidden, d_sum = d_last.T.copy(), np.empty_like(states[0])
        for t in reversed(range(length)):
            d_hidden += d_outputs[:, t].T
            np.multiply(states[t + 1], states[t + 1], out=d_sum)
            np.subtract(1.0, d_sum, out=d_sum)  # tanh' = 1 - tanh²
            d_sum *= d_hidden
            d_sums[:, t] = d_sum
            np.matmul(transposed, d_sum, out=d_hidden)  # to the hidden state one step earlier
        d_x, *d_weights = _sequence_gradients(d_sums, d_sums, rows, states, weight_ih)
        return d_x, d_hidden.T.copy(), *d_weights

    return (_outputs(states), states[-1].T.copy()), backward


def lstm(
    x: Array, hidden: Array, cell: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[tuple[Array, ...], Backward]:
    """``lstm_step`` along a sequence: x (B, T, in), hidden and cell (B, H) -> (outputs, hidden, cell).

    Outputs (B, T, H) are the hidden states of all steps; the last hidden state and cell (B, H) follow.
    ``backward(d_outputs, d_last, d_last_cell)`` returns the gradients of all seven arguments.
    T = 0 is a ValueError.
    """
    length, (batch, width) = x.shape[1], hidden.shape
    rows, projected = _project_inputs(x, weight_ih, bias_ih + bias_hh)  # projected (T, 4H, B)
    gates = projected.reshape(length, 4, width, batch)  # the same memory: the sums become i, f, g, o
    states, cells = _room_for_states(hidden, length), _room_for_states(cell, length)  # (T+1, H, B)
    tanh_cells = np.empty_like(cells[1:])
    recurrent, product = np.empty_like(projected[0]), np.empty_like(cells[0])
    for t in range(length):
        np.matmul(weight_hh, states[t], out=recurrent)
        projected[t] += recurrent
        i, f, g, o = gates[t]
        _sigmoid_in_place(gates[t, :2])
        np.tanh(g, out=g)
        _sigmoid_in_place(o)
        np.multiply(f, cells[t], out=cells[t + 1])
        cells[t + 1] += np.multiply(i, g, out=product)  # c' = f c + i g
        np.tanh(cells[t + 1], out=tanh_cells[t])
        np.multiply(o, tanh_cells[t], out=states[t + 1])  # h' = o tanh(c')

    def backward(d_outputs: Array, d_last: Array, d_last_cell: Array) -> tuple[Array, ...]:
        transposed, d_sums = np.ascontiguousarray(weight_hh.T), _room_for_gradients(projected)
        d_hidden, d_cell = d_last.T.copy(), d_last_cell.T.copy()
        d_gates, product = np.empty_like(gates[0]), np.empty_like(cells[0])
        d_i, d_f, d_g, d_o = d_gates
        d_sum = d_gates.reshape(4 * width, batch)
        for t in reversed(range(length)):
            i, f, g, o = gates[t]
            np.subtract(1.0, gates[t], out=d_gates)
            d_gates *= gates[t]  # σ' = σ(1 - σ) for i, f and o
            np.multiply(g, g, out=d_g)
            np.subtract(1.0, d_g, out=d_g)  # tanh' = 1 - tanh² for g
            d_hidden += d_outputs[:, t].T
            d_o *= np.multiply(d_hidden, tanh_cells[t], out=product)  # ∂h'/∂o = tanh(c')
            product *= tanh_cells[t]
            np.subtract(d_hidden, product, out=product)
            product *= o
            d_cell += product  # ∂h'/∂c' = o (1 - tanh²(c'))
            d_i *= g  # ∂c'/∂i = g
            d_f *= cells[t]  # ∂c'/∂f = c
            d_g *= i  # ∂c'/∂g = i
            d_gates[:3] *= d_cell
            d_cell *= f  # ∂c'/∂c = f
            d_sums[:, t] = d_sum
            np.matmul(transposed, d_sum, out=d_hidden)
        d_x, *d_weights = _sequence_gradients(d_sums, d_sums, rows, states, weight_ih)
        return d_x, d_hidden.T.copy(), d_cell.T.copy(), *d_weights

    return (_outputs(states), states[-1].T.copy(), cells[-1].T.copy()), backward


def gru(
    x: Array, hidden: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[tuple[Array, ...], Backward]:
    """``gru_step`` along a sequence: x (B, T, in), hidden (B, H) -> (outputs (B, T, H), last hidden (B, H)).

    ``backward(d_outputs, d_last)`` returns the gradients of all six arguments. T = 0 is a ValueError.
    """
    length, (batch, width) = x.shape[1], hidden.shape
    rows, projected = _project_inputs(x, weight_ih, bias_ih)  # projected (T, 3H, B)
    gates = projected.reshape(length, 3, width, batch)  # the same memory: the sums become r, z, n
    states = _room_for_states(hidden, length)  # (T+1, H, B)
    recalls = np.empty_like(states[1:])  # W_hn h + b_hn, what r lets through
    recurrent, product = np.empty_like(projected[0]), np.empty_like(states[0])
    for t in range(length):
        np.matmul(weight_hh, states[t], out=recurrent)
        recurrent += bias_hh[:, None]
        projected[t, : 2 * width] += recurrent[: 2 * width]
        recalls[t] = recurrent[2 * width :]
        r, z, n = gates[t]
        _sigmoid_in_place(gates[t, :2])
        n += np.multiply(r, recalls[t], out=product)
        np.tanh(n, out=n)
        np.subtract(states[t], n, out=states[t + 1])
        states[t + 1] *= z
        states[t + 1] += n  # h' = n + z (h - n)

    def backward(d_outputs: Array, d_last: Array) -> tuple[Array, ...]:
        transposed = np.ascontiguousarray(weight_hh.T)
        d_from_x, d_from_hidden = _room_for_gradients(projected), _room_for_gradients(projected)
        d_hidden = d_last.T.copy()
        d_gates, product = np.empty_like(gates[0]), np.empty_like(states[0])
        d_r, d_z, d_n = d_gates
        d_sum = d_gates.reshape(3 * width, batch)
        for t in reversed(range(length)):
            r, z, n = gates[t]
            np.subtract(1.0, gates[t], out=d_gates)
            d_hidden += d_outputs[:, t].T
            np.multiply(n, n, out=d_n)
            np.subtract(1.0, d_n, out=d_n)  # tanh' = 1 - tanh²
            d_n *= d_hidden
            d_n *= d_z  # ∂h'/∂n = 1 - z, which stands in d_z for now
            d_gates[:2] *= gates[t, :2]  # σ' = σ(1 - σ)
            d_z *= d_hidden
            d_z *= np.subtract(states[t], n, out=product)  # ∂h'/∂z = h - n
            d_r *= np.multiply(d_n, recalls[t], out=product)  # ∂(r recall)/∂r = recall
            d_from_x[:, t] = d_sum
            d_n *= r  # ∂(r recall)/∂recall = r
            d_from_hidden[:, t] = d_sum
            np.multiply(d_hidden, z, out=product)  # ∂h'/∂h = z, past the gates
            np.matmul(transposed, d_sum, out=d_hidden)
            d_hidden += product
        d_x, *d_weights = _sequence_gradients(d_from_x, d_from_hidden, rows, states, weight_ih)
        return d_x, d_hidden.T.copy(), *d_weights

    return (_outputs(states), states[-1].T.copy()), backward


def _sigmoid_in_place(x: Array) -> None:
    """``_sigmoid`` without a temporary."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


def _linear_gradients(
    d_from_x: Array, d_from_hidden: Array, x: Array, hidden: Array, weight_ih: Array, weight_hh: Array
) -> tuple[Array, ...]:
    """Gradients of x, h, W_ih, W_hh, b_ih, b_hh, given those of x W_ihᵀ + b_ih and of h W_hhᵀ + b_hh."""
    d_x, d_hidden = d_from_x @ weight_ih, d_from_hidden @ weight_hh
    d_weight_ih, d_weight_hh = d_from_x.T @ x, d_from_hidden.T @ hidden
    return d_x, d_hidden, d_weight_ih, d_weight_hh, d_from_x.sum(axis=0), d_from_hidden.sum(axis=0)


def _project_inputs(x: Array, weight_ih: Array, bias: Array) -> tuple[Array, Array]:
    """The rows of x (B, T, in), time first: (T·B, in); and W_ih x + b for all of them: (T, G·H, B)."""
    batch, length, inputs = x.shape
    if length == 0:
        raise ValueError("a sequence needs at least one time step, got T = 0")
    rows = x.transpose(1, 0, 2).reshape(length * batch, inputs)
    products = (weight_ih @ rows.T).reshape(-1, length, batch)
    return rows, np.add(products.transpose(1, 0, 2), bias[:, None], order="C")  # a step's part in one piece


def _room_for_states(first: Array, length: int) -> Array:
    """A (T+1, H, B) array that starts with the given state (B, H); the time loop fills in the rest."""
    batch, width = first.shape
    states = np.empty((length + 1, width, batch), first.dtype)
    states[0] = first.T
    return states


def _room_for_gradients(sums: Array) -> Array:
    """Where the gradient of sums (T, G·H, B) goes: (G·H, T, B), ready for one product over all columns."""
    length, gates, batch = sums.shape
    return np.empty((gates, length, batch), sums.dtype)


def _outputs(states: Array) -> Array:
    """The states (T+1, H, B) after each step, as a batch-first copy (B, T, H)."""
    return states[1:].transpose(2, 0, 1).copy()


def _sequence_gradients(
    d_from_x: Array, d_from_hidden: Array, rows: Array, states: Array, weight_ih: Array
) -> tuple[Array, ...]:
    """What can wait until the time loop is over: the gradients of x, W_ih, W_hh, b_ih, b_hh.

    d_from_x and d_from_hidden (G·H, T, B) belong to W_ih x + b_ih and to W_hh h + b_hh.
    """
    gates, length, batch = d_from_x.shape
    d_ih, d_hh = d_from_x.reshape(gates, -1), d_from_hidden.reshape(gates, -1)  # (G·H, T·B)
    before = states[:-1].transpose(1, 0, 2).reshape(-1, length * batch)  # (H, T·B)
    d_x = (d_ih.T @ weight_ih).reshape(length, batch, -1).transpose(1, 0, 2)  # (B, T, in)
    d_bias_ih = d_ih.sum(axis=1)
    d_bias_hh = d_bias_ih.copy() if d_from_hidden is d_from_x else d_hh.sum(axis=1)
    return np.ascontiguousarray(d_x), d_ih @ rows, d_hh @ before.T, d_bias_ih, d_bias_hh
