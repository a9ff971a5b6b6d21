"""Grading a class: what the exported ``nbgrader_config.py`` puts in the place of running students' notebooks.

In a notebook's kernel a student's code runs before the test does, and could award itself the points. So nothing is run
there: the source of the cells goes to groundup's grader, which runs it in a process of its own. Kernels and the names
of files play no part; an exercise is known by the test cell's ``grade_id``.
"""

import importlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

from groundup.errors import UserError
from groundup.practice.exercise import Exercise
from groundup.practice.grading.grader import grade
from groundup.practice.grading.verdict import Verdict
from groundup.practice.registry import find_exercise

MAGIC = re.compile(r"^\s*[%!?].*$", re.MULTILINE)


def preprocessors() -> list[Any]:
    """nbgrader's own steps of autograding, with this one in the place of running the notebook."""
    steps = importlib.import_module("nbgrader.converters.autograde").Autograde.autograde_preprocessors.default()
    theirs = importlib.import_module("nbgrader.preprocessors")

    class GradeSource(theirs.NbGraderPreprocessor):  # type: ignore[name-defined]
        """Writes the verdict as the output of the test cell: by its outputs nbgrader gives points."""

        def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
            for place, cell in enumerate(nb.cells):
                if exercise := exercise_of(cell):
                    cell.outputs = [as_output(one) for one in outputs(graded(exercise, nb.cells, place))]
                    cell.execution_count = place + 1
            return nb, resources

    return [GradeSource if one is theirs.Execute else one for one in steps]


def as_output(output: dict[str, Any]) -> Any:
    """As nbgrader reads outputs."""
    from nbformat.v4 import output_from_msg

    kind = output.pop("output_type")
    return output_from_msg({"header": {"msg_type": kind}, "content": output})


def exercise_of(cell: Any) -> Exercise | None:
    """The exercise that a cell tests, by its ``grade_id``."""
    about = cell.get("metadata", {}).get("nbgrader", {})
    grade_id = about.get("grade_id") if isinstance(about, dict) else None
    if not isinstance(grade_id, str) or not grade_id.endswith("_test") or not about.get("grade"):
        return None
    try:
        return find_exercise(grade_id.removesuffix("_test"))
    except UserError:
        return None


def graded(exercise: Exercise, cells: list[Any], place: int) -> Verdict:
    """The verdict on the answer's cell; where it needs more, on all code before the test."""
    code = [cell for cell in cells[:place] if cell.get("cell_type") == "code"]
    own = [one for one in code if one["metadata"].get("nbgrader", {}).get("grade_id") == f"{exercise.name}_answer"]
    verdict = grade(exercise, text_of(own), None)
    if verdict.passed or own == code:
        return verdict
    everything = grade(exercise, text_of(code), None)
    return everything if everything.passed or verdict.status == "unwritten" else verdict


def text_of(cells: list[Any]) -> str:
    """The source of cells as a module: what Jupyter alone understands is left out."""
    sources = ["".join(cell["source"]) for cell in cells]
    return MAGIC.sub("", "\n\n".join(sources))


def outputs(verdict: Verdict) -> list[dict[str, Any]]:
    """A verdict as outputs of a cell: printed, or an error."""
    if verdict.passed:
        return [{"output_type": "stream", "name": "stdout", "text": verdict.text() + "\n"}]
    lines = verdict.text().splitlines()
    return [{"output_type": "error", "ename": "NotPassed", "evalue": lines[0], "traceback": lines}]


def put_names_right(submitted: Path) -> list[Path]:
    """Copy submitted notebooks that were renamed to the name that nbgrader looks for, where none is there. Returns
    the copies."""
    made = []
    for path in sorted(submitted.glob("*/*/*.ipynb")):
        try:
            cells = json.loads(path.read_bytes())["cells"]
            found = [exercise for cell in cells if (exercise := exercise_of(cell))]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # nbgrader will say what it thinks of it
        wanted = path.with_name(f"{found[0].name}.ipynb") if found else path
        if not wanted.exists():
            shutil.copyfile(path, wanted)
            made.append(wanted)
    return made
