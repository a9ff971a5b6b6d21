"""Train on digits or on the user's pictures; race two activations; switch dropout and augmentation off and on."""

from typing import Any

import numpy as np

from groundup.lesson import Batch, Curves, Learner, Measured, Result
from groundup.lessons.p00_numpy_and_pytorch.model import init as plain_init
from groundup.lessons.p00_numpy_and_pytorch.model import mlp
from groundup.lessons.p07_alexnet.model import alexnet, conv2d_loops, first_stride, init
from groundup.lessons.p07_alexnet.pictures import Data, Part, augment, load_data, moved, nearest_labels, views
from groundup.ops.activations import relu, softmax, tanh
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
    "size": 8,
    "channels": 1,
    "classes": 10,
    "filters": (16, 32),
    "hidden": 128,
    "batch": 64,
    "dropout": 0.5,
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
MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4  # section 5
LEVEL = 0.25  # of training error: the finish of the race (figure 1 of the paper)
RATES = (0.02, 0.05, 0.1, 0.2)
PLAIN_RATES = (0.05, 0.1, 0.2)
MOST_OWN = 4000  # of the user's pictures at the default budget
ARMS = {"neither": (0.0, False), "dropout": (0.5, False), "augmentation": (0.0, True), "both": (0.5, True)}


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
    dropout: float = 0.5,
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


def predict(model: Learner, images: Array, data: Data, averaged: bool = False) -> Array:
    """Class probabilities (N, classes) of the middle view, or their mean over all views (section 4.1)."""
    chosen = views(images, data)[: None if averaged else 1]
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


def minibatch(part: Part, data: Data, count: int, augmented: bool, rng: np.random.Generator) -> Batch:
    """``count`` different pictures, drawn at random, with augmentation or in their middle view."""
    rows = rng.choice(len(part.labels), size=min(count, len(part.labels)), replace=False)
    images = augment(part.images[rows], data, rng) if augmented else views(part.images[rows], data)[0]
    return {"images": images - data.mean, "labels": part.labels[rows]}


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
    size = {**SIZE, "size": data.size, "channels": data.train.images.shape[3], "classes": int(labels.max()) + 1}
    size["filters"] = run.pick((8, 8), SIZE["filters"])

    finish, best, saturated, race_curves = race(run, data, size)
    ablation_curves, final = ablate(run, data, size)
    model, untrained, main_curve = train_main(run, data, size)
    probabilities = predict(model, data.test.images, data)
    plain = train_plain(run, data, size)
    at_rest = compare(model, plain, data, data.test.images)
    after_move = compare(model, plain, data, moved(data.test.images, run.rng("moves")))
    averaged = predict(model, data.test.images, data, averaged=True)
    mirrored = predict(model, data.test.images[:, :, ::-1], data)
    accuracy_views, accuracy_mirrored = (
        float(np.mean(found.argmax(axis=1) == data.test.labels)) for found in (averaged, mirrored)
    )
    before, after = untrained["conv1"]["weight"], np.array(model.parameters()["conv1"]["weight"])
    ratio, milliseconds = time_convolutions(run, untrained, data)
    mean = {arm: float(np.mean(errors)) for arm, errors in final.items()}
    return Result(
        measured={
            "accuracy": beside_the_best(at_rest),
            "shift": beside_the_best(after_move),
            "race": Measured(float(np.median(finish["relu"])), float(np.median(finish["tanh"]))),
            "dropout": Measured(mean["dropout"], mean["neither"]),
            "augmentation": Measured(mean["both"], mean["dropout"]),
        },
        metrics={
            "pictures": {name: len(getattr(data, name).labels) for name in ("train", "validation", "test")},
            "chance accuracy": float(np.bincount(data.test.labels).max() / len(data.test.labels)),
            "accuracy": {name: float(right.mean()) for name, right in at_rest.items()},
            "accuracy after a move of one pixel": {name: float(right.mean()) for name, right in after_move.items()},
            "weights": {"network": count(model.parameters()), "plain network": count(plain.parameters())},
            "accuracy, mean over views": accuracy_views,
            "accuracy on mirrored test pictures": accuracy_mirrored,
            "rates chosen on validation": best,
            "epochs to 25 % training error": finish,
            "share of saturated tanh units after the race": saturated,
            "held-out error of the ablation": final,
            "change of held-out error by augmentation": (mean["both"] + mean["augmentation"]) / 2
            - (mean["neither"] + mean["dropout"]) / 2,
            "milliseconds of a convolution": milliseconds,
            "loops / im2col": ratio,
            "correlation of neighbouring weights": {"trained": smoothness(after), "untrained": smoothness(before)},
            "filters moved by": float(np.linalg.norm(after - before) / np.linalg.norm(before)),
        },
        curves={"main": main_curve, **race_curves, **ablation_curves},
        arrays={
            "race": race_curves, "ablation": ablation_curves, "before": before, "after": after,
            "test": data.test, "probabilities": probabilities,
        },
    )  # fmt: skip


