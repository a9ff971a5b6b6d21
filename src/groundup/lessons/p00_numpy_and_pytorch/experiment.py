"""Train the digits network beside simpler methods, on other hands too and on corners; measure a slope's V curve."""

from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.data.digits import Digits, hold_out_writers, load_digits, split_digits
from groundup.lesson import Batch, Learner, Measured, Result
from groundup.lessons.p00_numpy_and_pytorch.model import exp, init, log, mlp
from groundup.lessons.p00_numpy_and_pytorch.tape import Tape, Variable
from groundup.ops.activations import relu
from groundup.ops.init import linear_params
from groundup.ops.linear import linear
from groundup.ops.losses import cross_entropy
from groundup.ops.types import Array, Tree
from groundup.proof.instruments import growth
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.optim import constant
from groundup.training.params import flatten, leaves, map_tree
from groundup.training.run import Run

SIZE = {"inputs": 64, "hidden": 64, "classes": 10, "batch": 64}
TINY = {"inputs": 6, "hidden": 5, "classes": 3, "batch": 4}
RATE = 0.5
CORNERS = {**SIZE, "inputs": 2, "classes": 2}
BLUR = 0.2  # standard deviation by which a point of the corners is shown beside its place
NUDGES = 10.0 ** np.arange(-12, 0.1, 0.5)
ROUNDING, TRUNCATION = (1e-12, 1e-7), (1e-3, 1e-1)  # where one of the two errors is all that there is


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    inputs: int,
    hidden: int,
    classes: int,
    batch: int,
) -> Learner:
    """The digits network in training with plain gradient descent on either track, from the same parameters."""

    def twin() -> Twin:
        from torch.nn.functional import cross_entropy

        from groundup.lessons.p00_numpy_and_pytorch.twin import MLP

        return Twin(MLP(inputs, hidden, classes), cross_entropy)

    return both_tracks(
        track,
        init(rng, inputs, hidden, classes, dtype),
        forward=lambda params, rng, images: mlp(params, images),
        loss=cross_entropy,
        twin=twin,
        inputs=["images"],
        target="labels",
        optimiser="sgd",
        schedule=constant(RATE),
    )


def batch(rng: np.random.Generator, *, inputs: int, classes: int, batch: int, **_: int) -> Batch:
    """Random pictures in the shape of training data."""
    images = rng.uniform(size=(batch, inputs)).astype(np.float32)
    return {"images": images, "labels": rng.integers(classes, size=batch)}


