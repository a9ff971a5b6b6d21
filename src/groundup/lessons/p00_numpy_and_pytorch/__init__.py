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
    findings=(
        Finding(
            "accuracy",
            "Does the network read digits that it has not seen?",
            "It reads more than 96 % of them, and more than the best of the simpler methods does",
            ">",
            bar=0.96,
            rival="the best of nearest training digit, linear classifier and nearest class mean",
            unit="share of test digits",
            miss="The rule that keeps every training digit and answers with the nearest is hard to beat here: "
            "thirteen people wrote these digits, and dealt out at random most test digits have neighbours by the same "
            "hand. On other hands the rule still reads {nearest neighbour on other hands} of the digits.",
        ),
        Finding(
            "writers",
            "And digits by hands that it has not seen?",
            "Of digits by other writers than those it was trained on it reads fewer",
            "<",
            rival="the same network, writers mixed",
            unit="share of test digits",
        ),
        Finding(
            "hidden",
            "What does a hidden layer buy where no straight line divides the classes?",
            "On blurred corners, where opposite ones belong together, it is right more often than simpler methods",
            ">",
            rival="the better of nearest training point and linear classifier",
            unit="share of test points",
        ),
    ),
    equations={
        "1": {
            "scale": ("(dy * w, dy * x)",),
            "shift": ("(dy, dy)",),
            "square": ("dy * 2 * x",),
            "cell:convention-code": (
                "dy = square_backward(1.0)",
                "= shift_backward(dy)",
                "= scale_backward(d_product)",
            ),
        },
        "2": {
            "unbroadcast": ("gradient.sum(axis=(*range(added), *stretched))",),
            "add.backward": ("unbroadcast(dy, a.shape), unbroadcast(dy, b.shape)",),
            "linear.backward": ("d_rows.sum(axis=0)",),
            "ROWS": ('Row("x + row", "x + row"',),
        },
        "3": {},  # two elements of (4)
        "4": {
            "cell:matmul-numbers": ('print("by hand:',),
            "linear.backward": ("dx = (d_rows @ weight)", "dweight = d_rows.T @ rows"),
            "matmul.backward": ("da = dc @ b.swapaxes(-1, -2)", "db = a.swapaxes(-1, -2) @ dc"),
            "ROWS": ('Row("x @ y", "x @ y"',),
        },
        "5": {
            "simple_cross_entropy": ("e = np.exp(logits", "p = e / e.sum(", "loss = -np.log(p[rows, labels])"),
            "cross_entropy": ("log_p, _ = log_softmax(", "loss = -log_p[rows, columns]"),
            "mlp_on_tape": ("exponentials = tape.apply(exp", "picked = exponentials[", "tape.apply(log, picked)"),
            "ROWS": ('"-np.log(p[range(4), t]).mean()"',),
            "cell:torch-race-code": ("loss = F.cross_entropy(",),
            "cell:torch-train": ("loss = F.cross_entropy(",),
        },
        "6": {
            "simple_cross_entropy.backward": ("d_logits = p.copy()", "d_logits[rows, labels] -= 1"),
            "cross_entropy.backward": ("q[rows, columns] += ", "dlogits = (np.exp(log_p) - q)"),
            "ROWS": ("(p - np.eye(3)[t]) / 4",),
        },
        "7": {
            "cell:check-run": ("measured = (above - below) / 2e-6", "predicted = sum(np.vdot(g, d)"),
            "slope_errors": ("measured = (above - below) / (2 * h)", "slopes[row] = sum(float(np.vdot(g, d))"),
        },
        "8": {
            "numerical_gradient": ("(function(x + nudge) - function(x - nudge)) / (2 * step)",),
            "slope_errors": ("measured = (above - below) / (2 * h)", "abs(measured - slopes[row])"),
        },
        "9": {},  # how large it comes out is measured
        "10": {
            "cell:train": ("lambda p, g: p - rate * g",),
            "cell:torch-race-code": ("lambda p, g: p - 0.5 * g", "optimizer.step()"),
            "cell:torch-train": ("optimizer.step()",),
        },
    },
    twins={"init": "MLP.__init__", "mlp": "MLP.forward", "run_raw": "run_call"},
)