def race(
    run: Run, data: Data, size: dict[str, Any]
) -> tuple[dict[str, list[float]], dict[str, float], float, dict[str, Curves]]:
    """Epochs to 25 % training error of ReLU and tanh, each at the rate that was fastest on validation pictures.

    No dropout, no augmentation, as in figure 1. Tuning uses one seed of its own, the race ``seeds`` others.
    Also the rates chosen, and the share of |tanh| > 0.95 in the first layer at the end: is tanh saturated?
    """
    seeds, rates, steps = run.pick(1, 5), run.pick(RATES[1:2], RATES), run.pick(6, 92)
    sample = Part(data.train.images[:300], data.train.labels[:300])
    task = run.progress.add_task("race", total=2 * (len(rates) + seeds), loss="")

    def train_one(activation: str, rate: float, *names: str) -> tuple[Learner, Curves]:
        settings = {**size, "batch": 32, "dropout": 0.0, "activation": activation, "rate": rate}
        model = learner(run.track, run.rng("race parameters", *names), **settings)

        def evaluate(model: Learner) -> dict[str, float]:
            found = {"epoch": model.steps * 32 / len(data.train.labels)}
            part = data.validation if names == ("tuning",) else sample
            return found | {"error": error(model, part, data)}

        def next_batch(rng: np.random.Generator) -> Batch:
            return minibatch(data.train, data, 32, False, rng)

        curve = fit(model, next_batch, steps, run.rng("race", *names), evaluate, every=4)
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
    images = views(sample.images, data)[0] - data.mean
    maps, _ = conv2d(images, np.array(layer["weight"]), np.array(layer["bias"]), first_stride(data.size), 2)
    return finish, best, float(np.mean(np.abs(np.tanh(maps)) > 0.95)), curves


