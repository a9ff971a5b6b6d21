"""What the pages are made of: nothing is lost, shown twice or taken from the wrong track."""

import ast
import re
import statistics

import pytest

from groundup.lessons import all_lessons
from groundup.notebooks.source_modules import Library
from groundup.plots import FRAMES
from groundup.reader import data, folds, links, paths
from groundup.reader.executed import Kept, built_notebooks, with_outputs

LESSONS = all_lessons()
LIBRARY = Library()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The cells of every lesson's page, by folder, without outputs."""
    folder, found = tmp_path_factory.mktemp("figures"), {}
    nothing: Kept = {"outputs": {}, "seconds": {}, "sources": {}, "measured": {}}
    for lesson in LESSONS:
        runs = {
            track: with_outputs(lesson, track, notebook, nothing)
            for track, notebook in built_notebooks(lesson, LIBRARY).items()
        }
        found[lesson.folder.name] = (runs, data.page_cells(lesson, runs, folder))
    return found


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_every_cell_of_both_notebooks_is_on_the_page_once(pages, lesson):
    runs, cells = pages[lesson.folder.name]
    wanted = {cell.id for run in runs.values() for cell in run.notebook.cells} - {"torch-title"}
    assert sorted(cell["id"] for cell in cells) == sorted(wanted)
    codes = {cell["id"]: cell for cell in cells if cell["type"] == "code"}
    for track, run in runs.items():
        for cell in run.notebook.cells:
            if cell.cell_type == "code":
                own = codes[cell.id].get("torchSource") if track == "torch" else None
                assert (own or codes[cell.id]["source"]) == cell.source


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_no_function_of_a_session_is_defined_twice(pages, lesson):
    """Else the reader who edits the one that is shown changes nothing."""
    _, cells = pages[lesson.folder.name]
    defined = [
        name
        for cell in cells
        if cell["type"] == "code" and cell["track"] != "torch"
        for name in re.findall(r"^(?:def|class) (\w+)", cell["source"], re.MULTILINE)
    ]
    assert len(defined) == len(set(defined))


def open_lines(cell):
    """The lines of a cell that stand in sight on the page: numbers from 1."""
    if cell["fold"]:
        return []
    hidden = {line for fold in cell["inner"] for line in range(fold["start"] + (not fold["label"]), fold["end"] + 1)}
    hidden |= {line for one in cell["beside"] for step in one["steps"] for line in step["moved"]}
    text = cell["source"].splitlines()
    lines = [line for part in cell["segments"] if not part["folded"] for line in range(part["start"], part["end"] + 1)]
    return [line for line in lines if text[line - 1].strip() and line not in hidden]


def codes(cells):
    return [cell for cell in cells if cell["type"] == "code" and not cell["data"]]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_segments_cover_the_lines_and_show_what_the_cell_is_about(pages, lesson):
    _, cells = pages[lesson.folder.name]
    for cell in codes(cells):
        lines = [line for part in cell["segments"] for line in range(part["start"], part["end"] + 1)]
        assert lines == list(range(1, cell["source"].count("\n") + 2))
        text = cell["source"].splitlines()
        shown = [text[line - 1] for line in open_lines(cell)]
        for name in cell["names"]:
            assert (
                cell["fold"]
                or any(re.match(rf"(def|class) {name}\b|{name}\b.*=", line) for line in shown)
                or not re.search(rf"^(def|class) {name}\b|^{name}\b.*=", cell["source"], re.MULTILINE)
            )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_what_a_lesson_shows_at_a_time_is_short(pages, lesson):
    sizes = [len(open_lines(cell)) for cell in codes(pages[lesson.folder.name][1]) if not cell["fold"]]
    assert max(sizes) <= 30
    assert statistics.median(sizes) <= 12


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_a_lesson_shows_a_function_in_steps_of_a_few_lines(pages, lesson):
    functions = [(cell, one) for cell in codes(pages[lesson.folder.name][1]) for one in cell["beside"]]
    assert functions
    for cell, function in functions:
        in_sight, lines = open_lines(cell), cell["source"].splitlines()
        for step in function["steps"][1:]:
            shown = [lines[line - 1].strip() for line in in_sight if step["start"] <= line <= step["end"]]
            assert len(shown) <= 8, (function["name"], step)
            assert not any(line.startswith("#") for line in shown)
        assert all(re.search(r"[.:!?]$|^Backward$|^$", step["words"]) for step in function["steps"])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_no_cell_of_a_notebook_is_longer_than_a_screen(pages, lesson):
    for run in pages[lesson.folder.name][0].values():
        for cell in run.notebook.cells:
            if cell.cell_type == "code" and not cell.id.startswith(("data-", "measured-")):
                whole = len(ast.parse(cell.source).body) == 1  # one definition is not cut
                assert whole or cell.source.count("\n") < 60, cell.id


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_a_function_that_computes_an_equation_is_not_folded(pages, lesson):
    """Name it in the cell's ``show``. In a figure's code, a line may."""
    _, cells = pages[lesson.folder.name]
    shown = [(cell["id"], mark["equation"]) for cell in codes(cells) for mark in cell["marks"] if cell["fold"] == ""]
    for cell in codes(cells):
        in_sight, spans = set(open_lines(cell)), links.definitions(cell["source"])
        functions = {line for name, (start, end) in spans.items() if name.islower() for line in range(start, end + 1)}
        again = cell["track"] == "torch" and cell["fold"] in ("again", "needs")
        for mark in cell["marks"]:
            if mark["line"] in functions and cell["fold"] != "figure" and not again:
                assert mark["line"] in in_sight, (cell["id"], mark)
        assert not (cell["id"].startswith("needs-") and in_sight), f"{cell['id']} is half open"
    assert shown


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_tools_say_what_they_give_and_pytorch_is_no_counterpart_of_itself(pages, lesson):
    _, cells = pages[lesson.folder.name]
    for cell in codes(cells):
        assert cell["gives"] or cell["fold"] != "tools", cell["id"]
        assert not cell["gives"].startswith(":"), cell["id"]
        assert not (cell["track"] == "torch" and cell["twins"])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_greek_letters_of_the_text_are_formulas(pages, lesson):
    """A single one would bring a face of 20 kB to the page."""
    quiet = r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|!\[[^\]]*\]\([^)]*\)"
    for cell in pages[lesson.folder.name][1]:
        if cell["type"] == "text":
            assert not re.search("[\u0370-\u03ff]", re.sub(quiet, "", cell["markdown"], flags=re.DOTALL)), cell["id"]


