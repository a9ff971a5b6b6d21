"""Exercises on optimisers that adapt the rate of each weight: Adagrad and Adam."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.optimizers.exercises.optim import CONTRACT, plain_steps, steps_of, train
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import choices
from groundup.training.optim import Optimiser, adagrad, adam
from groundup.training.params import map_tree


def adagrad_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield from plain_steps(rng)
    yield from plain_steps(rng, epsilon=0.1)
    sparse = steps_of(rng, 3, (3, 2))
    for gradient, row in zip(sparse["gradients"], (0, 2, 0), strict=True):
        gradient["w"] *= np.eye(3)[:, [row]]
    yield sparse


ADAGRAD = Exercise(
    title="Adagrad",
    functions=(adagrad,),
    given=(map_tree, Optimiser),
    use=train,
    task=r"""
Adagrad gives each weight a rate of its own, which falls with the squared gradients that it has seen:

$$s \leftarrow s + g^2, \qquad w \leftarrow w - \eta\, \frac{g}{\sqrt{s} + \epsilon}$$

elementwise, where $s$ begins at 0 and $\eta$ is the `rate` of this step."""
    + CONTRACT,
    hints=(
        "The state is a sum of squares for each weight. Add first, then divide: the first step of every weight has the "
        "size of the rate.",
        r"Duchi, Hazan & Singer 2011, section 1.1, with the diagonal of $G_t = \sum_k g_k g_k^\top$: "
        r"$w \leftarrow w - \eta\, g / \sqrt{\operatorname{diag}(G_t)}$.",
        "For each array: `squares += gradient * gradient`, `param -= rate * gradient / (np.sqrt(squares) + epsilon)`.",
    ),
    why=r"""A weight whose gradient is rarely other than 0, such as the embedding of a rare character, has a small
sum and so keeps a large rate; one that moves at every step slows down. Since the sum never falls, neither do the
rates ever recover: that is why RMSprop and Adam forget with a moving average. ε stands outside the root here.
Inside, it would count as $\sqrt\epsilon$, which is $10^{-5}$ for $10^{-10}$.""",
    difficulty=1,
    minutes=10,
    cases=adagrad_cases,
    loops="Over steps and arrays: `map_tree` has them.",
    wrong=(
        Wrong(
            "epsilon inside the root",
            {"(np.sqrt(squares) + epsilon)": "np.sqrt(squares + epsilon)"},
            "in which epsilon stands inside the root",
        ),
        Wrong("no epsilon", {"(np.sqrt(squares) + epsilon)": "np.sqrt(squares)"}, "that leaves epsilon out: 0 / 0"),
        Wrong(
            "an epsilon of its own",
            {"(np.sqrt(squares) + epsilon)": "(np.sqrt(squares) + 1e-10)"},
            "that does not use the `epsilon` it is given",
        ),
        Wrong("no root", {"np.sqrt(squares)": "squares"}, "that leaves out the root"),
        Wrong(
            "squares not added up",
            {"squares += gradient * gradient": "squares = gradient * gradient"},
            "that divides by this step's gradient alone: every step has the size of the rate",
        ),
        Wrong(
            "moving average",
            {"squares += gradient * gradient": "squares *= 0.9\n        squares += 0.1 * gradient * gradient"},
            "with a moving average of the squares: that is RMSprop",
        ),
        Wrong(
            "sum of the gradients",
            {"squares += gradient * gradient": "squares += gradient", "np.sqrt(squares)": "np.abs(squares)"},
            "that adds up gradients, and squares the sum",
        ),
        Wrong(
            "one rate for the whole array",
            {"squares += gradient * gradient": "squares += np.sum(gradient * gradient)"},
            "that gives all weights of an array the same rate",
        ),
        Wrong(
            "added after the step",
            {
                "        squares += gradient * gradient\n": "",
                "+ epsilon)\n": "+ epsilon)\n        squares += gradient * gradient\n",
            },
            "that adds the new square after the step: the first step then divides by epsilon",
        ),
        Wrong("uphill", {"param -= rate": "param += rate"}, "that goes uphill"),
    ),
    right=(
        Right(
            "recursion over keys",
            """
            import types

            import numpy as np

            def adagrad(epsilon=1e-10):
                def init(params):
                    return {}

                def update(params, gradients, state, rate, path=()):
                    for key in params if isinstance(params, dict) else range(len(params)):
                        w, g, here = params[key], gradients[key], (*path, key)
                        if isinstance(w, (dict, list)):
                            update(w, g, state, rate, here)
                            continue
                        state[here] = state.get(here, 0.0) + g**2
                        w[...] = w - g * (rate / (epsilon + state[here] ** 0.5))

                return types.SimpleNamespace(init=init, update=update)
            """,
        ),
    ),
)


def adam_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield from plain_steps(rng)
    yield from plain_steps(rng, epsilon=0.1)
    yield steps_of(rng, 4, (2, 2), beta1=0.0, beta2=0.9, epsilon=0.01)
    options = {"beta1": 0.8, "beta2": 0.7, "epsilon": 0.05, "weight_decay": 0.3}
    yield from choices(lambda: steps_of(rng, 3, (2,), (1, 2)), **options)


ADAM = Exercise(
    title="Adam, with AdamW's weight decay",
    functions=(adam,),
    given=(map_tree, Optimiser),
    use=train,
    task=r"""
