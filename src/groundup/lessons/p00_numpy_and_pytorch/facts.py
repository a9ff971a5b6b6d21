"""What must be so in this lesson; ``groundup check 00`` proves it."""

import numpy as np

from groundup.data.digits import load_digits, split_digits
from groundup.lesson import Batch, Fact
from groundup.lessons.p00_numpy_and_pytorch.experiment import SIZE, learner, mlp_on_tape, some_of
from groundup.lessons.p00_numpy_and_pytorch.model import init, mlp
from groundup.lessons.p00_numpy_and_pytorch.table import ROWS, run_raw, table_arrays
from groundup.lessons.p00_numpy_and_pytorch.tape import Tape
from groundup.ops.losses import cross_entropy
from groundup.ops.types import Array, Tree
from groundup.proof.checks import largest_error
from groundup.training.params import flatten

STEPS = 200


def tracks_apart() -> float:
    """The largest difference of the losses, in nats, of both tracks from one start in float64."""
    models = [learner(track, np.random.default_rng(0), np.float64, **SIZE) for track in ("numpy", "torch")]
    rng = np.random.default_rng(1)
    losses = [[model.step(batch, rng) for model in models] for batch in (digits(rng) for _ in range(STEPS))]
    return max(abs(one - other) for one, other in losses)


def digits(rng: np.random.Generator) -> Batch:
    """A batch of training digits in float64."""
    train = split_digits(load_digits()).train
    return some_of(train, rng.integers(len(train.labels), size=SIZE["batch"]), np.float64)


def tape_apart() -> float:
    """How far the tape's gradients are from those written by hand, on ten batches of digits."""
    rng = np.random.default_rng(2)
    params = init(rng, SIZE["inputs"], SIZE["hidden"], SIZE["classes"], np.float64)
    batches = [digits(rng) for _ in range(10)]
    return max(tape_error(params, batch["images"], batch["labels"]) for batch in batches)


def tape_error(params: Tree, images: Array, labels: Array) -> float:
    """The largest relative difference between the tape's gradients and those written by hand."""
    tape = Tape()
    loss, found = mlp_on_tape(tape, params, images, labels)
    gradients = tape.gradients(loss)
    logits, backward = mlp(params, images)
    by_hand = flatten(backward(cross_entropy(logits, labels)[1]()))
    return largest_error({name: gradients[variable] for name, variable in found.items()}, by_hand)


def calls_apart() -> float:
    """The largest relative difference of value and gradients between the two sides of any row of the table."""
    return max(table_errors(np.random.default_rng(3)).values())


def table_errors(rng: np.random.Generator) -> dict[str, float]:
    """The same, for every row of the table by itself."""
    from groundup.lessons.p00_numpy_and_pytorch.twin import run_call

    arrays = table_arrays(rng)
    errors = {}
    for row in ROWS:
        value, backward = run_raw(row, arrays)
        g = rng.normal(size=np.shape(value))
        expected, gradients = run_call(row, arrays, g)
        errors[row.call] = largest_error({"value": value} | backward(g), {"value": expected} | gradients)
    return errors


FACTS = (
    Fact(
        "tracks",
        "From one start, 200 steps in float64 give the same losses by hand in NumPy and by PyTorch's autograd",
        tracks_apart,
        1e-9,
        torch=True,
    ),
    Fact("tape", "The tape's gradients of the network equal those written by hand", tape_apart, 1e-12),
    Fact(
        "calls",
        "In every row of the table the NumPy side and its gradients equal the PyTorch call and autograd",
        calls_apart,
        1e-12,
        torch=True,
    ),
)
