"""Stand-alone notebooks from lessons: built, and brought to the reader's folder.

A lesson's ``lesson.py`` is a percent-format notebook. Its cells with ``include="module:name ..."`` hold
import lines; the built notebook holds the source behind them, and so runs where groundup is not installed.
``show="name ..."`` says which of the definitions the cell is about (if it is missing: those that it imports); the
others stand in folded cells before it, and much of what it is about is dealt out to several cells. What is tagged
"tools" is folded, and so is the code of a figure.
Needs the ``notebooks`` extra, but only when a notebook is built.
"""

import ast
import base64
import hashlib
import json
import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from groundup.data.measured import measured
from groundup.diagrams import drawn
from groundup.errors import UserError
from groundup.files import write_whole
from groundup.notebooks.fold import parts, split, texts
from groundup.notebooks.pictures import carrying
from groundup.notebooks.source import gather, layout
from groundup.notebooks.source_modules import (
    BUILTINS,
    Library,
    SourceError,
    bound_names,
    imported_inside,
    parse,
    used_names,
)

Track = Literal["numpy", "torch"]
Notebook = Any  # nbformat.NotebookNode, which has no types

SESSION_NAMES = {"display", "get_ipython", "In", "Out"}  # what IPython provides by itself
KEPT_METADATA = ("alt", "measures", "name", "predict", "tags")
FOLDED = {"jupyter": {"source_hidden": True}}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
#: Without the version of the Python at hand, so that a build is the same everywhere.
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}

TORCH_TITLE = """# {title}: in PyTorch

The PyTorch part of `{numpy}`. It stands alone: all it needs is `torch` and what the cells import."""


#: Stands for ``groundup.data.files`` in a notebook, which carries its data in cells of its own.
DATA_MODULE = '''
import base64
import gzip

PACKAGE_DATA: dict[str, str] = {}  # filled by the cell below, which is folded away


def package_data(name: str) -> bytes:
    """Return the unpacked bytes of a gzip-compressed data file that this notebook carries."""
    return gzip.decompress(base64.b64decode(PACKAGE_DATA[name]))
'''

#: Stands for ``groundup.data.measured`` in a notebook, which carries what it draws in cells of its own.
MEASURED_MODULE = '''
import fnmatch
from typing import Any

MEASURED: dict[str, dict[str, Any]] = {}  # filled by a cell that is folded away


def measured(lesson: str, *names: str) -> dict[str, Any]:
    """Return curves, arrays and numbers that the lesson's experiment found with seed 0; this notebook carries them."""
    found: dict[str, Any] = {}
    for name in names:
        found |= {one: value for one, value in MEASURED[lesson].items() if fnmatch.fnmatch(one, name)}
    return found
'''


def notebook_name(lesson_file: Path, track: Track) -> str:
    """The file name of a built notebook: the lesson's folder, with ``_torch`` for the PyTorch part."""
    return f"{lesson_file.parent.name}{'_torch' if track == 'torch' else ''}.ipynb"


