"""Grades one answer inside Pyodide, where the folders of lessons hold what their exercises need and nothing else."""

import json

from groundup.practice.exercise import Exercise
from groundup.practice.found import exercises_in
from groundup.practice.grading.grader import grade as verdict_on
from groundup.practice.trial import attempt as trial_of

SECONDS = 15.0  # the page ends what takes longer than 20


def grade(folder: str, name: str, source: str) -> str:
    """The verdict on an answer, as JSON."""
    return json.dumps(verdict_on(exercise(folder, name), source, seconds=SECONDS).as_dict())


def attempt(folder: str, name: str, source: str, line: str) -> str:
    """What a line gives on an answer, as JSON."""
    return json.dumps(trial_of(exercise(folder, name), source, line, SECONDS).as_dict())


def exercise(folder: str, name: str) -> Exercise:
    """The exercise of this name in a lesson's folder."""
    return next(one for one in exercises_in(f"groundup.lessons.{folder}.exercises") if one.name == name)
