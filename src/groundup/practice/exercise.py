"""The record of an exercise: everything that an author writes, and all that starters, grader and audit need.

A file in a lesson's folder ``exercises`` holds one, or a few that belong together; nothing else has to know of it::

    RELU = Exercise(
        name="relu",
        title="Rectified linear unit, forward and backward",
        functions=(relu,),                      # the library's own: reference, solution and starter come from it
        gives=("x",),
        task="Return $y = \\\\max(x, 0)$ …",
        hints=("…", "…", "…"),
        why="…",
        difficulty=1,
        minutes=5,
        cases=relu_cases,                       # def relu_cases(rng): yield {"x": rng.normal(size=(2, 3))}; …
        wrong=(Wrong("gradient everywhere", {"dy * (y > 0)": "dy"}, "…"), …),
    )

See the classes for every field, ``properties.py`` for ready-made checks, and ``python -m groundup.practice NAME``
to audit one exercise.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Arguments = dict[str, Any]
#: Draws arguments: dicts by parameter name, of float64 arrays, other arrays, numbers, texts, trees of these,
#: Generators (every call gets a fresh one in the same state) and ``Code`` (functions).
Cases = Callable[[np.random.Generator], Iterable[Arguments]]


@dataclass(frozen=True, eq=False)
class Wrong:
    """A mistake that people make. The grader must refuse it, and says its diagnosis to whoever gets the same numbers.

    name       a few words for the audit's table
    change     replacements in the solution's text, each ``old`` occurring exactly once; or a whole source. In a
               whole source, ``np`` has to be imported
    diagnosis  completes "Your answer gives the same numbers as one …": "in which epsilon stands outside the root"
    crashes    whether it raises an exception where it goes wrong; otherwise the audit takes an exception for an
               accident of the author's
    """

    name: str
    change: Mapping[str, str] | str
    diagnosis: str
    crashes: bool = False


@dataclass(frozen=True, eq=False)
class Right:
    """A right answer in another style than the library's, which the grader must accept: a whole source, or changes."""

    name: str
    change: Mapping[str, str] | str


@dataclass(frozen=True, eq=False)
class Check:
    """A property: its name, as the verdict says it ("causal"), and the function that looks."""

    name: str
    run: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Exercise:
    """One function to write.

    name        snake_case, unique over all lessons; by default the function's
    title       a line for lists
    functions   the library's own functions, as objects: what the learner writes has their names. Starter and
                solution are generated from their source, the reference values come from calling them. A method is
                ``Class.method``: the starter is the class without it. Several functions need ``use``
    task        Markdown with $…$: what to write, shapes, what comes back, what is forbidden. The starter shows the
                signature and the docstring too, so the task need not repeat them
    hints       three, each more: the idea; the equation with paper and number; nearly the code
    why         after solving or giving up: why the solution is right (a short derivation), and the common mistake
    difficulty  1 to 5
    minutes     for someone who has read the lesson
    cases       draws the arguments: about 8 to 20 dicts of many shapes (batch 1, length 1, extra leading axes,
                nothing square only, options left out and given). The smallest that fails is shown, so let one be
                tiny. All float arrays are float64; the grader repeats every case in float32, with its floats rounded
                to whole numbers, and in other memory layouts. Parameters without a
                default are passed by position, the others by name
    wrong       at least three
    right       right answers written independently, in other styles
    checks      properties and special inputs, after the values (``properties.py``)
    gives       the arguments whose gradients ``backward`` returns, in order (arrays, or trees of arrays): then the
                function returns ``(value, backward)``. () where there is no backward
    upstream    how many of several outputs ``backward`` takes gradients of, from the first on; 0 for all
    keep        "forward": the starter keeps the forward code and only ``backward`` is to be written
    given       the library's functions and classes (or "module:NAME" for constants) that the starter brings along
    use         a function of yours ``use(f, **arguments)``, or ``use(f, g, **arguments)`` for several functions,
                called in place of f itself: to drive optimisers, classes, in-place updates, functions that return
                functions. Its source runs beside the answer, so it may only use its arguments and ``np``.
                Returns what is compared (plain values and arrays); with ``gives`` it returns (value, backward)
    exact       False where several values are right (random draws): then values are not compared with the
                reference, only shapes and dtypes; gradients are compared with slopes measured on the answer itself;
                ``checks`` must pin the values down
    whole       False where whole numbers in place of the cases' floats would not do: where rounding then decides
                between equals
    floats32    False where float32 in, float32 out is not asked for
    loops       what Python loops may run over, in words; "" where none are needed: then give ``speed``
    speed       draws one large case, on which Python loops over elements would cost; None to leave loops alone
    factor      how many times the reference's processor time an answer may take on it (and never less than 0.1 s)
    track       "torch": the answer takes and returns tensors, autograd is its backward. ``functions`` are NumPy
                references all the same, and ``solution`` has the code
    solution    text to show and to make the starter from, where the library has no such function (PyTorch) or
                writes it for speed rather than for reading. Same names and parameters as ``functions``
    equivalent  mutants of the solution that pass because they do the same, with the reason: the key that the audit
                prints → why. Two an exercise at most, on average over all. The key "what is never reached" stands for
                all pieces that no call comes to, where the task allows that
    forbids     library functions that would do the whole task, dotted: "numpy.gradient",
                "torch.nn.functional.scaled_dot_product_attention". Known by their last name in the text too
    """

    title: str
    functions: tuple[Callable[..., Any], ...]
    task: str
    hints: tuple[str, str, str]
    why: str
    difficulty: int
    minutes: int
    cases: Cases
    wrong: tuple[Wrong, ...]
    right: tuple[Right, ...] = ()
    checks: tuple[Check, ...] = ()
    name: str = ""
    gives: tuple[str, ...] = ()
    upstream: int = 0
    keep: Literal["signature", "forward"] = "signature"
    given: tuple[Callable[..., Any] | str, ...] = ()
    use: Callable[..., Any] | None = None
    exact: bool = True
    whole: bool = True
    floats32: bool = True
    loops: str = ""
    speed: Callable[[np.random.Generator], Arguments] | None = None
    factor: float = 25.0
    track: Literal["numpy", "torch"] = "numpy"
    solution: str = ""
    equivalent: Mapping[str, str] = field(default_factory=dict)
    forbids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.functions[0].__name__)
        if len(self.functions) > 1 and self.use is None:
            raise ValueError(f"exercise {self.name}: several functions need `use`")

    @property
    def names(self) -> tuple[str, ...]:
        """What an answer has to define: functions, or the classes of methods."""
        return tuple(dict.fromkeys(function.__qualname__.partition(".")[0] for function in self.functions))

    @property
    def folder(self) -> str:
        """The lesson's folder."""
        return self.cases.__module__.split(".")[2] if self.cases.__module__.startswith("groundup.lessons.") else ""

    @property
    def hash(self) -> str:
        """Changes when what is asked for changes: the task, the signatures with what they promise, or the cases."""
        parts = [self.task, self.solution, *self.names, inspect.getsource(self.cases)]
        for function in self.functions:
            parts += [inspect.getdoc(function) or "", *signature(function)]
        return hashlib.sha256("\0".join([*parts, *(check.name for check in self.checks)]).encode()).hexdigest()[:16]


def signature(function: Callable[..., Any]) -> list[str]:
    """A function's parameters with their defaults: the same text on every Python."""
    return [f"{name}={one.default!r}" for name, one in inspect.signature(function).parameters.items()]
