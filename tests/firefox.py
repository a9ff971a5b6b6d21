"""Firefox, driven over WebDriver BiDi, which it speaks by itself: as much as a walk through the pages needs."""

import contextlib
import itertools
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from reader_site import ELSEWHERE, FIREFOX, SECONDS

#: It is to ask nobody for updates, lists or studies.
QUIET = {
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,
}


class Firefox:
    """A headless Firefox with one tab, in a profile of its own.

    outside  the addresses on other machines that pages asked for
    errors   what pages wrote on the console as errors, and their uncaught exceptions
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.numbers = itertools.count(1)
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["network.beforeRequestSent", "log.entryAdded"])
        self.tab = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a command."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            heard = json.loads(self.socket.recv(timeout=SECONDS))
            if heard.get("id") == number:
                assert heard["type"] == "success", heard
                return heard["result"]
            self.note(heard)

    def note(self, event: Any) -> None:
        """Keep what a page must not do."""
        about = event.get("params", {})
        if event.get("method") == "network.beforeRequestSent" and about.get("context"):
            url = about["request"]["url"]
            if ELSEWHERE.match(url) and not re.match("resource:|chrome:|moz-", url):
                self.outside.append(url)
        if event.get("method") == "log.entryAdded" and about.get("level") == "error":
            self.errors.append(about["text"])

    def open(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.call("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def js(self, expression: str) -> Any:
        """The value of an expression or promise on the page."""
        told = self.call(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))",
            target={"context": self.tab},
            awaitPromise=True,
        )
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        return json.loads(told["result"]["value"])

    def until(self, expression: str) -> None:
        """Wait until an expression is true; on a page that is only coming it may fail."""
        end = time.monotonic() + 2 * SECONDS
        while not self.js(f"(() => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }})()"):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click on an element that is there, as a mouse does."""
        self.until(f"document.querySelector({json.dumps(selector)})?.getClientRects().length")
        self.js(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{ block: 'center' }})")
        found = self.call(
            "browsingContext.locateNodes", context=self.tab, locator={"type": "css", "value": selector}, maxNodeCount=1
        )
        origin = {"type": "element", "element": {"sharedId": found["nodes"][0]["sharedId"]}}
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": origin}
        mouse = {"type": "pointer", "id": "mouse", "actions": [move, *press]}
        self.call("input.performActions", context=self.tab, actions=[mouse])

    def type(self, text: str) -> None:
        """Press keys."""
        pressed = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keys", "actions": pressed}]
        self.call("input.performActions", context=self.tab, actions=actions)

    def write(self, text: str) -> None:
        """Put a text into the editor that has the focus, as by pasting over everything."""
        control = "\ue009"
        keys = [("keyDown", control), ("keyDown", "a"), ("keyUp", "a"), ("keyUp", control)]
        pressed = [{"type": kind, "value": key} for kind, key in keys]
        self.call("input.performActions", context=self.tab, actions=[{"type": "key", "id": "keys", "actions": pressed}])
        self.js(f"document.execCommand('insertText', false, {json.dumps(text)})")


@contextlib.contextmanager
def opened(profile: Path) -> Iterator[Firefox]:
    """Firefox with a new profile."""
    assert FIREFOX is not None
    profile.mkdir()
    settings = [f'user_pref("{name}", {json.dumps(value)});\n' for name, value in QUIET.items()]
    (profile / "user.js").write_text("".join(settings))
    command = [FIREFOX, "--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(profile)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        lines = list[str]()
        while not lines or "BiDi listening on" not in lines[-1]:
            lines.append(process.stderr.readline())
            assert lines[-1], f"Firefox has ended: {''.join(lines)}"
        try:
            with connect(lines[-1].split()[-1] + "/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)
