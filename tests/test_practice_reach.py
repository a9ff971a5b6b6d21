"""Which regions the arguments of an exercise reach is measured, not declared."""

import dataclasses

import numpy as np
import pytest

from groundup.practice.regions import REGIONS, regions
from groundup.practice.registry import all_exercises, find_exercise


def states(exercise) -> dict[str, bool | None]:
    return {name: state for some in regions(exercise).values() for name, state in some.items()}


@pytest.mark.parametrize("exercise", [pytest.param(one, id=one.name) for one in all_exercises()])
def test_every_region_that_concerns_an_exercise_is_reached(exercise):
    if exercise.track == "torch":
        pytest.importorskip("torch")
    assert [name for name, state in states(exercise).items() if state is False] == []


def test_every_region_concerns_some_exercise():
    reached = [
        states(find_exercise(name))
        for name in ("draw", "softmax", "scaled_dot_product_attention", "sgd", "decode_step")
    ]
    assert {name for one in reached for name, state in one.items() if state} == {
        name for some in REGIONS.values() for name in some
    }


@pytest.mark.parametrize(
    ("name", "case", "missing"),
    [
        ("softmax", {"x": np.array([[0.5, 1.5], [2.5, 4.5]])}, {"several added axes", "each two, given and left out"}),
        ("softmax", {"x": np.array([1.0, 2.0, 4.0])}, {"wide rows", "−∞"}),
        (
            "softmax",
            {"x": np.array([[1.0, 2.0, 4.0], [8.0, 3.0, 5.0]])},
            {"a batch of 1", "a length of 1", "exact zeros"},
        ),
        ("scaled_dot_product_attention", None, {"large scores behind masks", "wide rows"}),
        ("decode_step", None, {"counts beyond int16"}),
        ("draw", None, {"draws for a test"}),
    ],
)
def test_what_no_case_has_is_missing(name, case, missing):
    exercise = find_exercise(name)
    cases = exercise.cases if case is None else lambda rng: [case]
    fewer = dataclasses.replace(exercise, cases=cases, checks=(), speed=None)
    assert missing <= {name for name, state in states(fewer).items() if state is False}


def test_what_does_not_concern_an_exercise_is_not_asked_of_it():
    found = states(find_exercise("elias_encode"))
    assert {name for name, state in found.items() if state is not None} == {"calls again"}
    assert states(find_exercise("max_pool2d"))["large scores behind masks"] is None
    assert states(find_exercise("average_linkage"))["ties"] is None  # rounding decides between equal means
