"""Runs a lesson's cells inside Pyodide and tells the page what happens, in the words of the kernel server."""

import builtins
import io
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from typing import Any

from cells import Planner
from pyodide.code import find_imports
from runner import Printed, complete, describe, no_input, run_cell

import __main__

WINDOW = 0.05  # seconds
MESSAGES = 50  # in one window; a cell that prints more lines gets its text in larger pieces

NO_TORCH = "PyTorch does not run in a browser. Install groundup and start `groundup learn` to run this cell."


class Output:
    """Text on its way to the page: at once while it is little, gathered when it is much."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self.emit = emit
        self.pending: list[str] = []
        self.name = "stdout"
        self.begin()

    def begin(self) -> None:
        """A cell starts."""
        self.window, self.sent = 0.0, 0
        self.printed = Printed(self.add)

    def write(self, name: str, text: str) -> None:
        self.printed.write(name, text)

    def close(self) -> None:
        """All that the cell has printed so far goes to the page."""
        self.printed.close()
        self.flush()

    def add(self, name: str, text: str) -> None:
        if name != self.name:
            self.flush()
            self.name = name
        self.pending.append(text)
        now = time.perf_counter()
        # No timer fires while a cell runs, so text that waits may wait for long: whole lines go at once, until there
        # are too many of them, and so does whatever comes after a pause.
        paused = now - self.window >= WINDOW
        if paused:
            self.window, self.sent = now, 0
        if paused or (text.endswith("\n") and self.sent < MESSAGES):
            self.sent += 1
            self.flush()

    def flush(self) -> None:
        text = "".join(self.pending)
        self.pending.clear()
        if text:
            self.emit({"type": "stream", "name": self.name, "text": text})


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr."""

    encoding = "utf-8"

    def __init__(self, name: str, output: Output) -> None:
        self.name = name
        self.output = output

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.output.write(self.name, text)
        return len(text)

    def flush(self) -> None:
        self.output.flush()


class NoTorch(MetaPathFinder):
    """Says why there is no PyTorch, on the line that imports it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(NO_TORCH, name=name)


class Session:
    """What has run in this worker. ``send`` takes one event as JSON."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self.send = send
        self.planner = Planner()
        self.request: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.ran: dict[str, str] = {}  # the texts of cells as they were when they ran
        self.todo: list[str] = []
        self.cell = ""
        self.output = Output(self.emit)
        sys.stdout, sys.stderr = Stream("stdout", self.output), Stream("stderr", self.output)
        sys.meta_path.insert(0, NoTorch())
        builtins.input = no_input
        # Neither the missing window nor the list of fonts is news to a reader.
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

    def emit(self, event: dict[str, Any]) -> None:
        """Send an event of the cell that runs."""
        if event["type"] != "stream":
            self.output.close()
        self.send(json.dumps({**event, "run": self.request["run"], "cell": self.cell}))

    def answer(self, question: str) -> None:
        """What is known of a name now."""
        asked = json.loads(question)
        known = {"complete": complete, "describe": describe}[asked["type"]](asked["words"], vars(__main__))
        self.send(json.dumps({"type": "answer", "ask": asked["ask"], "found": known}))

    def plan(self, request: str) -> str:
        """Decide what a request runs; returns the modules that this imports, as JSON."""
        self.request = json.loads(request)
        self.sources = {cell["id"]: cell["source"] for cell in self.request["cells"]}
        self.todo = self.planner.plan(list(self.sources.items()), self.request["target"])
        self.send(json.dumps({"type": "plan", "run": self.request["run"], "cells": self.todo}))
        return json.dumps(sorted({name for cell in self.todo for name in find_imports(self.sources[cell])}))

    def run(self) -> None:
        """Run what was planned, until a cell fails."""
        ok = all(self.run_one(cell) for cell in self.todo)
        self.send(json.dumps({"type": "done", "run": self.request["run"], "ok": ok, "reason": "" if ok else "error"}))

    def run_one(self, cell: str) -> bool:
        self.cell = cell
        self.output.begin()
        self.emit({"type": "start"})
        start = time.perf_counter()
        self.ran[cell] = self.sources[cell]
        ok = run_cell(cell, self.sources[cell], vars(__main__), self.emit, self.ran)
        self.emit({"type": "end", "ok": ok, "seconds": round(time.perf_counter() - start, 4)})
        if ok:
            self.planner.ran(cell)
        return ok
