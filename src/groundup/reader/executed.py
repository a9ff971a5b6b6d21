"""Executed notebooks, kept under the hash of what made them: a lesson that has not changed is not run again."""

import hashlib
import json
import platform
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from groundup.files import write_whole
from groundup.lesson import Lesson, Track
from groundup.notebooks import build as notebooks
from groundup.notebooks.build import Notebook
from groundup.notebooks.run import VECTOR, NotebookError, execute
from groundup.notebooks.source_modules import Library
from groundup.proof.tables import findings_text

#: Counts up when what is kept changes its meaning.
KEPT_SINCE = 2
#: By cell id: outputs, the seconds it took, a hash of its text; and by finding what the cells measured.
Kept = dict[str, dict[str, Any]]
#: What can change an output besides the notebook's own text.
LIBRARIES = ("numpy", "matplotlib", "matplotlib-inline", "ipython", "ipykernel", "torch")


@dataclass(frozen=True)
class Executed:
    """A notebook with its outputs, figures as SVG and PNG.

    seconds   of the processor, by the id of a code cell
    measured  what the notebook's own training gave for findings of the lesson, by name
    waiting   it is still to be run: cells without outputs get them later
    """

    lesson: Lesson
    track: Track
    notebook: Notebook
    seconds: dict[str, float]
    measured: dict[str, float] = field(default_factory=dict)
    waiting: bool = False


def built_notebooks(lesson: Lesson, library: Library) -> dict[Track, Notebook]:
    """A lesson's notebooks without outputs, by track, with its measured findings."""
    tracks: tuple[Track, Track] = ("numpy", "torch")
    both = {track: notebooks.build(lesson.text, track, findings_text(lesson), library) for track in tracks}
    return {track: notebook for track, notebook in both.items() if notebook is not None}


def key(notebook: Notebook, track: Track) -> str:
    """The hash of all that decides a notebook's outputs: its code, Python and the libraries it runs with."""
    code = [[cell.source, cell.metadata.get("measures")] for cell in notebook.cells if cell.cell_type == "code"]
    used = [name for name in LIBRARIES if track == "torch" or name != "torch"]
    about = [track, platform.python_version(), platform.machine(), *(f"{name} {_version(name)}" for name in used)]
    return hashlib.sha256(json.dumps([KEPT_SINCE, code, about, VECTOR]).encode()).hexdigest()[:24]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def executed(
    lesson: Lesson, track: Track, notebook: Notebook, cache: Path, stop: threading.Event | None = None
) -> Executed:
    """A notebook's outputs, from ``cache`` or by running it where groundup (and PyTorch, for NumPy) is missing.

    Raises NotebookError if a cell fails or leaves a file, and KeyboardInterrupt after a cell once ``stop`` is set.
    """
    place = _place(lesson, track, notebook, cache)
    kept = _read(place)
    if kept is None:
        seconds: dict[str, float] = {}

        def after(cell_id: str, took: float) -> None:
            seconds[cell_id] = round(took, 4)
            if stop is not None and stop.is_set():
                raise KeyboardInterrupt

        blocked = ("groundup", "torch") if track == "numpy" else ("groundup",)
        with tempfile.TemporaryDirectory(prefix="groundup-") as folder:
            done = execute(notebook, Path(folder), blocked=blocked, vector=True, after=after)
            if left := sorted(path.name for path in Path(folder).iterdir()):
                raise NotebookError(f"{lesson.text}: the {track} notebook leaves files behind: {', '.join(left)}")
        outputs = {cell.id: cell.outputs for cell in done.cells if cell.cell_type == "code"}
        found = {name: value for cell in done.cells for name, value in cell.metadata.get("measured", {}).items()}
        kept = {"outputs": outputs, "seconds": seconds, "sources": source_hashes(notebook), "measured": found}
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, json.dumps(kept))
    return with_outputs(lesson, track, notebook, kept)


