"""The progress file: nothing that a learner did is lost, whatever happens to the file."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from groundup.errors import UserError
from groundup.practice import progress, store


@dataclass
class Asked:
    """As much of an exercise as progress looks at."""

    name: str = "softmax"
    hash: str = "h1"


SOFTMAX, ADAM = Asked(), Asked("adam", "h2")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where progress is kept during a test."""
    monkeypatch.setenv("GROUNDUP_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def said():
    """Collects what is said beside the output."""
    return []


def file_of(folder):
    return json.loads((folder / "practice.json").read_text())


def test_the_folder_is_the_platforms(monkeypatch):
    monkeypatch.delenv("GROUNDUP_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/xdg")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    for platform, place in [("linux", "/xdg/groundup"), ("win32", "/local/groundup")]:
        monkeypatch.setattr(sys, "platform", platform)
        assert store.data_folder() == Path(place)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert store.data_folder() == Path.home() / "Library/Application Support/groundup"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert store.data_folder() == Path.home() / ".local/share/groundup"


def test_an_attempt_is_kept_and_passing_stops_the_clock(folder):
    progress.start(SOFTMAX)
    failed = progress.record(SOFTMAX, "wrong", "values")
    assert (failed.number, failed.first_time) == (1, False)
    assert failed.seconds is not None
    passed = progress.record(SOFTMAX, "passed")
    assert (passed.number, passed.first_time) == (2, True)
    again = progress.record(SOFTMAX, "passed")
    assert (again.number, again.first_time, again.seconds) == (3, False, None)
    entry = file_of(folder)["exercises"]["softmax"]
    assert entry["attempts"] == 3
    assert [one["status"] for one in entry["last"]] == ["wrong", "passed", "passed"]
    assert entry["solved"]["h1"]["attempts"] == 2
    assert entry["started"] is None


def test_what_is_not_written_is_no_attempt():
    progress.start(SOFTMAX)
    attempt = progress.record(SOFTMAX, "unwritten")
    assert attempt.number == 0
    assert attempt.seconds is not None
    assert progress.load()["softmax"]["last"] == []


def test_only_the_last_attempts_are_kept_one_by_one():
    for _ in range(progress.LAST + 3):
        progress.record(SOFTMAX, "wrong")
    entry = progress.load()["softmax"]
    assert entry["attempts"] == progress.LAST + 3
    assert len(entry["last"]) == progress.LAST


def test_a_clock_set_back_gives_no_negative_time():
    assert progress.since((datetime.now(UTC) + timedelta(hours=1)).isoformat()) == 0
    assert 3599 < progress.since((datetime.now(UTC) - timedelta(hours=1)).isoformat()) < 3610


def test_states():
    def now():
        return progress.state(progress.load(), SOFTMAX)

    assert now() == "new"
    progress.start(SOFTMAX)
    assert now() == "started"
    progress.record(SOFTMAX, "wrong")
    assert now() == "tried"
    progress.note(SOFTMAX, "gave_up")
    assert now() == "gave up"
    progress.note(SOFTMAX, "skipped")
    assert now() == "skipped"
    progress.start(SOFTMAX)
    assert now() == "gave up"
    progress.record(SOFTMAX, "passed")
    assert now() == "solved"


def test_an_upgrade_marks_what_changed_and_loses_nothing():
    progress.record(SOFTMAX, "passed")
    changed = Asked(hash="h1 of the next version")
    assert progress.state(progress.load(), changed) == "changed"
    progress.record(changed, "wrong")
    assert progress.state(progress.load(), changed) == "changed"
    progress.record(changed, "passed")
    for version in (SOFTMAX, changed):
        assert progress.state(progress.load(), version) == "solved"
    assert progress.load()["softmax"]["attempts"] == 3


def test_what_comes_next():
    third = Asked("layer_norm", "h3")
    order = [SOFTMAX, ADAM, third]

    def upcoming():
        return progress.next_unsolved(progress.load(), order)

    assert upcoming() is SOFTMAX
    progress.note(SOFTMAX, "skipped")
    progress.note(ADAM, "gave_up")
    assert upcoming() is third
    progress.record(third, "passed")
    assert upcoming() is SOFTMAX
    progress.record(SOFTMAX, "passed")
    assert upcoming() is ADAM
    progress.record(ADAM, "passed")
    assert upcoming() is None


def test_the_current_one_was_started_last():
    assert progress.current(progress.load(), [SOFTMAX, ADAM]) is None
    progress.start(ADAM)
    progress.change("softmax", lambda entry: entry.update(started="2020-01-01T00:00:00+00:00"))
    assert progress.current(progress.load(), [SOFTMAX, ADAM]) is ADAM
    progress.record(ADAM, "passed")
    assert progress.current(progress.load(), [SOFTMAX, ADAM]) is SOFTMAX


def test_hints_are_counted_up_to_three():
    assert [progress.next_hint(SOFTMAX) for _ in range(4)] == [1, 2, 3, 3]


GOOD = progress.new_entry()
MADE = {"time": "2026-01-01T00:00:00+00:00", "status": "wrong", "check": "", "seconds": 1.5, "hash": "h"}
BROKEN = {
    "binary": b"\x00\xff\xfe\x9d",
    "empty": b"",
    "cut": b'{"version": 1, "exercises": {"soft',
    "deep": b"[" * 100_000,
    "a list": b"[]",
    "no version": b'{"exercises": {}}',
    "a version in words": b'{"version": "1", "exercises": {}}',
    "the future": b'{"version": 2, "exercises": {}, "more": 1}',
    "no exercises": b'{"version": 1}',
    "entries of another kind": b'{"version": 1, "exercises": {"softmax": 3}}',
}
for what, entry in {
    "a negative count": GOOD | {"attempts": -1},
    "a count in words": GOOD | {"hints": "2"},
    "no such time": GOOD | {"started": "yesterday"},
    "a time without a zone": GOOD | {"started": "2026-01-01T00:00:00"},
    "no list": GOOD | {"last": {}},
    "an attempt without a hash": GOOD | {"last": [{"time": "2026-01-01T00:00:00+00:00"}]},
    "not a number": GOOD | {"last": [MADE | {"seconds": float("nan")}]},
    "a field missing": {"attempts": 1},
}.items():
    BROKEN[what] = json.dumps({"version": 1, "exercises": {"softmax": entry}}).encode()


def test_a_newer_groundups_progress_is_left_alone_by_reading(folder, said):
    folder.mkdir()
    (folder / "practice.json").write_bytes(BROKEN["the future"])
    assert progress.load(said.append) == {}
    assert "newer groundup" in said[0]
    assert (folder / "practice.json").read_bytes() == BROKEN["the future"]
    progress.record(SOFTMAX, "wrong", say=said.append)
    assert (folder / "practice.broken-1.json").read_bytes() == BROKEN["the future"]
    assert f"groundup practice import {folder.resolve() / 'practice.broken-1.json'}" in said[1]
    assert progress.load()["softmax"]["attempts"] == 1


@pytest.mark.parametrize("what", [what for what in BROKEN if what != "the future"])
def test_a_file_that_cannot_be_used_is_set_aside(what, folder, said):
    folder.mkdir()
    (folder / "practice.json").write_bytes(BROKEN[what])
    assert progress.load(said.append) == {}
    assert (folder / "practice.broken-1.json").read_bytes() == BROKEN[what]
    assert len(said) == 1
    assert "practice.broken-1.json" in said[0]
    progress.record(SOFTMAX, "wrong", say=said.append)
    assert len(said) == 1
    assert progress.load()["softmax"]["attempts"] == 1


def test_every_broken_file_is_kept(folder, said):
    folder.mkdir()
    for number in (1, 2, 3):
        (folder / "practice.json").write_text(f"broken {number}")
        progress.record(SOFTMAX, "wrong", say=said.append)
    kept = sorted(path.read_text() for path in folder.glob("practice.broken-*.json"))
    assert kept == ["broken 1", "broken 2", "broken 3"]


def test_a_folder_in_its_place_is_set_aside(folder, said):
    (folder / "practice.json").mkdir(parents=True)
    progress.record(SOFTMAX, "passed", say=said.append)
    assert (folder / "practice.broken-1.json").is_dir()
    assert progress.load()["softmax"]["attempts"] == 1


def test_a_good_entry_is_good(folder):
    folder.mkdir()
    entry = GOOD | {"last": [MADE], "started": MADE["time"]}
    (folder / "practice.json").write_text(json.dumps({"version": 1, "exercises": {"softmax": entry}}))
    assert progress.load() == {"softmax": entry}


def test_a_link_stays_a_link(folder, tmp_path):
    folder.mkdir()
    (folder / "practice.json").symlink_to(tmp_path / "elsewhere.json")
    progress.record(SOFTMAX, "passed")
    assert (folder / "practice.json").is_symlink()
    assert json.loads((tmp_path / "elsewhere.json").read_text())["exercises"]["softmax"]["attempts"] == 1


def test_processes_at_once_lose_no_attempt(folder):
    code = (
        "import sys; from types import SimpleNamespace as Asked; from groundup.practice import progress\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for _ in range(40): progress.record(Asked(name='softmax', hash='h1'), 'wrong')\n"
        "progress.record(Asked(name=sys.argv[1], hash='h'), 'passed')"
    )
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | {"text": True}
    running: list[Any] = [
        subprocess.Popen([sys.executable, "-c", code, f"own_{number}"], **pipes) for number in range(3)
    ]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        assert process.communicate(timeout=60) == ("", "")
    kept = progress.load()
    assert kept["softmax"]["attempts"] == 120
    assert set(kept) == {"softmax", "own_0", "own_1", "own_2"}
    assert sorted(path.name for path in folder.iterdir()) == ["practice.json", "practice.lock"]


def test_a_lock_that_is_not_given_back_is_waited_for_only_so_long(monkeypatch, folder, said):
    monkeypatch.setattr(store, "PATIENCE", 0.05)
    progress.start(SOFTMAX)
    with store.locked(folder / "practice.lock"):
        attempt = progress.record(SOFTMAX, "wrong", say=said.append)
    assert attempt.number == 1
    assert attempt.seconds is not None
    assert "Another groundup" in said[0]
    assert progress.load()["softmax"]["attempts"] == 0


def test_where_nothing_can_be_written_it_is_said_once(monkeypatch, tmp_path, said):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GROUNDUP_DATA", str(tmp_path / "file" / "data"))
    assert progress.record(SOFTMAX, "passed", say=said.append).first_time
    assert len(said) == 1
    assert "Your progress is not kept. Cannot write" in said[0]
    with pytest.raises(UserError, match="Cannot write"):
        progress.note(SOFTMAX, "skipped", strict=True)


def test_a_full_disk_loses_nothing(monkeypatch, folder, said):
    progress.record(SOFTMAX, "wrong")
    before = (folder / "practice.json").read_bytes()

    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert progress.record(SOFTMAX, "passed", say=said.append).number == 2
    assert len(said) == 1
    assert "the disk is full" in said[0]
    assert (folder / "practice.json").read_bytes() == before


def test_a_broken_file_that_cannot_be_moved_is_not_overwritten(monkeypatch, folder, said):
    folder.mkdir()
    (folder / "practice.json").write_text("broken")

    def refuse(path, target):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "rename", refuse)
    assert progress.record(SOFTMAX, "wrong", say=said.append).number == 1
    assert "nor set aside" in said[0]
    assert (folder / "practice.json").read_text() == "broken"


