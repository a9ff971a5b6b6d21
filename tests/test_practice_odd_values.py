"""Values of another kind or shape than a check expects, and replies that no worker of ours sends: verdicts, always."""

from typing import Any

import numpy as np
import pytest

from groundup.practice.exercise import Check, Exercise
from groundup.practice.grading.grader import grade
from groundup.practice.grading.process import InProcess
from groundup.practice.grading.subject import Failed, Remote
from groundup.practice.grading.verified import run_check
from groundup.practice.registry import all_exercises, find_exercise
from groundup.practice.starter import solution

WHEEL = """
import numpy as np

def draw(logits, temperature, rng):
    if temperature == 0:
        return int(np.argmax(logits))
    e = np.exp(logits / temperature)
    p = e / e.sum()
    u, total = rng.random(), 0.0
    for k, share in enumerate(p):
        total += share
        if u < total:
            return k
"""


def test_a_roulette_wheel_without_the_maximum_taken_off_is_a_verdict():
    verdict = grade(find_exercise("draw"), WHEEL, timed=False)
    assert (verdict.status, verdict.check) == ("wrong", "frequencies")
    assert "array of objects" in verdict.message or "dtype object" in verdict.message, verdict.message
    assert verdict.arguments is not None


#: What an answer returns from its N-th call on, in place of its value: the cases are behind it then.
ODD = [
    "None",
    "0.5",
    "'text'",
    "[]",
    "(value,)",
    "{}",
    "np.asarray(1.0)",
    "np.full(3, np.nan)",
    "value_and_none(value)",
]
WRAP = """
import functools as _functools

def value_and_none(value):
    return value, None

def _odd(function):
    calls = []

    @_functools.wraps(function)
    def wrapper(*args, **options):
        calls.append(1)
        value = function(*args, **options)
        return {odd} if len(calls) > {calls} else value

    return wrapper

{name} = _odd({name})
"""
# The check of generate_with_cache counts calls and looks at no value.
CHECKED = [
    one.name for one in all_exercises() if one.checks and one.track == "numpy"
    and one.name != "generate_with_cache" and one.functions[0].__qualname__ == one.names[0]
]  # fmt: skip


def calls_before_the_checks(exercise: Exercise) -> int:
    """How often an answer's function is called before the exercise's own checks begin."""
    text = solution(exercise) + WRAP.format(odd="print('one more') or value", calls=0, name=exercise.names[0])
    plain = Exercise(**{**vars(exercise), "checks": (Check("stop", lambda *_: "stop"),)})
    worker_log: list[int] = []

    class Counting(InProcess):
        def log(self) -> str:
            worker_log.append(self.printed.getvalue().count("one more"))
            return ""

    import groundup.practice.grading.grader as grader

    started, grader.start = grader.start, lambda *_: Counting()
    try:
        assert grade(plain, text, in_process=True, timed=False).check == "stop"
    finally:
        grader.start = started
    return worker_log[0]


@pytest.mark.parametrize("name", CHECKED)
def test_an_odd_value_in_a_check_is_a_verdict_in_plain_words(name: str):
    exercise = find_exercise(name)
    calls = calls_before_the_checks(exercise)
    for odd in ODD:
        odd = f"(print('odd'), {odd})[1]"
        text = solution(exercise) + WRAP.format(odd=odd, calls=calls, name=exercise.names[0])
        verdict = grade(exercise, text, in_process=True, timed=False)
        # Where a check wants exceptions alone, no value came.
        assert verdict.status in ("wrong", "error") or "odd" not in verdict.log, (odd, verdict.text())
        assert "cannot be" not in verdict.message, (odd, verdict.text())


FORGED = [
    {"error": {"lines": 7}}, {"error": {"lines": [["abc", "x"]]}}, {"error": {"lines": [[1, 2, 3], 4, None]}},
    {"error": 5}, {"error": [1]}, {"value": (1, 2), "after": 5}, {"value": None, "after": [[], {}], "seconds": "soon"},
    {"value": (np.ones(2), 3), "after": [[1], [2]]}, {"missing": 3}, {"missing": [[1]]}, {"value": {}, "after": [3, 4]},
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FORGED)))
def test_forged_replies_are_verdicts(number: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(InProcess, "ask", lambda self, request: FORGED[number])
    verdict = grade(find_exercise("softmax"), solution(find_exercise("softmax")), in_process=True, timed=False)
    assert not verdict.passed
    assert verdict.status in ("exited", "error", "wrong")


def test_forged_words_in_a_backward_are_verdicts(monkeypatch: pytest.MonkeyPatch):
    exercise = find_exercise("softmax")
    remote = Remote(exercise, InProcess())
    remote.load(solution(exercise))
    answer = remote(x=np.ones(2))
    forged: list[Any] = [5, [1, 2, 3], [[], []], None]
    for after in forged:
        monkeypatch.setattr(remote.worker, "ask", lambda request, after=after: {"value": None, "after": after})
        with pytest.raises(Failed):
            answer.pull(np.ones(2))


def test_a_check_that_stumbles_is_a_finding():
    def stumble(answer, reference, rng):
        raise TypeError("no such thing")

    exercise = find_exercise("softmax")
    remote = Remote(exercise, InProcess())
    found = run_check(Check("stumble", stumble), remote, remote, np.random.default_rng(0))
    assert found == "What your function returned cannot be checked: TypeError, no such thing."


OVERWRITES = """

import copy as _copy

_right = {name}

def {name}(*args, **options):
    value, pull = _right(*_copy.deepcopy(args), **_copy.deepcopy(options))

    def backward(*upstream):
        for one in [*args, *options.values()]:
            if isinstance(one, np.ndarray) and one.dtype.kind == "f":
                one[...] = 0
        return pull(*upstream)

    return value, backward
"""


@pytest.mark.parametrize("name", ["linear", "layer_norm", "conv2d", "rnn_step", "max_pool2d", "embedding", "softmax"])
def test_backward_may_not_overwrite_the_arguments_of_the_call(name: str):
    exercise = find_exercise(name)
    verdict = grade(exercise, solution(exercise) + OVERWRITES.format(name=name), in_process=True, timed=False)
    assert (verdict.status, verdict.check) == ("wrong", "arguments unchanged"), verdict.text()
    assert "of the call in `backward`" in verdict.message
