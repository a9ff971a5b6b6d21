"""The grader: asks an answer, in a process of its own, what the reference is asked, and says what it finds.

The trusted side never runs an answer. It draws arguments, computes what is right, and compares: so there is nothing
in the learner's process that would have to be kept secret or unbroken. The first check that fails speaks.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from groundup.practice.exercise import Arguments, Exercise
from groundup.practice.grading.compare import Near, compare, show
from groundup.practice.grading.diagnose import diagnose, more
from groundup.practice.grading.judge import (
    Finding,
    gradients_finding,
    shapes,
    size,
    slopes_finding,
    upstream_of,
    values_finding,
)
from groundup.practice.grading.layouts import WORDS, in_layout, layouts_for
from groundup.practice.grading.look import as_text, look
from groundup.practice.grading.process import Worker, start
from groundup.practice.grading.speed import derived, speed
from groundup.practice.grading.subject import Answer, Failed, Local, NoBackward, Remote
from groundup.practice.grading.tolerance import coarsest, finite
from groundup.practice.grading.trees import as_float32, as_whole_numbers
from groundup.practice.grading.verdict import Verdict
from groundup.practice.grading.verified import run_check

SECONDS = 10.0  # for everything: no answer is a verdict too
TORCH_SECONDS = 10.0
SEEDS = 1_000_000  # that a check draws from, where it is told none


@dataclass
class State:
    """Where grading is: for messages about answers that raise or end."""

    check: str = "first call"
    arguments: Arguments | None = None
    passed: list[str] = field(default_factory=list)


def grade(
    exercise: Exercise,
    source: str | bytes,
    seed: int | None = 0,
    seconds: float = SECONDS,
    in_process: bool = False,
    timed: bool = True,
) -> Verdict:
    """Grade the text of an answer. Never raises for anything that is in it, and returns within ``seconds`` or so.

    An answer in PyTorch gets the time that importing it may take on a busy machine on top.
    ``seed`` draws the arguments; None takes another one each time, so that an answer cannot be made to fit them.
    ``in_process`` runs the answer here, as in the browser: without limits, for code that is trusted. Without
    ``timed`` nothing is said about speed.
    """
    began = time.perf_counter()
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    seconds += TORCH_SECONDS if exercise.track == "torch" else 0.0
    text = as_text(exercise, source)
    if isinstance(text, Verdict):
        return text
    if verdict := look(exercise, text):
        return verdict
    state = State()
    worker = start(exercise.track, seconds, in_process)
    try:
        deadline = float("inf") if in_process else began + seconds
        verdict = run_checks(exercise, text, worker, seed, state, deadline, timed)
    except Exception as error:  # what came back is like nothing that was thought of: a verdict all the same
        message = f"What your code returned cannot be compared: {type(error).__name__}, {str(error)[:200]}."
        verdict = Verdict(exercise.name, "error", message, state.check)
    finally:
        worker.close()
    return replace(
        verdict, log=worker.log(), checks=tuple(state.passed), seconds=round(time.perf_counter() - began, 3), seed=seed
    )


def run_checks(
    exercise: Exercise, source: str, worker: Worker, seed: int, state: State, deadline: float, timed: bool
) -> Verdict:
    """All checks in order, as a verdict."""
    answer = Remote(exercise, worker)
    try:
        answer.load(source)
        with np.errstate(all="ignore"):
            for name, check in checks(exercise, answer, seed, state):
                if name == "speed" and not timed:
                    continue
                state.check, state.arguments = name, None
                found = check()
                if isinstance(found, str):
                    found = Finding(name, found)
                if found:
                    verdict = verdict_of(exercise, found)
                    if found.kind and found.arguments is not None:
                        with contextlib.suppress(Exception):  # what a mistake is called is no verdict
                            cases = sorted(exercise.cases(np.random.default_rng([seed, 0])), key=size)
                            verdict = replace(verdict, diagnosis=diagnose(more(found, answer, cases), answer))
                    return verdict
                state.passed.append(name)
                if time.perf_counter() > deadline:
                    raise Failed("timeout", "Your code is right so far, but too slow to be checked in time.")
    except NoBackward as returned:
        message = f"`{exercise.names[0]}` should return its value and a function `backward`, not {returned}."
        return Verdict(exercise.name, "wrong", message, "returns", shown(state.arguments))
    except Failed as failed:
        if state.check == "speed" and failed.status == "timeout":
            text = "Your code is right on small cases, but far too slow on a large one. Is there a loop over elements?"
            failed = Failed("timeout", text)
        where = shapes(state.arguments) if state.arguments and failed.status == "timeout" else ""
        message = failed.message + (f" It was called{where}." if where else "")
        return Verdict(exercise.name, failed.status, message, state.check, shown(state.arguments), lines=failed.lines)
    return Verdict(exercise.name, "passed", "Right: every check passed.")


def verdict_of(exercise: Exercise, found: Finding) -> Verdict:
    """A finding in texts."""
    upstream = show(found.upstream[0] if len(found.upstream) == 1 else found.upstream) if found.upstream else ""
    texts = (found.expected, found.got, found.error, found.measured)
    return Verdict(exercise.name, "wrong", found.message, found.check, shown(found.arguments), upstream, *texts)


def shown(arguments: Arguments | None) -> dict[str, str] | None:
    """Arguments as texts."""
    return None if arguments is None else {name: show(value) for name, value in arguments.items()}


def checks(
    exercise: Exercise, answer: Remote, seed: int, state: State
) -> Iterator[tuple[str, Callable[[], Finding | str | None]]]:
    """The checks, named, in the order in which one wants to hear of them."""
    reference = Local(exercise)
    rng = np.random.default_rng([seed, 1])
    cases = sorted(exercise.cases(np.random.default_rng([seed, 0])), key=size)
    singles = [as_float32(case) for case in cases] if exercise.floats32 else []

    def begin(arguments: Arguments) -> None:
        state.arguments = arguments

    def call(arguments: Arguments) -> tuple[Answer, Answer]:
        state.arguments = arguments
        return reference(**arguments), answer(**arguments)

    def values(some: list[Arguments], single: bool) -> Finding | None:
        name = "values in float32" if single else "values"
        for arguments in some:
            expected, got = call(arguments)
            found = values_finding(exercise, name, arguments, expected.value, got.value, single)
            if found:
                return found
        return None

    def gradients(some: list[Arguments], single: bool) -> Finding | None:
        for arguments in some:
            expected, got = call(arguments)
            upstream = upstream_of(exercise, expected.value, rng)
            pulled = expected.pull(*upstream), got.pull(*upstream)
            found = gradients_finding(exercise, arguments, upstream, *pulled, single)
            if found:
                return found
        return None

    def both(arguments: Arguments, layout: str = "") -> Finding | None:
        expected, got = call(arguments)
        if not layout and not finite(expected.value):
            return None  # rounding has led out of the domain
        found = values_finding(exercise, "values", arguments, expected.value, got.value, False)
        if found is None and exercise.gives:
            upstream = in_layout(upstream_of(exercise, expected.value, rng), layout)
            pulled = expected.pull(*upstream), got.pull(*upstream)
            found = gradients_finding(exercise, arguments, upstream, *pulled, False)
        return found

    def whole() -> Finding | None:
        for arguments in cases:
            if found := both(as_whole_numbers(arguments)):
                message = f"Other numbers passed; these are whole, with zeros and equals among them. {found.message}"
                return replace(found, check="whole numbers", message=message)
        return None

    def layouts() -> Finding | None:
        for layout in layouts_for(exercise):
            for arguments in cases:
                if found := both(in_layout(arguments, layout), layout):
                    message = f"The same numbers passed before; here the arrays are {WORDS[layout]}. {found.message}"
                    return replace(found, check="memory layouts", message=message, kind="")
        return None

    def slopes() -> Finding | None:
        for arguments in cases[:4]:
            state.arguments = arguments
            found = slopes_finding(exercise, answer, arguments, answer(**arguments), rng)
            if found:
                return found
        return None

    yield "values", lambda: values(cases, False)
    if exercise.gives:
        yield "gradients", lambda: gradients(cases, False)
    if exercise.gives and not exercise.exact:
        yield "slopes", slopes
    if singles:
        yield "values in float32", lambda: values(singles, True)
    if singles and exercise.gives:
        yield "gradients in float32", lambda: gradients(singles, True)
    yield "memory layouts", layouts
    yield "repeated calls", lambda: repeated(exercise, answer, seed, cases, rng, state)
    for check in exercise.checks:
        yield check.name, lambda check=check: run_check(check, answer, reference, rng)  # type: ignore[misc]
    if exercise.whole and exercise.exact:
        yield "whole numbers", whole
    yield "arguments unchanged", lambda: unchanged(exercise, answer)
    if exercise.gives and exercise.track == "numpy" and (exercise.loops or not exercise.speed):
        yield "derivative", lambda: derived(exercise, answer, reference, rng, cases[-1])
    if exercise.speed:
        yield "speed", lambda: speed(exercise, answer, reference, rng, begin)


def repeated(
    exercise: Exercise, answer: Remote, seed: int, cases: list[Arguments], rng: np.random.Generator, state: State
) -> Finding | None:
    """The same call gives the same again, backward too, and later calls leave earlier results alone."""
    others = sorted(exercise.cases(np.random.default_rng([seed, 2])), key=size)
    for index, case in enumerate(cases):
        arguments = state.arguments = case
        name, near = exercise.names[0], Near(coarsest(case))  # the same sums, perhaps in another order
        number, answered = answer.calls, answer(**arguments)
        upstream, other = ((), ())
        pulled = None
        if exercise.gives:
            expected = Local(exercise)(**arguments).value  # an answer's own may be a list, where a tuple is meant
            upstream, other = (upstream_of(exercise, expected, rng) for _ in range(2))
            pulled = answered.pull(*upstream)
            answered.pull(*other)
        answer(**others[min(index, len(others) - 1)])
        if exercise.gives and (found := compare(pulled, answered.pull(*upstream), near)):
            message = (
                "`backward`, called again with the same gradient, gives something else: what did it change or keep?"
            )
            return Finding("repeated calls", message, arguments, upstream, found.expected, found.got)
        if found := compare(answered.value, answer.again(number), near):
            message = f"The result of an earlier call of `{name}` changed during a later one: return a fresh array."
            return Finding("repeated calls", message, arguments, (), found.expected, found.got)
        if found := compare(answered.value, answer(**arguments).value, near):
            message = f"`{name}`, called again with the same arguments, gives something else: what does it keep?"
            return Finding("repeated calls", message, arguments, (), found.expected, found.got)
    return None


def unchanged(exercise: Exercise, answer: Remote) -> Finding | None:
    """No call so far has changed its arguments."""
    if not answer.changed:
        return None
    what = answer.changed if " " in answer.changed else f"its argument `{answer.changed}`"
    message = f"`{exercise.names[0]}` changes {what} in place: work on a copy."
    return Finding("arguments unchanged", message)
