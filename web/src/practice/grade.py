"""Grades one answer inside Pyodide, where the folders of lessons hold what their exercises need and nothing else."""

import importlib
import json

from groundup.practice.grader import grade as verdict_on

SECONDS = 15.0  # the page ends what takes longer than 20


def grade(folder: str, name: str, source: str) -> str:
    """The verdict on an answer, as JSON."""
    module = importlib.import_module(f"groundup.lessons.{folder}.exercises")
    exercise = next(one for one in module.EXERCISES if one.name == name)
    return json.dumps(verdict_on(exercise, source, seconds=SECONDS).as_dict())
