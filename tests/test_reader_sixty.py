"""The front page, the map, practice and search with sixty lessons, three hundred exercises: one finds one's place."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sixty
from groundup.reader import node
from reader_site import ROOT, Visit, served

if TYPE_CHECKING:
    from playwright.sync_api import Locator, ViewportSize

Visits = Callable[..., Visit]
SIZES = [{"width": 1440, "height": 900}, {"width": 768, "height": 1024}, {"width": 390, "height": 844}]
#: Read: the way to the Transformer, on the path to the language models of today.
READ = ["p00_numpy_and_pytorch", "self_attention", "tiny_decoder", "p13_attention_is_all_you_need"]
DONE = {"read": [], "sections": 9, "ran": [], "done": True, "at": "", "time": 5}
PROGRESS = {"version": 1, "lessons": dict.fromkeys(READ, DONE), "last": READ[-1], "path": "modern-llm"}
NEXT = "Byte-pair encoding: how a text becomes tokens"


@pytest.fixture(scope="module")
def built(public: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sixty")
    sixty.write(ROOT / "build/site-data", folder / "data")
    node.run(["node", "scripts/build.mjs", "--data", str(folder / "data"), "--out", str(folder / "site")], ROOT / "web")
    return folder / "site"


@pytest.fixture(scope="module")
def root(built: Path) -> Iterator[str]:
    with served(built) as address:
        yield address


def test_all_pages_are_there_and_search_stays_small(built: Path) -> None:
    assert len(list(built.glob("practice/*/index.html"))) == sixty.EXERCISES
    assert len(list(built.glob("lessons/*/index.html"))) == 60
    found = (built / "search.json").read_bytes()
    assert len(json.loads(found)["lessons"]) == 60
    assert 20_000 < len(gzip.compress(found, 6)) <= 300_000
    assert (built / "index.html").read_text().count('class="map-node"') == 60


def on_screen(one: "Locator") -> bool:
    """Whether it is seen as a whole without scrolling, below the header."""
    inside = (
        "e => { const b = e.getBoundingClientRect(); return b.top >= 40 && b.bottom <= innerHeight && b.height > 0 }"
    )
    return one.first.evaluate(inside)


@pytest.mark.parametrize("viewport", SIZES, ids=lambda size: str(size["width"]))
def test_one_finds_ones_place_within_a_screen(visit: Visits, root: str, viewport: "ViewportSize") -> None:
    from playwright.sync_api import expect

    page = visit(root, {"groundup:progress": PROGRESS}, viewport=viewport).page
    button = page.get_by_role("link", name=f"Next: {NEXT}")
    expect(button.first).to_be_visible()
    assert on_screen(button)
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Lessons").click()
    place = page.locator("[data-place] a")
    expect(place).to_be_in_viewport()
    place.click()
    here = page.locator(":is(.map-node.is-next, .map-list .is-next > a):visible")
    expect(here).to_be_focused()
    assert on_screen(here)
    assert page.locator(".map [data-part='Start here']:visible").text_content() == "3 of 4 read"
    page.goto(f"{root}practice/")
    last = page.locator("[data-here] a")
    assert on_screen(last)
    last.click()
    first = page.locator(f"section[data-of={READ[-1]}] li[data-exercise]")
    expect(first.first).to_be_in_viewport()
    page.get_by_label("asked in interviews").check()
    assert page.locator(".practice-part:visible").count() == 5
    assert page.locator(".practice-part:visible:not([open])").count() == 0
    sideways = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(sideways) == 0
    page.keyboard.press("/")
    page.keyboard.type("rotary")
    expect(page.locator(".search-title").first).to_have_text("Rotary position embeddings")
    page.goto(root)
    assert page.evaluate(sideways) == 0


def test_no_arrow_of_the_map_crosses_a_lesson(visit: Visits, root: str) -> None:
    crossed = visit(root, viewport=SIZES[0]).page.evaluate(
        """() => {
            const boxes = [...document.querySelectorAll('.map-node')].map(node => [
                node.dataset.lesson, node.querySelector('.map-box').getBoundingClientRect()]);
            return [...document.querySelectorAll('.map-arrows g')].flatMap(arrow => {
                const path = arrow.querySelector('path'), screen = path.getScreenCTM();
                const length = path.getTotalLength(), points = [];
                for (let at = 3; at < length - 3; at += 3)
                    points.push(path.getPointAtLength(at).matrixTransform(screen));
                return boxes.filter(([, box]) => points.some(({x, y}) =>
                    x > box.left && x < box.right && y > box.top && y < box.bottom))
                    .map(([name]) => `${arrow.dataset.from} > ${arrow.dataset.to}: ${name}`);
            });
        }"""
    )
    assert crossed == []
