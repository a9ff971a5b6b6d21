"""03 lstm: a network that can keep something in mind."""

from pathlib import Path

from groundup.lesson import Finding, Lesson, Model, Paper
from groundup.lessons.p03_lstm import experiment, figures
from groundup.lessons.p03_lstm.cases import CASES
from groundup.lessons.p03_lstm.facts import FACTS
from groundup.lessons.p03_lstm.model import adder

LESSON = Lesson(
    number="03",
    slug="lstm",
    title="Understanding LSTM networks",
    summary="A cell that keeps what it is told: LSTM, GRU and peepholes by hand, and memories moved between sequences",
    part="Foundations",
    level="beginner",
    minutes=60,
    folder=Path(__file__).parent,
    paper=Paper(
        "Christopher Olah",
        "Understanding LSTM Networks",
        2015,
        "https://colah.github.io/posts/2015-08-Understanding-LSTMs/",
    ),
    needs=("char_rnn",),
    experiment=experiment.run,
    figures=figures.draw,
    models=(
        Model(
            "lstm",
            experiment.learner,
            experiment.batch,
            experiment.TINY,
            experiment.SIZE,
            larger={"hidden": 128},
            proves=(adder,),
        ),
        Model(
            "gru",
            experiment.learner,
            experiment.batch,
            experiment.TINY | {"kind": "gru", "start": None},
            experiment.SIZE | {"kind": "gru", "start": None, "hidden": 37},
            larger={"hidden": 148},
            proves=(adder,),
        ),
        Model(
            "relu_rnn",
            experiment.learner,
            experiment.batch,
            experiment.TINY | {"kind": "relu_rnn", "start": "identity"},
            experiment.SIZE | {"kind": "relu_rnn", "start": "identity", "hidden": 66},
            larger={"hidden": 264},
            proves=(adder,),
        ),
    ),
    cases=CASES,
    facts=FACTS,
    findings=(
        Finding(
            "adding",
            "Does it take gates to keep two numbers in mind?",
            "The LSTM adds them with a squared error below 0.02, and below the best network without gates",
            "<",
            bar=0.02,
            rival="the best of three plain networks with as many numbers (tanh, tanh from an orthogonal matrix, ReLU "
            "from the identity)",
            unit="squared error",
            paper="Solved by Hochreiter & Schmidhuber 1997 for up to 1,000 numbers, and without gates by Le, Jaitly & "
            "Hinton 2015",
        ),
        Finding(
            "gradient",
            "Does the gradient get through?",
            "Nine tenths of the way back the trained LSTM's gradient has changed its length less than any other's",
            "<",
            rival="the best of the LSTM untrained, three plain networks and the GRU",
            unit="times longer or shorter",
            paper="Hochreiter 1991 and Bengio, Simard & Frasconi 1994 derive that it fades in plain networks",
        ),
        Finding(
            "start",
            "How should a cell begin?",
            "With the input gates nearly shut and the forget gates nearly open the problem is solved in fewer steps",
            "<",
            rival="the best of five other starts, with PyTorch's, a forget bias of 1, and a cell that never forgets",
            unit="steps (looked at every 25)",
            miss="The cell that never forgets, that of 1997, needs {steps of the cell that never forgets} steps: in "
            "this task nothing that was marked has to be forgotten.",
            paper="Hochreiter & Schmidhuber 1997 shut the input gates at first; a forget bias of 1 closes the gap to "
            "the GRU, say Jozefowicz, Zaremba & Sutskever 2015",
        ),
        Finding(
            "gru",
            "Do two gates do?",
            "A GRU with as many numbers solves the problem in fewer steps",
            "<",
            rival="the best LSTM of all six starts",
            unit="steps",
            paper="Chung et al. 2014 find the two alike on music and speech",
        ),
        Finding(
            "memory",
            "Where is the memory?",
            "When the cell state is exchanged between sequences half-way, the first number moves with it",
            ">",
            bar=0.9,
            rival="the same with the hidden state",
            unit="of the number",
        ),
    ),
    equations={
        "1": ("lstm_step: before = x @", "lstm_step: _sigmoid(i)"),
        "2": ("lstm_step: f * cell + i * g",),
        "3": ("lstm_step: o * tanh_cell",),
        "4": ("lstm_step.backward: d_cell + d_hidden * o",),
        "5": (
            "lstm_step.backward: d_cell * g * i",
            "lstm_step.backward: d_cell * cell * f",
            "lstm_step.backward: d_cell * i * (",
            "lstm_step.backward: d_cell * f, *d_weights",
        ),
        "7": ("gru_step: _sigmoid(from_x", "gru_step: np.tanh(", "gru_step: (1.0 - z) * n"),
    },
    twins={"adder": "Adder.forward", "init": "Adder.__init__", "mse": "squared_error"},
)
