"""Train on digits or on the user's pictures, move them, race two activations, switch dropout and augmentation."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from groundup.lesson import Batch, Curves, Learner, Measured, Result
from groundup.lessons.p07_alexnet.model import alexnet, conv2d_loops, first_stride, init
from groundup.lessons.p07_alexnet.pictures import FARTHEST, Data, Part, load_data, middle, moved
from groundup.lessons.p07_alexnet.readers import (
    MOMENTUM,
    WEIGHT_DECAY,
    beside_the_best,
    error,
    minibatch,
    nearest_labels,
    predict,
    train_plain,
)
from groundup.ops.activations import relu, tanh
from groundup.ops.conv import conv2d
from groundup.ops.losses import cross_entropy
from groundup.ops.types import Array, Tree
from groundup.proof.instruments import side_by_side
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.loop import fit
from groundup.training.optim import constant, cosine
from groundup.training.params import count, map_tree
from groundup.training.run import Run

SIZE: dict[str, Any] = {
    "size": 28,
    "channels": 1,
    "classes": 10,
    "filters": (16, 32),
    "hidden": 128,
    "batch": 32,
    "dropout": 0.3,
}
TINY: dict[str, Any] = {
    "size": 6,
    "channels": 2,
    "classes": 3,
    "filters": (4, 6),
    "hidden": 8,
    "batch": 4,
    "dropout": 0.5,
}
LEVEL = 0.25  # of training error: the finish of the race (figure 1 of the paper)
STEPS, RATE = 1500, 0.05
RACE_RATES = (0.02, 0.05, 0.1, 0.2)
MOST_OWN = 4000  # of the user's pictures at the default budget
DISTANCE = 2  # pixels that test pictures are moved by
DISTANCES = (0, 1, 2, 3, 4, 5, 6)
#: Of the trainings from 20 pictures a class: dropout, and how far pictures are moved (None: no augmentation).
ARMS = {"neither": (0.0, None), "dropout": (0.3, None), "augmentation": (0.0, FARTHEST), "both": (0.3, FARTHEST)}
#: Both, with moves of other sizes, in pixels of 28.
SIZES = {f"both, moves of {pixels:g}": (0.3, pixels / 28) for pixels in (0.5, 1, 4)}
FEW_BATCH, FEW_RATE = 16, 0.03


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    size: int,
    channels: int,
    classes: int,
    filters: tuple[int, int],
    hidden: int,
    batch: int,
    dropout: float = 0.3,
    activation: str = "relu",
    rate: float = 0.05,
    steps: int | None = None,
) -> Learner:
    """A small AlexNet in training on either track, from the same parameters; with ``steps`` the rate falls to 0."""
    function = {"relu": relu, "tanh": tanh}[activation]

    def twin() -> Twin:
        import torch

        from groundup.lessons.p07_alexnet.twin import AlexNet, classification_loss

        chosen = {"relu": torch.relu, "tanh": torch.tanh}[activation]
        return Twin(AlexNet(size, channels, classes, filters, hidden, dropout, chosen), classification_loss)

    return both_tracks(
        track,
        init(rng, size, channels, classes, filters, hidden, dtype),
        forward=lambda params, rng, images: alexnet(params, images, dropout, rng, function),
        loss=cross_entropy,
        twin=twin,
        inputs=["images"],
        target="labels",
        optimiser="sgd",
        settings={"momentum": MOMENTUM, "weight_decay": WEIGHT_DECAY},
        schedule=constant(rate) if steps is None else cosine(rate, steps),
    )


def batch(rng: np.random.Generator, *, size: int, channels: int, classes: int, batch: int, **_: Any) -> Batch:
    """Random images and labels in the shape of training data."""
    images = rng.normal(size=(batch, size, size, channels)).astype(np.float32)
    return {"images": images, "labels": rng.integers(classes, size=batch)}


def crossing(curve: Curves, name: str) -> float:
    """Epochs at which an error first reaches ``LEVEL``, on straight lines between measurements; else the last."""
    epochs, errors = curve["epoch"], curve[name]
    for index, value in enumerate(errors):
        if value <= LEVEL:
            if index == 0:
                return epochs[0]
            before = errors[index - 1]
            return epochs[index - 1] + (epochs[index] - epochs[index - 1]) * (before - LEVEL) / (before - value)
    return epochs[-1]


def run(run: Run) -> Result:
    """The experiment of the lesson; ``--images FOLDER`` puts the user's own pictures in the place of the digits."""
    data = load_data(run.options.get("images"), run.pick(MOST_OWN, MOST_OWN, 60_000), run.rng("pictures"), run.say)
    labels = np.concatenate([part.labels for part in (data.train, data.validation, data.test)])
    few = Part(data.test.images[:200], data.test.labels[:200])
    data = run.pick(data._replace(validation=few, test=few), data)
    size = {**SIZE, "size": data.size, "channels": data.train.images.shape[3], "classes": int(labels.max()) + 1}
    size["filters"] = run.pick((8, 8), SIZE["filters"])

    model, untrained, curve = train(run, data, size, "main", None)
    shown_moves, _, shown_curve = train(run, data, size, "shown-moves", FARTHEST)
    most, steps = count(model.parameters()), run.pick(10, STEPS, 4000)
    plain, plain_shown = (train_plain(run, data, size, most, steps, farthest) for farthest in (None, FARTHEST))
    readers = {
        "network": lambda images: predict(model, images, data).argmax(axis=1),
        "plain network": lambda images: predict(plain, images, data).argmax(axis=1),
        "nearest training picture": lambda images: nearest_labels(data, images),
        "network shown moves": lambda images: predict(shown_moves, images, data).argmax(axis=1),
        "plain network shown moves": lambda images: predict(plain_shown, images, data).argmax(axis=1),
    }
    right = {name: read(data.test.images) == data.test.labels for name, read in readers.items()}
    pushed = moved(data.test.images, DISTANCE, run.rng("moves"))
    right_pushed = {name: read(pushed) == data.test.labels for name, read in readers.items()}
    finish, best, saturated, race_curves = race(run, data, size)
    ablation_curves, final = ablate(run, data, size)

    averaged = {
        name: predict(shown, data.test.images, data, averaged=True).argmax(axis=1) == data.test.labels
        for name, shown in (("network shown moves", shown_moves), ("plain network shown moves", plain_shown))
    }
    met = minibatch(data.train, data, 1000, FARTHEST, run.rng("met"))
    before, after = untrained["conv1"]["weight"], np.array(model.parameters()["conv1"]["weight"])
    ratio, milliseconds = time_convolutions(run, untrained, data)
    mean = {arm: float(np.mean(errors)) for arm, errors in final.items()}
    return Result(
        measured={
            "accuracy": beside_the_best(
                "network shown moves",
                {name: right[name] for name in ("plain network", "nearest training picture")} | averaged,
            ),
            "shift": beside_the_best("network", {name: right_pushed[name] for name in list(readers)[:3]}),
            "race": Measured(float(np.median(finish["relu"])), float(np.median(finish["tanh"]))),
            "dropout": Measured(mean["dropout"], mean["neither"]),
            "augmentation": Measured(mean["both"], mean["dropout"]),
        },
        metrics={
            "pictures": {name: len(getattr(data, name).labels) for name in ("train", "validation", "test")},
            "chance accuracy": float(np.bincount(data.test.labels).max() / len(data.test.labels)),
            "accuracy": {name: float(found.mean()) for name, found in right.items()},
            "accuracy on moved pictures": {name: float(found.mean()) for name, found in right_pushed.items()},
            "only one of two reads it": {
                "network shown moves": int(np.sum(right["network shown moves"] & ~right["network"])),
                "network": int(np.sum(right["network"] & ~right["network shown moves"])),
            },
            "accuracy on training pictures, augmented": float(
                np.mean(shown_moves.outputs(met).argmax(axis=1) == met["labels"])
            ),
            "accuracy by distance": by_distance(run, readers, data),
            "weights": {"network": count(model.parameters()), "plain network": count(plain.parameters())},
            "accuracy, mean over views": {name: float(found.mean()) for name, found in averaged.items()},
            "rates chosen on validation": best,
            "epochs to 25 % training error": finish,
            "share of saturated tanh units after the race": saturated,
            "held-out error of the ablation": final,
            "milliseconds of a convolution": milliseconds,
            "loops / im2col": ratio,
            "correlation of neighbouring weights": {"trained": smoothness(after), "untrained": smoothness(before)},
            "filters moved by": float(np.linalg.norm(after - before) / np.linalg.norm(before)),
        },
        curves={"main": curve, "shown-moves": shown_curve, **race_curves, **ablation_curves},
        arrays={
            "race": race_curves, "ablation": ablation_curves, "before": before, "after": after,
            "test": data.test, "probabilities": predict(model, data.test.images, data),
        },
    )  # fmt: skip