def ablate(run: Run, data: Data, size: dict[str, Any]) -> tuple[dict[str, Curves], dict[str, list[float]]]:
    """Held-out error with dropout and augmentation off and on, from 20 pictures a class: few enough to overfit.

    The four arms share pictures and first parameters. Held out is every other picture of the training part, and
    the test part.
    """
    curves, final = {}, {arm: [] for arm in ARMS}  # type: ignore[var-annotated]
    steps = run.pick(6, 700, 1500)
    for subset in range(run.pick(1, 3)):
        rng = run.rng("few", str(subset))
        members = (rng.permutation(np.flatnonzero(data.train.labels == label))[:20] for label in range(size["classes"]))
        rows = np.concatenate(list(members))
        few = Part(data.train.images[rows], data.train.labels[rows])
        rest = np.setdiff1d(np.arange(len(data.train.labels)), rows)
        held_out = Part(*(np.concatenate([a[rest], b]) for a, b in zip(data.train, data.test, strict=True)))
        for arm, (rate, augmented) in ARMS.items():
            settings = {**size, "batch": 32, "dropout": rate, "steps": steps}
            model = learner(run.track, run.rng("few parameters", str(subset)), **settings)

            def next_batch(rng: np.random.Generator, few: Part = few, augmented: bool = augmented) -> Batch:
                return minibatch(few, data, 32, augmented, rng)

            def evaluate(model: Learner, held_out: Part = held_out) -> dict[str, float]:
                return {"held-out error": error(model, held_out, data)}

            name = f"{arm}-{subset}"
            curves[name] = run.fit(name, model, next_batch, steps, evaluate, max(1, steps // 4))
            final[arm].append(curves[name]["held-out error"][-1])
    return curves, final


def train_main(run: Run, data: Data, size: dict[str, Any]) -> tuple[Learner, Tree, Curves]:
    """The lesson's model, its parameters before training, and its curve: all training pictures, all means."""
    steps = run.pick(10, 1500, 4000)
    model = learner(run.track, run.rng("parameters"), **{**size, "dropout": 0.3, "rate": 0.1, "steps": steps})
    untrained = map_tree(np.copy, model.parameters())

    def next_batch(rng: np.random.Generator) -> Batch:
        return minibatch(data.train, data, size["batch"], True, rng)

    def evaluate(model: Learner) -> dict[str, float]:
        return {"validation error": error(model, data.validation, data)}

    about = {name: size[name] for name in ("size", "channels", "classes")}
    return model, untrained, run.fit("main", model, next_batch, steps, evaluate, max(1, steps // 10), about)


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


def train_plain(run: Run, data: Data, size: dict[str, Any]) -> Learner:
    """A plain network with as many weights as the convolutional one, on the same pictures, at its own best rate."""
    most = count(learner("numpy", run.rng("parameters"), **size).parameters())
    inputs, classes = data.size**2 * size["channels"], size["classes"]
    hidden = max(1, (most - classes) // (inputs + classes + 1))
    steps, settings = run.pick(10, 1500, 4000), {"inputs": inputs, "hidden": hidden, "classes": classes}

    def next_batch(rng: np.random.Generator) -> Batch:
        return minibatch(data.train, data, size["batch"], True, rng)

    def evaluate(model: Learner) -> dict[str, float]:
        return {"validation error": error(model, data.validation, data)}

    found = {}
    for rate in run.pick(PLAIN_RATES[:1], PLAIN_RATES):
        model = plain_learner(run.track, run.rng("plain parameters"), **settings, rate=rate, steps=steps)
        curve = run.fit(f"plain-{rate:g}", model, next_batch, steps, evaluate, steps)
        found[curve["validation error"][-1], rate] = model
    return found[min(found)]


def compare(model: Learner, plain: Learner, data: Data, images: Array) -> dict[str, Array]:
    """Whether each test picture, as it is in ``images``, is told right by the network and by each rival."""
    labels = {
        "network": predict(model, images, data).argmax(axis=1),
        "plain network": predict(plain, images, data).argmax(axis=1),
        "nearest training picture": nearest_labels(data, images),
    }
    return {name: found == data.test.labels for name, found in labels.items()}


def beside_the_best(right: dict[str, Array]) -> Measured:
    """The network beside the rival that is right most often on the same pictures."""
    best = max((name for name in right if name != "network"), key=lambda name: right[name].mean())
    return Measured(float(right["network"].mean()), float(right[best].mean()), (right["network"], right[best]))


def smoothness(filters: Array) -> float:
    """Correlation of neighbouring weights in filters (O, C, k, k): 0 in noise, 1 in a flat filter."""
    across = np.stack([filters[..., :, :-1].ravel(), filters[..., :, 1:].ravel()])
    down = np.stack([filters[..., :-1, :].ravel(), filters[..., 1:, :].ravel()])
    return float(np.corrcoef(np.concatenate([across, down], axis=1))[0, 1])


def time_convolutions(run: Run, params: Tree, data: Data) -> tuple[float, dict[str, float]]:
    """How many times as long loops take as im2col for the first layer on two pictures: the median of five pairs."""
    x = views(data.train.images[:2], data)[0][:, :8, :8] - data.mean
    weight, bias = params["conv1"]["weight"], params["conv1"]["bias"]
    loops, products = side_by_side(
        [lambda: conv2d_loops(x, weight, bias, 2), lambda: [conv2d(x, weight, bias, 1, 2) for _ in range(20)]],
        run.pick(1, 5),
    )
    ratio = float(np.median(loops / (products / 20)))
    return ratio, {"loops": 1000 * float(np.median(loops)), "im2col": 1000 * float(np.median(products / 20))}