def build(
    lesson_file: Path, track: Track = "numpy", findings: str | None = None, library: Library | None = None
) -> Notebook | None:
    """Build one notebook of a lesson; None for the PyTorch notebook of a lesson without cells tagged "torch".

    The NumPy notebook has every cell but those tagged "torch"; the PyTorch notebook has those tagged "torch"
    or "shared" below a title of its own. ``findings`` is Markdown that replaces the text of cells tagged
    "findings". One ``library`` for many builds reads each module once. Two builds are equal byte by byte.
    Raises SourceError, naming file and line or cell, where a cell cannot stand alone.
    """
    import jupytext
    import nbformat

    library = library or Library()
    ours = {f"{library.package}.data.files": DATA_MODULE, f"{library.package}.data.measured": MEASURED_MODULE}
    library = replace(library, overrides={**ours, **library.overrides})
    lesson = jupytext.read(lesson_file, fmt="py:percent")
    tagged = [set(cell.metadata.get("tags", [])) for cell in lesson.cells]
    if track == "torch" and not any("torch" in tags for tags in tagged):
        return None
    title = lesson.metadata.get("lesson", {}).get("title", lesson_file.parent.name)
    drawings = drawn(lesson_file.parent)
    cells, ids = [], {"torch-title"}
    if track == "torch":
        text = TORCH_TITLE.format(title=title, numpy=notebook_name(lesson_file, "numpy"))
        cells.append(nbformat.v4.new_markdown_cell(text, id="torch-title"))
    names: dict[str, str] = {}  # what the notebook's names stand for so far
    used: dict[str, str] = {}  # a name and the first ordinary cell that uses it
    for index, (cell, tags) in enumerate(zip(lesson.cells, tagged, strict=True)):
        # Counted in the lesson, not in the notebook, so that both notebooks call a cell the same.
        label = cell.metadata.get("name", f"cell-{index}")
        where, cell_id = f'{lesson_file}, cell "{label}"', re.sub(r"[^a-zA-Z0-9_-]+", "-", label)[:64]
        if cell_id in ids:
            raise SourceError(f"{where}: two cells of this name (or one that is too much like it)")
        ids.add(cell_id)
        if "torch" in tags if track == "numpy" else not tags & {"torch", "shared"}:
            continue
        needed: list[str] = []
        pieces: dict[str, str] = {}
        if cell.cell_type == "code" and "include" in cell.metadata:
            needed, pieces, names = _include(cell, names, library, where)
            *_, cell.source = pieces.values()
        elif cell.cell_type == "code":
            names = _ordinary(cell.source, names, library, where)
            used = {**dict.fromkeys(used_names(cell.source), where), **used}
        elif cell.cell_type == "markdown" and "findings" in tags and findings is not None:
            cell.source = findings.rstrip("\n")
        elif cell.cell_type == "markdown":
            try:
                cell.source = carrying(cell.source, drawings)
            except ValueError as error:
                raise SourceError(f"{where}: {error}") from error
        cell.id = cell_id
        folded = cell.cell_type == "code" and ("tools" in tags or "alt" in cell.metadata or not _does_anything(cell))
        kept = {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}
        cell.metadata = kept | FOLDED if folded else kept
        for number, text in enumerate(needed):
            needs_id = f"needs-{cell_id}"[:60] + (f"-{number + 1}" if number else "")
            cells.append(nbformat.v4.new_code_cell(text, id=needs_id, metadata=FOLDED))
        for name, text in list(pieces.items())[:-1]:
            piece_id = f"{cell_id}-{name}"[:64]
            about = {"name": piece_id, "of": label}
            cells.append(nbformat.v4.new_code_cell(text, id=piece_id, metadata=about))
        if cell.cell_type == "code" and "measured" in names and (text := measured_text(cell.source, where)):
            cells.append(nbformat.v4.new_code_cell(text, id=f"measured-{cell_id}"[:64], metadata=FOLDED))
        cells.append(cell)
        if cell.cell_type == "code" and "package_data" in names:
            for file in data_files("\n".join([*needed, *pieces.values(), cell.source]), where):
                data_id = "data-" + re.sub(r"[^a-zA-Z0-9_-]+", "-", file)
                if data_id not in ids:
                    ids.add(data_id)
                    text = data_text(file, library, where)
                    cells.append(nbformat.v4.new_code_cell(text, id=data_id, metadata=FOLDED))
    for name in sorted(used.keys() - names.keys() - BUILTINS - SESSION_NAMES):
        hint = 'does the cell that defines it lack the tag "shared"?' if track == "torch" else ""
        raise SourceError(f"{used[name]}: no cell of the {track} notebook defines `{name}`. {hint}".rstrip(". "))
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.metadata["lesson"] = lesson.metadata.get("lesson", {})
    notebook.metadata["groundup"] = {"build": fingerprint(notebook), "track": track}
    nbformat.validate(notebook)
    return notebook


def _does_anything(cell: Notebook) -> bool:
    return bool(ast.parse(cell.source).body)


