"""Whether an answer loops in Python where arrays do: by counting what Python executes, and by the clock.

The count is the same on every machine, however busy: array code executes the same few instructions for a large case
as for a small one. It is taken in the answer's own process, which could hide them; the clock is read from outside.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundup.practice.exercise import Arguments, Exercise
from groundup.practice.grading import wire
from groundup.practice.grading.judge import Finding, gradients_finding, shapes, upstream_of, values_finding
from groundup.practice.grading.session import Session
from groundup.practice.grading.subject import Local, Remote

SLOW = 0.1  # seconds of processor time that any answer may take on the large case
STEPS = 10_000  # instructions of Python that any answer may execute on it
NUDGES = 5_000  # that any backward may execute on a small case
MORE = 10  # and how many times the reference's


@dataclass(frozen=True)
class Spent:
    """What a call and its backward took: seconds of processor time, instructions of Python."""

    seconds: float
    steps: int


def speed(
    exercise: Exercise,
    answer: Remote,
    reference: Local,
    rng: np.random.Generator,
    begin: Callable[[Arguments], None],
) -> Finding | None:
    """The large case takes no longer than a generous multiple of the reference's time, and no loop over elements.

    ``begin`` is told the arguments before the answer is.
    """
    assert exercise.speed is not None
    arguments = exercise.speed(rng)
    begin(arguments)
    expected = reference(**arguments)
    upstream = upstream_of(exercise, expected.value, rng) if exercise.gives else ()
    ours = spent_here(exercise, reference, answer, arguments, upstream)
    limit = max(SLOW, exercise.factor * ours.seconds)
    best = float("inf")
    for attempt in range(3):  # the first call pays for memory that later ones find ready
        began = answer.worker.clock()
        got = answer(**arguments)
        pulled = got.pull(*upstream) if exercise.gives else None
        best = min(best, answer.worker.clock() - began)
        if attempt == 0:
            found = values_finding(exercise, "values", arguments, expected.value, got.value, False)
            if found is None and exercise.gives and exercise.exact:
                wanted = expected.pull(*upstream)
                found = gradients_finding(exercise, arguments, upstream, wanted, pulled, False)
            if found:
                return found
        if best <= limit:
            break
    else:
        return Finding(
            "speed",
            f"Right, but slow{shapes(arguments)}: {best:.2g} s of processor time, and array code takes "
            f"{ours.seconds:.2g} s. Is there a Python loop, or an array much larger than it has to be?",
        )
    if exercise.loops:
        return None
    most = STEPS + MORE * ours.steps
    answer.count = most
    got = answer(**arguments)
    steps = got.steps
    if exercise.gives and steps <= most:
        got.pull(*upstream)
        steps = got.steps
    answer.count = 0
    if steps <= most:
        return None
    return Finding(
        "speed",
        f"Right, but with a Python loop over elements or rows{shapes(arguments)}: more than {most} steps of Python, "
        f"where array code takes {ours.steps}.",
    )


def derived(
    exercise: Exercise, answer: Remote, reference: Local, rng: np.random.Generator, arguments: Arguments
) -> Finding | None:
    """Backward computes a derivative: it does not nudge one number after the other and call the function again."""
    expected = reference(**arguments)
    upstream = upstream_of(exercise, expected.value, rng)
    most = NUDGES + MORE * spent_here(exercise, reference, answer, arguments, upstream, backward=True).steps
    got = answer(**arguments)
    got.pull(*upstream)  # what is imported or looked up once is not counted
    answer.count = most
    try:
        got.pull(*upstream)
    finally:
        answer.count = 0
    if got.steps <= most:
        return None
    message = f"`backward` is right, but takes more than {most} steps of Python{shapes(arguments)}. "
    return Finding("derivative", message + "Does it nudge every number, or loop over them? Derive the gradient.")


def spent_here(
    exercise: Exercise,
    reference: Local,
    answer: Remote,
    arguments: Arguments,
    upstream: tuple[Any, ...],
    backward: bool = False,
) -> Spent:
    """What the reference takes when it is asked as an answer is, through the same code; the best of up to five.

    Only ``backward``'s steps are counted where that is asked for."""
    session = Session()
    session.call = reference.functions[0]
    if use := exercise.use:
        session.call = lambda *args, **options: use(*reference.functions, *args, **options)
    args, options = answer.arranged(arguments)
    steps: list[int] = []
    seconds: list[float] = []
    while len(seconds) < 5 and (len(seconds) < 2 or sum(seconds) < 2 * SLOW):
        count = sys.maxsize if not seconds else 0  # what counts is slow: that time is left out
        requests = [{"do": "call", "args": args, "options": options, "count": count}]
        if exercise.gives:
            requests.append(
                {"do": "pull", "function": len(session.functions), "upstream": list(upstream), "count": count}
            )
        data = [wire.pack(request) for request in requests]
        replies = []
        began = time.process_time()
        for one in data:
            replies.append(session.ask(wire.unpack(one, trusted=True)))
            wire.pack(replies[-1], session.keep)
        seconds.append(time.process_time() - began)
        if count:
            steps = [int(reply.get("steps", 0)) for reply in replies[int(backward) :]]
            if backward:
                return Spent(0.0, sum(steps))
    return Spent(min(seconds[1:]), sum(steps))
