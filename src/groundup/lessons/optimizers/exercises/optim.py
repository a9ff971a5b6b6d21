"""What the exercises on optimisers share, and the first of them: stochastic gradient descent with momentum."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import choices
from groundup.training.optim import Optimiser, sgd
from groundup.training.params import map_tree


def train(optimiser: Callable[..., Any], params: Any, gradients: Any, rates: Any, **options: Any) -> Any:
    """One optimiser takes the same steps with two models in turn, which are copied after each, as their states are;
    the second model's parameters."""

    def copy(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: copy(branch) for key, branch in tree.items()}
        if isinstance(tree, tuple | list):
            branches = [copy(branch) for branch in tree]
            return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
        return np.array(tree) if isinstance(tree, np.ndarray) else tree

    made = optimiser(**options)
    init, update = made if isinstance(made, tuple) else (made.init, made.update)
    models = [copy(params), copy(params)]
    states = [init(model) for model in models]
    for gradient, rate in zip(gradients, rates, strict=True):
        for model, state in zip(models, states, strict=True):
            update(model, gradient, state, rate)
        models, states = copy(models), copy(states)  # as if saved and loaded: what is not in the state is gone
    return models[1]


def steps_of(rng: np.random.Generator, count: int, *shapes: tuple[int, ...], **options: Any) -> dict[str, Any]:
    """Parameters of these shapes, and ``count`` gradients of very different size, each with a rate of its own."""

    def tree() -> Any:
        first, *rest = (rng.normal(size=shape) for shape in shapes)
        return {"w": first, "layers": [{"b": array} for array in rest]} if rest else {"w": first}

    gradients = [map_tree(lambda leaf: leaf * 2.0 ** rng.integers(-2, 3), tree()) for _ in range(count)]
    rates = [round(float(rate), 3) for rate in rng.uniform(0.02, 0.2, count)]
    return {"params": tree(), "gradients": gradients, "rates": rates, **options}


def plain_steps(rng: np.random.Generator, **options: Any) -> Iterator[dict[str, Any]]:
    """Cases for any optimiser: one step and several, one array and a tree."""
    for count, shape in [(1, (1,)), (2, (1,)), (3, (2,))]:
        yield steps_of(rng, count, shape, **options)
    yield steps_of(rng, 4, (2, 3), (3,), **options)
    yield steps_of(rng, 6, (3, 1), (4,), (1, 2, 2), **options)
    yield steps_of(rng, 14, (2,), **options)


CONTRACT = r"""

The optimiser is a pair of functions, `Optimiser(init, update)`. `init(params)` makes the state, a tree of your own
choice; `update(params, gradients, state, rate)` changes parameters and state in place, and leaves the gradients
alone. What has to be remembered belongs in the state: one optimiser may train two models in turn, and a copy of
parameters and state goes on where they were. `params` and
`gradients` are trees, dicts and lists with arrays at the ends; `map_tree` is there for them."""


def sgd_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield from plain_steps(rng)
    yield from plain_steps(rng, momentum=0.9)
    yield from plain_steps(rng, momentum=0.8, nesterov=True)
    yield from choices(lambda: steps_of(rng, 3, (2,), (1, 2)), momentum=0.7, nesterov=True, weight_decay=0.3)


