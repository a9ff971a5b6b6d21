"""Which regions an exercise's arguments reach: measured on what the grader asks of the solution, not declared.

A region is covered, missing, or does not concern an exercise: one without masks has no large scores behind them.
"""

import ast
import inspect
import itertools
import re
from collections.abc import Callable
from functools import partial

import numpy as np

from groundup.practice.asked import Seen, asked_of, leaves
from groundup.practice.exercise import Arguments, Exercise
from groundup.practice.grading.judge import size
from groundup.practice.grading.wire import layout_of
from groundup.practice.starter import solution

MANY = 10_000  # draws that a test of shares has at least
LARGE = 100.0  # a score beside which e^0 is nothing in any floats
WIDE = 710.0  # a distance whose exponential no float64 holds


def square(a: np.ndarray) -> bool:
    """Two axes of one length."""
    return len(set(a.shape)) < a.ndim


def free_arrays(found: Seen) -> list[np.ndarray]:
    """The arguments of several axes that need not be square: without a table of distances, which always is."""
    named = [(n, a) for arguments, _ in found.calls for n, a in arguments.items() if isinstance(a, np.ndarray)]
    free = {name for name, a in named if a.ndim > 2 or (a.ndim == 2 and not square(a))}
    trees = [
        a
        for arguments, _ in found.calls
        for v in arguments.values()
        if not isinstance(v, np.ndarray)
        for a in leaves(v)
    ]
    return [a for name, a in named if name in free and a.ndim > 1] + [a for a in trees if a.ndim > 1]


def one_first(found: Seen) -> bool | None:
    """A first axis of 1, where there are several: batch 1."""
    arrays = free_arrays(found)
    return any(a.shape[0] == 1 for a in arrays) if arrays else None


def one_later(found: Seen) -> bool | None:
    """Another axis of 1: one token, one channel."""
    arrays = free_arrays(found)
    return any(1 in a.shape[1:] for a in arrays) if arrays else None


def added_axes(found: Seen) -> bool | None:
    """One argument with numbers of axes that differ by two at least: where task or docstrings allow any number."""
    texts = [found.exercise.task, *(inspect.getdoc(function) or "" for function in found.exercise.functions)]
    if not any(
        re.search(r"\(\s*(\.\.\.|…|\\dots)|any shape|leading axes|shapes broadcast|broadcasting", text)
        for text in texts
    ):
        return None
    axes: dict[str, set[int]] = {}
    for arguments, _ in found.calls:
        for name, value in arguments.items():
            if isinstance(value, np.ndarray):
                axes.setdefault(name, set()).add(value.ndim)
    return any(max(some) - min(some) >= 2 for some in axes.values()) if axes else None


def nothing_square(found: Seen) -> bool | None:
    """A call in which nothing is square that need not be: what always is, such as a table of distances, may be."""
    calls = [
        {n: a for n, a in arguments.items() if isinstance(a, np.ndarray) and a.ndim > 1} for arguments, _ in found.calls
    ]
    free = {name for arrays in calls for name, a in arrays.items() if not square(a)}
    return any(arrays and not any(square(arrays[n]) for n in free & {*arrays}) for arrays in calls) if free else None


def beyond(found: Seen, most: int) -> bool | None:
    """Whole numbers that small ones do not hold, in arguments or values: where there are such beside sizes.

    No memory holds a one-hot matrix of more classes than two bytes count; where such a matrix is a right answer, that
    many are not asked for.
    """
    if most > 255 and any("np.eye(" in str(right.change) for right in found.exercise.right):
        return None
    values = [a for _, value in found.calls for a in (leaves(value) if type(value) is not int else [np.array(value)])]
    whole = [a for a in [*found.arrays("iu"), *values] if a.dtype.kind in "iu"]
    sizes = [n for arguments, _ in found.calls for n in arguments.values() if type(n) is int]
    return max([*sizes, *(int(a.max()) for a in whole if a.size)], default=0) > most if whole else None


def laid(found: Seen, layout: str) -> bool | None:
    """Arrays that lie in memory like this."""
    arrays = [a for a in found.arrays() if a.ndim > 1 or layout != "Fortran"]
    if not arrays or (layout == "reversed" and found.exercise.track == "torch"):
        return None
    return any(layout_of(a) == layout for a in arrays)


def laid_upstream(found: Seen) -> bool | None:
    """Upstream gradients that do not lie row after row."""
    arrays = [a for upstream in found.pulls for a in leaves(upstream)]
    return any(layout_of(a) for a in arrays) if found.exercise.gives and arrays else None


def floats(test: Callable[[np.ndarray], bool], found: Seen) -> bool | None:
    """Some array of floats for which the test holds."""
    arrays = [a for a in found.arrays("f") if a.size]
    return any(test(a) for a in arrays) if arrays else None


def tie(a: np.ndarray) -> bool:
    """The largest of a row is there twice."""
    return bool(a.ndim and ((a == a.max(axis=-1, keepdims=True)).sum(axis=-1) > 1).any())


def ties(found: Seen) -> bool | None:
    """Equal numbers, where values are compared and rounding does not decide between equals."""
    return floats(tie, found) if found.exercise.exact and found.exercise.whole else None


def minus_infinity(found: Seen) -> bool | None:
    """An entry of −∞, where task or solution speak of it."""
    if not re.search(r"infty|-np\.inf|−∞|-inf", found.exercise.task):
        return None
    return floats(lambda a: bool(np.isneginf(a).any()), found)


