"""02 char_rnn: a network that writes text one character at a time."""

from pathlib import Path

from groundup.lesson import Claim, Lesson, Model, Paper
from groundup.lessons.p02_char_rnn import experiment, figures
from groundup.lessons.p02_char_rnn.model import char_rnn, next_character_loss

LESSON = Lesson(
    number="02",
    slug="char_rnn",
    title="The unreasonable effectiveness of recurrent networks",
    summary="An RNN that learns to write, one character at a time, with back-propagation through time by hand",
    part="Foundations",
    level="beginner",
    minutes=60,
    folder=Path(__file__).parent,
    paper=Paper(
        "Andrej Karpathy",
        "The Unreasonable Effectiveness of Recurrent Neural Networks",
        2015,
        "https://karpathy.github.io/2015/05/21/rnn-effectiveness/",
    ),
    needs=("numpy_and_pytorch",),
    experiment=experiment.run,
    figures=figures.draw,
    sample=experiment.sample,
    options=("text",),
    models=(
        Model(
            "char_rnn",
            experiment.learner,
            experiment.batch,
            experiment.TINY,
            experiment.SIZE,
            proves=(char_rnn, next_character_loss),
            larger={"width": 256, "hidden": 1024},
        ),
    ),
    claims=(
        Claim(
            "bits",
            "On text that it has not seen the RNN needs fewer bits per character than a trigram model",
            "<",
            baseline="interpolated character trigram",
            unit="bits per character",
        ),
        Claim(
            "quotes",
            "A single cell follows whether the text is inside quotes, on text that did not choose the cell",
            ">",
            bar=0.3,
            baseline="the same search in the untrained network",
            unit="|r|",
        ),
        Claim(
            "temperature",
            "At temperature 0.5 more of the written words exist in the training text than at 1.2",
            ">",
            baseline="temperature 1.2",
            unit="share of words",
        ),
    ),
    equations={
        "1": ("rnn_step", "rnn"),
        "2": ("log_softmax",),
        "3": ("rnn_step.backward", "_linear_gradients"),
        "4": ("rnn.backward",),
    },
    twins={
        "init": "CharRNN.__init__",
        "char_rnn": "CharRNN.forward",
        "next_character_loss": "next_character_loss",
        "generate": "generate",
    },
)
