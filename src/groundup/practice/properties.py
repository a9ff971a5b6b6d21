"""Checks of an answer beyond its values on random cases: properties, and special inputs.

A check is a name and a function ``run(answer, reference, rng)``. Both ``answer`` and ``reference`` are called with
arguments by name and return an ``Answer``: ``.value``, and ``.pull(*upstream)`` for what backward returns. ``run``
returns None if all is well, otherwise a sentence (or a ``Finding``, which also shows the arguments). Write your own
where these do not fit::

    def sums(answer, reference, rng):
        y = answer(x=rng.normal(size=(2, 5))).value
        return None if np.allclose(y.sum(-1), 1) else "The probabilities of a row sum to 1."

    checks=(Check("probabilities", sums), special("large values", large), causal("query", "key", "value"))
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from groundup.practice.exercise import Arguments, Cases, Check
from groundup.practice.grading.compare import Near, compare, show
from groundup.practice.grading.judge import Finding, gradients_finding, upstream_of, values_finding
from groundup.practice.grading.subject import Failed, Subject
from groundup.practice.grading.tolerance import coarsest
from groundup.practice.grading.wire import Code

#: All that exercises need of the judge, beside the checks below.
__all__ = [
    "Check", "Code", "Failed", "Finding", "Near", "Subject",
    "causal", "choices", "coarsest", "compare", "fits", "permuted", "raises", "rows_sum_to", "show", "special",
]  # fmt: skip


def special(name: str, cases: Cases, gradients: bool = True) -> Check:
    """Special inputs, compared with the reference like any case, but under a name of their own: "large values",
    "rows that are masked whole", "ties". They come after all ordinary cases, in float64 as they are drawn."""

    def run(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
        exercise = answer.exercise
        for arguments in cases(rng):
            expected, got = reference(**arguments), answer(**arguments)
            found = values_finding(exercise, name, arguments, expected.value, got.value, False)
            if found is None and gradients and exercise.gives:
                upstream = upstream_of(exercise, expected.value, rng)
                pulled = expected.pull(*upstream), got.pull(*upstream)
                found = gradients_finding(exercise, arguments, upstream, *pulled, False)
            if found:
                return found
        return None

    return Check(name, run)


def rows_sum_to(total: float, cases: Cases, axis: int = -1) -> Check:
    """The value sums to ``total`` along an axis: for answers whose values no reference fixes."""

    def run(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
        for arguments in cases(rng):
            sums = np.asarray(answer(**arguments).value).sum(axis=axis)
            found = compare(np.full_like(sums, total), sums)
            if found:
                message = f"Sums along axis {axis} should be {total:g}."
                return Finding("sums", message, arguments, expected=f"{total:g}", got=show(sums), error=found.error)
        return None

    return Check("sums", run)


def causal(cases: Cases, *arguments: str, axis: int = -2, output_axis: int = -2) -> Check:
    """Positions after t have no influence on outputs up to t: the named arguments are changed there, along ``axis``.

    ``cases`` draws arguments for which that must hold (a causal mask among them, if it is an argument).
    """

    def run(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
        for given in cases(rng):
            before = first(answer(**given).value)
            length = before.shape[output_axis]
            for t in range(length - 1):
                changed = dict(given)
                for name in arguments:
                    changed[name] = given[name].copy()
                    part = np.moveaxis(changed[name], axis, 0)[t + 1 :]
                    part += rng.normal(size=part.shape)
                after = first(answer(**changed).value)
                kept = [np.moveaxis(y, output_axis, 0)[: t + 1] for y in (before, after)]
                found = compare(kept[0], kept[1], Near(coarsest(given)))
                if found:
                    message = (
                        f"Positions after {t} of {', '.join(arguments)} were changed, "
                        f"and the output up to position {t} changed with them: it looks into the future."
                    )
                    return Finding("causal", message, given, expected=found.expected, got=found.got, error=found.error)
        return None

    return Check("causal", run)


def permuted(cases: Cases, arguments: Sequence[str], axis: int = -2, output_axis: int | None = None) -> Check:
    """The named arguments, permuted together along ``axis``, give the same output: in the same order along
    ``output_axis``, or unchanged where that is None."""

    def run(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
        for given in cases(rng):
            before = first(answer(**given).value)
            order = rng.permutation(given[arguments[0]].shape[axis])
            mixed = {**given, **{name: np.take(given[name], order, axis=axis) for name in arguments}}
            after = first(answer(**mixed).value)
            wanted = before if output_axis is None else np.take(before, order, axis=output_axis)
            found = compare(wanted, after, Near(coarsest(given)))
            if found:
                how = "stays as it is" if output_axis is None else "is permuted alike"
                message = f"When {', '.join(arguments)} are permuted along axis {axis}, the output {how}."
                return Finding("permutation", message, mixed, expected=found.expected, got=found.got, error=found.error)
        return None

    return Check("permutation", run)


def raises(name: str, kinds: tuple[type[Exception], ...], cases: Cases) -> Check:
    """Arguments that the function must refuse with one of these exceptions: only where the task says so."""
    words = " or ".join(kind.__name__ for kind in kinds)

    def run(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
        for arguments in cases(rng):
            try:
                value = answer(**arguments).value
            except Failed as failed:
                if failed.status == "error" and any(f"raised {kind.__name__}" in failed.message for kind in kinds):
                    continue
                raise
            return Finding(name, f"These arguments should raise {words}.", arguments, expected=words, got=show(value))
        return None

    return Check(name, run)


def fits(counts: np.ndarray, probabilities: np.ndarray, alarm: float = 5.0) -> bool:
    """Whether counts of draws fit probabilities, by Pearson's χ² test.

    It is wrong about right draws as often as a normal number exceeds ``alarm``: 3 in ten million for 5 (the
    approximation of Wilson and Hilferty 1931). Cells that expect fewer than 5 count as one; what has probability 0
    must not come at all.
    """
    total = counts.sum()
    if counts[probabilities == 0].any():
        return False
    expected = probabilities * total
    few = expected < 5
    seen = np.append(counts[~few], counts[few].sum())
    wanted = np.append(expected[~few], expected[few].sum())
    seen, wanted = seen[wanted > 0], wanted[wanted > 0]
    free = max(len(seen) - 1, 1)
    limit = free * (1 - 2 / (9 * free) + alarm * np.sqrt(2 / (9 * free))) ** 3
    return bool(((seen - wanted) ** 2 / np.maximum(wanted, 1)).sum() <= limit)


def choices(make: Callable[[], Arguments], **options: Any) -> Iterator[Arguments]:
    """A case for every choice of some of the options, from none to all of them; ``make`` draws the rest."""
    for given in itertools.product((False, True), repeat=len(options)):
        yield make() | dict(itertools.compress(options.items(), given))


def first(value: Any) -> np.ndarray:
    """The first output, as an array."""
    return np.asarray(value[0] if isinstance(value, tuple | list) else value)


def one(make: Callable[[np.random.Generator], Arguments]) -> Cases:
    """Cases that are a single one: ``one(lambda rng: {"x": 1e4 * rng.normal(size=(2, 3))})``."""
    return lambda rng: [make(rng)]