At step $t = 1, 2, \dots$, elementwise:

$$m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2$$

$$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
w \leftarrow w - \eta \left(\frac{\hat m}{\sqrt{\hat v} + \epsilon} + \lambda w\right)$$

$m$ and $v$ begin at 0, $\eta$ is the `rate` of this step and $\lambda$ the `weight_decay`: apart from the
gradient, as in AdamW."""
    + CONTRACT,
    hints=(
        "The state holds two trees and one number, the count of steps, which is the same for all arrays. The averages "
        "begin at 0 and are too small at first: how much of the weight of the true average have they after t steps?",
        r"Kingma & Ba 2015, Algorithm 1; decay as in Loshchilov & Hutter 2019, Algorithm 2. The weights in $m_t$ sum "
        r"to $(1-\beta_1)\sum_{k<t} \beta_1^k = 1 - \beta_1^t$.",
        "Once an update: `state['steps'] += 1`. For each array: `mean[...] = beta1 * mean + (1 - beta1) * gradient`, "
        "the same for `square` with `gradient**2`, then `param -= rate * (mean / (1 - beta1**t) / (np.sqrt(square / "
        "(1 - beta2**t)) + epsilon) + weight_decay * param)`.",
    ),
    why=r"""If gradients had always the same mean, $E[m_t] = (1 - \beta_1^t)\, E[g]$: dividing takes the bias out.