def attempt(day, status="wrong", hash="h1"):
    return {"time": f"2026-01-{day:02}T00:00:00+00:00", "status": status, "check": "", "seconds": None, "hash": hash}


HERE = GOOD | {"attempts": 3, "last": [attempt(1), attempt(2), attempt(3)], "hints": 2, "started": attempt(1)["time"]}
THERE = GOOD | {
    "attempts": 2,
    "last": [attempt(4), attempt(5, "passed")],
    "hints": 1,
    "solved": {"h1": {"time": attempt(5)["time"], "seconds": 60, "attempts": 2, "hints": 1}},
    "skipped": attempt(6)["time"],
    "gave_up": attempt(2)["time"],
}


def test_merging_is_the_same_either_way_and_twice():
    both = progress.merge(HERE, THERE)
    assert progress.merge(THERE, HERE) == both
    assert progress.merge(both, THERE) == both
    assert progress.merge(HERE, HERE) == HERE
    assert both["attempts"] == 5
    assert [one["time"] for one in both["last"]] == [attempt(day)["time"] for day in range(1, 6)]
    assert both["hints"] == 2
    assert both["started"] is None  # what was running has passed since
    assert both["skipped"] == attempt(6)["time"]  # but this came after
    assert both["gave_up"] == attempt(2)["time"]
    assert set(both["solved"]) == {"h1"}


