"""Exercises as assignments for a class, in the folders and with the cell metadata that nbgrader reads.

The source version has our solution between ``### BEGIN SOLUTION`` and ``### END SOLUTION``; the release version is what
``nbgrader generate_assignment`` makes of it. Both need no more than the standard library. The test cell calls
``must_pass``: groundup's own grader, so that there are no hidden tests to keep; points come from ``course.py``.
"""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from groundup import __version__
from groundup.errors import UserError
from groundup.files import write_whole
from groundup.notebooks.source_modules import SCOPES
from groundup.practice.exercise import Exercise
from groundup.practice.registry import lesson_of
from groundup.practice.starter import solution, starter

SCHEMA = 3
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")  # nbgrader's own

CONFIG = """# Written by `groundup practice export`; the settings of nbgrader for this course folder.
from pathlib import Path

from groundup.practice.course import preprocessors, put_names_right

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "groundup"
# Notebooks are not run: the source of the answer is graded in a process of its own, out of reach of any kernel.
c.Autograde.autograde_preprocessors = preprocessors()
put_names_right(Path(__file__).parent / "submitted")
"""

README = """# Exercises of groundup {version} for nbgrader

`source/` holds the notebooks with solutions, a folder for each lesson; `release/` the same as students get them.

    pip install nbgrader groundup
    cd {folder}
    nbgrader generate_assignment --force {first}     # writes release/ anew and tells nbgrader's database of it
    nbgrader autograde {first}                       # when the students' notebooks lie in submitted/STUDENT/{first}/

Run `generate_assignment --force` for every assignment before it is graded: the gradebook learns of it there.

Each notebook has a cell for the answer and a locked cell that calls groundup's grader, worth as many points as the
exercise is difficult, all or nothing. Students and graders need the same version of groundup ({version}); PyTorch only
for the exercises that say so. `autograde` does not run the notebooks: by `nbgrader_config.py` it gives the source of
the answer to groundup's grader, which runs it in a process of its own. What a student does in the kernel to `must_pass`
or to the grader earns nothing, and neither the kernel nor the file has to have its old name.
"""


def must_pass(name: str) -> None:
    """Grade the caller's function of an exercise and print the verdict. Raises AssertionError unless it passed."""
    from groundup.practice.grading.grader import grade
    from groundup.practice.notebook import source_from
    from groundup.practice.registry import find_exercise

    exercise = find_exercise(name)
    namespace = sys._getframe(1).f_globals
    missing = [needed for needed in exercise.names if needed not in namespace]
    if missing:
        raise AssertionError(f"{' and '.join(missing)} is not defined: run the cell with your answer first.")
    verdict = grade(exercise, source_from(namespace, exercise.names), None)
    if not verdict.passed:
        raise AssertionError(verdict.text())
    print(verdict.text())


def export_course(exercises: Sequence[Exercise], folder: Path) -> list[Path]:
    """Write a course folder; returns its files. Raises UserError, before anything is written, if one is there already
    and differs."""
    files: dict[Path, str] = {}
    for exercise in exercises:
        place = Path(exercise.folder, f"{exercise.name}.ipynb")
        source = notebook(exercise)
        files[folder / "source" / place] = dumps(source)
        files[folder / "release" / place] = dumps(released(source))
    files[folder / "nbgrader_config.py"] = CONFIG
    first = exercises[0].folder if exercises else ""
    files[folder / "README.md"] = README.format(version=__version__, folder=folder.resolve().name, first=first)
    for path, text in files.items():
        if path.exists() and (not path.is_file() or path.read_bytes() != text.encode()):
            raise UserError(f"{path} is there already and differs: nothing was written; choose an empty folder.")
    for path, text in files.items():
        write_whole(path, text)
    return list(files)