Without it the first step is too long by the factor $(1-\beta_1)/\sqrt{1-\beta_2}$, about 3 with the usual values.
$\hat m/\sqrt{\hat v}$ stays the same when all gradients are scaled, and it is mostly below 1: so $\eta$ is about
the length of a step, and ε only guards against 0. Decay that goes through the gradient would be divided by
$\sqrt{\hat v}$ too, and hardly act where gradients are large. The common mistakes: a count that grows with every
array rather than every step, and ε inside the root.""",
    difficulty=3,
    minutes=20,
    cases=adam_cases,
    loops="Over steps and arrays: `map_tree` has them.",
    equivalent={
        "adam.init: np.zeros((), dtype=np.int64) → np.zeros(())": "Steps count as well in float64.",
        "adam.update: map_tree(step, params, gradients, state['mean'], state['square']) → map_tree(step, params, "
        "gradients, state['square'], state['mean'])": ("Both averages start at 0 and swap their names for good."),
    },
    wrong=(
        Wrong(
            "no bias correction",
            {"mean / (1 - beta1**steps)": "mean", "square / (1 - beta2**steps)": "square"},
            "without the bias corrections",
        ),
        Wrong("mean not corrected", {"mean / (1 - beta1**steps)": "mean"}, "that corrects v but not m"),
        Wrong("square not corrected", {"square / (1 - beta2**steps)": "square"}, "that corrects m but not v"),
        Wrong(
            "epsilon inside the root",
            {"(np.sqrt(unbiased_square) + epsilon)": "np.sqrt(unbiased_square + epsilon)"},
            "in which epsilon stands inside the root",
        ),
        Wrong(
            "epsilon before the correction",
            {"np.sqrt(unbiased_square) + epsilon": "(np.sqrt(square) + epsilon) / np.sqrt(1 - beta2**steps)"},
            "that adds epsilon before v is corrected: the paper's faster form, whose ε̂ is another number",
        ),
        Wrong(
            "an epsilon of its own",
            {"np.sqrt(unbiased_square) + epsilon": "np.sqrt(unbiased_square) + 1e-8"},
            "that does not use the `epsilon` it is given",
        ),
        Wrong(
            "counted for every array",
            {
                '        state["steps"] += 1\n        steps = int(state["steps"])\n': "",
                "            mean[...] =": '            state["steps"] += 1\n            steps = int(state["steps"])\n'
                "            mean[...] =",
            },
            "that counts a step for every array: the later arrays are corrected too little",
        ),
        Wrong(
            "counted from 0",
            {'int(state["steps"])': 'int(state["steps"]) - 1'},
            "that counts steps from 0: the first correction divides by 0",
            crashes=True,
        ),
        Wrong("no root", {"np.sqrt(unbiased_square)": "unbiased_square"}, "that leaves out the root"),
        Wrong(
            "betas exchanged",
            {"    def init(": "    beta1, beta2 = beta2, beta1\n\n    def init("},
            "that exchanges β₁ and β₂",
        ),
        Wrong(
            "square of the mean",
            {"(1 - beta2) * gradient**2": "(1 - beta2) * mean**2"},
            "that averages the squares of m, not those of the gradient",
        ),
        Wrong(
            "decay through the gradient",
            {
                "            mean[...] =": "            gradient = gradient + weight_decay * param\n"
                "            mean[...] =",
                " + weight_decay * param)": ")",
            },
            "whose weight decay goes through the gradient: an L2 penalty, not AdamW",
        ),
        Wrong("decay ignored", {" + weight_decay * param)": ")"}, "that ignores `weight_decay`"),
        Wrong(
            "decay without the rate",
            {" + weight_decay * param)": ") + weight_decay * param"},
            "whose weight decay is not multiplied by the rate",
        ),
        Wrong(
            "state outside",
            {
                "    def init(": "    kept = {}\n\n    def init(",
                '        state["steps"] += 1': '        state = kept.setdefault(0, state)\n        state["steps"] += 1',
            },
            "that remembers outside the state: two models share their averages",
        ),
    ),
    right=(
        Right(
            "a class, sums with weights",
            '''
            import numpy as np

            class adam:
                """Keeps all gradients, and averages them anew at each step."""

                def __init__(self, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0):
                    self.betas, self.eps, self.decay = (beta1, beta2), epsilon, weight_decay

                def init(self, params):
                    return []

                def update(self, params, gradients, state, rate):
                    state.append(gradients)
                    self.walk(params, list(state), rate)

                def walk(self, w, history, rate):
                    if isinstance(w, (dict, list)):
                        for key in w if isinstance(w, dict) else range(len(w)):
                            self.walk(w[key], [g[key] for g in history], rate)
                        return
                    stacked, t = np.stack(history), len(history)
                    first, second = (np.float64(b) ** np.arange(t - 1, -1, -1) for b in self.betas)
                    m = np.tensordot(first / first.sum(), stacked, 1)
                    v = np.tensordot(second / second.sum(), stacked**2, 1)
                    w *= 1 - rate * self.decay
                    w -= rate * m / (v**0.5 + self.eps)
            ''',
        ),
    ),
)