SGD = Exercise(
    title="SGD with momentum, Nesterov's variant and weight decay",
    functions=(sgd,),
    given=(map_tree, Optimiser),
    use=train,
    task=r"""
Stochastic gradient descent as in PyTorch. With the gradient $g$ of the loss, momentum $\beta$ and weight decay
$\lambda$:

$$g \leftarrow g + \lambda w, \qquad v \leftarrow \beta v + g, \qquad w \leftarrow w - \eta\, v$$

where $v$ begins at 0 and $\eta$ is the `rate` of this step. With `nesterov` the last becomes
$w \leftarrow w - \eta\,(g + \beta v)$."""
    + CONTRACT,
    hints=(
        "Each array of parameters has a velocity of its shape beside it. The rate multiplies at the very end, so that "
        "a rate that changes does not rescale what is remembered.",
        r"Polyak 1964; Sutskever et al. 2013, eqs. 1 to 4, write $v \leftarrow \beta v - \eta g$, "
        r"$w \leftarrow w + v$, which is the same as long as $\eta$ stays as it is.",
        "`init` returns `{'velocity': map_tree(np.zeros_like, params)}`; for each array `direction = gradient + "
        "weight_decay * param`, `velocity[...] = momentum * velocity + direction`, then `param -= rate * velocity` or "
        "`param -= rate * (direction + momentum * velocity)`. `[...] =` and `-=` change the array that is in the tree.",
    ),
    why=r"""Unrolled, $v_t = \sum_k \beta^{t-k} g_k$: directions that persist add up to $1/(1-\beta)$ times one
gradient, and those that alternate are halved. Nesterov's form looks one step ahead: $\beta v + g$ is what the next
velocity would be if the gradient did not change. Weight decay goes into $g$ before the momentum here, as a penalty
$\tfrac\lambda2\|w\|^2$ would. The common mistakes: `velocity = momentum * velocity + g` binds a name and leaves
the state as it was, and a factor $1-\beta$ before $g$ belongs to Adam, not here.""",
    difficulty=2,
    minutes=20,
    cases=sgd_cases,
    loops="Over steps and arrays: `map_tree` has them.",
    equivalent={
        "sgd.init: {'velocity': map_tree(np.zeros_like, params)} if momentum else {} → {'velocity': "
        "map_tree(np.zeros_like, params)}": (
            "The state is a tree of one's own choice: a velocity that nobody reads does no harm."
        ),
        "sgd.step: gradient + weight_decay * param if weight_decay else gradient → gradient + weight_decay * param": (
            "Decay of 0 adds 0."
        ),
    },
    wrong=(
        Wrong("uphill", {"param -= rate * direction": "param += rate * direction"}, "that goes uphill"),
        Wrong(
            "moving average",
            {"momentum * velocity + direction": "momentum * velocity + (1 - momentum) * direction"},
            "that averages gradients: the new one enters with 1 − β, where it should enter whole",
        ),
        Wrong(
            "velocity not kept",
            {"velocity[...] = ": "velocity = "},
            "whose state never changes: a new array was bound to the name",
        ),
        Wrong(
            "rate inside the velocity",
            {
                "velocity + direction  # v ← β v + g\n": "velocity + rate * direction\n"
                "            direction = rate * direction\n",
                "param -= rate * direction": "param -= direction if velocity is not None else rate * direction",
            },
            "that multiplies by the rate before the velocity: when the rate changes, old gradients keep their old rate",
        ),
        Wrong(
            "Nesterov ignored",
            {"direction = direction + momentum * velocity if nesterov else velocity": "direction = velocity"},
            "that ignores `nesterov`",
        ),
        Wrong(
            "Nesterov without the gradient",
            {"direction = direction + momentum * velocity if": "direction = momentum * velocity if"},
            "whose Nesterov step leaves out the gradient itself",
        ),
        Wrong(
            "weight decay ignored",
            {"gradient + weight_decay * param if weight_decay else gradient": "gradient"},
            "that ignores `weight_decay`",
        ),
        Wrong(
            "weight decay apart",
            {
                "direction = gradient + weight_decay * param if weight_decay else gradient": "direction = gradient",
                "param -= rate * direction": "param -= rate * (direction + weight_decay * param)",
            },
            "that keeps the weight decay out of the velocity",
        ),
        Wrong(
            "weight decay with the wrong sign",
            {"gradient + weight_decay * param": "gradient - weight_decay * param"},
            "whose weight decay makes weights grow",
        ),
        Wrong(
            "one velocity for all",
            {
                "    def init(": "    kept = {}\n\n    def init(",
                'state["velocity"])': "kept.setdefault(0, map_tree(np.zeros_like, params)))",
            },
            "that remembers the velocity outside the state: two models share it",
        ),
        Wrong(
            "gradients changed",
            {
                "direction = gradient + weight_decay * param if weight_decay else gradient": "direction = gradient\n"
                "        direction += weight_decay * param"
            },
            "that changes the gradients",
        ),
    ),
    right=(
        Right(
            "a class with a list of leaves",
            """
            import numpy as np

            def _flat(tree):
                if isinstance(tree, np.ndarray):
                    return [tree]
                keys = tree if isinstance(tree, dict) else range(len(tree))
                return [leaf for key in keys for leaf in _flat(tree[key])]

            class sgd:
                def __init__(self, momentum=0.0, nesterov=False, weight_decay=0.0):
                    self.mu, self.look_ahead, self.decay = momentum, nesterov, weight_decay

                def init(self, params):
                    return {}

                def update(self, params, gradients, state, rate):
                    for number, (w, g) in enumerate(zip(_flat(params), _flat(gradients))):
                        g = g + self.decay * w
                        v = state[number] = g + self.mu * state.get(number, 0)
                        np.subtract(w, rate * (g + self.mu * v if self.look_ahead else v), out=w)
            """,
        ),
    ),
)