def test_refusals_docstrings_and_long_heads_fold_inside_of_a_definition():
    body = "".join(f"    x = x + {number}\n" for number in range(28))
    source = f"""def f(
    x,
    y,
    z,
):
    \"\"\"The first line.

    The rest.
    \"\"\"
    if x < 0:
        raise ValueError
    if y < 0:
        raise ValueError
{body}    return x
"""
    inner = folds.short_enough(source, folds.inner_folds(source, ()), ())
    assert [(one["start"], one["end"], one["label"]) for one in inner] == [
        (1, 5, ""),
        (6, 9, ""),
        (10, 13, "checks of its arguments"),
    ]
    marked = folds.inner_folds(source, [10])
    assert [(one["start"], one["end"]) for one in marked] == [(6, 9), (12, 13)]


def test_heavy_cells_and_pytorch_are_not_for_the_browser():
    assert data.why_not("numpy", 0.1) == ""
    assert "browser" in data.why_not("numpy", 100.0)
    assert "PyTorch" in data.why_not("torch", 0.0)


def test_a_path_holds_what_its_goals_need_before_them():
    for path in paths.PATHS:
        found = [lesson.slug for lesson in paths.on_path(path, LESSONS)]
        assert {lesson.slug for lesson in LESSONS if path.wanted(lesson)} <= set(found)
        for lesson in LESSONS:
            if lesson.slug in found:
                assert all(found.index(needed) < found.index(lesson.slug) for needed in lesson.needs)


def test_where_the_source_is_is_one_setting(tmp_path):
    settings = tmp_path / "pyproject.toml"
    assert data.source_address(settings) == ""
    settings.write_text('[project]\nname = "groundup"\n')
    assert data.source_address(settings) == ""
    settings.write_text('[project.urls]\nSource = "https://example.org/groundup"\n')
    assert data.source_address(settings) == "https://example.org/groundup"


def test_only_cells_that_do_something_wait_for_an_output():
    lesson = next(one for one in LESSONS if one.slug == "self_attention")
    nothing: Kept = {"outputs": {}, "seconds": {}, "sources": {}, "measured": {}}
    run = with_outputs(lesson, "numpy", built_notebooks(lesson, LIBRARY)["numpy"], nothing)
    codes = [cell.id for cell in run.notebook.cells if cell.cell_type == "code"]
    late = {one for one in codes if data.still_to_come(run.notebook, one)}
    assert "by-hand-numbers" in late
    assert "attend" not in late


def test_pictures_behind_a_slider_become_files_beside_the_figure(tmp_path):
    import nbformat

    def svg(width):
        return f'<?xml version="1.0"?>\n<svg width="{width}pt" height="36pt"></svg>'

    drawn = {"label": "h", "values": ["1", "2"], "start": 1, "svg": [svg(72), svg(72)]}
    shown = nbformat.v4.new_output("display_data", {"image/svg+xml": svg(144), "image/png": "x", FRAMES: drawn})
    cell = nbformat.v4.new_code_cell("1", id="nudge", metadata={"alt": "A curve."}, outputs=[shown])
    (found,) = data.outputs(cell, tmp_path / "figures")
    files = ["figures/nudge-frame-1.svg", "figures/nudge-frame-2.svg"]
    assert found["frames"] == {
        "label": "h", "values": ["1", "2"], "start": 1, "files": files, "width": 96, "height": 48,
    }  # fmt: skip
    assert found["width"] == 192
    assert all((tmp_path / file).read_text().startswith("<svg") for file in files)
    slim = data.without_svg(nbformat.v4.new_notebook(cells=[cell]))
    assert set(slim.cells[0].outputs[0].data) == {"image/png"}
