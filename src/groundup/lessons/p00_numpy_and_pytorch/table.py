"""The table of calls: what PyTorch's functions do, in NumPy, each with its gradient. Every cell of it is executed.

The texts are the code: notebooks print the same strings that they evaluate.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from groundup.lessons.p00_numpy_and_pytorch.model import numerical_gradient
from groundup.ops.types import Array


class Row(NamedTuple):
    """One call and what it stands for.

    call       PyTorch
    raw        NumPy
    gradients  for each differentiable argument, its gradient in NumPy, where ``g`` is that of the value
    where      statements that name parts of ``raw``
    note       what to remember
    """

    call: str
    raw: str
    gradients: dict[str, str]
    where: str = ""
    note: str = ""


ROWS = (
    Row("x + row", "x + row", {"x": "g", "row": "g.sum(0)"}, note="shapes are aligned at the right"),
    Row("x * column", "x * column", {"x": "g * column", "column": "(g * x).sum(1, keepdims=True)"}),
    Row(
        "x.sum(dim=1)",
        "x.sum(axis=1)",
        {"x": "np.repeat(g[:, None], 3, axis=1)"},
        note="dim is axis, keepdim is keepdims",
    ),
    Row("x.mean(dim=0)", "x.mean(axis=0)", {"x": "np.repeat(g[None] / 4, 4, axis=0)"}),
    Row(
        "x.var(dim=1)",
        "x.var(axis=1, ddof=1)",
        {"x": "g[:, None] * (x - x.mean(1, keepdims=True)) * 2 / (3 - 1)"},
        note="torch divides by n - 1, NumPy's default is n",
    ),
    Row("x.amax(dim=1)", "x.max(axis=1)", {"x": "g[:, None] * (x == x.max(1, keepdims=True))"}, note="if nothing ties"),
    Row("x.T.reshape(2, 6)", "x.T.reshape(2, 6)", {"x": "g.reshape(3, 4).T"}, note="moves numbers, computes nothing"),
    Row("torch.cat([x, u], dim=1)", "np.concatenate([x, u], axis=1)", {"x": "g[:, :3]", "u": "g[:, 3:]"}),
    Row("x.masked_fill(mask, 0)", "np.where(mask, 0, x)", {"x": "g * ~mask"}),
    Row("torch.gather(x, 1, i)", "np.take_along_axis(x, i, axis=1)", {"x": "(np.eye(3)[i] * g[:, :, None]).sum(1)"}),
    Row("F.one_hot(t, 3)", "np.eye(3, dtype=int)[t]", {}, note="integers have no gradient"),
    Row("F.embedding(t, w)", "w[t]", {"w": "np.eye(5)[t].T @ g"}, note="a look-up is a product with one-hot rows"),
    Row("x @ y", "x @ y", {"x": "g @ y.T", "y": "x.T @ g"}),
    Row(
        "F.linear(x, w, b)",
        "x @ w.T + b",
        {"x": "g @ w", "w": "g.T @ x", "b": "g.sum(0)"},
        note="weights are (out, in)",
    ),
    Row(
        'torch.einsum("bqd,bkd->bqk", Q, K)',
        "Q @ K.transpose(0, 2, 1)",
        {"Q": 'np.einsum("bqk,bkd->bqd", g, K)', "K": 'np.einsum("bqk,bqd->bkd", g, Q)'},
        note="for a gradient swap its letters with the output's",
    ),
    Row("F.relu(x)", "np.maximum(x, 0)", {"x": "g * (x > 0)"}),
    Row("torch.sigmoid(x)", "s", {"x": "g * s * (1 - s)"}, where="s = 1 / (1 + np.exp(-x))"),
    Row("torch.tanh(x)", "np.tanh(x)", {"x": "g * (1 - np.tanh(x) ** 2)"}),
    Row("F.silu(x)", "x * s", {"x": "g * (s + x * s * (1 - s))"}, where="s = 1 / (1 + np.exp(-x))"),
    Row(
        "F.softmax(x, dim=1)",
        "p",
        {"x": "p * (g - (g * p).sum(1, keepdims=True))"},
        where="e = np.exp(x - x.max(1, keepdims=True)); p = e / e.sum(1, keepdims=True)",
        note="without the maximum, exp overflows at 710 (float32: 89)",
    ),
    Row(
        "F.log_softmax(x, dim=1)",
        "z - np.log(np.exp(z).sum(1, keepdims=True))",
        {"x": "g - np.exp(z) / np.exp(z).sum(1, keepdims=True) * g.sum(1, keepdims=True)"},
        where="z = x - x.max(1, keepdims=True)",
    ),
    Row(
        "F.cross_entropy(x, t)",
        "-np.log(p[range(4), t]).mean()",
        {"x": "g * (p - np.eye(3)[t]) / 4"},
        where="e = np.exp(x - x.max(1, keepdims=True)); p = e / e.sum(1, keepdims=True)",
        note="takes logits: a softmax before it would be a second one",
    ),
    Row("F.mse_loss(x, u)", "((x - u) ** 2).mean()", {"x": "g * 2 * (x - u) / 12", "u": "g * 2 * (u - x) / 12"}),
    Row(
        "F.binary_cross_entropy_with_logits(x, q)",
        "(np.maximum(x, 0) - x * q + np.log1p(np.exp(-abs(x)))).mean()",
        {"x": "g * (1 / (1 + np.exp(-x)) - q) / 12"},
        note="stable: no log of a sigmoid that has become 0",
    ),
    Row(
        "F.layer_norm(x, (3,), gain, shift)",
        "gain * n + shift",
        {
            "x": "(g * gain - (g * gain).mean(1, keepdims=True) - n * (g * gain * n).mean(1, keepdims=True)) / s",
            "gain": "(g * n).sum(0)",
            "shift": "g.sum(0)",
        },
        where="s = np.sqrt(x.var(1, keepdims=True) + 1e-5); n = (x - x.mean(1, keepdims=True)) / s",
        note="eps is inside the root, the variance divides by n",
    ),
    Row(
        "F.conv2d(image, kernel)",
        'np.einsum("nchwij,ocij->nohw", patches, kernel)',
        {
            "image": 'np.einsum("nohwij,ocij->nchw", windows(np.pad(g, ((0, 0), (0, 0), (2, 2), (2, 2)))), '
            "kernel[:, :, ::-1, ::-1])",
            "kernel": 'np.einsum("nohw,nchwij->ocij", g, patches)',
        },
        where="windows = lambda a: np.lib.stride_tricks.sliding_window_view(a, (3, 3), axis=(2, 3)); "
        "patches = windows(image)",
        note="slides without flipping; back to the image, the kernel is flipped",
    ),
    Row(
        "F.max_pool2d(image, 2)",
        "y",
        {"image": "(image == y.repeat(2, 2).repeat(2, 3)) * g.repeat(2, 2).repeat(2, 3)"},
        where="y = image.reshape(2, 3, 2, 2, 2, 2).max(axis=(3, 5))",
    ),
)


def table_arrays(rng: np.random.Generator) -> dict[str, Array]:
    """The arrays that the rows speak of: x and u (4, 3), y (3, 5), w (5, 3), four labels t, and so on."""
    shapes: dict[str, tuple[int, ...]] = {"x": (4, 3), "u": (4, 3), "row": (3,), "column": (4, 1), "y": (3, 5)}
    shapes |= {"w": (5, 3), "b": (5,), "gain": (3,), "shift": (3,), "Q": (2, 4, 3), "K": (2, 5, 3)}
    shapes |= {"image": (2, 3, 4, 4), "kernel": (5, 3, 3, 3)}
    arrays: dict[str, Array] = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    arrays |= {"q": rng.random((4, 3)), "mask": rng.random((4, 3)) < 0.5}
    return arrays | {"t": rng.integers(3, size=4), "i": rng.integers(3, size=(4, 2))}


def as_text(row: Row) -> str:
    """The row as lines: the call, the NumPy statements, the gradients and the note."""
    statements = [part.strip() for part in row.where.split(";") if part] + [f"value = {row.raw}"]
    statements += [f"d{name} = {formula}" for name, formula in row.gradients.items()]
    return "\n    ".join([row.call, *statements, *([f"# {row.note}"] if row.note else [])])


def run_raw(row: Row, arrays: dict[str, Array]) -> tuple[Array, Callable[[Array], dict[str, Array]]]:
    """The value of a row's NumPy side; ``backward(g)`` returns the gradients that it names, by name."""
    names = {"np": np, **arrays}
    exec(row.where, names)

    def backward(g: Array) -> dict[str, Array]:
        return {name: eval(text, {**names, "g": g}) for name, text in row.gradients.items()}

    return eval(row.raw, names), backward


def nudge_error(row: Row, arrays: dict[str, Array], g: Array) -> float:
    """The largest difference between a row's gradients and the numerical ones of (g · value)."""
    gradients = run_raw(row, arrays)[1](g)
    errors = [0.0]
    for name, found in gradients.items():

        def weighted(x: Array, name: str = name) -> Array:
            return (g * run_raw(row, {**arrays, name: x})[0]).sum()

        errors.append(float(np.max(np.abs(found - numerical_gradient(weighted, arrays[name])))))
    return max(errors)
