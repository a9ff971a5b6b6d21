"""Every building block and every model, proven: found through the records, so nothing has to be listed here."""

from pathlib import Path

import pytest

import groundup.ops
from groundup.lesson import public_functions
from groundup.lessons import all_lessons
from groundup.ops.cases import CASES
from groundup.proof.check_all import check_fact
from groundup.proof.checks import check_case, check_model, check_parity

LESSONS = all_lessons()
MODELS = [pytest.param(model, id=f"{lesson.slug}-{model.name}") for lesson in LESSONS for model in lesson.models]
TWINS = [
    pytest.param(model, id=f"{lesson.slug}-{model.name}")
    for lesson in LESSONS
    for model in lesson.models
    if "torch" in lesson.tracks
]
LESSON_CASES = [pytest.param(case, id=f"{lesson.slug}-{case.name}") for lesson in LESSONS for case in lesson.cases]

FACTS = [pytest.param(fact, id=f"{lesson.slug}-{fact.name}") for lesson in LESSONS for fact in lesson.facts]


def failures(proofs):
    return [f"{proof.subject}: {proof.check} {proof.error:.2g}" for proof in proofs if not proof.passed]


@pytest.mark.parametrize("case", [*[pytest.param(case, id=case.name) for case in CASES], *LESSON_CASES])
@pytest.mark.parametrize("seed", [0, 1])
def test_case(case, seed):
    assert not failures(check_case(case, seed))


@pytest.mark.parametrize("model", MODELS)
def test_model_gradient(model):
    assert not failures(check_model(model))


@pytest.mark.parametrize("model", TWINS)
def test_twin_parity(model):
    assert not failures(check_parity(model))


@pytest.mark.parametrize("fact", FACTS)
def test_fact(fact):
    assert not failures([check_fact(fact)])
    assert fact.check() == fact.check()  # nothing is drawn anew


def test_names_of_cases_are_unique():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


def test_every_building_block_has_a_case():
    proven = {case.function.__name__ for case in CASES} | {case.name.split(",")[0] for case in CASES}
    folder = Path(groundup.ops.__path__[0])
    public = {name for path in folder.glob("*.py") for name in public_functions(path)}
    assert len(public) > 20
    assert public <= proven


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_every_function_of_a_lesson_is_proven(lesson):
    proven = {case.function.__name__ for case in lesson.cases} | {case.name.split(",")[0] for case in lesson.cases}
    proven |= {function.__name__ for model in lesson.models for function in model.proves}
    public = {
        name
        for path in lesson.folder.glob("*.py")
        if path.name not in {"twin.py", "experiment.py", "figures.py", "lesson.py"}
        and not path.name.startswith("exercises")  # their references are the library's, and graded with slopes
        for name in public_functions(path)
    }
    assert public <= proven
