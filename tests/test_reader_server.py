"""The server of `groundup learn`: pages, live cells, and everyone who must not get in."""

import asyncio
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from groundup.errors import UserError
from groundup.reader import jupyter, runner, server, sessions
from groundup.reader.server import listen, make_app
from groundup.reader.sessions import Sessions

TOKEN = "the-right-token"
SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
Event = dict[str, Any]


class Site:
    """A running server and ways to ask it."""

    def __init__(self, port: int, app: Any, running: server.Server | None) -> None:
        self.port, self.app, self.running = port, app, running
        self.origin = f"http://127.0.0.1:{port}"

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, dict, bytes]:
        """Exactly this path, not tidied up; underscores in the names of headers stand for dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    @contextmanager
    def socket(self, origin: str | None = "own", **options: Any) -> Iterator[ClientConnection]:
        options.setdefault("compression", None)
        chosen: Any = self.origin if origin == "own" else origin
        with connect(f"ws://127.0.0.1:{self.port}/kernel", origin=chosen, **options) as opened:
            yield opened

    @contextmanager
    def page(self, lesson: str = "p00") -> Iterator["Page"]:
        with self.socket() as opened:
            yield Page(opened, lesson)


class Page:
    """A page that has said hello."""

    def __init__(self, opened: ClientConnection, lesson: str) -> None:
        self.socket, self.number = opened, 0
        self.say(type="hello", token=TOKEN, lesson=lesson)
        assert self.hear()["state"] == "ready"

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self) -> Event:
        return json.loads(self.socket.recv(timeout=20))

    def ask(self, *sources: str, track: str = "numpy", target: str = "") -> int:
        """Run the last of the cells a, b, c, …, or another."""
        cells = [{"id": "abcdefgh"[place], "source": source} for place, source in enumerate(sources)]
        self.number += 1
        target = target or cells[-1]["id"]
        self.say(type="run", run=self.number, lesson="p00", track=track, cells=cells, target=target)
        return self.number

    def until(self, kind: str, **wanted: Any) -> list[Event]:
        """What comes up to an event of this kind."""
        heard = [self.hear()]
        while heard[-1]["type"] != kind or any(heard[-1].get(name) != value for name, value in wanted.items()):
            heard.append(self.hear())
        return heard

    def run(self, *sources: str, **options: Any) -> list[Event]:
        return self.until("done", run=self.ask(*sources, **options))


def told(events: list[Event], kind: str) -> list[Any]:
    """What the events of one kind say."""
    key = {"stream": "text", "value": "text", "plan": "cells", "error": "name", "status": "state", "done": "reason"}
    return [event[key.get(kind, "cell")] for event in events if event["type"] == kind]


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Site]:
    opened = listen(0)
    port = opened.getsockname()[1]
    app = make_app(folder, TOKEN, port, **options)
    config = uvicorn.Config(app, log_level="warning", server_header=False, ws="websockets-sansio")
    running = server.Server(config)
    app.state.stopping = lambda: running.should_exit
    thread = threading.Thread(target=running.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        yield Site(port, app, running)
    finally:
        running.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("reader")
    (outside / "secret.txt").write_text("SECRET")
    site = outside / "site"
    for name in ("lessons/p00", "assets"):
        (site / name).mkdir(parents=True)
    (site / "index.html").write_text("<p>front page</p>" * 200)
    (site / "404.html").write_text("nothing here")
    (site / "lessons/p00/index.html").write_text("lesson")
    (site / "assets/page-1a2b.js").write_text("let x = 1;\n" * 200)
    (site / "search.json").write_text("{}")
    (site / "linked.txt").symlink_to(outside / "secret.txt")
    (site / "up").symlink_to(outside)
    return site


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with serving(folder, hello_seconds=0.5) as running:
        yield running


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def soon(true: Callable[[], bool]) -> bool:
    """Whether it comes true within ten seconds."""
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


# Pages


def test_pages_and_their_folders(site: Site) -> None:
    assert site.ask("/")[2].startswith(b"<p>front page")
    assert site.ask("/lessons/p00/")[::2] == (200, b"lesson")
    status, headers, _ = site.ask("/lessons/p00")
    assert (status, headers["location"]) == (307, f"{site.origin}/lessons/p00/")
    assert site.ask("/lessons/none/")[::2] == (404, b"nothing here")
    assert json.loads(site.ask("/runtime.json")[2]) == {"kind": "kernel", "dev": False}
    assert site.ask("/dev/events")[0] == 404
    assert site.ask("/", "HEAD")[::2] == (200, b"")


def test_pages_are_asked_for_again_and_assets_are_kept(site: Site) -> None:
    for path in ("/", "/search.json", "/runtime.json"):
        assert site.ask(path)[1]["cache-control"] == "no-cache"
    assert "immutable" in site.ask("/assets/page-1a2b.js")[1]["cache-control"]
    etag = site.ask("/")[1]["etag"]
    status, headers, body = site.ask("/", If_None_Match=etag)
    assert (status, headers["cache-control"], body) == (304, "no-cache", b"")


def test_text_is_compressed(site: Site) -> None:
    status, headers, body = site.ask("/", Accept_Encoding="gzip")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(body) == site.ask("/")[2]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/lessons/../../secret.txt",
        "/lessons/%2e%2e%2f%2e%2e%2fsecret.txt",
        "//../secret.txt",
        "/..%5csecret.txt",
        "/%252e%252e/secret.txt",
        "/linked.txt",
        "/up/secret.txt",
        "/secret.txt%00",
        "/a" * 5000,
    ],
)
def test_nothing_outside_the_folder_is_served(site: Site, path: str) -> None:
    status, _, body = site.ask(path)
    assert (status, b"SECRET" in body) == (404, False)


def test_an_absolute_path_leads_nowhere(site: Site, folder: Path) -> None:
    for path in (f"/{folder.parent}/secret.txt", f"/%2f{folder.parent}/secret.txt"):
        assert site.ask(path)[0] == 404


def test_every_answer_carries_the_headers_of_safety(site: Site) -> None:
    etag = site.ask("/")[1]["etag"]
    answers = {
        200: site.ask("/"),
        304: site.ask("/", If_None_Match=etag),
        307: site.ask("/lessons/p00"),
        404: site.ask("/none"),
        403: site.ask("/", Host="evil.example"),
        401: site.ask("/api/lab", "POST", Origin=site.origin),
        405: site.ask("/search.json", "POST", Origin=site.origin),
    }
    for status, (found, headers, _) in answers.items():
        assert found == status
        assert SAFE.items() <= headers.items()
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
        assert "server" not in headers
    assert SAFE.items() <= site.ask("/runtime.json")[1].items()


# Who gets in


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""]
)
def test_a_name_rebound_to_this_machine_is_refused(site: Site, host: str) -> None:
    name = host.format(port=site.port)
    assert site.ask("/", Host=name)[0] == 403
    assert site.ask("/runtime.json", Host=name)[0] == 403
    assert refused(site, name) == 403


def test_who_forwards_the_port_learns_how_to_be_let_in(site: Site) -> None:
    said = site.ask("/", Host="box.example:9000")[2].decode()
    assert f"answers only to its own address, 127.0.0.1:{site.port} or localhost:{site.port}." in said
    assert "groundup learn --allow-host box.example:9000" in said
    assert "--allow-host NAME" in site.ask("/", Host="<script>")[2].decode()


@pytest.mark.parametrize(
    ("host", "origin", "let_in"),
    [
        ("localhost:9000", "http://localhost:9000", True),
        ("box", "https://box", True),
        ("box:81", "http://box:81", True),
        ("127.0.0.1:{port}", "https://box", True),  # a forwarder that puts our own name into Host
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}", True),
        ("localhost:9001", "http://localhost:9001", False),
        ("evil.box", "http://evil.box", False),
        ("box.evil", "http://box.evil", False),
        ("box:81:82", "http://box", False),
        ("box", "http://evil.example", False),
        ("box", "ftp://box", False),
        ("box", "https://127.0.0.1:{port}", False),
    ],
)
def test_allowed_names_are_let_in_and_no_others(folder: Path, host: str, origin: str, let_in: bool) -> None:
    with serving(folder, allowed=["localhost:9000", "box"]) as running:
        host, origin = host.format(port=running.port), origin.format(port=running.port)
        assert refused(running, host, origin) == (101 if let_in else 403)
        policy = running.ask("/")[1]["content-security-policy"]
        assert "ws://localhost:9000 wss://localhost:9000 ws://box:* wss://box:*" in policy


@pytest.mark.parametrize("name", ["*", "http://box", "box/", "a b", ""])
def test_only_a_name_can_be_allowed(folder: Path, name: str) -> None:
    with pytest.raises(UserError, match="--allow-host"):
        server.serve(folder, 0, False, "", print, allowed=[name])


def test_two_hosts_are_refused(site: Site) -> None:
    assert refused(site, f"127.0.0.1:{site.port}\r\nHost: evil.example") in (400, 403)


def refused(site: Site, host: str, origin: str = "") -> int:
    """How a websocket that names this host is answered, its Origin being right or another."""
    request = (
        f"GET /kernel HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin or site.origin}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as plain:
        plain.sendall(request.encode())
        return int(plain.recv(100).split()[1])


def test_both_names_of_this_machine_are_right(site: Site) -> None:
    local = f"localhost:{site.port}"
    assert site.ask("/", Host=local)[0] == 200
    assert refused(site, local) == 101
    with site.socket(f"http://{local}") as opened:
        Page(opened, "p00")


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", None, "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://127.0.0.1"],
)
def test_a_page_from_elsewhere_gets_no_kernel_and_no_lab(site: Site, origin: str | None) -> None:
    origin = origin and origin.format(port=site.port)
    with pytest.raises(InvalidStatus) as caught, site.socket(origin):
        pass
    assert caught.value.response.status_code == 403
    named = {} if origin is None else {"Origin": origin}
    right = {"X-Groundup-Token": TOKEN, "Content-Type": "application/json"}
    assert site.ask("/api/lab", "POST", '{"lesson": "none"}', **right, **named)[0] == 403


@pytest.mark.parametrize(
    "message",
    [
        '{"type": "hello", "token": "wrong", "lesson": "p00"}',
        '{"type": "hello", "token": "", "lesson": "p00"}',
        '{"type": "hello", "token": null, "lesson": "p00"}',
        '{"type": "hello", "lesson": "p00"}',
        '{"type": "hello", "token": "the-right-token", "lesson": 1}',
        '{"type": "run", "token": "the-right-token", "lesson": "p00"}',
        "[]",
        "hello",
        b"\xff",
        "",
    ],
)
def test_without_the_token_the_kernel_is_closed(site: Site, message: str | bytes) -> None:
    with site.socket() as opened:
        opened.send(message)
        assert closed(opened) == 4401


def test_who_says_nothing_is_sent_away(site: Site) -> None:
    with site.socket() as opened:
        assert closed(opened) == 4401


def closed(opened: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        opened.recv(timeout=10)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code


# JupyterLab


def lab(site: Site, body: str = '{"lesson": "self_attention"}', **headers: str) -> tuple[int, Event]:
    right = {"X-Groundup-Token": TOKEN, "Content-Type": "application/json", "Origin": site.origin}
    status, _, answer = site.ask("/api/lab", "POST", body, **{**right, **headers})
    return status, json.loads(answer)


def test_lab_wants_the_token_and_a_lesson_in_json(site: Site) -> None:
    assert lab(site, **{"X-Groundup-Token": "wrong"})[0] == 401
    assert lab(site, **{"Content-Type": "text/plain"})[0] == 415
    assert [lab(site, body)[0] for body in ("", "[]", "{}", '{"lesson": 3}')] == [400] * 4
    assert lab(site, '{"lesson": "no_such_lesson"}')[0] == 404


def test_without_jupyterlab_a_sentence_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jupyter, "find_spec", lambda name: None)
    status, answer = lab(site)
    assert (status, "pip install" in answer["error"]) == (501, True)


def test_lab_is_started_once_and_ends_with_the_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import os, sys, time; print('starting', file=sys.stderr, flush=True)\n"
        "print(f'[I]  http://127.0.0.1:8888/lab/tree/x.ipynb?token=t{os.getpid()}', file=sys.stderr, flush=True)\n"
        "time.sleep(60)"
    )
    monkeypatch.setattr(jupyter, "find_spec", lambda name: name)
    monkeypatch.setattr(jupyter, "command", lambda lesson: [sys.executable, "-c", code])
    with serving(folder) as running:
        status, answer = lab(running)
        assert status == 200
        found = re.fullmatch(r"http://127\.0\.0\.1:8888/lab/tree/self_attention\.ipynb\?token=t(\d+)", answer["url"])
        assert found
        assert lab(running, '{"lesson": "p02"}')[1]["url"].endswith(f"/p02_char_rnn.ipynb?token=t{found[1]}")
        assert not gone(int(found[1]))
    assert gone(int(found[1]))


def test_lab_that_fails_says_why(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jupyter, "find_spec", lambda name: name)
    monkeypatch.setattr(jupyter, "command", lambda lesson: [sys.executable, "-c", "exit('no port is free')"])
    assert lab(site) == (501, {"error": "JupyterLab did not start: no port is free"})


# Live cells


def test_a_cell_runs_after_what_it_needs_and_tells_what_comes_of_it(site: Site) -> None:
    cells = ("x = 20", "print('unrelated')", "def f(): return x + 1", "print(f())\nf() + 1")
    with site.page() as page:
        events = page.run(*cells)
        run = [event for event in events if event["type"] != "status"]
        assert told(run, "plan") == [["a", "c", "d"]]
        assert told(run, "start") == told(run, "end") == ["a", "c", "d"]
        assert (told(run, "stream"), told(run, "value")) == (["21\n"], ["22"])
        assert {event["run"] for event in run} == {1}
        assert run[-1] == {"type": "done", "run": 1, "ok": True, "reason": ""}
        edited = (*cells[:2], "def f(): return x - 1", cells[3])
        events = page.run(*edited)
        assert (told(events, "plan"), told(events, "value")) == ([["c", "d"]], ["20"])


def test_errors_figures_and_the_working_folder(site: Site) -> None:
    with site.page() as page:
        events = page.run("def f():\n    return 1 / 0", "f()")
        assert (told(events, "error"), told(events, "done")) == (["ZeroDivisionError"], ["error"])
        (error,) = (event for event in events if event["type"] == "error")
        assert error["lines"][-1] == {"cell": "a", "line": 2, "code": "return 1 / 0"}
        events = page.run("import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\nplt.show()")
        (figure,) = (event for event in events if event["type"] == "figure")
        assert figure["svg"].startswith("<svg")
        assert not told(events, "stream")  # no warning that there is no window
        events = page.run(
            "import os, sys\nprint('groundup' in sys.modules, os.environ['OMP_NUM_THREADS'], os.getcwd())"
        )
        loaded, threads, working = told(events, "stream")[0].split()
        assert (loaded, threads) == ("False", os.environ.get("OMP_NUM_THREADS", "1"))
        assert Path(working) != Path.cwd()


def test_a_new_page_finds_what_the_old_one_ran_and_tracks_are_apart(site: Site) -> None:
    cells = ("import os\nx = os.getpid()", "x")
    with site.page() as page:
        first = told(page.run(*cells), "value")
    with site.page() as page:
        events = page.run(*cells)
        assert (told(events, "plan"), told(events, "value")) == ([["b"]], first)
        events = page.run(*cells, track="torch")
        assert (told(events, "plan"), told(events, "value")) == ([["a", "b"]], first)


def test_stop_stops_an_endless_loop_and_what_waits_behind_it(site: Site) -> None:
    cells = ("x = 1", "while x: pass", "x")
    with site.page() as page:
        first = page.ask(*cells, target="b")
        page.until("start", cell="b")
        second = page.ask(*cells, target="c")
        page.say(type="interrupt")
        events = page.until("done", run=first)
        assert {event["run"]: event["reason"] for event in events if event["type"] == "done"} == {
            first: "interrupted",
            second: "interrupted",
        }
        assert told(events, "error") == ["KeyboardInterrupt"]
        events = page.run(*cells)
        assert (told(events, "plan"), told(events, "value")) == ([["c"]], ["1"])  # what had run is kept
        page.say(type="interrupt")  # nothing to stop
        assert told(page.run(*cells), "value") == ["1"]


def test_a_cell_that_does_not_stop_is_ended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PATIENCE", 0.6)
    deaf = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf')\nwhile True: time.sleep(1)"
    with site.page() as page:
        page.ask(deaf)
        page.until("stream")
        page.say(type="interrupt")
        events = page.until("done")
        assert (told(events, "done"), told(events, "status")) == (["restarted"], ["stopped"])


def test_stop_stops_nothing_of_another_page(site: Site) -> None:
    with site.page() as one, site.page() as other:
        run = one.ask("go = 'on'\nwhile go: pass")
        one.until("start")
        other.until("status", text=sessions.AT_WORK)
        other.ask("1")
        assert other.hear() == {"type": "status", "state": "busy", "text": sessions.AT_WORK}
        other.say(type="interrupt")
        assert told(other.until("done"), "done") == ["interrupted"]
        with pytest.raises(TimeoutError):
            one.socket.recv(timeout=0.5)  # it goes on
        other.ask("1")
        one.say(type="interrupt")
        assert told(one.until("done", run=run), "done") == ["interrupted"]
        assert told(other.until("done"), "value") == ["1"]


def test_what_a_page_left_running_can_be_stopped_from_another(site: Site) -> None:
    with site.page() as one:
        one.ask("while True: pass")
        one.until("start")
    with site.page() as other:
        other.until("status", text=sessions.AT_WORK)
        run = other.ask("2")
        other.until("status", text=sessions.AT_WORK)
        other.say(type="interrupt")
        other.until("done", run=run)
        assert told(other.run("2"), "value") == ["2"]


def test_a_kernel_that_dies_is_told_and_the_next_run_has_another(site: Site) -> None:
    with site.page() as page:
        events = page.run("import os\nos._exit(3)")
        assert (told(events, "done"), told(events, "status")[-1]) == (["restarted"], "stopped")
        text = [event["text"] for event in events if event["type"] == "status"][-1]
        assert text == f"Python has ended: its exit code was 3. {sessions.LOST}"
        assert told(page.run("x = 3", "x"), "plan") == [["a", "b"]]
        events = page.run("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
        assert "Python crashed (SIGSEGV). All variables are gone" in str(events)


def test_a_kernel_that_is_killed_while_nothing_runs_is_told_to_every_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "WATCH", 0.05)
    with site.page("idle") as one, site.page("idle") as other:
        os.kill(int(told(one.run("import os", "os.getpid()"), "value")[0]), signal.SIGKILL)
        for page in (one, other):
            text = page.until("status", state="stopped")[-1]["text"]
            assert text == f"Python was killed, perhaps because memory ran out. {sessions.LOST}"
        assert told(one.run("x = 3", "x"), "plan") == [["a", "b"]]


def test_a_cell_cannot_ask_for_input(site: Site) -> None:
    with site.page() as page:
        (error,) = (event for event in page.run("input('Your name? ')") if event["type"] == "error")
        assert (error["name"], error["message"][:33]) == ("RuntimeError", "A cell cannot ask for input. Writ")


def test_text_and_figures_come_in_their_order(site: Site) -> None:
    code = "import matplotlib.pyplot as plt\nprint('one')\nplt.plot([1, 2])\nplt.show()\nprint('two')"
    with site.page() as page:
        kinds = [event["type"] for event in page.run(code) if event["type"] in ("stream", "figure")]
        assert kinds == ["stream", "figure", "stream"]


def test_restart_forgets_also_in_the_middle_of_a_run(site: Site) -> None:
    with site.page() as page:
        page.run("x = 3", "x")
        page.ask("while True: pass")
        page.until("start")
        page.say(type="restart")
        assert told(page.until("status", state="ready"), "done") == ["restarted"]
        page.say(type="restart")
        page.until("status", state="ready")
        assert told(page.run("x = 3", "x"), "plan") == [["a", "b"]]


def test_questions_about_names_are_answered_from_the_kernel_while_it_has_time(site: Site) -> None:
    def asked(page: Page, kind: str, words: str, track: str = "numpy") -> Any:
        page.say(type=kind, ask=7, track=track, words=words)
        (answer,) = [event for event in page.until("answer") if event["type"] == "answer"]
        assert answer["ask"] == 7
        return answer["found"]

    with site.page("names") as page:
        assert asked(page, "complete", "wor") is None  # there is no kernel, and none is started
        page.run("word = 'a'\nimport time")
        assert asked(page, "complete", "wor") == ["word"]
        assert asked(page, "complete", "wor", track="torch") == []
        assert asked(page, "describe", "word")["head"] == "word: str = 'a'"
        assert asked(page, "describe", "nothing") is None
        run = page.ask("time.sleep(60)")
        page.until("start", run=run)
        assert asked(page, "complete", "wor") is None
        page.say(type="interrupt")
        page.until("done", run=run)
        endless = "class A:\n    @property\n    def x(self):\n        while True: pass\na = A()"
        page.run(endless)
        assert asked(page, "complete", "a.x.y") is None  # it is stopped
        assert told(page.run("word"), "value") == ["'a'"]


def test_a_flood_of_text_is_cut(site: Site) -> None:
    with site.page() as page:
        events = page.run("for line in range(3000): print(line, 'x' * 1000)\nimport time; time.sleep(0.3)")
        texts = [event["text"] for event in events if event["type"] == "stream"]
        assert sum(map(len, texts)) < runner.TEXT_LIMIT + 200
        assert texts[0].startswith("0 x")
        assert texts[-1].splitlines()[-1].startswith("2999 x")
        assert "letters are left out here" in "".join(texts)
        assert told(page.run("print('next')"), "stream") == ["next\n"]


def test_what_makes_no_sense_is_answered_and_the_page_goes_on(site: Site) -> None:
    with site.page() as page:
        for text in ("no json", "[]", "{}", '{"type": "run", "run": 1}', '{"type": "run", "run": 1, "cells": [[]]}'):
            page.socket.send(text)
            assert page.hear()["state"] == "failed"
        page.say(type="run", run=1, lesson="p00", track="numpy", cells=[], target="a")
        assert page.hear()["state"] == "failed"
        assert told(page.run("1"), "value") == ["1"]


def test_few_kernels_live_and_idle_ones_end(folder: Path) -> None:
    pids = []
    cells = ("import os", "os.getpid()")
    few = Sessions(kernels=1, idle_seconds=1.0)
    with serving(folder, sessions=few) as running, running.page("one") as one, running.page("two") as two:
        pids += told(one.run(*cells), "value")
        two.ask("while True: pass")
        two.until("start")
        assert gone(int(pids[0]))  # it made room
        events = one.run(*cells)
        assert (told(events, "done"), told(events, "status")[-1]) == (["error"], "failed")  # no room: two is busy
        two.say(type="interrupt")
        two.until("done")
        pids += told(two.run(*cells), "value")
        assert soon(lambda: gone(int(pids[1])))  # nobody needs it


# From start to end


def test_it_ends_with_a_connection_that_comes_while_it_ends(folder: Path) -> None:
    """Browsers open some ahead of their requests, and hold them for minutes."""
    ours, theirs = socket.socketpair()
    site: list[Site] = []

    async def come_late(_: server.Pages) -> None:
        while not (site and site[0].running and site[0].running.should_exit):
            await asyncio.sleep(0)
        running: Any = site[0].running
        while running.servers[0].is_serving():
            await asyncio.sleep(0)
        made = running.config.http_protocol_class
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: made(config=running.config, server_state=running.server_state, app_state={}), theirs
        )

    began = time.monotonic()
    ours.settimeout(20)
    with ours:
        with serving(folder, dev=come_late) as one:
            site.append(one)
            one.ask("/")  # it has begun
        assert time.monotonic() - began < 10
        assert ours.recv(1) == b""  # it was there, and was closed


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_its_kernels_and_without_a_word(folder: Path, sign: signal.Signals) -> None:
    code = (
        "import sys, webbrowser; from pathlib import Path; from groundup.reader import server\n"
        "webbrowser.open = lambda address: print('browser', address, flush=True)\n"
        "server.serve(Path(sys.argv[1]), 8765, True, 'lessons/p00/', lambda text: print(text, flush=True))"
    )
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", code, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        said = ""
        while "browser" not in said:
            said += child.stdout.readline()
        (address,) = set(re.findall(r"http://127\.0\.0\.1:\d+/lessons/p00/#token=\S+", said))
        assert said.count(address) == 2
        token = address.partition("=")[2]
        assert len(token) >= 43  # 256 bits
        site = Site(int(re.findall(r":(\d+)/", address)[0]), None, None)
        with site.socket() as opened:
            opened.send(json.dumps({"type": "hello", "token": token, "lesson": "p00"}))
            opened.recv(timeout=20)
            loop = "import os, subprocess\nchild = subprocess.Popen(['sleep', '60'])\n"
            loop += "print(os.getpid(), child.pid, os.getcwd(), flush=True)\nwhile True: pass"
            cells = [{"id": "a", "source": loop}]
            opened.send(json.dumps({"type": "run", "run": 1, "track": "numpy", "cells": cells, "target": "a"}))
            while (event := json.loads(opened.recv(timeout=20)))["type"] != "stream":
                pass
            kernel, grandchild, working = event["text"].split()
            child.send_signal(sign)
            child.wait(20)
        assert child.returncode == (0 if sign == signal.SIGINT else -signal.SIGTERM)
        assert child.stderr.read() == ""
    assert gone(int(kernel))
    assert soon(lambda: gone(int(grandchild)))
    assert not Path(working).exists()


def test_the_next_port_if_one_is_busy() -> None:
    with listen(0) as busy:
        port = busy.getsockname()[1]
        with listen(port) as other:
            assert other.getsockname()[0] == "127.0.0.1"
            assert port < other.getsockname()[1] <= port + server.TRIED or port > 65535 - server.TRIED


def test_dev_mode_reloads_the_pages(folder: Path) -> None:
    async def follow(pages: server.Pages) -> None:
        while True:
            await asyncio.sleep(0.05)
            pages.reload()

    with serving(folder, dev=follow) as running:
        assert json.loads(running.ask("/runtime.json")[2]) == {"kind": "kernel", "dev": True}
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
        connection.request("GET", "/dev/events")
        answer = connection.getresponse()
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        lines = [answer.readline() for _ in range(6)]
        assert lines.count(b"data: reload\n") == 2
        connection.close()
