"""What the pages are made of: every lesson's text, code, outputs, links and findings as JSON and figures."""

import ast
import json
import re
import shutil
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from groundup import __version__
from groundup.diagrams import drawn
from groundup.files import write_whole
from groundup.lesson import Lesson, Track
from groundup.notebooks.build import Notebook, dumps, notebook_name
from groundup.notebooks.pictures import placed, without_carried
from groundup.plots import FRAMES
from groundup.practice.registry import lesson_exercises
from groundup.proof.results import kept
from groundup.reader import folds, links, practice_data, questions, steps
from groundup.reader.cells import needs
from groundup.reader.executed import Executed
from groundup.reader.paths import PATHS, on_path
from groundup.reader.shapes import shapes
from groundup.reader.slim import slim

Json = dict[str, Any]

#: A cell that took longer than this natively, with all it needs, is too much for a browser, where Python is
#: 3 to 50 times slower.
BROWSER_SECONDS = 3.0
#: Terms, each with a sentence and the slug of the lesson that teaches it; `also` are its other forms.
GLOSSARY = Path(__file__).with_name("glossary.json")
SETTINGS = Path(__file__).resolve().parents[3] / "pyproject.toml"
#: CSS pixels in a point.
PIXELS = 96 / 72


def write(lessons: Sequence[Lesson], runs: Mapping[str, Mapping[Track, Executed]], folder: Path) -> None:
    """Write site.json, and each lesson's JSON, figures and notebooks; what else lies in ``folder`` is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    for lesson in lessons:
        write_lesson(lesson, lessons, runs[lesson.folder.name], folder)
    write_contents(lessons, folder)


def write_contents(lessons: Sequence[Lesson], folder: Path, practised: Sequence[Lesson] | None = None) -> None:
    """Write site.json, what the front page, links and search need to know of all lessons, and their exercises.

    ``practised``: the lessons whose exercises and questions are written, if not all.
    """
    summaries = [summary(lesson, lessons) for lesson in lessons]
    parts = list(dict.fromkeys(lesson.part for lesson in lessons))
    paths = [
        {"slug": path.slug, "title": path.title, "text": path.text, "lessons": [one.folder.name for one in found]}
        for path in PATHS
        if (found := on_path(path, lessons))
    ]
    site: Json = {
        "version": __version__,
        "parts": parts,
        "lessons": summaries,
        "paths": paths,
        "glossary": glossary(lessons),
        "source": source_address(),
        "exercises": sum(len(lesson_exercises(lesson)) for lesson in lessons),
    }
    _write_json(folder / "site.json", site)
    chosen = lessons if practised is None else practised
    practice_data.write(chosen, folder)
    (folder / "questions.json").unlink(missing_ok=True)
    write_questions(chosen, folder)


def write_questions(lessons: Sequence[Lesson], folder: Path) -> None:
    """Write what interviewers ask in these lessons into questions.json, beside what is there of others."""
    file = folder / "questions.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    _write_json(file, known | {lesson.folder.name: asked_in(lesson) for lesson in lessons})


def glossary(lessons: Sequence[Lesson]) -> list[Json]:
    """The terms that lessons explain, as far as these lessons are there."""
    folders = {one.slug: one.folder.name for one in lessons}
    terms = json.loads(GLOSSARY.read_text(encoding="utf-8"))
    return [{"also": [], **one, "lesson": folders[one["lesson"]]} for one in terms if one["lesson"] in folders]


def asked_in(lesson: Lesson) -> list[Json]:
    """The questions of interviewers in a lesson's text."""
    import jupytext

    cells = jupytext.read(lesson.text, fmt="py:percent").cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    return [vars(one) for text in texts for one in questions.take_out(text)[1]]


def source_address(settings: Path = SETTINGS) -> str:
    """Where this checkout's source is published: the setting `Source` below `[project.urls]` in its pyproject.toml."""
    project = tomllib.loads(settings.read_text(encoding="utf-8"))["project"] if settings.is_file() else {}
    return str(project.get("urls", {}).get("Source", ""))


def write_lesson(lesson: Lesson, lessons: Sequence[Lesson], runs: Mapping[Track, Executed], folder: Path) -> None:
    """Write one lesson's page data, its figures, and its notebooks for download."""
    name = lesson.folder.name
    figures = folder / "lessons" / name / "figures"
    shutil.rmtree(figures, ignore_errors=True)
    files = []
    for track, run in runs.items():
        file = notebook_name(lesson.text, track)
        (folder / "notebooks").mkdir(parents=True, exist_ok=True)
        write_whole(folder / "notebooks" / file, dumps(without_svg(run.notebook)))
        files.append({"track": track, "file": file})
    cells = page_cells(lesson, runs, figures)
    shown = {diagram for cell in cells if cell["type"] == "text" for diagram, _ in placed(cell["markdown"])}
    page = {
        "lesson": summary(lesson, lessons),
        "cells": cells,
        "diagrams": {diagram: svg for diagram, svg in drawn(lesson.folder).items() if diagram in shown},
        "findings": kept(lesson),
        "notebooks": files,
    }
    _write_json(folder / "lessons" / f"{name}.json", page)


