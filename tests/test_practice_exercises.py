"""Every exercise, whichever lesson it is in: what it asks for can be done, and only by doing it."""

import dataclasses
import importlib.util
import inspect
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from groundup.errors import UserError
from groundup.practice import registry
from groundup.practice.audit import refused
from groundup.practice.commands import practice
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.grading.grader import grade
from groundup.practice.grading.judge import size, slope, upstream_of
from groundup.practice.grading.subject import Local
from groundup.practice.registry import all_exercises
from groundup.practice.starter import changed, solution, starter

SEEDS = range(10)
EXERCISES = [
    pytest.param(
        exercise,
        id=exercise.name,
        marks=[pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")]
        if exercise.track == "torch"
        else [],
    )
    for exercise in all_exercises()
]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES)


@every_exercise
def test_starter_is_not_written_yet(exercise: Exercise):
    verdict = grade(exercise, starter(exercise), in_process=True)
    assert verdict.status == "unwritten", verdict.text()
    # With a word of the learner's own it is not the starter any more, but no answer either.
    assert not grade(exercise, starter(exercise) + "\nmine = 1\n", in_process=True).passed


@every_exercise
def test_solution_passes_with_ten_seeds(exercise: Exercise):
    for seed in SEEDS:
        verdict = grade(exercise, solution(exercise), seed, in_process=True, timed=False)
        assert verdict.passed, f"seed {seed}: {verdict.text()}"


@every_exercise
def test_solution_passes_in_a_process_of_its_own(exercise: Exercise):
    verdict = grade(exercise, solution(exercise))
    assert verdict.passed, verdict.text()


@every_exercise
def test_wrong_variants_are_refused_for_what_they_are(exercise: Exercise):
    assert len(exercise.wrong) >= 3
    assert len({wrong.name for wrong in exercise.wrong}) == len(exercise.wrong)
    for wrong in exercise.wrong:
        verdict = grade(exercise, changed(exercise, wrong), in_process=True)
        assert not verdict.passed, f"{wrong.name} passed"
        assert refused(wrong, verdict), f"{wrong.name} ({wrong.diagnosis}): {verdict.text()}"


@every_exercise
def test_right_variants_are_accepted(exercise: Exercise):
    for right in exercise.right:
        verdict = grade(exercise, changed(exercise, right), in_process=True)
        assert verdict.passed, f"{right.name}: {verdict.text()}"


@every_exercise
def test_record_is_complete(exercise: Exercise):
    assert exercise.name.isidentifier()
    assert exercise.name == exercise.name.lower()
    assert 1 <= exercise.difficulty <= 5
    assert exercise.minutes > 0
    assert all(text.strip() for text in (exercise.title, exercise.task, exercise.why, *exercise.hints))
    assert exercise.folder
    assert exercise.loops or exercise.speed or exercise.track == "torch", "say what loops may run over, or give `speed`"
    assert "$" in exercise.task or not exercise.gives, "the task gives the mathematics"
    cases = list(exercise.cases(np.random.default_rng(0)))
    assert len(cases) >= 5
    assert all(wrong.diagnosis.strip() for wrong in exercise.wrong)
    assert len(exercise.hash) == 16


@every_exercise
def test_starter_has_the_signature_of_the_reference(exercise: Exercise):
    if exercise.track == "torch":
        return
    space: dict = {"__name__": "starter"}
    exec(starter(exercise), space)
    for function in exercise.functions:
        written: Any = space
        for part in function.__qualname__.split("."):
            written = written[part] if isinstance(written, dict) else getattr(written, part)
        assert list(inspect.signature(written).parameters) == list(inspect.signature(function).parameters)


@every_exercise
def test_reference_gradients_are_true(exercise: Exercise):
    """The grader takes the reference's gradients for the truth: here they are held against measured slopes."""
    if not exercise.gives:
        return
    reference, rng = Local(exercise), np.random.default_rng(0)
    for arguments in sorted(exercise.cases(np.random.default_rng(1)), key=size)[:4]:
        answer = reference(**arguments)
        upstream = upstream_of(exercise, answer.value, rng)
        raw = answer.pull(*upstream)
        gradients = dict(zip(exercise.gives, raw if len(exercise.gives) > 1 else (raw,), strict=True))
        for name, gradient in gradients.items():
            array = arguments[name]
            flat = all(isinstance(part, np.ndarray | np.generic | float) for part in upstream)
            if not isinstance(array, np.ndarray) or array.size == 0 or not flat:
                continue
            place = tuple(int(rng.integers(length)) for length in array.shape)
            measured = slope(reference, arguments, name, place, upstream)
            assert measured == pytest.approx(float(gradient[place]), rel=1e-5, abs=1e-6), (name, place)


def test_a_replacement_must_occur_exactly_once():
    exercise = all_exercises()[0]
    with pytest.raises(ValueError, match="0 times"):
        changed(exercise, Wrong("no such text", {"no such text": ""}, "…"))
    with pytest.raises(ValueError, match="times in the solution"):
        changed(exercise, Right("everywhere", {"=": "=="}))


def test_names_are_unique_and_found():
    assert registry.clashes() == []
    names = {exercise.name for exercise in all_exercises()}
    assert {"softmax", "layer_norm", "scaled_dot_product_attention", "numerical_gradient", "dropout"} <= names


def test_two_exercises_of_one_name_are_told_with_their_files_and_stop_nothing_else(monkeypatch):
    """A copied lesson has the exercises of the lesson that it was copied from."""
    one, other = all_exercises()[0], all_exercises()[-1]
    copy = dataclasses.replace(one, cases=other.cases)
    monkeypatch.setattr(registry, "_by_name", lambda: {one.name: [one, copy], other.name: [other]})
    registry.all_exercises.cache_clear()
    try:
        assert registry.all_exercises() == (other,)
        assert registry.find_exercise(other.name) is other
        with pytest.raises(UserError) as error:
            registry.find_exercise(one.name)
        for said in (registry.clashes()[0], str(error.value)):
            assert len(said.splitlines()) == 1
            assert all(str(inspect.getsourcefile(exercise.cases)) in said for exercise in (one, other))
        found = CliRunner().invoke(practice, ["list"])
        assert found.exit_code == 0
        assert found.stderr.count(f"{one.name!r}") == 1
    finally:
        registry.all_exercises.cache_clear()