def by_distance(run: Run, readers: Mapping[str, Callable[[Array], Array]], data: Data) -> dict[str, list[float]]:
    """The share of the first 1,000 test pictures that each reader tells right when moved by each of ``DISTANCES``."""
    part, found = Part(data.test.images[:1000], data.test.labels[:1000]), {name: [] for name in readers}  # type: ignore[var-annotated]
    for distance in run.pick(DISTANCES[:2], DISTANCES):
        images = moved(part.images, distance, run.rng("moves"))
        for name, read in readers.items():
            found[name].append(float(np.mean(read(images) == part.labels)))
    return found


def race(
    run: Run, data: Data, size: dict[str, Any]
) -> tuple[dict[str, list[float]], dict[str, float], float, dict[str, Curves]]:
    """Epochs to 25 % training error of ReLU and tanh, each at the rate that was fastest on validation pictures.

    No dropout, no augmentation, as in figure 1. Tuning uses one seed of its own, the race ``seeds`` others.
    Also the rates chosen, and the share of |tanh| > 0.95 in the first layer at the end: is tanh saturated?
    """
    seeds, rates, steps = run.pick(1, 5), run.pick(RACE_RATES[1:2], RACE_RATES), run.pick(6, 108)
    sample, validation = (Part(part.images[:200], part.labels[:200]) for part in (data.train, data.validation))
    task = run.progress.add_task("race", total=2 * (len(rates) + seeds), loss="")

    def train_one(activation: str, rate: float, *names: str) -> tuple[Learner, Curves]:
        settings = {**size, "dropout": 0.0, "activation": activation, "rate": rate}
        model = learner(run.track, run.rng("race parameters", *names), **settings)

        def evaluate(model: Learner) -> dict[str, float]:
            found = {"epoch": model.steps * size["batch"] / len(data.train.labels)}
            return found | {"error": error(model, validation if names == ("tuning",) else sample, data)}

        def next_batch(rng: np.random.Generator) -> Batch:
            return minibatch(data.train, data, size["batch"], None, rng)

        curve = fit(model, next_batch, steps, run.rng("race", *names), evaluate, every=6)
        run.progress.advance(task)
        return model, curve

    finish, best, curves = {}, {}, {}
    for activation in ("relu", "tanh"):
        tuned = {rate: crossing(train_one(activation, rate, "tuning")[1], "error") for rate in rates}
        best[activation] = min(tuned, key=lambda rate: tuned[rate])
        for seed in range(seeds):
            model, curves[f"race-{activation}-{seed}"] = train_one(activation, best[activation], str(seed))
        finish[activation] = [crossing(curves[f"race-{activation}-{seed}"], "error") for seed in range(seeds)]
    layer = model.parameters()["conv1"]  # of the last tanh network
    images = middle(sample.images, data) - data.mean
    maps, _ = conv2d(images, np.array(layer["weight"]), np.array(layer["bias"]), first_stride(data.size), 2)
    return finish, best, float(np.mean(np.abs(np.tanh(maps)) > 0.95)), curves