def run(run: Run) -> Result:
    """The experiment of the lesson."""
    data = split_digits(load_digits())
    model = learner(run.track, run.rng("parameters"), np.float32, **SIZE)

    def next_batch(rng: np.random.Generator) -> Batch:
        return some_of(data.train, rng.integers(len(data.train.labels), size=SIZE["batch"]))

    def evaluate(model: Learner) -> dict[str, float]:
        parts = {"training accuracy": data.train, "validation accuracy": data.validation}
        return {name: float(np.mean(guesses(model, part) == part.labels)) for name, part in parts.items()}

    steps = run.pick(60, 2000)
    curve = run.fit("mlp", model, next_batch, steps, evaluate, max(1, steps // 20))
    right = guesses(model, data.test) == data.test.labels
    simple = simple_guesses(data, run.rng("linear"), steps)
    hits = {name: guess == data.test.labels for name, guess in simple.items()} | {"one hidden layer": right}
    other_hands, corner_hits = other_writers(run, steps), corners(run, steps)
    best = max(simple, key=lambda name: np.mean(hits[name]))
    best_corner = max(("linear", "nearest neighbour"), key=lambda name: np.mean(corner_hits[name]))

    trained = map_tree(lambda leaf: leaf.astype(np.float64), model.parameters())
    shown = next_batch(run.rng("graph"))
    errors = v_curve(run, data.train, run.pick(10, 100))
    slopes = v_slopes(errors["float64, central"])
    return Result(
        measured={
            "accuracy": Measured(float(np.mean(right)), float(np.mean(hits[best])), (right, hits[best])),
            "writers": Measured(other_hands["one hidden layer"], float(np.mean(right))),
            "hidden": Measured(
                float(corner_hits["one hidden layer"].mean()),
                float(corner_hits[best_corner].mean()),
                (corner_hits["one hidden layer"], corner_hits[best_corner]),
            ),
        },
        metrics={
            "digits": {"training": len(data.train.labels), "test": len(right)},
            "test accuracy": {"chance": 1 / SIZE["classes"]} | {name: np.mean(found) for name, found in hits.items()},
            "test digits that only the hidden layer reads": int(np.sum(right & ~hits["linear"])),
            "test digits that only the linear one reads": int(np.sum(hits["linear"] & ~right)),
            "accuracy on other hands": other_hands,
            "nearest neighbour on other hands": other_hands["nearest neighbour"],
            "accuracy on corners": {name: float(found.mean()) for name, found in corner_hits.items()},
            "slopes of the V": slopes,
            "best nudge": {name: NUDGES[np.argmin(error)] for name, error in errors.items()},
        },
        curves={"mlp": curve},
        arrays={"errors": errors, "params": trained, "batch": shown, "hits": hits},
    )


def other_writers(run: Run, steps: int) -> dict[str, float]:
    """Accuracy on digits by hands that training has not seen, of the same network and of the nearest neighbour."""
    train, test = hold_out_writers(load_digits())
    model = learner(run.track, run.rng("parameters"), np.float32, **SIZE)

    def next_batch(rng: np.random.Generator) -> Batch:
        return some_of(train, rng.integers(len(train.labels), size=SIZE["batch"]))

    run.fit("other hands", model, next_batch, steps)
    known, asked = (part.images.reshape(len(part.images), -1) for part in (train, test))
    nearest = train.labels[np.argmin(squared_distances(asked, known), axis=1)]
    found = {"one hidden layer": guesses(model, test), "nearest neighbour": nearest}
    return {name: float(np.mean(guess == test.labels)) for name, guess in found.items()}


def draw_corners(rng: np.random.Generator, count: int) -> Digits:
    """Points (count, 2) of a square, shown a little beside their places, and whether their two signs are equal.

    It is the exclusive or that no straight line draws (Minsky & Papert 1969). The blur mixes the classes along
    their borders, so that nobody can be right everywhere.
    """
    places = rng.uniform(-1, 1, size=(count, 2))
    shown = places + rng.normal(scale=BLUR, size=places.shape)
    return Digits(shown.astype(np.float32), (places.prod(axis=1) > 0).astype(np.int64))


def corners(run: Run, steps: int) -> dict[str, Array]:
    """Whether each of 1,000 held-out points is told right by the network and by simpler methods."""
    train, test = draw_corners(run.rng("corners"), 1000), draw_corners(run.rng("corners, test"), 1000)
    model = learner(run.track, run.rng("corners, parameters"), np.float32, **CORNERS)

    def next_batch(rng: np.random.Generator) -> Batch:
        return some_of(train, rng.integers(len(train.labels), size=CORNERS["batch"]))

    run.fit("corners", model, next_batch, steps)
    params = linear_params(run.rng("corners, linear"), CORNERS["inputs"], CORNERS["classes"])
    rng = run.rng("corners, linear batches")
    for _ in range(steps):
        rows = next_batch(rng)
        gradients = linear_loss(params, rows["images"], rows["labels"])[1]
        params = map_tree(lambda param, gradient: param - RATE * gradient, params, gradients)
    found = {
        "linear": np.argmax(linear(test.images, params["weight"], params["bias"])[0], axis=1),
        "nearest neighbour": train.labels[np.argmin(squared_distances(test.images, train.images), axis=1)],
        "one hidden layer": guesses(model, test),
    }
    return {name: guess == test.labels for name, guess in found.items()}


def some_of(digits: Digits, rows: Array, dtype: type = np.float32) -> Batch:
    """The digits with these numbers, as a batch."""
    return {"images": digits.images[rows].astype(dtype), "labels": digits.labels[rows]}


def guesses(model: Learner, digits: Digits) -> Array:
    """The class with the largest logit, for every picture."""
    return np.argmax(model.outputs({"images": digits.images, "labels": digits.labels}), axis=1)


def simple_guesses(data: Any, rng: np.random.Generator, steps: int) -> dict[str, Array]:
    """What simpler methods say about the test digits: class means, a linear classifier, the nearest neighbour."""
    train, test = (part.images.reshape(len(part.images), -1) for part in (data.train, data.test))
    means = np.stack([train[data.train.labels == label].mean(axis=0) for label in range(SIZE["classes"])])
    params = linear_params(rng, SIZE["inputs"], SIZE["classes"])
    for _ in range(steps):
        rows = rng.integers(len(train), size=SIZE["batch"])
        gradients = linear_loss(params, train[rows], data.train.labels[rows])[1]
        params = map_tree(lambda param, gradient: param - RATE * gradient, params, gradients)
    return {
        "nearest class mean": np.argmin(squared_distances(test, means), axis=1),
        "linear": np.argmax(linear(test, params["weight"], params["bias"])[0], axis=1),
        "nearest neighbour": data.train.labels[np.argmin(squared_distances(test, train), axis=1)],
    }


def squared_distances(a: Array, b: Array) -> Array:
    """(N, M): the squared distance of every row of a (N, D) from every row of b (M, D)."""
    return (a * a).sum(axis=1)[:, None] - 2 * a @ b.T + (b * b).sum(axis=1)


def linear_loss(params: Tree, pixels: Array, labels: Array) -> tuple[Array, Tree]:
    """Cross-entropy of a network without a hidden layer, and its gradients: a smooth function, having no ReLU."""
    logits, linear_backward = linear(pixels, params["weight"], params["bias"])
    loss, loss_backward = cross_entropy(logits, labels)
    _, d_weight, d_bias = linear_backward(loss_backward())
    return loss, {"weight": d_weight, "bias": d_bias}


def mlp_on_tape(tape: Tape, params: Tree, images: Array, labels: Array) -> tuple[Variable, dict[str, Variable]]:
    """The loss of the network from elementary operations on a tape, and its parameters there, by flat name."""
    found = {name: tape.variable(leaf, name) for name, leaf in flatten(params).items()}
    pixels = tape.variable(images.reshape(len(images), -1), "pixels")
    active = tape.apply(relu, pixels @ found["hidden.weight"].T + found["hidden.bias"])
    logits = active @ found["readout.weight"].T + found["readout.bias"]
    exponentials = tape.apply(exp, logits - logits.value.max(axis=1, keepdims=True))  # (6)
    picked = exponentials[np.arange(len(labels)), labels] / exponentials.sum(axis=1)  # (6)
    return tape.apply(log, picked).sum() * (-1 / len(labels)), found  # (6)


def v_curve(run: Run, digits: Digits, directions: int) -> dict[str, Array]:
    """The error of a measured slope against the nudge, for three ways to measure it."""
    rows = run.rng("V batch").integers(len(digits.labels), size=SIZE["batch"])
    errors = {}
    for name, dtype, central in (
        ("float64, central", np.float64, True),
        ("float64, one-sided", np.float64, False),
        ("float32, central", np.float32, True),
    ):
        pixels = digits.images[rows].reshape(len(rows), -1).astype(dtype)
        start = linear_params(run.rng("V start"), SIZE["inputs"], SIZE["classes"], dtype=dtype)

        def loss(params: Tree, pixels: Array = pixels) -> tuple[Array, Tree]:
            return linear_loss(params, pixels, digits.labels[rows])

        errors[name] = slope_errors(loss, start, NUDGES, run.rng("V directions"), directions, central)
    return errors


def slope_errors(
    loss: Callable[[Tree], tuple[Array, Tree]],
    params: Tree,
    nudges: Array,
    rng: np.random.Generator,
    directions: int,
    central: bool = True,
) -> Array:
    """For every nudge h, how far the slope measured with it is from the one that the gradient predicts.

    The median of |measured − predicted| over random directions, divided by the root mean square of the predicted.
    """
    here, gradients = loss(params)
    errors = np.empty((directions, len(nudges)))
    slopes = np.empty(directions)
    for row in range(directions):
        direction = map_tree(lambda leaf: rng.normal(size=leaf.shape).astype(leaf.dtype), params)
        slopes[row] = sum(
            float(np.vdot(g, d))  # (8)
            for g, d in zip(leaves(gradients), leaves(direction), strict=True)
        )
        for column, h in enumerate(nudges.tolist()):
            above = float(loss(map_tree(lambda p, d, h=h: p + h * d, params, direction))[0])
            if central:
                below = float(loss(map_tree(lambda p, d, h=h: p - h * d, params, direction))[0])
                measured = (above - below) / (2 * h)  # (8), (9)
            else:
                measured = (above - float(here)) / h
            errors[row, column] = abs(measured - slopes[row])  # (9)
    return np.median(errors, axis=0) / np.sqrt(np.mean(slopes**2))


def v_slopes(errors: Array) -> dict[str, float]:
    """The exponents of h on the two sides of the V, by a straight line through the logarithms."""
    found = {}
    for name, (low, high) in {"rounding": ROUNDING, "truncation": TRUNCATION}.items():
        inside = (low * 0.99 < NUDGES) & (high * 1.01 > NUDGES)
        found[name] = growth(NUDGES[inside], errors[inside])
    return found