def dumps(notebook: dict[str, Any]) -> str:
    """As Jupyter writes notebooks, sources as lists of lines."""
    cells = [one | {"source": one["source"].splitlines(keepends=True)} for one in notebook["cells"]]
    return json.dumps(notebook | {"cells": cells}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def notebook(exercise: Exercise) -> dict[str, Any]:
    """The source version: the task, the answer, the test."""
    lesson = lesson_of(exercise)
    task = f"# {exercise.title}\n\nLesson {lesson.name}, about {exercise.minutes} minutes.\n\n{exercise.task.strip()}"
    test = (
        f"# Grades your {' and '.join(exercise.names)}; run it as often as you like.\n"
        f'from groundup.practice.nbgrader import must_pass\n\nmust_pass("{exercise.name}")'
    )
    cells = [
        cell("markdown", task, f"{exercise.name}_task", locked=True),
        cell("code", answer(exercise), f"{exercise.name}_answer", solution=True),
        cell("code", test, f"{exercise.name}_test", grade=True, locked=True, points=exercise.difficulty),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def cell(kind: str, source: str, grade_id: str, points: int | None = None, **what: bool) -> dict[str, Any]:
    """A cell with the metadata of nbgrader: ``what`` it is of grade, solution, locked."""
    about: dict[str, Any] = {"grade": False, "solution": False, "locked": False, "task": False, **what}
    about |= {"schema_version": SCHEMA, "grade_id": grade_id} | ({} if points is None else {"points": points})
    made = {"cell_type": kind, "id": grade_id[-64:], "metadata": {"nbgrader": about}}
    made["source"] = source.strip("\n")
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def answer(exercise: Exercise) -> str:
    """Our solution with the marks of nbgrader around what a student has to write.

    Signature and docstring stay outside. What the solution needs besides, such as a helper that the starter does not
    give, moves to the end of the last marked part: so each part can begin inside a function, where the stub that
    nbgrader puts in its place does no harm.
    """
    text = solution(exercise)
    tree = ast.parse(text)
    lines = text.splitlines()
    parts = sorted(bodies(tree, lines, exercise))
    last = next(node for node in tree.body if (node.end_lineno or 0) >= parts[-1][1])
    given = {name for node in ast.parse(starter(exercise)).body for name in bound(node)}
    moved: list[str] = []
    gone: set[int] = set()
    before = 0
    for node in tree.body:
        end = node.end_lineno or node.lineno
        extra = bound(node) and not given & set(bound(node))
        # What only bodies use can stand behind them: but only where the last body ends its definition.
        if extra and parts[-1][1] == last.end_lineno:
            moved += ["", "", *"\n".join(lines[before:end]).strip("\n").splitlines()]
            gone |= set(range(before + 1, end + 1))
        before = end
    starts = {first: indent for first, _, indent in parts}
    ends = {end: indent for _, end, indent in parts}
    made: list[str] = []
    for number, line in enumerate(lines, 1):
        if number in gone:
            continue
        if number in starts:
            made.append(" " * starts[number] + BEGIN)
        made.append(line)
        if number in ends:
            made += moved if number == parts[-1][1] else []
            made.append(" " * ends[number] + END)
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(made).strip("\n"))


def bodies(tree: ast.Module, lines: list[str], exercise: Exercise) -> list[tuple[int, int, int]]:
    """First line, last line and indent of what a student writes, for each function of the exercise."""
    found = []
    for function in exercise.functions:
        node: Any = tree
        for part in function.__qualname__.split("."):
            node = next(one for one in node.body if isinstance(one, SCOPES) and one.name == part)
        if exercise.keep == "forward":
            node = next(one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "backward")
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        first = body[0].lineno
        while lines[first - 2].strip().startswith("#"):
            first -= 1
        found.append((first, node.end_lineno, body[0].col_offset))
    return found


def bound(node: ast.stmt) -> list[str]:
    """The names that a statement of a module binds."""
    if isinstance(node, SCOPES):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]


def released(source: dict[str, Any]) -> dict[str, Any]:
    """The release version by nbgrader's rules: stubs for solutions, locks, checksums."""
    release: dict[str, Any] = json.loads(json.dumps(source))
    for one in release["cells"]:
        about = one["metadata"]["nbgrader"]
        one["metadata"]["deletable"] = False
        if about["solution"]:
            one["source"] = cleared(one["source"])
        else:
            one["metadata"]["editable"] = False
        about["cell_type"] = one["cell_type"]
        about["checksum"] = checksum(one)
    return release


def cleared(source: str) -> str:
    """A cell's source with nbgrader's stub in place of each solution."""
    made: list[str] = []
    inside = False
    for line in source.split("\n"):
        if BEGIN in line:
            indent = line[: len(line) - len(line.lstrip())]
            made += [indent + stub for stub in STUB]
            inside = True
        elif END in line:
            inside = False
        elif not inside:
            made.append(line)
    return "\n".join(made)


def checksum(one: dict[str, Any]) -> str:
    """nbgrader's fingerprint of a cell: by it, it knows locked cells that were changed and answers that were not."""
    about = one["metadata"]["nbgrader"]
    parts = [one["source"], one["cell_type"], about["grade"], about["solution"], about["locked"], about["grade_id"]]
    if about["grade"]:
        parts.append(float(about["points"]))
    return hashlib.md5("".join(map(str, parts)).encode()).hexdigest()
