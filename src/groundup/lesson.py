"""The record of a lesson, from which contents, command line, notebooks, tests and tables are made."""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from groundup.ops.types import Case, Tree

Batch = dict[str, np.ndarray]
Curves = dict[str, list[float]]


class Learner(Protocol):
    """What a model in training can do, on either track. Arrays in and out are NumPy's."""

    steps: int  # taken so far

    def step(self, batch: Batch, rng: np.random.Generator) -> float:
        """One optimiser step; returns the loss of the batch before it."""

    def outputs(self, batch: Batch) -> Any:
        """The model's outputs in evaluation mode (no dropout)."""

    def loss(self, batch: Batch) -> float:
        """The loss of a batch in evaluation mode."""

    def gradients(self, batch: Batch) -> tuple[float, Tree]:
        """The loss of a batch and the gradient tree, without dropout, before clipping."""

    def parameters(self) -> Tree:
        """The parameter tree."""

    def state(self) -> Tree:
        """Everything that the next step depends on, as a tree."""

    def restore(self, state: Tree) -> None:
        """Go on from a ``state``. Raises UserError if it belongs to another model."""


Level = Literal["beginner", "intermediate", "advanced"]
Track = Literal["numpy", "torch"]
Budget = Literal["smoke", "default", "long"]
Sense = Literal["<", "<=", ">", ">="]


@dataclass(frozen=True)
class Paper:
    """A reference: authors as the paper names them, with a link to read it."""

    authors: str
    title: str
    year: int
    url: str


@dataclass(frozen=True)
class Measured:
    """What one run found: the value, and what the strongest rival reached on the same data.

    pairs  where both are shares of right answers on one test set: whether each was right, example by example
    """

    value: float
    rival: float | None = None
    pairs: tuple[np.ndarray, np.ndarray] | None = None


def apart(first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
    """How many examples only the first got right, and how many only the second: rows of True and False."""
    return int(np.sum(first & ~second)), int(np.sum(second & ~first))


@dataclass(frozen=True)
class Finding:
    """A question that a measurement answers, and that could have come out otherwise.

    statement  the answer that the measurement can refute
    sense      the direction in which the measured value must lie from bar and rival
    bar        the value to reach; None if the rival alone is the bar
    rival      what the strongest measured rival is, in words, flattering or not; "" if there is none
    paper      what the paper reports, with its section, table or figure; "" if it reports nothing of the kind
    miss       why it is not seen at this scale, if it is not: measured too, and shown beside the verdict
    """

    name: str
    question: str
    statement: str
    sense: Sense
    bar: float | None = None
    rival: str = ""
    unit: str = ""
    paper: str = ""
    miss: str = ""

    def on_its_side(self, measured: Measured) -> bool:
        """Whether the value of one run reaches the bar and beats the rival (what is no number does neither)."""
        if (self.bar is None and not self.rival) or (bool(self.rival) != (measured.rival is not None)):
            raise ValueError(f"finding {self.name!r}: what it is measured against is missing, or not named")
        return reaches(self.sense, measured.value, self.bar, measured.rival)


@dataclass(frozen=True, eq=False)
class Fact:
    """What must be so, and is proven by ``groundup check``: nothing that could have come out otherwise.

    check   how far it is from being so, without any drawing of its own: two calls give the same number
    limit   how far it may be: 0 where not one bit may differ
    torch   it compares with PyTorch, and is left out where that is not installed
    """

    name: str
    statement: str
    check: Callable[[], float]
    limit: float = 0.0
    torch: bool = False


def reaches(sense: str, value: float | None, *marks: float | None) -> bool:
    """Whether a value lies on the right side of every mark that there is; no value, or NaN, never does."""
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[sense]
    return value is not None and all(bool(compare(value, mark)) for mark in marks if mark is not None)


@dataclass
class Result:
    """What an experiment hands back.

    measured  by the name of the finding
    metrics   other numbers and short texts worth keeping, JSON types only
    curves    by model name
    arrays    what the figures draw; any Python objects, kept in memory only
    """

    measured: dict[str, Measured] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, Curves] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Model:
    """A model as proofs and benchmarks use it.

    learner  ``learner(track, rng, dtype=np.float32, **size) -> Learner``: both tracks start from the same parameters
    batch    ``batch(rng, **size) -> Batch``: arrays that look like training data
    tiny     a size for proofs: every parameter is perturbed
    size     the lesson's own size, for the benchmark
    larger   what changes in ``size`` for the benchmark's second row: four times the width
    proves   the functions of model.py whose backward this model's gradient check exercises
    """

    name: str
    learner: Callable[..., Learner]
    batch: Callable[..., Batch]
    tiny: Mapping[str, Any]
    size: Mapping[str, Any]
    proves: Sequence[Callable[..., Any]] = ()
    larger: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Lesson:
    """One paper or topic.

    number      "02"; "" for a lesson that stands alone
    slug        "char_rnn"
    summary     one line: what the learner builds
    minutes     reading and running, for someone who knows the lessons in ``needs``
    needs       slugs of lessons to read first
    experiment  ``run(run) -> Result``
    figures     ``draw(result) -> {file name: figure}``
    findings    what is measured over seeds, and could have come out otherwise: three to five
    facts       what must be so, beside gradients and parity
    cases       gradient cases for the public differentiable functions of model.py that no model proves
    options     which of the own-data options of ``groundup run`` it takes
    sample      ``sample(params, metadata, temperature, length, rng, prompt) -> str``, if there is something to sample
    equations   for the number in a ``\\tag{}`` that code from outside the lesson computes: the names of these functions
                ("softmax", "softmax.backward" for a function inside another; "softmax.backward: dy - " for the lines
                in it that have that piece of code). () where nothing computes it, so that no equation is forgotten.
                On the lesson's own lines the link is a comment with the number: ``# (4)``
    twins       for a function that a cell of the NumPy track includes: its counterpart in twin.py, a function,
                ``Class`` or ``Class.method``
    """

    number: str
    slug: str
    title: str
    summary: str
    part: str
    level: Level
    minutes: int
    folder: Path
    experiment: Callable[..., Result]
    findings: Sequence[Finding]
    figures: Callable[[Result], dict[str, Any]]
    facts: Sequence[Fact] = ()
    paper: Paper | None = None
    needs: Sequence[str] = ()
    models: Sequence[Model] = ()
    cases: Sequence[Case] = ()
    tracks: Sequence[Track] = ("numpy", "torch")
    options: Sequence[Literal["text", "images"]] = ()
    sample: Callable[..., str] | None = None
    equations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    twins: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """ "02 char_rnn", as the catalogue writes it."""
        return f"{self.number} {self.slug}".strip()

    @property
    def package(self) -> str:
        """The dotted name of the lesson's folder."""
        return f"groundup.lessons.{self.folder.name}"

    @property
    def text(self) -> Path:
        """The percent-format notebook."""
        return self.folder / "lesson.py"


def public_functions(path: Path) -> list[str]:
    """The public differentiable functions of a file: those annotated to return a ``Backward``."""
    return [
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.returns is not None
        and "Backward" in ast.unparse(node.returns)
    ]
