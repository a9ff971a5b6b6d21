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
from groundup.files import write_whole
from groundup.lesson import Lesson, Track
from groundup.notebooks.build import Notebook, dumps, notebook_name
from groundup.proof.results import kept
from groundup.reader import links, practice_data
from groundup.reader.cells import needs
from groundup.reader.executed import Executed
from groundup.reader.paths import PATHS, on_path

Json = dict[str, Any]

#: A cell that took longer than this natively, with all it needs, is too much for a browser, where Python is
#: 3 to 50 times slower.
BROWSER_SECONDS = 3.0
#: Helpers whose source a reader wants folded even where a cell names them: what draws, and what measures.
FOLDED = re.compile(
    r"(groundup\.plots|.*\.figures):.*"
    r"|groundup\.proof\.(instruments:(growth|peak_mib|seconds|side_by_side)|slopes:show_slopes)"
)
#: CSS pixels in a point.
PIXELS = 96 / 72


def write(lessons: Sequence[Lesson], runs: Mapping[str, Mapping[Track, Executed]], folder: Path) -> None:
    """Write site.json, and each lesson's JSON, figures and notebooks; what else lies in ``folder`` is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    for lesson in lessons:
        write_lesson(lesson, lessons, runs[lesson.folder.name], folder)
    write_contents(lessons, folder)


def write_contents(lessons: Sequence[Lesson], folder: Path) -> None:
    """Write site.json, what the front page, links and search need to know of all lessons, and their exercises."""
    summaries = [summary(lesson, lessons) for lesson in lessons]
    parts = list(dict.fromkeys(lesson.part for lesson in lessons))
    paths = [
        {"slug": path.slug, "title": path.title, "text": path.text, "lessons": [one.folder.name for one in found]}
        for path in PATHS
        if (found := on_path(path, lessons))
    ]
    site = {"version": __version__, "parts": parts, "lessons": summaries, "paths": paths, "source": source_address()}
    _write_json(folder / "site.json", {**site, "exercises": practice_data.write(lessons, folder)})


def source_address() -> str:
    """Where this checkout's source is published: the setting `Source` below `[project.urls]` in its pyproject.toml."""
    settings = Path(__file__).resolve().parents[3] / "pyproject.toml"
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
    page = {
        "lesson": summary(lesson, lessons),
        "cells": page_cells(lesson, runs, figures),
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
    includes = {cell.metadata.get("name", ""): cell.metadata.get("include", "").split() for cell in source.cells}
    numpy = {cell.id: cell for cell in runs["numpy"].notebook.cells}
    torch = {cell.id: cell for cell in runs["torch"].notebook.cells} if "torch" in runs else {}
    found = []
    alone = {key: cell for key, cell in torch.items() if key != "torch-title" and key not in numpy}
    for cell_id, cell in [*numpy.items(), *alone.items()]:
        track: Track = "numpy" if cell_id in numpy else "torch"
        where = "shared" if cell_id in numpy and cell_id in torch else track
        if cell.cell_type == "markdown":
            findings = "findings" in cell.metadata.get("tags", [])
            text = cell.source.split("\n", 1)[0] if findings and kept(lesson) else cell.source
            found.append({"type": "text", "id": cell_id, "markdown": text, "track": where, "findings": findings})
        elif cell.cell_type == "code":
            code = code_cell(lesson, cell, includes.get(cell.metadata.get("name", ""), []), torch, figures, own)
            if where == "shared" and (other := torch[cell_id].source) != cell.source:
                code["torchSource"] = other
            found.append({"type": "code", "id": cell_id, "track": where, **code})
    for track, run in runs.items():
        _add_costs(found, track, run)
    return found


def code_cell(
    lesson: Lesson,
    cell: Notebook,
    include: Sequence[str],
    torch: Mapping[str, Any],
    figures: Path,
    own: Collection[str],
) -> Json:
    """A code cell with what the page shows around it."""
    shown = [entry.partition(":")[2] for entry in include if not FOLDED.fullmatch(entry)]
    return {
        "source": cell.source,
        "segments": segments(cell.source, shown) if include else [_segment(cell.source)],
        "outputs": outputs(cell, figures),
        "data": cell.id.startswith("data-"),
        "names": shown,
        "marks": [
            {"line": line, "equation": number} for line, number in links.marks(cell.source, lesson.equations, own)
        ],
        "twins": twins(lesson, cell, shown, torch),
    }


def twins(lesson: Lesson, cell: Notebook, shown: Sequence[str], torch: Mapping[str, Any]) -> list[Json]:
    """For the functions of a NumPy cell their PyTorch counterparts, and the cell that holds these."""
    file = lesson.folder / "twin.py"
    if not file.exists():
        return []
    found = []
    for twin in links.twins(cell.source, shown, lesson.twins, file.read_text()):
        outer = twin.name.partition(".")[0]
        holds = re.compile(rf"^(class|def) {re.escape(outer)}\b", re.MULTILINE)
        cells = [cell_id for cell_id, other in torch.items() if holds.search(other.source)]
        found.append({**vars(twin), "cell": cells[0] if cells else ""})
    return found


def segments(source: str, shown: Sequence[str]) -> list[Json]:
    """The lines of a cell in parts: what it is about in full, and the helpers between folded."""
    body = ast.parse(source).body
    lines = source.count("\n") + 1
    found: list[Json] = []
    start = 1
    for index, node in enumerate(body):
        end = _first_line(body[index + 1], source) - 1 if index + 1 < len(body) else lines
        names = _names(node)
        folded = not set(names) & set(shown)
        label = names if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign) else []
        if found and found[-1]["folded"] == folded:
            found[-1]["end"] = end
            found[-1]["label"] += label
        else:
            found.append({"start": start, "end": end, "folded": folded, "label": label})
        start = end + 1
    for part in found:
        part["label"] = ", ".join(part["label"]) or "imports" if part["folded"] else ""
    return found or [_segment(source)]


def _segment(source: str) -> Json:
    return {"start": 1, "end": source.count("\n") + 1, "folded": False, "label": ""}


def _first_line(node: ast.stmt, source: str) -> int:
    """The line where a statement begins, with its decorators and the comment above it."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    lines = source.splitlines()
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return first


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def outputs(cell: Notebook, figures: Path) -> list[Json]:
    """What a cell printed, showed and drew; figures are written as files."""
    found: list[Json] = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/svg+xml" in data:
            svg = re.sub(r"^.*?(?=<svg)", "", data["image/svg+xml"], count=1, flags=re.DOTALL)
            drawn = sum(one["kind"] == "figure" for one in found)
            figures.mkdir(parents=True, exist_ok=True)
            file = figures / f"{cell.id}{'' if not drawn else f'-{drawn + 1}'}.svg"
            write_whole(file, svg)
            width, height = (float(size) for size in re.findall(r' (?:width|height)="([\d.]+)pt"', svg)[:2])
            size = {"width": round(width * PIXELS), "height": round(height * PIXELS)}
            found.append(
                {"kind": "figure", "file": f"figures/{file.name}", "alt": cell.metadata.get("alt", ""), **size}
            )
        elif output["output_type"] == "stream":
            found.append({"kind": "text", "text": output["text"], "stream": "stdout"})
        elif "text/plain" in data:
            found.append({"kind": "text", "text": data["text/plain"], "stream": "value"})
    return found


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
    """The notebook as people download it: each figure once, as PNG."""
    import copy

    slim = copy.deepcopy(notebook)
    for cell in slim.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/svg+xml", None)
    return slim


def _write_json(path: Path, value: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
