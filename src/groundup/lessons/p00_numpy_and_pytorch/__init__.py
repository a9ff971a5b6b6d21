"""00 numpy_and_pytorch: arrays, gradients by hand, and the tape that automates them."""

from pathlib import Path

from groundup.lesson import Finding, Lesson, Model
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
    minutes=120,
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
    findings=(
        Finding(
            "accuracy",
            "Does the network read more of the new digits than simpler methods do?",
            "It reads more of the test digits than the best of three simpler methods",
            ">",
            rival="the best of nearest training digit, linear classifier and nearest class mean",
            unit="share of test digits",
            miss="The rule that keeps every training digit and answers with the nearest is hard to beat here: "
            "thirteen people wrote these digits, and they were dealt out at random. So most test digits have "
            "neighbours in the same handwriting. Of digits by other writers the rule still reads "
            "{nearest neighbour on other hands}.",
        ),
        Finding(
            "writers",
            "And digits by writers that it has not met?",
            "It reads fewer digits of writers from whom it has not learned",
            "<",
            rival="the same network, writers mixed",
            unit="share of test digits",
        ),
        Finding(
            "hidden",
            "What does a hidden layer buy where no straight line divides the classes?",
            "On the blurred points of two colours it is right more often than simpler methods",
            ">",
            rival="the better of nearest training point and linear classifier",
            unit="share of test points",
        ),
    ),
    equations={
        "3": ("unbroadcast",),
        "4": (),
        "10": (),
    },
    twins={"init": "MLP.__init__", "mlp": "MLP.forward"},
)
