"""Train an LSTM and its rivals on the adding problem; follow the gradient back, and move memories between sequences."""

import math
from typing import Any

import numpy as np

from groundup.lesson import Batch, Curves, Learner, Measured, Result
from groundup.lessons.p03_lstm.model import NETWORKS, WEIGHTS, adder, init, kind_of
from groundup.ops.losses import mse
from groundup.ops.types import Array, Tree
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.optim import cosine
from groundup.training.params import map_tree
from groundup.training.run import Run

SIZE: dict[str, Any] = {"kind": "lstm", "hidden": 32, "start": (-3.0, 3.0), "length": 50, "batch": 32}
TINY: dict[str, Any] = {"kind": "lstm", "hidden": 3, "start": (-3.0, 3.0), "length": 5, "batch": 2}
STEPS, RATE, CLIP = 600, 2e-2, 1.0
SOLVED = 0.02  # squared error below which the problem counts as solved; always saying 1 has 1/6
EVERY = 25  # steps between two looks at held-out sequences
NEVER = 30.0  # a forget gate's bias with which it is 1 in float32: the cell of 1997, which could not forget
#: other ways for the LSTM to begin: the biases of input and forget gates
STARTS: dict[str, tuple[float, float] | None] = {
    "as PyTorch begins": None,
    "forget bias 1": (0.0, 1.0),
    "forget bias 3": (0.0, 3.0),
    "input bias -3": (-3.0, 0.0),
    "never forgets": (-3.0, NEVER),
}
#: rivals with as many numbers: kind, width, how it begins, and the best rate of three, on other seeds
RIVALS: dict[str, tuple[str, int, str | None, float]] = {
    "tanh": ("rnn", 66, None, 3e-3),
    "tanh, orthogonal": ("rnn", 66, "orthogonal", 1e-3),
    "ReLU, identity": ("relu_rnn", 66, "identity", 3e-3),
    "GRU": ("gru", 37, None, 2e-2),
}
PLAIN = ("tanh", "tanh, orthogonal", "ReLU, identity")


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    kind: str,
    hidden: int,
    start: tuple[float, float] | str | None = None,
    rate: float = RATE,
    steps: int = STEPS,
    **_: int,
) -> Learner:
    """A recurrent network that learns to add, on either track, from the same parameters."""

    def twin() -> Twin:
        from groundup.lessons.p03_lstm.twin import Adder, squared_error

        return Twin(Adder(kind, hidden), squared_error)

    return both_tracks(
        track,
        init(rng, kind, hidden, start, dtype),
        forward=lambda params, rng, x: adder(params, x),
        loss=mse,
        twin=twin,
        inputs=["x"],
        target="wanted",
        optimiser="adam",
        schedule=cosine(rate, steps, warmup=20),
        clip=CLIP,
    )


def adding(rng: np.random.Generator, batch: int, length: int) -> Batch:
    """Sequences x (B, T, 2) of numbers in [0, 1) and marks, and the sum of the two that are marked (B, 1).

    One mark stands in each half. Source: Hochreiter & Schmidhuber 1997, section 5.4, in a simpler form.
    """
    numbers = rng.random((batch, length))
    marks = np.zeros((batch, length))
    rows, half = np.arange(batch), length // 2
    marks[rows, rng.integers(half, size=batch)] = 1
    marks[rows, rng.integers(half, length, size=batch)] = 1
    x = np.stack([numbers, marks], axis=-1).astype(np.float32)
    return {"x": x, "wanted": (numbers * marks).sum(axis=1, keepdims=True).astype(np.float32)}


def batch(rng: np.random.Generator, *, batch: int, length: int, **_: Any) -> Batch:
    """A batch of the adding problem."""
    return adding(rng, batch, length)


