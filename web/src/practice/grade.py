"""Grades one answer inside Pyodide, where the folders of lessons hold what their exercises need and nothing else."""

import json

from groundup.practice.found import exercises_in
from groundup.practice.grading.grader import grade as verdict_on

SECONDS = 15.0  # the page ends what takes longer than 20


def grade(folder: str, name: str, source: str) -> str:
    """The verdict on an answer, as JSON."""
    found = exercises_in(f"groundup.lessons.{folder}.exercises")
    exercise = next(one for one in found if one.name == name)
    return json.dumps(verdict_on(exercise, source, seconds=SECONDS).as_dict())
