"""What the practice pages are made of: the exercises as JSON, and the grader as a zip for Python in the browser."""

import ast
import io
import json
import sys
import zipfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from groundup.files import write_whole
from groundup.lesson import Lesson
from groundup.notebooks.source_modules import Library
from groundup.practice.exercise import Exercise
from groundup.practice.interviews import ASKED
from groundup.practice.registry import lesson_exercises
from groundup.practice.starter import dotted, solution, starter
from groundup.reader.examples import example

#: What the browser brings itself.
THERE = sys.stdlib_module_names | {"numpy"}
#: Stands for a package that the browser does not have, where the library's own files import it.
ABSENT = '''"""Not in the browser, where nothing that an exercise does needs it."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (Exception,), {})
'''


def write(lessons: Sequence[Lesson], folder: Path) -> int:
    """Write practice.json and practice.zip: the lessons' exercises, and what it takes to grade them in a browser.

    Returns how many exercises there are.
    """
    pairs = [(lesson, one) for lesson in lessons for one in by_difficulty(lesson)]
    records = [record(lesson, exercise) for lesson, exercise in pairs]
    write_whole(folder / "practice.json", json.dumps(records, ensure_ascii=False) + "\n")
    write_whole(folder / "practice.zip", archive([one for _, one in pairs if one.track == "numpy"]))
    return len(records)


def by_difficulty(lesson: Lesson) -> list[Exercise]:
    """The lesson's exercises as `groundup practice list` has them."""
    return sorted(lesson_exercises(lesson), key=lambda one: one.difficulty)


def record(lesson: Lesson, exercise: Exercise) -> dict[str, Any]:
    """An exercise for its page."""
    return {
        "name": exercise.name,
        "title": exercise.title,
        "folder": exercise.folder,
        "lesson": lesson.title,
        "difficulty": exercise.difficulty,
        "minutes": exercise.minutes,
        "track": exercise.track,
        "task": exercise.task,
        "hints": list(exercise.hints),
        "why": exercise.why,
        "starter": starter(exercise),
        "solution": solution(exercise),
        "hash": exercise.hash,
        "browser": exercise.track == "numpy",
        "asked": exercise.name in ASKED,
        "example": example(exercise),
    }


def archive(exercises: Sequence[Exercise]) -> bytes:
    """A zip of the grader, of these exercises and of all that they import, to be unpacked where Python looks.

    The same sources give the same bytes.
    """
    files = texts(exercises)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name)  # of 1980
            zipped.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()


def texts(exercises: Sequence[Exercise]) -> dict[str, str]:
    """The files of the zip. Packages of which nothing but modules is imported are empty there: so lessons' records,
    experiments and commands stay outside."""
    library, found = Library(), dict[str, Path]()
    todo = [
        "groundup.practice.trial",
        "groundup.practice.grading.grader",
        "groundup.practice.found",
        *(one.cases.__module__ for one in exercises),
    ]
    # The starter is made from text: what it brings along need not be imported by anything.
    todo += [dotted(given).partition(":")[0] for one in exercises for given in one.given]
    absent: set[str] = set()
    while todo:
        name = todo.pop()
        path = library.path(name)
        if name in found or path is None:
            continue
        found[name] = path
        for module in imported(ast.parse(path.read_text(encoding="utf-8")), library):
            if library.owns(module):
                todo.append(module)
            elif (root := module.partition(".")[0]) not in THERE and find_spec(root):
                absent.add(module)
    files: dict[str, str] = {}
    for name in found:
        parts = name.split(".")
        for depth in range(1, len(parts)):
            files.setdefault("/".join(parts[:depth]) + "/__init__.py", "")
    for name, path in found.items():
        place = name.replace(".", "/")
        files[f"{place}/__init__.py" if path.name == "__init__.py" else f"{place}.py"] = path.read_text(
            encoding="utf-8"
        )
    for name in absent:
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            files["/".join(parts[:depth]) + "/__init__.py"] = ABSENT
    return files


def imported(tree: ast.AST, library: Library) -> Iterator[str]:
    """The modules that are imported when a file is: not those inside of functions or for the type checker only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if library.owns(inner) and library.path(inner) else node.module
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imported(node, library)
