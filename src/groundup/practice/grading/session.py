"""The learner's side of the grader: runs an answer and does what it is asked to. This file stands alone.

It holds no secret and decides nothing: it is told arguments, and tells what came back.
"""

import builtins
import contextlib
import importlib
import inspect
import io
import linecache
import sys
import types
from typing import Any

import numpy as np

if __package__:
    from groundup.practice.grading.guard import Refused
else:  # in the learner's process
    from guard import Refused  # type: ignore[import-not-found, no-redef]

FILE = "<answer>"
gettrace, settrace, setprofile = sys.gettrace, sys.settrace, sys.setprofile
UPSTREAM = "no gradient reaches the arguments: the result must be made of the tensors that came in"


class Session:
    """One answer at work. ``ask`` takes a request and returns a reply, both plain trees that can be packed."""

    def __init__(self) -> None:
        self.functions: list[Any] = []  # results of the learner's that are functions, by number
        self.given: list[tuple[list[Any], dict[str, Any]]] = []  # and what they were called with that returned them
        self.latest: tuple[list[Any], dict[str, Any]] = [], {}
        self.results: list[Any] = []
        self.refused: list[str] = []
        self.replaced: list[tuple[Any, str, Any]] = []  # what was forbidden
        self.forbids: list[str] = []
        self.source = ""
        self.alone = False  # in a process of its own
        self.torch: Any = None
        self.differentiable: list[int] = []
        self.call: Any = None
        self.mode: Any = contextlib.nullcontext()  # in which the answer runs

    def forbid_all(self) -> None:
        """Put refusals in the place of what the exercise forbids."""
        if not self.replaced:
            self.replaced = [forbid(dotted, self.refused) for dotted in self.forbids]

    def close(self) -> None:
        """Undo that: where others call the same functions."""
        for owner, name, original in reversed(self.replaced):
            setattr(owner, name, original)
        self.replaced.clear()

    def keep(self, function: Any) -> int:
        """Number a function that the grader may ask for later."""
        self.functions.append(function)
        self.given.append(self.latest)
        return len(self.functions) - 1

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request. Whatever the learner's code does wrong becomes a reply with an "error"."""
        try:
            reply = getattr(self, "do_" + request.pop("do"))(**request)
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: they are the learner's
            reply = {"error": self.describe(error)}
        if self.refused:
            reply = {"error": {"kind": "refused", "message": self.refused[0], "lines": reply_lines(reply)}}
        return reply

    def do_load(
        self, source: str, names: list[str], use: str, track: str, gives: list[int], forbids: list[str]
    ) -> dict[str, Any]:
        """Run the answer's top level and find its functions; ``use`` is code of ours that calls them."""
        self.source, self.differentiable = source, gives
        if track == "torch":
            self.torch = importlib.import_module("torch")
            self.mode = ready_made(self.torch, forbids, self.refused)
        self.forbids = forbids
        self.forbid_all()
        module = types.ModuleType("answer")
        sys.modules["answer"] = module  # dataclasses look their module up
        if self.alone:  # doctest, cProfile and inspect look here
            sys.modules["__main__"] = module
            linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
            sys.breakpointhook = no_debugger
        with self.mode:
            exec(compile(source, FILE, "exec", dont_inherit=True), module.__dict__)
        missing = [name for name in names if not callable(getattr(module, name, None))]
        if missing:
            mine = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
            return {"missing": missing, "there": [str(name)[:80] for name in mine[:50]]}
        found = [by_name(getattr(module, name)) for name in names]
        self.call = found[0]
        if use:
            space: dict[str, Any] = {"np": np}
            exec("from __future__ import annotations\n" + use, space)
            ours = next(value for value in space.values() if isinstance(value, types.FunctionType))
            self.call = lambda *args, **options: ours(*found, *args, **options)
        return {"value": None}

    def do_call(self, args: list[Any], options: dict[str, Any], count: int = 0) -> dict[str, Any]:
        """Call the function; the reply shows the arguments as they are afterwards, and the steps if they ``count``."""
        call = self.call_torch if self.torch else self.call
        self.latest = args, options
        sys.setprofile = setprofile  # what drives the answer may look at it with it
        result, steps = counted(call, args, options, count) if count else (call(*args, **options), 0)
        self.results.append(result)
        return {"value": result, "steps": steps, "after": [args, options]}

    def do_pull(self, function: int, upstream: list[Any], count: int = 0) -> dict[str, Any]:
        """Call a function that came back from an earlier call; the reply shows that call's arguments too."""
        pull = self.functions[function]
        result, steps = counted(pull, upstream, {}, count) if count else (pull(*upstream), 0)
        return {"value": result, "steps": steps, "after": [upstream, *self.given[function]]}

    def do_again(self, number: int) -> dict[str, Any]:
        """An earlier result as it is now."""
        return {"value": self.results[number]}

    def call_torch(self, *args: Any, **options: Any) -> Any:
        """The same with tensors in place of arrays; autograd is the backward."""
        torch = self.torch
        given: list[Any] = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in args]
        given = [a.requires_grad_() if index in self.differentiable else a for index, a in enumerate(given)]
        named = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        with self.mode:
            result = self.call(*given, **named)
        if not self.differentiable:
            return to_numpy(torch, result)
        inputs = [given[index] for index in self.differentiable]

        def backward(*upstream: Any) -> tuple[Any, ...]:
            parts = result if isinstance(result, tuple | list) else (result,)
            if not all(isinstance(part, torch.Tensor) and part.requires_grad for part in parts):
                raise TypeError(UPSTREAM)
            # As one number: with `grad_outputs` torch imports half of itself.
            total = sum((part * torch.as_tensor(weight)).sum() for part, weight in zip(parts, upstream, strict=False))
            with self.mode:
                found = torch.autograd.grad(total, inputs, allow_unused=True, retain_graph=True)
            return tuple(None if part is None else part.numpy() for part in found)

        return to_numpy(torch, result), backward

    def describe(self, error: BaseException) -> dict[str, Any]:
        """An exception in plain words, with the learner's own lines, outermost first."""
        kinds = {SystemExit: "exited", KeyboardInterrupt: "exited", MemoryError: "memory", Refused: "refused"}
        kind = next((word for type_, word in kinds.items() if isinstance(error, type_)), "error")
        if isinstance(error, NotImplementedError):
            kind = "unwritten"
        try:
            message = str(error)
        except BaseException:
            message = ""
        numbers: list[int] = []
        lines, trace = self.source.splitlines(), error.__traceback__
        while trace is not None and len(numbers) < 1000:
            if trace.tb_frame.f_code.co_filename == FILE and 1 <= trace.tb_lineno <= len(lines):
                numbers.append(trace.tb_lineno)
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename == FILE and error.lineno:
            numbers.append(error.lineno)
        shown = [[number, lines[number - 1].strip()[:200]] for number in numbers[-4:] if number <= len(lines)]
        return {"kind": kind, "name": type(error).__name__, "message": message[:500], "lines": shown}