def _include(
    cell: Notebook, names: dict[str, str], library: Library, where: str
) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """The source behind an include cell's import lines: what it needs, its parts by their first name, all names."""
    imports = [one for many in parse(cell.source, "", where, library.package).imports.values() for one in many]
    found = {f"{one.module}:{one.name}" for one in imports if library.owns(one.module)}
    # A reader may first write a function in an ordinary cell and then meet the library's.
    bound = {one.bound for one in imports}
    names = {name: origin for name, origin in names.items() if name not in bound or not _of_cell(origin)}
    lines, pieces, after = gather(cell.source, names, library, where)
    if found != (listed := set(cell.metadata["include"].split())):
        raise SourceError(f"{where}: include and import lines differ in {', '.join(sorted(found ^ listed))}")
    shown = set(cell.metadata.get("show", "").split()) or bound | {str(one.name) for one in imports}
    if unknown := shown - after.keys():
        raise SourceError(f"{where}: it is to show {', '.join(sorted(unknown))}, which it does not bring")
    needs, about = split(pieces, () if "tools" in cell.metadata.get("tags", ()) else shown)
    before = texts(lines, needs)
    cells = {part[0].names[0]: layout((), part) for part in parts(about)}
    if not cells:
        nothing = f"# {', '.join(f'`{one.bound}`' for one in imports)}: defined above."
        cells = {"": before.pop() if before else nothing}
    comment = re.match(r"(?:#.*\n)*", cell.source)
    first = next(iter(cells))
    return before, cells | {first: (comment[0] if comment else "") + cells[first]}, after


def _ordinary(source: str, names: dict[str, str], library: Library, where: str) -> dict[str, str]:
    """The names after an ordinary code cell; refuses what works in the lesson but not in the notebook."""
    module = parse(source, "", where, library.package)
    tree = ast.parse(source)
    for line in imported_inside(tree, library.package):
        raise SourceError(f"{where}, line {line}: imports from {library.package} belong in an include cell")
    after = dict(names)
    for name in dict.fromkeys(bound for node in tree.body for bound in bound_names(node)):
        origins = [found.origin for found in module.imports.get(name, [])]
        origin = origins[0] if origins else f"a variable of {where.rpartition(', ')[2]}"
        if name in BUILTINS:
            raise SourceError(f"{where}: `{name}` would hide Python's own `{name}` from the functions above")
        before = after.get(name, origin)
        if before != origin and not _of_cell(before):
            raise SourceError(f"{where}: `{name}` already stands for {before}, which the code above may need")
        after[name] = origin
        after.update((found.module, origin) for found in module.imports.get(name, []) if found.plain)
    return after


def asked_of(function: str, source: str, where: str, what: str) -> list[list[str]]:
    """The arguments of every call of a function in a cell's code. Raises SourceError for one that only a run tells."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
            if not node.args or node.keywords or not all(isinstance(one, ast.Constant) for one in node.args):
                raise SourceError(f"{where}: `{ast.unparse(node)}`: {what} must be named in plain text")
            found.append([str(one.value) for one in node.args if isinstance(one, ast.Constant)])
    return found


def data_files(source: str, where: str) -> list[str]:
    """The data files that a cell's code asks ``package_data`` for."""
    return list(dict.fromkeys(file for file, *_ in asked_of("package_data", source, where, "a data file")))


def data_text(file: str, library: Library, where: str) -> str:
    """The cell that carries a data file of the package."""
    package = library.path(f"{library.package}.data")
    if package is None or not (path := package.with_name(file)).is_file():
        raise SourceError(f"{where}: there is no data file {file}")
    lines = textwrap.wrap(base64.b64encode(path.read_bytes()).decode(), 1000)
    return f'# The data file {file} of {library.package}.\nPACKAGE_DATA["{file}"] = """\n' + "\n".join(lines) + '\n"""'