def summary(lesson: Lesson, lessons: Sequence[Lesson]) -> Json:
    """What the front page, links and search say of a lesson."""
    folders = {one.slug: one.folder.name for one in lessons}
    record = kept(lesson)
    return {
        "folder": lesson.folder.name,
        "number": lesson.number,
        "slug": lesson.slug,
        "name": lesson.name,
        "title": lesson.title,
        "summary": lesson.summary,
        "part": lesson.part,
        "level": lesson.level,
        "minutes": lesson.minutes,
        "needs": [folders[slug] for slug in lesson.needs if slug in folders],
        "leadsTo": [one.folder.name for one in lessons if lesson.slug in one.needs],
        "paper": vars(lesson.paper) if lesson.paper else None,
        "tracks": list(lesson.tracks),
        "findings": record and tally(record["findings"]),
    }


def tally(findings: Sequence[Mapping[str, Any]]) -> Json:
    """How many findings hold, mostly hold, and there are."""
    verdicts = [finding["verdict"] for finding in findings]
    return {"holds": verdicts.count("holds"), "mostly": verdicts.count("mostly"), "of": len(verdicts)}


def page_cells(lesson: Lesson, runs: Mapping[Track, Executed], figures: Path) -> list[Json]:
    """The cells of both notebooks in one sequence: NumPy's, then those of PyTorch alone."""
    import jupytext

    source = jupytext.read(lesson.text, fmt="py:percent")
    own = links.own_names(lesson.folder)
    abouts = {cell.metadata.get("name", ""): folds.about(cell.metadata) for cell in source.cells}
    stepped = {cell.metadata.get("name", ""): cell.metadata.get("beside", "").split() for cell in source.cells}
    asides = {cell.metadata.get("name", "") for cell in source.cells if cell.metadata.get("margin") == "yes"}
    numpy = {cell.id: cell for cell in runs["numpy"].notebook.cells}
    torch = {cell.id: cell for cell in runs["torch"].notebook.cells} if "torch" in runs else {}
    found: list[Json] = []
    seen: set[str] = set()  # the definitions of NumPy's notebook, which PyTorch's repeats
    leading = {key for key, cell in torch.items() if key.startswith("needs-") or "of" in cell.metadata}
    for cell_id in in_order(list(numpy), list(torch), leading):
        cell = numpy.get(cell_id) or torch[cell_id]
        track: Track = "numpy" if cell_id in numpy else "torch"
        where = "shared" if cell_id in numpy and cell_id in torch else track
        if cell.cell_type == "markdown":
            tags = cell.metadata.get("tags", [])
            findings = "findings" in tags
            text = cell.source.split("\n", 1)[0] if findings and kept(lesson) else without_carried(cell.source)
            text, asked = questions.take_out(text)
            found.append({"type": "text", "id": cell_id, "markdown": text, "track": where, "findings": findings})
            found[-1] |= {"questions": [vars(one) for one in asked], "second": "second" in tags}
        elif cell.cell_type == "code":
            name = cell.metadata.get("of", cell.metadata.get("name", ""))
            shown = abouts.get(name, [])
            marks = links.marks(cell.source, lesson.equations, own)
            beside = steps.beside(cell.source, stepped.get(name, ()), marks, f'{lesson.text}, cell "{name}"')
            code = {
                "source": cell.source,
                **folds.folded(cell, shown, [line for line, _ in marks], seen if track == "torch" else (), beside),
                "beside": beside,
                "shapes": shapes(cell.source, shown),
                "outputs": outputs(cell, figures),
                "predict": cell.metadata.get("predict", ""),
                "marks": [{"line": line, "equation": number} for line, number in marks],
                "twins": twins(lesson, cell, torch) if track == "numpy" else [],
            }
            if where == "shared" and (other := torch[cell_id].source) != cell.source:
                code["torchSource"] = other
            found.append({"type": "code", "id": cell_id, "track": where, **code})
            seen |= folds.statements(cell.source) if track == "numpy" else set()
    steps.all_found(stepped, found, str(lesson.text))
    for cell in found:
        cell["margin"] = cell["id"] in asides
    for track, run in runs.items():
        _add_costs(found, track, run)
    return found


def in_order(numpy: Sequence[str], torch: Sequence[str], leading: Collection[str]) -> list[str]:
    """The ids of both notebooks' cells: NumPy's, then those of PyTorch alone.

    ``leading`` cells of PyTorch alone stay before the cell that they lead to, if that is one of both.
    """
    before: dict[str, list[str]] = {}
    alone: list[str] = []
    waiting: list[str] = []
    for cell_id in torch:
        if cell_id in numpy:
            before[cell_id], waiting = waiting, []
        elif cell_id in leading:
            waiting.append(cell_id)
        elif cell_id != "torch-title":
            alone += [*waiting, cell_id]
            waiting = []
    return [one for cell_id in numpy for one in [*before.get(cell_id, []), cell_id]] + alone