def counted(function: Any, args: list[Any], options: dict[str, Any], most: int) -> tuple[Any, int]:
    """The result, and how many instructions Python executed for it: counted up to a little more than ``most``."""
    steps = 0

    def tracer(frame: Any, event: str, _: Any) -> Any:
        nonlocal steps
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        if event == "opcode":
            steps += 1
            if steps > most:
                settrace(None)
        return tracer

    before = gettrace()
    settrace(tracer)
    try:
        return function(*args, **options), steps
    finally:
        settrace(before)


def to_numpy(torch: Any, value: Any) -> Any:
    """Tensors of a result as arrays."""
    if isinstance(value, torch.Tensor):
        return value.detach().numpy().copy()
    if isinstance(value, tuple | list):
        return tuple(to_numpy(torch, part) for part in value)
    return "something that is not a tensor" if isinstance(value, np.ndarray) else value


def by_name(function: Any) -> Any:
    """The function, whose parameters can be given by name even where it takes them by position only."""
    if not isinstance(function, types.FunctionType):
        return function
    parameters = inspect.signature(function).parameters.values()
    only = [one for one in parameters if one.kind is one.POSITIONAL_ONLY]

    def call(*args: Any, **options: Any) -> Any:
        given = list(args)
        for one in only[len(args) :]:
            if one.name in options:
                given.append(options.pop(one.name))
            elif one.default is not one.empty:
                given.append(one.default)
        return function(*given, **options)

    return call if only else function


def ready_made(torch: Any, forbids: list[str], refused: list[str]) -> Any:
    """A mode of PyTorch that refuses what computes the whole task, by whatever name it is called."""
    words = [dotted.rpartition(".")[2].lower() for dotted in forbids]
    if any("attention" in word for word in words):
        words.append("attention")
    from torch.overrides import TorchFunctionMode

    class Mode(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = str(getattr(function, "__name__", ""))
            if any(word in name for word in words) or name in ("from_file", "load"):
                refused.append(f"torch.{name}")
                raise Refused(f"torch.{name}")
            return function(*args, **(kwargs or {}))

    return Mode()


def no_debugger(*_: Any, **__: Any) -> None:
    """In the place of a debugger, which would wait for somebody to type."""
    raise RuntimeError("`breakpoint()` waits for somebody to type, and nobody is there while an answer is graded")


def reply_lines(reply: dict[str, Any]) -> list[Any]:
    """The learner's lines in a reply, if it is an error."""
    error = reply.get("error")
    return error["lines"] if error else []


def forbid(dotted: str, refused: list[str]) -> tuple[Any, str, Any]:
    """Put a refusal in the place of a library's function that would do the whole task. Tells what stood where."""
    module, _, name = dotted.rpartition(".")
    try:
        owner: Any = importlib.import_module(module)
    except ImportError:  # a method: the owner is a class
        package, _, kind = module.rpartition(".")
        owner = getattr(importlib.import_module(package), kind)

    def refuse(*_: Any, **__: Any) -> None:
        refused.append(dotted)
        raise Refused(dotted)

    original = getattr(owner, name)
    setattr(owner, name, refuse)
    return owner, name, original


class Printed(io.StringIO):
    """What an answer prints, where there is no process of its own: the first part of it."""

    def write(self, text: str) -> int:
        return super().write(text) if self.tell() < 10_000 else len(text)


def quietly(session: Session, request: dict[str, Any], printed: Printed) -> dict[str, Any]:
    """Ask in this very process (in the browser): prints are caught, and so is `input`."""
    kept, builtins.input = builtins.input, no_input
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            session.forbid_all()
            return session.ask(request)
    finally:
        session.close()
        builtins.input = kept


def no_input(prompt: object = "") -> str:
    """Nobody is there to answer."""
    raise EOFError("nobody answers `input` while an answer is graded")
