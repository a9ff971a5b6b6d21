"""Who is asked for values and gradients: the learner's process, or code of ours. Both are asked in the same way."""

import copy
import difflib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from groundup.practice.exercise import Exercise
from groundup.practice.grading.compare import describe, same_bits
from groundup.practice.grading.process import Ended, Worker
from groundup.practice.grading.trees import mapped
from groundup.practice.grading.verdict import Status
from groundup.practice.grading.wire import Code, Function, text_of

FORGED = "Something other than an answer came from your code's process."


class Failed(Exception):
    """The answer cannot be asked any further: its code raised, was refused, or has ended."""

    def __init__(self, status: Status, message: str, lines: Iterable[tuple[int, str]] = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.lines = status, message, tuple(lines)


class NoBackward(Exception):
    """The function did not return a value and a backward; the message says what instead."""


@dataclass
class Answer:
    """What one call gave: the value, and a way to pull gradients back (in the order of ``gives``, as it came)."""

    value: Any
    pull: Callable[..., Any]
    steps: int = 0


class Subject(Protocol):
    """Can be called with arguments by name."""

    exercise: Exercise

    def __call__(self, **arguments: Any) -> Answer:
        """The value and its backward."""


class Local:
    """The reference, or a variant of the solution: trusted code in this process."""

    def __init__(self, exercise: Exercise, functions: tuple[Callable[..., Any], ...] | None = None) -> None:
        self.exercise = exercise
        self.functions = functions or defined(exercise, sys.modules)

    def __call__(self, **arguments: Any) -> Answer:
        fresh = {name: build(value) for name, value in arguments.items()}
        if self.exercise.use:
            result = self.exercise.use(*self.functions, **fresh)
        else:
            result = self.functions[0](**fresh)
        value, pull = result if self.exercise.gives else (result, no_pull)
        # Later calls may change what a reference returned only by accident: keep it apart.
        return Answer(copy.deepcopy(value), lambda *upstream: copy.deepcopy(pull(*upstream)))


def defined(exercise: Exercise, modules: Mapping[str, Any]) -> tuple[Callable[..., Any], ...]:
    """The library's own objects of the names that an answer defines: functions, or classes of methods."""
    home = {f.__qualname__.partition(".")[0]: modules[f.__module__] for f in exercise.functions}
    return tuple(getattr(home[name], name) for name in exercise.names)


def build(value: Any) -> Any:
    """An argument as a function of ours takes it: apart from the original, functions built, Generators fresh."""
    return mapped(value, lambda leaf: leaf.build() if isinstance(leaf, Code) else copy.deepcopy(leaf))


class Remote:
    """The learner's answer at work in a worker. Notes whether arguments changed, and can show old results again."""

    def __init__(self, exercise: Exercise, worker: Worker) -> None:
        self.exercise, self.worker = exercise, worker
        self.changed = ""  # the first argument that a call has changed
        self.calls = 0
        self.count = 0  # instructions to count up to, during calls
        source = exercise.use or exercise.functions[0]
        self.parameters = list(inspect.signature(source).parameters.values())
        if exercise.use:
            self.parameters = self.parameters[len(exercise.functions) :]
        kinds = [p for p in self.parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
        self.positional = [p.name for p in kinds]

    def load(self, source: str) -> None:
        """Run the answer's top level. Raises Failed."""
        exercise = self.exercise
        positions = [index for index, p in enumerate(self.parameters) if p.name in exercise.gives]
        reply = self.request(
            do="load",
            source=source,
            names=list(exercise.names),
            use=text_of(exercise.use) if exercise.use else "",
            track=exercise.track,
            gives=positions,
            forbids=list(exercise.forbids),
        )
        if missing := reply.get("missing"):
            names = [name for name in exercise.names if not isinstance(missing, list) or name in missing]
            there = reply.get("there")
            raise Failed(
                "wrong",
                undefined(names, [name for name in there if isinstance(name, str)] if isinstance(there, list) else []),
            )

    def __call__(self, **arguments: Any) -> Answer:
        args, options = self.arranged(arguments)
        positional = [name for name in self.positional if name in arguments]
        reply = self.request(do="call", args=args, options=options, **self.counting())
        self.calls += 1
        after = reply.get("after")
        if not isinstance(after, list) or len(after) != 2 or not isinstance(after[0], list):
            raise Failed("exited", FORGED)
        self.note_changes(dict(zip(positional, args, strict=True)), dict(zip(positional, after[0], strict=False)))
        self.note_changes(options, after[1] if isinstance(after[1], dict) else {})
        value = reply.get("value")
        steps = steps_of(reply)
        if not self.exercise.gives:
            return Answer(value, no_pull, steps)
        if not isinstance(value, tuple | list) or len(value) != 2 or not isinstance(value[1], Function):
            raise NoBackward(words_for(value))
        number = value[1].number

        def pull(*upstream: Any) -> Any:
            reply = self.request(do="pull", function=number, upstream=list(upstream), **self.counting())
            after = reply.get("after")
            if not isinstance(after, list) or len(after) != 3 or not all(isinstance(part, list) for part in after[:2]):
                raise Failed("exited", FORGED)
            names = [f"the upstream gradient {index}".removesuffix(" 0") for index in range(len(upstream))]
            self.note_changes(dict(zip(names, upstream, strict=True)), dict(zip(names, after[0], strict=False)))
            words = {name: f"the argument `{name}` of the call in `backward`" for name in arguments}
            before = {words[name]: value for name, value in arguments.items()}
            now = {words[name]: value for name, value in zip(positional, after[1], strict=False)}
            if isinstance(after[2], dict):
                now |= {words[name]: value for name, value in after[2].items() if name in words}
            self.note_changes(before, now)
            answer.steps += steps_of(reply)
            return reply.get("value")

        answer = Answer(value[0], pull, steps)
        return answer

    def arranged(self, arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Parameters without a default by position, the others by name."""
        args = [arguments[name] for name in self.positional if name in arguments]
        return args, {name: value for name, value in arguments.items() if name not in self.positional}

    def counting(self) -> dict[str, int]:
        """What a request says of counting."""
        return {"count": self.count} if self.count else {}

    def again(self, number: int) -> Any:
        """An earlier call's result as it is now (a value alone, without its backward)."""
        value = self.request(do="again", number=number).get("value")
        if self.exercise.gives:
            return value[0] if isinstance(value, tuple | list) and value else None
        return value

    def note_changes(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        for name, value in before.items():
            if not self.changed and not isinstance(value, Code | np.random.Generator) and name in after:
                comparable = plain(value)
                if comparable is not None and not same_bits(comparable, after[name]):
                    self.changed = name

    def request(self, **request: Any) -> dict[str, Any]:
        try:
            reply = self.worker.ask(request)
        except Ended as ended:
            raise Failed(*ending(ended)) from None
        if error := reply.get("error"):
            raise failure(error)
        return reply


def plain(value: Any) -> Any:
    """An argument if it travels unchanged, else None."""
    if isinstance(value, dict):
        return None if any(isinstance(item, Code | np.random.Generator) for item in value.values()) else value
    return value


def no_pull(*_: Any) -> Any:
    """Of a function without a derivative."""
    raise AssertionError("this exercise has no backward")


def words_for(value: Any) -> str:
    """What came back in place of a value and a backward."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return f"a pair whose second part is {describe(value[1])}, not a function"
    return describe(value)


def ending(ended: Ended) -> tuple[Status, str]:
    """Status and message for an answer whose process is gone."""
    said: dict[str, tuple[Status, str]] = {
        "timeout": ("timeout", "Your code took too long: it was stopped. Is there a loop that never ends?"),
        "exited": ("exited", f"Your code ended Python itself ({ended.words}): there is no answer to grade."),
        "big": ("wrong", "Your function returned far too much: more than 64 MiB."),
        "garbled": ("exited", FORGED),
    }
    return said[ended.kind]


def undefined(names: list[str], there: list[str]) -> str:
    """What is missing, and what is there that may have been meant."""
    message = f"You have not defined {' and '.join(f'`{name}`' for name in names)}."
    near = difflib.get_close_matches(names[0], there, n=1)
    if near:
        return f"{message} Is it what you call `{near[0]}`?"
    return f"{message} There is {', '.join(f'`{name}`' for name in there[:5])}." if there else message


def lines_of(told: Any) -> list[tuple[int, str]]:
    """Lines of the answer as the worker tells them; what is none is left out."""
    pairs = [item for item in told if isinstance(item, list) and len(item) == 2] if isinstance(told, list) else []
    return [(number, text) for number, text in pairs if type(number) is int and isinstance(text, str)]


def steps_of(reply: dict[str, Any]) -> int:
    """The instructions that the worker counted."""
    told = reply.get("steps")
    return told if type(told) is int else 0


def failure(error: Any) -> Failed:
    """An error that the worker reported."""
    if not isinstance(error, dict):
        return Failed("exited", FORGED)
    kind, name, message = (str(error.get(key, "")) for key in ("kind", "name", "message"))
    lines = lines_of(error.get("lines"))
    if kind == "refused":
        return Failed("refused", f"Not allowed here: {message}.", lines)
    if kind == "memory":
        return Failed("memory", "Your code asked for more memory than there is for an answer (2 GiB).", lines)
    if kind == "exited":
        return Failed("exited", f"Your code raised {name}, which ends Python: there is no answer to grade.", lines)
    if kind == "unwritten":
        return Failed("unwritten", message[:1].upper() + message[1:] + "." if message else "Not written yet.", lines)
    return Failed("error", f"Your code raised {name}: {message}".rstrip(": ") + ".", lines)
