"""00 numpy_and_pytorch: arrays, gradients by hand, and the tape that automates them."""

from pathlib import Path

from groundup.lesson import Claim, Lesson, Model
from groundup.lessons.p00_numpy_and_pytorch import experiment, figures
from groundup.lessons.p00_numpy_and_pytorch.cases import CASES
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
    models=(Model("mlp", experiment.learner, experiment.batch, experiment.TINY, experiment.SIZE, proves=(mlp,)),),
    cases=CASES,
    claims=(
        Claim(
            "tracks",
            "From the same start, 200 steps in float64 give the same losses by hand in NumPy and by PyTorch's autograd",
            "<=",
            bar=1e-9,
            unit="largest difference, nats",
        ),
        Claim(
            "accuracy",
            "The network with one hidden layer reads digits that it has never seen",
            ">=",
            bar=0.96,
            baseline="nearest class mean",
            unit="share of test digits",
        ),
        Claim(
            "tape",
            "The tape's gradients of the network equal those written by hand",
            "<=",
            bar=1e-12,
            unit="largest relative difference",
        ),
        Claim(
            "calls",
            "In every row of the table the NumPy side and its gradients equal the PyTorch call and autograd",
            "<=",
            bar=1e-12,
            unit="largest relative difference",
        ),
        Claim(
            "v_curve",
            "The error of a measured slope falls as the nudge squared, then rises as one over the nudge",
            "<=",
            bar=0.05,
            unit="largest departure of the two exponents from 2 and -1",
        ),
    ),
)
