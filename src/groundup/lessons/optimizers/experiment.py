"""Six optimisers, each at its own best rate; two kinds of weight decay; three beginnings of a deep network; warm-up."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from groundup.data.digits import Digits
from groundup.data.mnist import load_mnist, split_mnist
from groundup.lesson import Batch, Curves, Learner, Measured, Result
from groundup.lessons.optimizers.model import init, mlp, with_l2
from groundup.ops.activations import relu, tanh
from groundup.ops.linear import linear
from groundup.ops.losses import cross_entropy
from groundup.ops.types import Array, Tree
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.learner import NumpyLearner
from groundup.training.loop import fit
from groundup.training.optim import Schedule, constant, cosine
from groundup.training.run import Run

SIZE: dict[str, Any] = {"inputs": 784, "widths": (64,), "classes": 10, "batch": 64}
TINY: dict[str, Any] = {"inputs": 6, "widths": (5, 4), "classes": 3, "batch": 4}
DEEP: dict[str, Any] = {**SIZE, "widths": (64,) * 20}
STEPS, FEW_STEPS, DEEP_STEPS = 400, 250, 250
FEW = 1000  # digits to train on where weight decay is to have something to do
HIGH = 2.0**-3  # eight times the rate at which Adam is best here
ACTIVATIONS = {"relu": relu, "tanh": tanh}


def powers(first: int, last: int) -> list[float]:
    """2^first, 2^(first + 1), …, 2^last."""
    return [2.0**k for k in range(first, last + 1)]


#: The optimisers of the race: name and settings of the house's function, and the rates that are tried.
RACE: dict[str, tuple[str, dict[str, Any], list[float]]] = {
    "gradient descent": ("sgd", {}, powers(-6, 3)),
    "momentum": ("sgd", {"momentum": 0.9}, powers(-9, 0)),
    "Nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}, powers(-9, 0)),
    "Adagrad": ("adagrad", {}, powers(-9, 0)),
    "RMSProp": ("rmsprop", {}, powers(-12, -3)),
    "Adam": ("adam", {}, powers(-11, -2)),
}
DECAY_RATES = powers(-10, -6)
#: Weight decay by three rules, and the strengths that are tried: in steps of √10, from too little to too much.
DECAYS = {
    "L2 in the loss": [10 ** (k / 2) for k in range(-9, -2)],
    "AdamW, times the rate": [10 ** (k / 2) for k in range(-4, 3)],
    "AdamW, apart from the rate": [10 ** (k / 2) for k in range(-10, -3)],
}
#: Optimisers of the deep network, and the rates that are tried.
DEEP_RACE = {"momentum": powers(-9, -5)[::2], "Adam": powers(-11, -7)[::2]}
WARMUP_RATES = powers(-7, -3)


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    inputs: int,
    widths: Sequence[int],
    classes: int,
    batch: int,
    start: str = "he",
    activation: str = "relu",
    optimiser: str = "adam",
    settings: Mapping[str, Any] | None = None,
    schedule: Schedule | None = None,
) -> Learner:
    """The network in training on either track, from the same parameters."""
    sizes = (inputs, *widths, classes)

    def twin() -> Twin:
        import torch

        from groundup.lessons.optimizers.twin import MLP

        return Twin(MLP(sizes, getattr(torch, activation)), torch.nn.functional.cross_entropy)

    return both_tracks(
        track,
        init(rng, sizes, start, dtype),
        forward=lambda params, rng, images: mlp(params, images, ACTIVATIONS[activation]),
        loss=cross_entropy,
        twin=twin,
        inputs=["images"],
        target="labels",
        optimiser=optimiser,
        settings=settings,
        schedule=schedule or constant(2.0**-8),
    )


def batch(rng: np.random.Generator, *, inputs: int, classes: int, batch: int, **_: Any) -> Batch:
    """Random pictures in the shape of training data."""
    images = rng.uniform(size=(batch, inputs)).astype(np.float32)
    return {"images": images, "labels": rng.integers(classes, size=batch)}


def draw(digits: Digits, rng: np.random.Generator, count: int = SIZE["batch"]) -> Batch:
    """``count`` digits, drawn at random."""
    rows = rng.integers(len(digits.labels), size=count)
    return {"images": digits.images[rows], "labels": digits.labels[rows]}


def penalised(model: Learner, penalty: float) -> Learner:
    """The same learner with ½·penalty·‖w‖² in its loss (``weight_decay`` of ``torch.optim.Adam``)."""
    if isinstance(model, NumpyLearner):
        model.optimiser = with_l2(model.optimiser, penalty)
    else:
        for group in model.optimiser.param_groups:  # type: ignore[attr-defined]
            group["weight_decay"] = penalty
    return model


def held_out(model: Learner, digits: Digits) -> tuple[float, Array]:
    """The loss on digits that training has not seen, at most that of saying nothing, and which it reads rightly."""
    logits = model.outputs({"images": digits.images, "labels": digits.labels})
    with np.errstate(all="ignore"):
        loss = float(cross_entropy(logits, digits.labels)[0])
    nothing = math.log(SIZE["classes"])
    return min(loss, nothing) if math.isfinite(loss) else nothing, logits.argmax(axis=1) == digits.labels


def trained(
    run: Run, digits: Digits, steps: int, penalty: float = 0.0, size: Mapping[str, Any] = SIZE, **options: Any
) -> tuple[Learner, Curves]:
    """A network after training: all begin with the same parameters (of one size and start) and see the same batches."""
    model = learner(run.track, run.rng("parameters"), **size, **options)
    if penalty:
        penalised(model, penalty)
    with np.errstate(all="ignore"):  # a rate that is too high blows it up, and that is worth knowing
        curve = fit(
            model, lambda rng: draw(digits, rng), steps, run.rng("training", "network"), every=max(1, steps // 25)
        )
    return model, curve


def run(run: Run) -> Result:
    """The experiment of the lesson."""
    data = split_mnist(load_mnist())
    raced = race(run, data)
    decayed = decay(run, data)
    deep = depth(run, data.train)
    warmed = warm(run, data)
    best_rival = min((name for name in raced if name != "Adam"), key=lambda name: raced[name]["validation"])
    between = max(row["test"] for row in raced.values()) - min(row["test"] for row in raced.values())
    best_decay = {rule: found["best test"] for rule, found in decayed.items()}

    steps = run.pick(20, STEPS)
    model = learner(run.track, run.rng("parameters"), **SIZE, schedule=cosine(raced["Adam"]["rate"], steps))
    about = {"sizes": [SIZE["inputs"], *SIZE["widths"], SIZE["classes"]]}
    curve = run.fit("network", model, lambda rng: draw(data.train, rng), steps, None, max(1, steps // 25), about)
    loss, right = held_out(model, data.test)
    return Result(
        measured={
            "adam": Measured(loss, raced[best_rival]["test"]),
            "rate": Measured(float(np.median([row["missed"] for row in raced.values()])), between),
            "decay": Measured(decayed["AdamW, times the rate"]["regret"], decayed["L2 in the loss"]["regret"]),
            "start": Measured(best_of(deep, "relu", "he"), best_of(deep, "relu", "xavier")),
            "warmup": Measured(warmed["with"][HIGH], warmed["without"][HIGH]),
        },
        metrics={
            "digits": {name: len(part.labels) for name, part in data._asdict().items()},
            "best rival": best_rival,
            "best rates": {name: row["rate"] for name, row in raced.items()},
            "test loss": {name: row["test"] for name, row in raced.items()},
            "test accuracy": {name: row["accuracy"] for name, row in raced.items()},
            "accuracy of Adam": float(right.mean()),
            "accuracy of the rival": raced[best_rival]["accuracy"],
            "training loss": {name: float(np.mean(row["curve"]["training"][-3:])) for name, row in raced.items()},
            "price of a rate four times off": {name: row["missed"] for name, row in raced.items()},
            "regret of one decay": {rule: found["regret"] for rule, found in decayed.items()},
            "test loss with the best decay": best_decay,
            "AdamW with its best decay": best_decay["AdamW, times the rate"],
            "L2 with its best penalty": best_decay["L2 in the loss"],
            "apart from the rate": decayed["AdamW, apart from the rate"]["regret"],
            "best decay by rate": {rule: found["best decays"] for rule, found in decayed.items()},
            "deep network": {" ".join(key): loss for key, loss in deep.items()},
            "at Adam's best rate": {kind: min(losses.values()) for kind, losses in warmed.items()},
        },
        curves={"network": curve} | {f"race {name}": row["curve"] for name, row in raced.items()},
        arrays={
            "race": {
                name: {"rates": row["rates"], "losses": row["losses"], "chosen": row["rate"]}
                for name, row in raced.items()
            },
            "decay": {rule: found["validation"] for rule, found in decayed.items()},
            "spreads": spreads_of_all(run, data.train),
            "warm-up": {kind: list(losses.values()) for kind, losses in warmed.items()},
        },
    )


def race(run: Run, data: Any) -> dict[str, dict[str, Any]]:
    """Every optimiser at every rate of its grid; the rate is chosen on validation digits.

    "missed": what a rate four times too low or too high costs on average, in nats on the test digits.
    """
    steps, found = run.pick(20, STEPS), {}
    task = run.progress.add_task("race", total=sum(len(rates) for *_, rates in RACE.values()), loss="")
    for name, (optimiser, settings, rates) in RACE.items():
        rows = []
        for rate in run.pick(rates[2:8:2], rates):
            options: dict[str, Any] = {"optimiser": optimiser, "settings": settings, "schedule": cosine(rate, steps)}
            model, curve = trained(run, data.train, steps, **options)
            test, right = held_out(model, data.test)
            rows.append((held_out(model, data.validation)[0], test, float(right.mean()), rate, curve))
            run.progress.advance(task)
        validation, tests, accuracies, tried, curves = zip(*rows, strict=True)
        best = int(np.argmin(validation))
        off = [tests[max(best - 2, 0)], tests[min(best + 2, len(tests) - 1)]]
        found[name] = {
            "rate": tried[best],
            "validation": validation[best],
            "test": tests[best],
            "accuracy": accuracies[best],
            "missed": float(np.mean(off)) - tests[best],
            "rates": tried,
            "losses": tests,
            "curve": curves[best],
        }
    return found


def decay(run: Run, data: Any) -> dict[str, dict[str, Any]]:
    """Adam with weight decay by each rule, at every rate and strength, from few digits.

    "regret": what it costs on the test digits, averaged over the rates, to keep the one strength that is best on
    average in place of the best for each rate (both chosen on validation digits).
    """
    few = Digits(data.train.images[:FEW], data.train.labels[:FEW])
    steps, rates, found = run.pick(20, FEW_STEPS), run.pick(DECAY_RATES[::2], DECAY_RATES), {}
    task = run.progress.add_task("decay", total=len(rates) * sum(map(len, DECAYS.values())), loss="")
    for rule, strengths in DECAYS.items():
        tried = run.pick(strengths[::3], strengths)
        validation, test = np.empty((2, len(rates), len(tried)))
        for row, rate in enumerate(rates):
            for column, strength in enumerate(tried):
                settings = {}
                if rule == "AdamW, times the rate":
                    settings = {"weight_decay": strength}
                elif rule == "AdamW, apart from the rate":
                    settings = {"weight_decay": strength / rate}
                penalty = strength if rule == "L2 in the loss" else 0.0
                model, _ = trained(run, few, steps, penalty, settings=settings, schedule=cosine(rate, steps))
                validation[row, column] = held_out(model, data.validation)[0]
                test[row, column] = held_out(model, data.test)[0]
                run.progress.advance(task)
        own, one = validation.argmin(axis=1), int(validation.mean(axis=0).argmin())
        best = np.unravel_index(validation.argmin(), validation.shape)
        found[rule] = {
            "regret": float(np.mean(test[:, one] - test[np.arange(len(rates)), own])),
            "best test": float(test[best]),
            "best decays": [tried[place] for place in own],
            "validation": validation,
        }
    return found


def depth(run: Run, digits: Digits) -> dict[tuple[str, str, str], float]:
    """Training loss at the end, of twenty hidden layers, by activation, start and optimiser, each at its best rate."""
    steps, size, found = run.pick(10, DEEP_STEPS), run.pick({**DEEP, "widths": (16,) * 4}, DEEP), {}
    for activation in ACTIVATIONS:
        for start in ("small", "xavier", "he"):
            for name, rates in DEEP_RACE.items():
                losses = []
                for rate in run.pick(rates[:1], rates):
                    optimiser, settings, _ = RACE[name]
                    options: dict[str, Any] = {"activation": activation, "start": start, "schedule": constant(rate)}
                    options |= {"optimiser": optimiser, "settings": settings}
                    _, curve = trained(run, digits, steps, size=size, **options)
                    losses.append(float(np.mean(curve["training"][-5:])))
                found[activation, start, name] = float(np.nanmin([*losses, math.log(SIZE["classes"])]))
    return found


def best_of(deep: Mapping[tuple[str, str, str], float], activation: str, start: str) -> float:
    """The lowest loss that a start reaches with any optimiser."""
    return min(loss for (a, s, _), loss in deep.items() if (a, s) == (activation, start))


def spreads(
    params: Tree, images: Array, labels: Array, activation: Callable[..., Any]
) -> tuple[list[float], list[float]]:
    """Root mean squares, layer by layer, of the activations going forward and of the gradients coming back to them."""
    x, forward, backward, closures = images.reshape(len(images), -1), [], [], []
    for layer in params["layers"][:-1]:
        z, linear_backward = linear(x, layer["weight"], layer["bias"])
        x, activation_backward = activation(z)
        forward.append(float(np.sqrt(np.mean(x**2))))
        closures.append((linear_backward, activation_backward))
    logits, last_backward = linear(x, **params["layers"][-1])
    dx, *_ = last_backward(cross_entropy(logits, labels)[1]())
    for linear_backward, activation_backward in reversed(closures):
        backward.append(float(np.sqrt(np.mean(dx**2))))
        dx, *_ = linear_backward(activation_backward(dx))
    return forward, backward[::-1]


def spreads_of_all(run: Run, digits: Digits) -> dict[str, Any]:
    """``spreads`` at the beginning, for both activations and all starts: {"relu he": (activations, gradients)}."""
    some = draw(digits, run.rng("spreads"), 256)
    sizes = (DEEP["inputs"], *DEEP["widths"], DEEP["classes"])
    return {
        f"{name} {start}": spreads(
            init(run.rng("parameters"), sizes, start, np.float64),
            some["images"].astype(np.float64),
            some["labels"],
            one,
        )
        for name, one in ACTIVATIONS.items()
        for start in ("small", "xavier", "he")
    }


def warm(run: Run, data: Any) -> dict[str, dict[float, float]]:
    """Test loss of Adam by rate, where the first tenth of the steps is a warm-up and where it is not."""
    steps, found = run.pick(20, FEW_STEPS), {}
    for kind, first in (("without", 0), ("with", steps // 10)):
        found[kind] = {
            rate: held_out(trained(run, data.train, steps, schedule=cosine(rate, steps, first))[0], data.test)[0]
            for rate in run.pick(WARMUP_RATES[-1:], WARMUP_RATES)
        }
    return found
