"""00 numpy_and_pytorch: arrays, gradients by hand, and the tape that automates them."""

from pathlib import Path

from groundup.lesson import Claim, Lesson, Model
from groundup.lessons.p00_numpy_and_pytorch import experiment, figures
from groundup.lessons.p00_numpy_and_pytorch.cases import CASES
from groundup.lessons.p00_numpy_and_pytorch.facts import FACTS
from groundup.lessons.p00_numpy_and_pytorch.model import mlp

LESSON = Lesson(
    number="00",
    slug="numpy_and_pytorch",
    title="NumPy and PyTorch for deep learning",
    summary="A network that reads digits, its gradients by hand, and automatic differentiation in under 100 lines",
    part="Start here",
    level="beginner",
    minutes=90,
    folder=Path(__file__).parent,
    experiment=experiment.run,
    figures=figures.draw,
    models=(
        Model(
            "mlp",
            experiment.learner,
            experiment.batch,
            experiment.TINY,
            experiment.SIZE,
            proves=(mlp,),
            larger={"hidden": 256},
        ),
    ),
    cases=CASES,
    facts=FACTS,
    claims=(
        Claim(
            "accuracy",
            "The network with one hidden layer reads digits that it has never seen",
            ">=",
            bar=0.96,
            baseline="nearest class mean",
            unit="share of test digits",
        ),
        Claim(
            "v_curve",
            "The error of a measured slope falls as the nudge squared, then rises as one over the nudge",
            "<=",
            bar=0.05,
            unit="largest departure of the two exponents from 2 and -1",
        ),
    ),
    equations={
        "2": ("unbroadcast", "linear.backward"),
        "3": (),
        "4": ("linear.backward", "matmul.backward"),
        "5": ("cross_entropy",),
        "6": ("cross_entropy.backward",),
        "9": (),
    },
    twins={"init": "MLP.__init__", "mlp": "MLP.forward", "run_raw": "run_call"},
)