def test_the_first_solution_counts():
    late = {"solved": {"h1": THERE["solved"]["h1"] | {"time": attempt(9)["time"]}, "h0": THERE["solved"]["h1"]}}
    solved = progress.merge(GOOD | late, THERE)["solved"]
    assert {key: one["time"] for key, one in solved.items()} == {"h0": attempt(5)["time"], "h1": attempt(5)["time"]}


def test_export_and_import(monkeypatch, tmp_path):
    progress.record(SOFTMAX, "passed")
    progress.note(ADAM, "skipped")
    assert progress.export(tmp_path / "me.json") == 2
    monkeypatch.setenv("GROUNDUP_DATA", str(tmp_path / "another machine"))
    progress.record(ADAM, "wrong")
    for _ in range(2):
        assert progress.bring_in(tmp_path / "me.json") == 2
        kept = progress.load()
        assert progress.state(kept, SOFTMAX) == "solved"
        assert progress.state(kept, ADAM) == "skipped"
        assert kept["adam"]["attempts"] == 1
    assert progress.export(tmp_path / "me.json") == 2  # over an older export


def test_export_overwrites_nothing_else(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="holds no progress"):
        progress.export(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_import_of_something_else_is_refused_and_left(tmp_path):
    for what, data in BROKEN.items():
        (tmp_path / "other.json").write_bytes(data)
        with pytest.raises(UserError, match="newer groundup" if what == "the future" else "not progress"):
            progress.bring_in(tmp_path / "other.json")
        assert (tmp_path / "other.json").read_bytes() == data
    with pytest.raises(UserError, match="There is no file"):
        progress.bring_in(tmp_path / "none.json")
    with pytest.raises(UserError, match="Cannot read"):
        progress.bring_in(tmp_path)
    assert progress.load() == {}