def ablate(run: Run, data: Data, size: dict[str, Any]) -> tuple[dict[str, Curves], dict[str, list[float]]]:
    """Test error of all arms, from 20 pictures a class: few enough to overfit.

    The arms share pictures and first parameters. Photographs are cropped, not moved, and no sizes of moves are tried.
    """
    curves, final = {}, {}  # type: ignore[var-annotated]
    steps, held_out = run.pick(6, 500, 1500), Part(data.test.images[:1000], data.test.labels[:1000])
    arms = run.pick(ARMS, ARMS if data.photos else ARMS | SIZES)
    for subset in range(run.pick(1, 2)):
        rng = run.rng("few", str(subset))
        members = (rng.permutation(np.flatnonzero(data.train.labels == label))[:20] for label in range(size["classes"]))
        rows = np.concatenate(list(members))
        few = Part(data.train.images[rows], data.train.labels[rows])
        for arm, (rate, farthest) in arms.items():
            settings = {**size, "dropout": rate, "rate": FEW_RATE, "steps": steps}
            model = learner(run.track, run.rng("few parameters", str(subset)), **settings)

            def next_batch(rng: np.random.Generator, few: Part = few, farthest: float | None = farthest) -> Batch:
                return minibatch(few, data, FEW_BATCH, farthest, rng)

            def evaluate(model: Learner) -> dict[str, float]:
                return {"held-out error": error(model, held_out, data)}

            name = f"{arm}-{subset}"
            curves[name] = run.fit(name, model, next_batch, steps, evaluate, max(1, steps // 4))
            final.setdefault(arm, []).append(curves[name]["held-out error"][-1])
    return curves, final


def train(
    run: Run, data: Data, size: dict[str, Any], name: str, farthest: float | None
) -> tuple[Learner, Tree, Curves]:
    """The lesson's network after training on all training pictures, its parameters before that, and its curve."""
    steps = run.pick(10, STEPS, 4000)
    model = learner(run.track, run.rng("parameters"), **size, rate=RATE, steps=steps)
    untrained = map_tree(np.copy, model.parameters())

    def next_batch(rng: np.random.Generator) -> Batch:
        return minibatch(data.train, data, size["batch"], farthest, rng)

    def evaluate(model: Learner) -> dict[str, float]:
        return {"validation error": error(model, data.validation, data)}

    about = {name: size[name] for name in ("size", "channels", "classes")}
    return model, untrained, run.fit(name, model, next_batch, steps, evaluate, max(1, steps // 10), about)


def smoothness(filters: Array) -> float:
    """Correlation of neighbouring weights in filters (O, C, k, k): 0 in noise, 1 in a flat filter."""
    across = np.stack([filters[..., :, :-1].ravel(), filters[..., :, 1:].ravel()])
    down = np.stack([filters[..., :-1, :].ravel(), filters[..., 1:, :].ravel()])
    return float(np.corrcoef(np.concatenate([across, down], axis=1))[0, 1])


def time_convolutions(run: Run, params: Tree, data: Data) -> tuple[float, dict[str, float]]:
    """How many times as long loops take as im2col for the first layer on two pictures: the median of five pairs."""
    x = middle(data.train.images[:2], data)[:, 10:18, 10:18] - data.mean
    weight, bias = params["conv1"]["weight"], params["conv1"]["bias"]
    loops, products = side_by_side(
        [lambda: conv2d_loops(x, weight, bias, 2), lambda: [conv2d(x, weight, bias, 1, 2) for _ in range(20)]],
        run.pick(1, 5),
    )
    ratio = float(np.median(loops / (products / 20)))
    return ratio, {"loops": 1000 * float(np.median(loops)), "im2col": 1000 * float(np.median(products / 20))}