def with_outputs(lesson: Lesson, track: Track, notebook: Notebook, kept: Kept) -> Executed:
    """The notebook with those of its outputs that are kept for the very text of a cell."""
    import nbformat

    full, hashes = nbformat.from_dict(notebook), source_hashes(notebook)
    codes = [cell for cell in full.cells if cell.cell_type == "code"]
    for count, cell in enumerate(codes, start=1):
        if kept["sources"].get(cell.id) == hashes[cell.id]:
            cell.outputs = nbformat.from_dict(kept["outputs"][cell.id])
            cell.execution_count = count
    return Executed(lesson, track, full, kept["seconds"], kept["measured"])


def last_outputs(lesson: Lesson, track: Track, notebook: Notebook, cache: Path) -> Executed:
    """The notebook with the outputs of its last run, where the cell is still the same: a preview, nothing is run."""
    runs = sorted(cache.glob(f"{lesson.folder.name}-{track}-*.json"), key=lambda path: path.stat().st_mtime)
    nothing: Kept = {"outputs": {}, "seconds": {}, "sources": {}, "measured": {}}
    own = _place(lesson, track, notebook, cache)  # of this very notebook, older perhaps than that of another
    kept = next(filter(None, map(_read, [own, *reversed(runs)])), nothing)
    return with_outputs(lesson, track, notebook, kept)


def source_hashes(notebook: Notebook) -> dict[str, str]:
    """A hash of each code cell's text, by cell id."""
    codes = (cell for cell in notebook.cells if cell.cell_type == "code")
    return {cell.id: hashlib.sha256(cell.source.encode()).hexdigest()[:16] for cell in codes}


def is_kept(lesson: Lesson, track: Track, notebook: Notebook, cache: Path) -> bool:
    """Whether a notebook's outputs are there, as it is now."""
    return _read(_place(lesson, track, notebook, cache)) is not None


def _place(lesson: Lesson, track: Track, notebook: Notebook, cache: Path) -> Path:
    return cache / f"{lesson.folder.name}-{track}-{key(notebook, track)}.json"


def _read(place: Path) -> Kept | None:
    """What the cache holds, or None if it holds nothing of use."""
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
        return kept if kept.keys() == {"outputs", "seconds", "sources", "measured"} else None
    except (OSError, ValueError, AttributeError):
        return None


def execute_all(
    lessons: Sequence[Lesson], cache: Path, torch: bool, jobs: int, report: Callable[[str], None], failed: list[str]
) -> dict[str, dict[Track, Executed]]:
    """Every lesson's executed notebooks, ``jobs`` at a time; ``report`` hears of each that was run, and "" of others.

    A notebook that fails stops no other: ``failed`` gets a sentence with the lesson's name, and the notebook the
    outputs of its last run, where they still hold. Without ``torch`` the PyTorch notebooks come without outputs.
    """
    library, stop = Library(), threading.Event()
    tasks = [
        (lesson, track, notebook) for lesson in lessons for track, notebook in built_notebooks(lesson, library).items()
    ]

    def one(task: tuple[Lesson, Track, Notebook]) -> Executed:
        lesson, track, notebook = task
        kept = is_kept(lesson, track, notebook, cache)
        if track == "torch" and not torch:
            done = Executed(lesson, track, notebook, {})
        else:
            try:
                done = executed(lesson, track, notebook, cache, stop)
            except NotebookError as error:
                failed.append(f"The {track} notebook of lesson {lesson.name} fails. {error}")
                done = last_outputs(lesson, track, notebook, cache)
        report("" if kept else f"{lesson.name}, {track}")
        return done

    found: dict[str, dict[Track, Executed]] = {lesson.folder.name: {} for lesson in lessons}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for done in pool.map(one, tasks):
                found[done.lesson.folder.name][done.track] = done
        finally:  # after Ctrl-C the others end with the cell that they are at
            stop.set()
            pool.shutdown(cancel_futures=True)
    return found
