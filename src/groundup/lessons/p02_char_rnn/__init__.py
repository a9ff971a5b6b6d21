"""02 char_rnn: a network that writes text one character at a time."""

from pathlib import Path

from groundup.lesson import Finding, Lesson, Model, Paper
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
    needs=("numpy_and_pytorch", "optimizers"),
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
    findings=(
        Finding(
            "bits",
            "Does the network predict better than counting?",
            "On text that it has not seen it needs fewer bits per character than the best table of counts",
            "<",
            rival="the best n-gram up to order 7, chosen on validation text",
            unit="bits per character",
            paper="The post gives no such number. Its sequel (Karpathy, Johnson & Fei-Fei 2015) compares LSTMs with "
            "n-grams and finds the LSTMs ahead, through long-range structure",
            miss="The table has counted the whole text and keeps {numbers that the best n-gram keeps} numbers; the "
            "network has read two thirds of it once, keeps {numbers that the network keeps}, and its gradient has "
            "faded to a hundredth {characters that a gradient goes back} characters back.",
        ),
        Finding(
            "quotes",
            "Does a single cell know whether the text is inside quotes?",
            "A cell that was chosen on other text follows the quotes, with a correlation above 0.3",
            ">",
            bar=0.3,
            rival="the same search in the untrained network",
            unit="|r|",
            paper="The post shows such a cell, of an LSTM, and gives no correlation",
            miss="We think: a gradient falls to a hundredth within {characters that a gradient goes back} characters, "
            "and half of the quotations have more than {letters of a quotation}.",
        ),
        Finding(
            "cells",
            "Do single cells follow other things?",
            "For the place in the line and the letters since the last space and full stop training makes better cells",
            ">",
            rival="the same search in the untrained network",
            unit="mean |r| of the three",
            paper="“About 5 %” of the cells of its LSTMs do something that people can read, says the post",
        ),
        Finding(
            "overwriting",
            "Does the network use such a cell?",
            "Overwriting the cell that counts a word's letters moves the bet on a space more than overwriting others "
            "does",
            ">",
            rival="the most that any of 30 other cells moves it",
            unit="bits",
            paper="The post watches cells and does not overwrite them",
        ),
        Finding(
            "lag",
            "How far back does the gradient reach?",
            "After training it goes back over more characters before it has fallen to a hundredth",
            ">",
            rival="the untrained network",
            unit="characters",
        ),
    ),
    equations={
        "1": ("rnn_step: np.tanh(", "rnn: np.tanh("),
        "3": ("rnn_step.backward: 1.0 - new * new", "_linear_gradients: d_from_hidden @ weight_hh"),
        "4": ("rnn.backward: d_hidden + d_outputs", "rnn.backward: 1.0 - states", "rnn.backward: @ weight_hh"),
    },
    twins={
        "init": "CharRNN.__init__",
        "char_rnn": "CharRNN.forward",
        "next_character_loss": "next_character_loss",
        "generate": "generate",
    },
)
