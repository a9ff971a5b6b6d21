"""The grader's score: how many mutants of the solutions it refuses.

A mutant (``proof.mutation``) that passes is either a gap in the exercise's cases, or does the same as the solution.
That it does the same is known by a rule (``equivalence.py``), or is written in the record with the reason
(``Exercise.equivalent``).
"""

import contextlib
import hashlib
import json
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from groundup.data.measured import results_folder
from groundup.errors import UserError
from groundup.files import write_whole
from groundup.notebooks.source_modules import Library
from groundup.practice import equivalence
from groundup.practice.exercise import Exercise
from groundup.practice.grading.grader import State, checks
from groundup.practice.grading.process import InProcess
from groundup.practice.grading.subject import Remote
from groundup.practice.registry import all_exercises
from groundup.practice.starter import solution, starter
from groundup.proof.hashes import Reach, bare_source
from groundup.proof.mutation import Mutant, mutants
from groundup.proof.mutation_kinds import Options

SECONDS = 3.0  # that a mutant has at least, on a busy machine too: what loops for ever is refused
UNREACHED = "what is never reached"  # a key in `Exercise.equivalent` for every piece that no call comes to
TIMES = 10.0  # and as a multiple of the solution's time


#: Memory that nobody has written to may hold what the reference has just computed: here it never does.
GARBAGE = """


def _garbage(shape, dtype=float, **options):
    return _garbage_like(np.empty(shape, dtype, **options))


def _garbage_like(other, dtype=None, **options):
    fresh = np.empty_like(other, dtype, **options)
    fresh.fill(np.nan if fresh.dtype.kind in "fc" else 99)
    return fresh
"""


class Late(BaseException):
    """Time is up. No Exception, so that no answer can catch it by the way."""


@dataclass(frozen=True)
class Score:
    """What became of an exercise's mutants.

    made        how many there were
    refused     how many the grader refused
    rules       how many do the same as the solution, by the rule that says so
    reasons     those that do the same by what the record says: key → reason
    survivors   keys of the others that passed: gaps
    surplus     keys in the record for which no mutant passes: to be deleted there
    """

    exercise: str
    made: int
    refused: int
    rules: dict[str, int]
    reasons: dict[str, str]
    survivors: tuple[str, ...]
    surplus: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every mutant is accounted for."""
        return not self.survivors and not self.surplus

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "made": self.made, "refused": self.refused, "rules": self.rules, "reasons": self.reasons,
            "survivors": list(self.survivors), "surplus": list(self.surplus),
        }  # fmt: skip


def kept() -> dict[str, Any]:
    """The scores in results/, by exercise; {} where there are none."""
    folder = results_folder()
    path = folder / "mutants.json" if folder else None
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path and path.exists() else {}


def keep(scores: Sequence[Score]) -> Path:
    """Write scores into results/ beside those of other exercises, each with its hash. Raises UserError outside of a
    checkout."""
    folder = results_folder()
    if folder is None:
        raise UserError("There is no results/ folder here: --write works in a checkout of groundup.")
    names = {exercise.name: exercise for exercise in all_exercises()}
    found = {name: record for name, record in kept().items() if name in names}
    found |= {one.exercise: {"hash": score_hash(names[one.exercise]), **one.as_dict()} for one in scores}
    path = folder / "mutants.json"
    write_whole(path, json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False) + "\n")
    return path


def score_hash(exercise: Exercise) -> str:
    """Changes when the exercise, its solution, or a definition that grading or mutating reaches changes."""
    judge = judging()
    own = Reach(judge.library, seen=set(judge.seen))
    home = exercise.cases.__module__
    for name, value in vars(sys.modules[home]).items():
        if value is exercise:
            own.follow(home, name, exercise.name)
    texts = sorted({**judge.texts, **own.texts}.items())
    parts = [bare_source(solution(exercise)), *(f"{name}\n{text}" for name, text in texts)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@cache
def judging() -> Reach:
    """All definitions that scoring reaches, whatever the exercise."""
    reach = Reach(Library())
    reach.follow_object(score)
    return reach


def mutants_of(exercise: Exercise) -> tuple[Mutant, ...]:
    """The mutants of what a learner writes."""
    checked = any(check.run.__qualname__.startswith("raises.") for check in exercise.checks)
    arrays = exercise.gives if exercise.track == "numpy" and exercise.use is None else ()
    options = Options(checks=checked, floats=exercise.floats32, arrays=arrays, names=exercise.names)
    return mutants(solution(exercise), starter(exercise), options)


def score(exercise: Exercise, seed: int = 0, chosen: Sequence[Mutant] | None = None) -> Score:
    """Grade the mutants of one exercise (or those chosen), here and without timing: they are ours."""
    made = mutants_of(exercise) if chosen is None else chosen
    began = time.perf_counter()
    assert passes(exercise, solution(exercise), seed, 60.0), f"{exercise.name}: the solution does not pass"
    seconds = max(SECONDS, TIMES * (time.perf_counter() - began))
    alive = [one for one in made if passes(exercise, one.source, seed, seconds)]

    def accepted(source: str) -> bool:
        return passes(exercise, source, seed, seconds)

    rules: dict[str, int] = {}
    reasons: dict[str, str] = {}
    survivors: list[str] = []
    for one in alive:
        rule = next((name for name, same in equivalence.RULES.items() if same(one, exercise, accepted)), "")
        if rule:
            rules[rule] = rules.get(rule, 0) + 1
        elif UNREACHED in exercise.equivalent and one.bomb and accepted(one.bomb):
            reasons[UNREACHED] = exercise.equivalent[UNREACHED]
        elif one.key in exercise.equivalent:
            reasons[one.key] = exercise.equivalent[one.key]
        else:
            survivors.append(one.key)
    surplus = [key for key in exercise.equivalent if key not in reasons] if chosen is None else []
    return Score(exercise.name, len(made), len(made) - len(alive), rules, reasons, tuple(survivors), tuple(surplus))


def passes(exercise: Exercise, source: str, seed: int, seconds: float) -> bool:
    """Whether the grader accepts a source of ours; what raises or takes too long is refused."""
    source = re.sub(r"\bnp\.empty(_like)?\(", r"_garbage\1(", source) + GARBAGE
    worker = InProcess()
    answer = Remote(exercise, worker)
    try:
        with within(seconds), np.errstate(all="ignore"):
            answer.load(source)
            return not any(check() for name, check in checks(exercise, answer, seed, State()) if name != "speed")
    except (Exception, Late):
        return False
    finally:
        worker.close()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise Late here after so many seconds: where there are alarms, in the main thread."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(*_: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)  # again and again: an answer may catch the first
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
