"""What the pages are made of: nothing is lost, shown twice or taken from the wrong track."""

import re

import pytest

from groundup.lessons import all_lessons
from groundup.notebooks.source_modules import Library
from groundup.plots import FRAMES
from groundup.reader import data, paths
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


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_segments_cover_the_lines_and_show_what_the_cell_is_about(pages, lesson):
    _, cells = pages[lesson.folder.name]
    for cell in cells:
        if cell["type"] != "code":
            continue
        lines = [line for part in cell["segments"] for line in range(part["start"], part["end"] + 1)]
        assert lines == list(range(1, cell["source"].count("\n") + 2))
        text = cell["source"].splitlines()
        shown = [
            line for part in cell["segments"] if not part["folded"] for line in text[part["start"] - 1 : part["end"]]
        ]
        assert not {"growth", "peak_mib", "seconds", "show_slopes", "side_by_side"} & set(cell["names"]), (
            "tools are folded"
        )
        for name in cell["names"]:
            assert any(re.match(rf"(def|class) {name}\b|{name}\b.*=", line) for line in shown) or not re.search(
                rf"^(def|class) {name}\b|^{name}\b.*=", cell["source"], re.MULTILINE
            )


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