def run(run: Run) -> Result:
    """The experiment of the lesson."""
    size = {**SIZE, "hidden": run.pick(8, SIZE["hidden"]), "length": run.pick(12, SIZE["length"])}
    steps, length = run.pick(30, STEPS), size["length"]
    watched, test = adding(run.rng("watched"), 500, length), adding(run.rng("test"), run.pick(100, 2000), length)
    curves: dict[str, Curves] = {}

    def train(name: str, steps: int = steps, **changes: Any) -> Tree:
        settings = {**size, **changes}
        model = learner(run.track, run.rng("parameters", name), **settings, steps=steps)
        curves[name] = run.fit(
            name, model, lambda rng: batch(rng, **settings), steps,
            lambda model: {"held out": model.loss(watched)}, EVERY,
        )  # fmt: skip
        return map_tree(np.copy, model.parameters())

    untrained = init(run.rng("parameters", "LSTM"), "lstm", size["hidden"], size["start"])
    trained = {"LSTM": train("LSTM")}
    for name, (kind, hidden, start, rate) in RIVALS.items():
        trained[name] = train(name, kind=kind, hidden=run.pick(8, hidden), start=start, rate=rate)
    for name, biases in STARTS.items():
        trained[name] = train(name, start=biases)

    errors = {name: squared_error(params, test) for name, params in trained.items()}
    solved = {name: solved_at(curve, steps) for name, curve in curves.items()}
    reach = {name: gradient_by_lag(params, test) for name, params in {**trained, "untrained": untrained}.items()}
    far = {name: float(shares[-(length // 10) - 1]) for name, shares in reach.items()}
    moved = {part: moved_memory(trained["LSTM"], test, part) for part in ("cell", "hidden")}
    best = min(PLAIN, key=errors.__getitem__)
    one_cell = single_cells(trained["LSTM"], test)
    return Result(
        measured={
            "adding": Measured(errors["LSTM"], errors[best]),
            "gradient": Measured(change(far["LSTM"]), min(change(far[name]) for name in ("untrained", *RIVALS))),
            "start": Measured(solved["LSTM"], min(solved[name] for name in STARTS)),
            "gru": Measured(solved["GRU"], min(solved[name] for name in ("LSTM", *STARTS))),
            "memory": Measured(moved["cell"], moved["hidden"]),
        },
        metrics={
            "squared error": errors,
            "steps until solved": solved,
            "steps of the cell that never forgets": solved["never forgets"],
            "every seed": {f"steps of {name}": steps for name, steps in solved.items()}
            | {"moved by the best cell": one_cell[0], "moved by the next cell": one_cell[1]},
            "share of the gradient far back": far,
            "moved": moved,
            "moved by single cells": one_cell,
            "best plain network": best,
            "answers": answers(trained["tanh"], trained["LSTM"], test),
        },
        curves=curves,
        arrays={"reach": reach, "gates": gates(trained["LSTM"], test["x"][:1])},
    )


def answers(plain: Tree, gated: Tree, examples: Batch, count: int = 5) -> list[list[float]]:
    """Of the first examples: the two marked numbers, their sum, and what the two networks say."""
    x = examples["x"][:count]
    marked = x[x[..., 1] == 1][:, 0].reshape(count, 2)
    said = [adder(params, x)[0] for params in (plain, gated)]
    return np.round(np.concatenate([marked, examples["wanted"][:count], *said], axis=1), 3).tolist()


def squared_error(params: Tree, examples: Batch) -> float:
    """The mean squared error."""
    return float(mse(adder(params, examples["x"])[0], examples["wanted"])[0])


def solved_at(curve: Curves, steps: int) -> float:
    """The first step at which the error on held-out sequences was below ``SOLVED``; infinite if it never was."""
    found = [step for step, error in zip(curve["step"], curve["held out"], strict=True) if error < SOLVED]
    return float(found[0]) if found else math.inf


def change(share: float) -> float:
    """By what factor a gradient has become longer or shorter, when this share of it is left."""
    return max(share, 1 / share) if share > 0 else math.inf


def gradient_by_lag(params: Tree, examples: Batch, rows: int = 200) -> Array:
    """(T,): how long ∂L/∂(state at T − k) is, as a share of ∂L/∂(state at T), the median over sequences.

    L is the squared error of one sequence; an LSTM's state is the hidden state and the cell together.
    """
    x, wanted = examples["x"][:rows], examples["wanted"][:rows]
    kind = kind_of(params)
    network, count = NETWORKS[kind]
    weights = [params[kind][name] for name in WEIGHTS]
    state = [np.zeros((len(x), weights[1].shape[1]), x.dtype)] * count
    backwards = []
    for t in range(x.shape[1]):
        (_, *state), backward = network(x[:, t : t + 1], *state, *weights)  # one step is a sequence of length 1
        backwards.append(backward)
    y = state[0] @ params["readout"]["weight"].T + params["readout"]["bias"]
    d_state = [2 * (y - wanted) @ params["readout"]["weight"]] + [np.zeros_like(state[0])] * (count - 1)
    nothing = np.zeros((len(x), 1, weights[1].shape[1]), x.dtype)
    norms = []
    for backward in reversed(backwards):
        norms.append(np.linalg.norm(np.concatenate(d_state, axis=1), axis=1))
        d_state = list(backward(nothing, *d_state)[1 : 1 + count])
    return np.median(np.stack(norms) / norms[0], axis=1)


def moved_memory(params: Tree, examples: Batch, part: str, cells: Array | None = None) -> float:
    """How much of what a network keeps in mind goes along when part of its state is exchanged with another sequence's.

    Half-way, when the first number has been read and the second has not, ``part`` ("cell" or "hidden") of the LSTM's
    state is taken from the next sequence of the batch, only ``cells`` of it if they are given; then the sequence is
    read to its end. The slope of the change of the answer against the difference of the two first numbers:
    1 if the memory has moved as a whole, 0 if nothing has.
    """
    x = examples["x"]
    half = x.shape[1] // 2
    lstm, weights = NETWORKS["lstm"][0], [params["lstm"][name] for name in WEIGHTS]
    zeros = np.zeros((len(x), weights[1].shape[1]), x.dtype)
    (_, hidden, cell), _ = lstm(x[:, :half], zeros, zeros, *weights)
    own = {"hidden": hidden, "cell": cell}
    taken = own[part].copy()
    chosen = slice(None) if cells is None else cells
    taken[:, chosen] = np.roll(own[part], 1, axis=0)[:, chosen]

    def answer(state: dict[str, Array]) -> Array:
        (_, last, _), _ = lstm(x[:, half:], state["hidden"], state["cell"], *weights)
        return (last @ params["readout"]["weight"].T + params["readout"]["bias"])[:, 0]

    first = (x[:, :half, 0] * x[:, :half, 1]).sum(axis=1)
    difference = np.roll(first, 1) - first
    change = answer({**own, part: taken}) - answer(own)
    return float(difference @ change / (difference @ difference))


def single_cells(params: Tree, examples: Batch) -> list[float]:
    """What each cell alone carries over, on the second half of the examples; the best on the first half comes first."""
    half = len(examples["x"]) // 2
    first, second = ({name: part[rows] for name, part in examples.items()} for rows in (slice(half), slice(half, None)))
    hidden = params["lstm"]["weight_hh_l0"].shape[1]
    alone = [moved_memory(params, first, "cell", np.array([cell])) for cell in range(hidden)]
    return [moved_memory(params, second, "cell", np.array([cell])) for cell in np.argsort(alone)[::-1]]


def gates(params: Tree, x: Array) -> dict[str, Array]:
    """The gates i, f, g, o and the cell at every step (T, H) while one sequence x (1, T, 2) is read."""
    weight_ih, weight_hh, bias_ih, bias_hh = (params["lstm"][name] for name in WEIGHTS)
    hidden = cell = np.zeros((1, weight_hh.shape[1]), x.dtype)
    found: dict[str, list[Array]] = {name: [] for name in ("i", "f", "g", "o", "cell")}
    for t in range(x.shape[1]):
        before = x[:, t] @ weight_ih.T + bias_ih + hidden @ weight_hh.T + bias_hh
        i, f, g, o = np.split(before, 4, axis=-1)
        i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
        cell = f * cell + i * g
        hidden = o * np.tanh(cell)
        for name, value in zip(found, (i, f, g, o, cell), strict=True):
            found[name].append(value[0])
    return {name: np.stack(values) for name, values in found.items()}
