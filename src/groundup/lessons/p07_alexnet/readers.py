"""Who reads the pictures: a network, by its likeliest class; a plain network; the nearest training picture."""

from typing import Any

import numpy as np

from groundup.lesson import Batch, Learner, Measured
from groundup.lessons.p00_numpy_and_pytorch.model import init as plain_init
from groundup.lessons.p00_numpy_and_pytorch.model import mlp
from groundup.lessons.p07_alexnet.pictures import Data, Part, augment, middle, views
from groundup.ops.activations import softmax
from groundup.ops.losses import cross_entropy
from groundup.ops.types import Array
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.optim import cosine
from groundup.training.run import Run

MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4  # section 5
PLAIN_RATES = (0.05, 0.1, 0.2)


def predict(model: Learner, images: Array, data: Data, averaged: bool = False) -> Array:
    """Class probabilities (N, classes) of the middle view, or their mean over all views (section 4.1)."""
    chosen = views(images, data) if averaged else [middle(images, data)]
    labels = np.zeros(len(images), np.int64)  # not looked at, but part of a batch
    total: Any = 0.0
    for view in chosen:
        blocks = [slice(start, start + 256) for start in range(0, len(view), 256)]
        logits = [model.outputs({"images": view[b] - data.mean, "labels": labels[b]}) for b in blocks]
        total = total + softmax(np.concatenate(logits))[0]
    return total / len(chosen)


def error(model: Learner, part: Part, data: Data) -> float:
    """Share of pictures whose likeliest class is wrong."""
    return float(np.mean(predict(model, part.images, data).argmax(axis=1) != part.labels))


def minibatch(part: Part, data: Data, count: int, farthest: float | None, rng: np.random.Generator) -> Batch:
    """``count`` different pictures, drawn at random: augmented, with moves that far, or in their middle view."""
    rows = rng.choice(len(part.labels), size=min(count, len(part.labels)), replace=False)
    images = part.images[rows]
    images = middle(images, data) if farthest is None else augment(images, data, rng, farthest)
    return {"images": images - data.mean, "labels": part.labels[rows]}


def plain_learner(
    track: str, rng: np.random.Generator, *, inputs: int, hidden: int, classes: int, rate: float, steps: int
) -> Learner:
    """Lesson 00's network with one hidden layer, trained as the convolutional one is."""

    def twin() -> Twin:
        from groundup.lessons.p00_numpy_and_pytorch.twin import MLP
        from groundup.lessons.p07_alexnet.twin import classification_loss

        return Twin(MLP(inputs, hidden, classes), classification_loss)

    return both_tracks(
        track,
        plain_init(rng, inputs, hidden, classes),
        forward=lambda params, rng, images: mlp(params, images),
        loss=cross_entropy,
        twin=twin,
        inputs=["images"],
        target="labels",
        optimiser="sgd",
        settings={"momentum": MOMENTUM, "weight_decay": WEIGHT_DECAY},
        schedule=cosine(rate, steps),
    )


def train_plain(run: Run, data: Data, size: dict[str, Any], most: int, steps: int, farthest: float | None) -> Learner:
    """A plain network with at least ``most`` weights, trained for as many steps, at its own best rate."""
    inputs, classes = data.size**2 * size["channels"], size["classes"]
    hidden = -((classes - most) // (inputs + classes + 1))  # rounded up

    def next_batch(rng: np.random.Generator) -> Batch:
        return minibatch(data.train, data, size["batch"], farthest, rng)

    def evaluate(model: Learner) -> dict[str, float]:
        return {"validation error": error(model, data.validation, data)}

    found = {}
    for rate in run.pick(PLAIN_RATES[:1], PLAIN_RATES):
        model = plain_learner(
            run.track,
            run.rng("plain parameters"),
            inputs=inputs,
            hidden=hidden,
            classes=classes,
            rate=rate,
            steps=steps,
        )
        name = f"plain-{rate:g}" if farthest is None else f"plain-shown-moves-{rate:g}"
        curve = run.fit(name, model, next_batch, steps, evaluate, steps)
        found[curve["validation error"][-1], rate] = model
    return found[min(found)]


def nearest_labels(data: Data, images: Array) -> Array:
    """(N,): for each picture the label of the nearest training picture, by Euclidean distance of pixels."""
    known = data.train.images.reshape(len(data.train.labels), -1)
    squares = np.vecdot(known, known)
    nearest = [
        (squares - 2 * images[start : start + 256].reshape(-1, known.shape[1]) @ known.T).argmin(axis=1)
        for start in range(0, len(images), 256)
    ]
    return data.train.labels[np.concatenate(nearest)]


def beside_the_best(name: str, right: dict[str, Array]) -> Measured:
    """A reader beside the rival that is right most often on the same pictures."""
    best = max((other for other in right if other != name), key=lambda other: right[other].mean())
    return Measured(float(right[name].mean()), float(right[best].mean()), (right[name], right[best]))
