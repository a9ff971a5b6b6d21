"""A model and its twin in training from the same parameters: what a lesson's ``learner`` returns on either track."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from groundup.lesson import Batch, Learner
from groundup.ops.types import Array, Tree
from groundup.training.learner import NumpyLearner, as_tuple
from groundup.training.optim import Optimiser, Schedule, adagrad, adam, rmsprop, sgd

OPTIMISERS: dict[str, Callable[..., Optimiser]] = {
    "sgd": sgd,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
}
NAMES = {"epsilon": "eps", "decay": "alpha"}  # ours → torch's; the others are called the same


class Twin(NamedTuple):
    """The model in PyTorch, as a practitioner would write it.

    module   any parameters; they are overwritten
    loss     ``loss(output, target) -> tensor``
    forward  ``forward(module, *inputs)``, if it is not the module's own
    """

    module: Any
    loss: Callable[..., Any]
    forward: Callable[..., Any] = lambda module, *inputs: module(*inputs)


def both_tracks(
    track: str,
    params: Tree,
    *,
    forward: Callable[..., Any],
    loss: Callable[..., Any],
    twin: Callable[[], Twin],
    inputs: Sequence[str],
    target: str,
    schedule: Schedule,
    optimiser: str = "adam",
    settings: Mapping[str, Any] | None = None,
    clip: float | None = None,
    carry: Batch | None = None,
) -> Learner:
    """A learner on the track "numpy" or "torch"; torch is imported for that one only.

    forward    by hand: ``forward(params, rng, *inputs) -> (outputs, backward)``; ``rng`` is None in evaluation mode
    loss       by hand: ``loss(output, target) -> (loss, backward)``, of the first output
    twin       makes the model in PyTorch; import the lesson's ``twin`` inside it
    inputs     the entries of a batch that both forwards take, in order; one that a batch lacks is None
    target     the entry that both losses take
    schedule   step number to learning rate
    optimiser  a name in ``OPTIMISERS`` (Adam with ``weight_decay`` is AdamW on both tracks)
    settings   its settings, by the names of ``groundup.training.optim``
    clip       largest global gradient norm, or None
    carry      arrays that the outputs after the first hand to the next batch, in their order, with first values

    Raises ValueError if there is no such optimiser.
    """
    if optimiser not in OPTIMISERS:
        raise ValueError(f"There is no optimiser {optimiser!r}: {', '.join(OPTIMISERS)}.")
    settings, names = dict(settings or {}), list(carry or {})

    def arguments(batch: Mapping[str, Any]) -> list[Any]:
        return [batch.get(name) for name in inputs]

    def carried(outputs: Any) -> dict[str, Any]:
        return dict(zip(names, outputs[1:], strict=True))

    hand_on = carried if names else None
    if track == "torch":
        from groundup.training.torch import TorchLearner, load_params

        theirs = twin()
        load_params(theirs.module, params)
        return TorchLearner(
            theirs.module,
            lambda module, batch: theirs.forward(module, *arguments(batch)),
            lambda outputs, batch: theirs.loss(as_tuple(outputs)[0], batch[target]),
            torch_optimiser(optimiser, settings, theirs.module.parameters()),
            schedule,
            clip,
            carry,
            hand_on,
        )

    def by_hand(params: Tree, batch: Batch, rng: np.random.Generator | None) -> Any:
        return forward(params, rng, *arguments(batch))

    def criterion(outputs: Any, batch: Batch) -> tuple[Array, Callable[[], Any]]:
        first, *rest = as_tuple(outputs)
        value, backward = loss(first, batch[target])
        if not rest:
            return value, backward
        return value, lambda: (backward(), *map(np.zeros_like, rest))  # what is handed on has no loss

    return NumpyLearner(params, by_hand, criterion, OPTIMISERS[optimiser](**settings), schedule, clip, carry, hand_on)


def torch_optimiser(name: str, settings: Mapping[str, Any], parameters: Any) -> Any:
    """The ``torch.optim`` optimiser that takes the same steps; its rate is set at every step."""
    import torch

    decoupled = name == "adam" and settings.get("weight_decay", 0.0)
    kinds = {"sgd": "SGD", "adagrad": "Adagrad", "rmsprop": "RMSprop", "adam": "AdamW" if decoupled else "Adam"}
    theirs = {NAMES.get(key, key): value for key, value in settings.items() if key not in ("beta1", "beta2")}
    if name == "adam":
        theirs["betas"] = (settings.get("beta1", 0.9), settings.get("beta2", 0.999))
    return getattr(torch.optim, kinds[name])(parameters, **theirs)
