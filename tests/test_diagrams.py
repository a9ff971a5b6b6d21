"""Diagrams: the primitives, and those of the lessons: placed, described, legible."""

import base64
import re
from xml.etree import ElementTree

import pytest

from groundup import diagrams
from groundup.diagrams import LEAST, arrow, box, brace, cells, diagram, drawn, label, standalone
from groundup.lessons import all_lessons
from groundup.notebooks.build import build
from groundup.notebooks.pictures import carrying, placed, without_carried

LESSONS = all_lessons()
EVERY = [(lesson, name) for lesson in LESSONS for name in drawn(lesson.folder)]


def number(node, name):
    return float(node.get(name, "nan"))


def found_in(pattern, text):
    match = re.search(pattern, text)
    assert match
    return match[1]


def texts(svg):
    """Each text of a diagram: x, y, anchor, size, letters, with formulas' marks gone."""
    for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        letters = "".join(node.itertext()).replace("\u200b", "")
        yield (
            number(node, "x"),
            number(node, "y"),
            node.get("text-anchor"),
            number(node, "font-size"),
            letters,
        )


def test_a_formula_lowers_raises_and_slants():
    svg = label(0, 0, "score $s_{ij}$ = $x^2$ < 3")
    assert "".join(ElementTree.fromstring(svg).itertext()).replace("\u200b", "") == "score sij = x2 < 3"
    assert svg.count('font-style="italic"') == 3  # s, ij, x
    shifts = [float(shift) for shift in re.findall(r'dy="([-\d.]+)"', svg)]
    assert shifts[0] > 0 > shifts[2]
    assert sum(shifts) == pytest.approx(0)


def test_all_primitives_make_xml_in_the_colours_of_the_page():
    svg = diagram(
        200, 100, box(0, 0, 40, 20, "a & b"), arrow((40, 10), (90, 10), text="$W$"), arrow((0, 0), (9, 9), bend=4),
        brace((0, 50), (80, 50), "both"), cells(90, 0, [["1", "−2"]], shades=[[0.1, 1.0]]),
    )  # fmt: skip
    ElementTree.fromstring(svg)
    names = set(re.findall(r"var\((--[\w-]+),", svg))
    page = (diagrams.Path(diagrams.__file__).parents[2] / "web/src/styles/tokens.css").read_text()
    assert names
    assert all(f"{name}:" in page for name in names)
    alone = standalone(svg)
    ElementTree.fromstring(alone)
    assert "var(" not in alone


def test_an_unknown_colour_is_refused():
    with pytest.raises(KeyError):
        box(0, 0, 1, 1, colour="pink")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_every_diagram_is_placed_with_words_and_every_lesson_has_one(lesson):
    there = placed("\n".join(line.removeprefix("# ") for line in lesson.text.read_text().splitlines()))
    assert there
    assert {name for name, _ in there} == set(drawn(lesson.folder))
    assert all(len(alt) > 30 for _, alt in there)
    assert len({name for name, _ in there}) == len(there)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_every_lesson_has_a_figure_to_touch(lesson):
    assert re.search(r"^fig = frames\(", lesson.text.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("lesson", "name"), EVERY, ids=[f"{lesson.slug}-{name}" for lesson, name in EVERY])
def test_text_is_legible_on_a_phone_and_inside(lesson, name):
    svg = drawn(lesson.folder)[name]
    root = ElementTree.fromstring(svg)
    width, height = number(root, "width"), number(root, "height")
    least = float(found_in(r"min-width:(\d+)px", svg))
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
    assert min(sizes) * least / width >= LEAST - 0.02
    for x, y, anchor, size, letters in texts(svg):
        wide = 0.56 * size * len(letters)
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
        assert left >= -4, letters
        assert left + wide <= width + 4, letters
        assert size * 0.7 <= y <= height, letters


def test_a_notebook_carries_its_diagrams_and_the_page_gets_the_text_back():
    text = "Look:\n\n![Two\nboxes](diagram:two)\n\nand on."
    svg = diagram(20, 20, box(0, 0, 5, 5))
    carried = carrying(text, {"two": svg})
    data = found_in(r"\[diagram:two\]: data:image/svg\+xml;base64,(\S+)", carried)
    assert base64.b64decode(data).decode() == standalone(svg)
    assert "![Two\nboxes][diagram:two]" in carried
    assert without_carried(carried) == text
    assert carrying("no diagram", {}) == "no diagram"


@pytest.mark.parametrize(
    ("text", "message"),
    [("![a](diagram:b)", "no diagram 'b'; diagrams.py has two"), ("![](diagram:two)", "has no words")],
)
def test_what_cannot_be_placed_is_told(text, message):
    with pytest.raises(ValueError, match=message):
        carrying(text, {"two": "<svg/>"})


def test_the_built_notebook_shows_them():
    lesson = next(lesson for lesson in LESSONS if lesson.slug == "char_rnn")
    notebook = build(lesson.text)
    assert notebook is not None
    found = [cell for cell in notebook.cells if "diagram:unrolled" in cell.source]
    assert len(found) == 1
    assert "data:image/svg+xml;base64," in found[0].source