def measured_text(source: str, where: str) -> str:
    """The cell that carries what a cell's code asks ``measured`` for; "" if it asks for nothing."""
    found: dict[str, dict[str, Any]] = {}
    for lesson, *names in asked_of("measured", source, where, "what is wanted"):
        try:
            found.setdefault(lesson, {}).update(measured(lesson, *names))
        except UserError as error:
            raise SourceError(f"{where}: {error}") from error
    lines = []
    for lesson, entries in found.items():
        parts = [f"    {name!r}: {entry!r}," for name, entry in entries.items()]
        begin = f"MEASURED[{lesson!r}] = MEASURED.get({lesson!r}, {{}}) | {{"  # so that cells.py sees what is changed
        lines += [f"# What the experiment of {lesson} found with seed 0.", begin, *parts, "}"]
    return "\n".join(lines)


def _of_cell(origin: str) -> bool:
    """Whether a name is the lesson's own variable: not an import, not a definition of the library."""
    return origin.startswith("a variable of ")


def fingerprint(notebook: Mapping[str, Any]) -> str:
    """A hash of the cells' texts; outputs, metadata and empty cells do not count."""
    texts = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps([text for text in texts if text[1].strip()]).encode()).hexdigest()


def dumps(notebook: Notebook) -> str:
    """The notebook's file: JSON with sorted keys, ending with a newline."""
    import nbformat

    return nbformat.writes(notebook) + "\n"


def write(lesson_file: Path, folder: Path, findings: str | None = None, library: Library | None = None) -> list[Path]:
    """Build a lesson's notebooks into ``folder``, replacing what is there. Returns the files."""
    written = []
    for track in ("numpy", "torch"):
        notebook = build(lesson_file, track, findings, library)
        if notebook is not None:
            written.append(folder / notebook_name(lesson_file, track))
            write_whole(written[-1], dumps(notebook))
    return written


@dataclass
class Synced:
    """What ``sync`` did with each notebook of the reader's folder.

    outdated  edited by the reader, and the lesson has changed since: left alone
    moved     edited notebooks moved aside, with their new places
    """

    written: list[Path] = field(default_factory=list)
    replaced: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    outdated: list[Path] = field(default_factory=list)
    moved: dict[Path, Path] = field(default_factory=dict)


def sync(
    lesson_files: Sequence[Path], folder: Path, findings: Mapping[str, str] | None = None, fresh: bool = False
) -> Synced:
    """Bring the lessons' notebooks to the reader's folder; what the reader has edited is never lost.

    Missing notebooks are written, untouched ones of an older build replaced, edited ones left alone; with
    ``fresh`` edited ones move to "name (edited N).ipynb" and new ones take their place. Running a notebook
    is not an edit. ``findings`` maps the names of lesson folders to Markdown.
    """
    done, library = Synced(), Library()
    for lesson_file in lesson_files:
        for track in ("numpy", "torch"):
            text = (findings or {}).get(lesson_file.parent.name)
            notebook = build(lesson_file, track, text, library)
            if notebook is None:
                continue
            path, new = folder / notebook_name(lesson_file, track), notebook.metadata["groundup"]["build"]
            group = done.written
            if os.path.lexists(path):
                built, now = _state(path)
                if now == new or (now != built == new and not fresh):
                    done.kept.append(path)
                    continue
                if now == built:
                    group = done.replaced
                elif fresh:
                    done.moved[path] = _move_aside(path)
                else:
                    done.outdated.append(path)
                    continue
            write_whole(path, dumps(notebook))
            group.append(path)
    return done


def _state(path: Path) -> tuple[str | None, str]:
    """The fingerprints of a file as built and as it is now; (None, "unknown") if it is not ours."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        return notebook["metadata"]["groundup"]["build"], fingerprint(notebook)
    except (ValueError, KeyError, TypeError):
        return None, "unknown"


def _move_aside(path: Path) -> Path:
    number = 1
    while os.path.lexists(aside := path.with_stem(f"{path.stem} (edited {number})")):
        number += 1
    return path.rename(aside)