def wide_rows(found: Seen) -> bool | None:
    """Numbers, or products of two arguments, so far apart that exponentials overflow: where there are exponentials."""
    text = solution(found.exercise)
    if not re.search(r"\b(exp|softmax|log_softmax|logaddexp)\(", text):
        return None
    products = "@" in text

    def wide(arguments: Arguments) -> bool:
        finite = [a[np.isfinite(a)] for a in leaves(arguments) if a.dtype.kind == "f"]
        finite = [a for a in finite if a.size]
        distance = max((a.max() for a in finite), default=0.0) - min((a.min() for a in finite), default=0.0)
        first, second, *_ = [*sorted((np.abs(a).max() for a in finite), reverse=True), 0.0, 0.0]
        return distance > WIDE or (products and first * second > WIDE)

    return any(wide(arguments) for arguments, _ in found.calls) if found.arrays("f") else None


def masked(found: Seen) -> bool | None:
    """Large scores in a call with a mask that hides something."""
    having = [arguments for arguments, _ in found.calls if any(a.dtype == bool for a in leaves(arguments))]
    having = [arguments for arguments in having if any(a.dtype.kind == "f" for a in leaves(arguments))]
    if not having:
        return None
    return any(
        any(a.dtype == bool and not a.all() for a in leaves(arguments))
        and any(a.dtype.kind == "f" and np.abs(a[np.isfinite(a)]).max(initial=0) > LARGE for a in leaves(arguments))
        for arguments in having
    )


def combinations(found: Seen) -> bool | None:
    """Each two options both given, both left out, and each alone. What is always given is no option."""
    asked = [frozenset(arguments) for arguments, _ in found.calls]
    optional = options_of(found.exercise)
    options = sorted(optional - frozenset.intersection(*asked))
    groups: list[tuple[str, ...]] = [*itertools.combinations(options, 2)] or [(name,) for name in options]
    complete = (len({tuple(name in one for name in group) for one in asked}) == 2 ** len(group) for group in groups)
    return all(complete) if groups else None


def options_of(exercise: Exercise) -> frozenset[str]:
    """The parameters with a default, of what the learner writes; or those of ``use`` that the cases know."""
    use = inspect.signature(exercise.use).parameters.values() if exercise.use else ()
    if use and not any(one.kind is one.VAR_KEYWORD for one in use):
        known = frozenset().union(*exercise.cases(np.random.default_rng(0)))
        return known & {one.name for one in use if one.default is not one.empty}
    tree = ast.parse(solution(exercise))
    written = [
        node.args for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in exercise.names
    ]
    return frozenset(a.arg for args in written for a in args.args[len(args.args) - len(args.defaults) :])


def twice(found: Seen) -> bool | None:
    """The same arguments again, with another call between."""
    keys = [repr([(name, size(value), id(value)) for name, value in arguments.items()]) for arguments, _ in found.calls]
    return any(keys[place] in keys[place + 2 :] for place in range(len(keys)))


def pulled_twice(found: Seen) -> bool | None:
    """``backward`` called again with the same gradient; what it did to arguments is looked at whenever it is called."""
    if not found.exercise.gives:
        return None
    keys = [tuple(map(id, upstream)) for upstream in found.pulls]
    return len(set(keys)) < len(keys)


def copied(found: Seen) -> bool | None:
    """A state that is copied between two steps, as saving and loading does: where an optimiser is written."""
    use = found.exercise.use
    if use is None or "-> Optimiser:" not in solution(found.exercise):
        return None
    return "copy" in inspect.getsource(use)


def drawn(found: Seen) -> bool | None:
    """Draws enough for a test of their shares."""
    if found.exercise.exact:  # the same draws give the same values
        return None
    calls = [
        np.size(value) if isinstance(value, np.ndarray) else 1
        for arguments, value in found.calls
        if any(isinstance(one, np.random.Generator) for one in arguments.values()) and value is not None
    ]
    return sum(calls) >= MANY if calls else None


Regions = dict[str, dict[str, bool | None]]

#: By group, the regions: name and measure.
REGIONS: dict[str, dict[str, Callable[[Seen], bool | None]]] = {
    "shapes": {
        "a batch of 1": one_first,
        "a length of 1": one_later,
        "several added axes": added_axes,
        "nothing square": nothing_square,
        "counts beyond int8": partial(beyond, most=127),
        "counts beyond int16": partial(beyond, most=32_767),
    },
    "layouts": {
        "Fortran": partial(laid, layout="Fortran"),
        "strided": partial(laid, layout="strided"),
        "reversed": partial(laid, layout="reversed"),
        "upstreams too": laid_upstream,
    },
    "values": {
        "exact zeros": partial(floats, lambda a: bool((a == 0).any())),
        "ties": ties,
        "−∞": minus_infinity,
        "large scores behind masks": masked,
        "wide rows": wide_rows,
    },
    "options": {"each two, given and left out": combinations},
    "state": {"calls again": twice, "backward again": pulled_twice, "copied between steps": copied},
    "randomness": {"draws for a test": drawn},
}


def regions(exercise: Exercise, seed: int = 0) -> Regions:
    """By group and region: covered, missing (False), or of no concern (None)."""
    found = asked_of(exercise, seed)
    return {group: {name: measure(found) for name, measure in some.items()} for group, some in REGIONS.items()}