def twins(lesson: Lesson, cell: Notebook, torch: Mapping[str, Any]) -> list[Json]:
    """For the functions of a NumPy cell their PyTorch counterparts, and the cell that holds these."""
    file = lesson.folder / "twin.py"
    if not file.exists():
        return []
    found = []
    names = [name for name in links.definitions(cell.source) if "." not in name]
    for twin in links.twins(cell.source, names, lesson.twins, file.read_text()):
        outer = twin.name.partition(".")[0]
        holds = re.compile(rf"^(class|def) {re.escape(outer)}\b", re.MULTILINE)
        cells = [cell_id for cell_id, other in torch.items() if holds.search(other.source)]
        found.append({**vars(twin), "cell": cells[0] if cells else ""})
    return found


def outputs(cell: Notebook, figures: Path) -> list[Json]:
    """What a cell printed, showed and drew; figures are written as files."""
    found: list[Json] = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/svg+xml" in data:
            svg = data["image/svg+xml"]
            drawn = sum(one["kind"] == "figure" for one in found)
            figures.mkdir(parents=True, exist_ok=True)
            file = figures / f"{cell.id}{'' if not drawn else f'-{drawn + 1}'}.svg"
            write_whole(file, slim(svg))
            size = _size(svg)
            shown = {"kind": "figure", "file": f"figures/{file.name}", "alt": cell.metadata.get("alt", ""), **size}
            if frames := data.get(FRAMES):
                shown["frames"] = _frames(frames, file)
            found.append(shown)
        elif output["output_type"] == "stream":
            found.append({"kind": "text", "text": output["text"], "stream": "stdout"})
        elif "text/plain" in data:
            found.append({"kind": "text", "text": data["text/plain"], "stream": "value"})
    return found


def _size(svg: str) -> Json:
    """Width and height of matplotlib's SVG in CSS pixels."""
    width, height = (float(size) for size in re.findall(r' (?:width|height)="([\d.]+)pt"', svg)[:2])
    return {"width": round(width * PIXELS), "height": round(height * PIXELS)}


def _frames(frames: Json, figure: Path) -> Json:
    """Write the pictures behind a slider beside the figure; what the page needs to know of them."""
    files = []
    for place, svg in enumerate(frames["svg"]):
        file = figure.with_name(f"{figure.stem}-frame-{place + 1}.svg")
        write_whole(file, slim(svg))
        files.append(f"figures/{file.name}")
    about = {"label": frames["label"], "values": frames["values"], "start": frames["start"]}
    return {**about, "files": files, **_size(frames["svg"][0])}


def _add_costs(cells: list[Json], track: Track, run: Executed) -> None:
    """To each code cell of a track: what it depends on, its seconds, and whether a browser can run it."""
    sources = [(cell.id, cell.source) for cell in run.notebook.cells if cell.cell_type == "code"]
    depends = needs(sources)
    for cell in cells:
        if cell["type"] == "code" and cell["id"] in depends and cell["track"] in (track, "shared"):
            if "seconds" in cell:  # a shared cell: NumPy's figures stand
                continue
            before = depends[cell["id"]]
            cell["needs"] = before
            cell["seconds"] = run.seconds.get(cell["id"], 0.0)
            cell["total"] = round(cell["seconds"] + sum(run.seconds.get(one, 0.0) for one in before), 3)
            cell["why"] = why_not(track, cell["total"])
            cell["browser"] = not cell["why"]
            cell["waiting"] = run.waiting and still_to_come(run.notebook, cell["id"])


def still_to_come(notebook: Notebook, cell_id: str) -> bool:
    """Whether a cell has no outputs yet and looks as if it will: it does something, and not only define."""
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    does = (ast.Expr, ast.For, ast.With, ast.If, ast.While)
    return cell.execution_count is None and any(isinstance(node, does) for node in ast.parse(cell.source).body)


def why_not(track: Track, total: float) -> str:
    """Why a cell is not meant for Python in a browser; "" if it is."""
    if track == "torch":
        return "PyTorch does not run in a browser."
    if total > BROWSER_SECONDS:
        return f"With what it needs this takes {total:.0f} s on a computer and many times that in a browser."
    return ""


def without_svg(notebook: Notebook) -> Notebook:
    """The notebook as people download it: each figure once, as PNG, and no pictures for sliders."""
    import copy

    slim = copy.deepcopy(notebook)
    for cell in slim.cells:
        for output in cell.get("outputs", []):
            for kind in ("image/svg+xml", FRAMES):
                output.get("data", {}).pop(kind, None)
    return slim


def _write_json(path: Path, value: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
