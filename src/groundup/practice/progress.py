"""What a learner has done: attempts, times, hints, what is solved. An exercise is known by its name and its hash.

The file holds for each exercise::

    {"attempts": 4, "last": [{"time", "status", "check", "seconds", "hash"}, …], "hints": 1,
     "started": time or null, "solved": {hash: {"time", "seconds", "attempts", "hints"}},
     "gave_up": time or null, "skipped": time or null}

``solved`` is kept by hash: when an exercise changes, the older solution still counts as one of the older exercise.
Exercises that are no longer there are kept too.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from groundup.errors import UserError
from groundup.files import write_whole
from groundup.practice import store
from groundup.practice.store import Exercises, Say, to_stderr

LAST = 20  # attempts that are kept one by one

State = Literal["new", "started", "tried", "skipped", "gave up", "changed", "solved"]


class Known(Protocol):
    """What is needed of an exercise."""

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str: ...


E = TypeVar("E", bound=Known)


@dataclass(frozen=True)
class Attempt:
    """What was kept of one attempt. ``seconds`` since the start, None if no clock was running."""

    number: int
    seconds: float | None
    first_time: bool


def now() -> str:
    """This moment, as the file writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def since(moment: str) -> float:
    """Seconds from a moment of the file's until now; 0 if the machine's clock was set back."""
    return max(0.0, round((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds(), 1))


def new_entry() -> dict[str, Any]:
    """An exercise that nothing was done about."""
    return {"attempts": 0, "last": [], "hints": 0, "started": None, "solved": {}, "gave_up": None, "skipped": None}


def entry_of(exercises: Exercises, name: str) -> dict[str, Any]:
    """The entry of an exercise, made if there is none."""
    return exercises.setdefault(name, new_entry())


def state(exercises: Exercises, exercise: Known) -> State:
    """How far one is with an exercise as it is today."""
    entry = exercises.get(exercise.name)
    if entry is None:
        return "new"
    if exercise.hash in entry["solved"]:
        return "solved"
    if entry["solved"]:
        return "changed"
    if entry["skipped"]:
        return "skipped"
    if entry["gave_up"]:
        return "gave up"
    if entry["attempts"]:
        return "tried"
    return "started" if entry["started"] else "new"


def load(say: Say = to_stderr) -> Exercises:
    """All that is kept. A file that cannot be used is set aside, which ``say`` is told."""
    return store.read(checked, say)


def change(name: str, function: Callable[[dict[str, Any]], Any], say: Say = to_stderr, strict: bool = False) -> Any:
    """Let ``function`` change the entry of an exercise, safely beside other processes; returns what it returns.

    What cannot be kept is said in one sentence, or is a UserError if ``strict``.
    """
    return store.change(lambda exercises: function(entry_of(exercises, name)), checked, say, strict)


def start(exercise: Known, say: Say = to_stderr) -> None:
    """Start the clock of an attempt."""

    def begin(entry: dict[str, Any]) -> None:
        entry.update(started=now(), skipped=None)

    change(exercise.name, begin, say)


def record(exercise: Known, status: str, check: str = "", say: Say = to_stderr) -> Attempt:
    """Keep the outcome of an attempt; passing stops the clock. Where nothing is written yet, there was no attempt."""

    def add(entry: dict[str, Any]) -> Attempt:
        seconds = since(entry["started"]) if entry["started"] else None
        if status == "unwritten":
            return Attempt(entry["attempts"], seconds, False)
        moment = now()
        entry["attempts"] += 1
        made = {"time": moment, "status": status, "check": check, "seconds": seconds, "hash": exercise.hash}
        entry["last"] = [*entry["last"], made][-LAST:]
        first = status == "passed" and exercise.hash not in entry["solved"]
        if first:
            entry["solved"][exercise.hash] = {
                "time": moment, "seconds": seconds, "attempts": entry["attempts"], "hints": entry["hints"]
            }  # fmt: skip
        if status == "passed":
            entry.update(started=None, skipped=None)
        return Attempt(entry["attempts"], seconds, first)

    attempt: Attempt = change(exercise.name, add, say)
    return attempt


def next_hint(exercise: Known, most: int = 3, say: Say = to_stderr) -> int:
    """How many hints the learner may see now: one more than before, at most ``most``."""

    def more(entry: dict[str, Any]) -> int:
        entry["hints"] = min(entry["hints"] + 1, most)
        return int(entry["hints"])

    shown: int = change(exercise.name, more, say)
    return shown


def note(exercise: Known, what: Literal["gave_up", "skipped"], say: Say = to_stderr, strict: bool = False) -> None:
    """Keep that the learner looked at the solution before solving, or skipped; the first time counts."""

    def mark(entry: dict[str, Any]) -> None:
        entry[what] = entry[what] or now()
        entry["started"] = None

    change(exercise.name, mark, say, strict)


def next_unsolved(exercises: Exercises, order: Iterable[E]) -> E | None:
    """The first one to do; those that were skipped or given up come last."""
    todo = [(one, state(exercises, one)) for one in order]
    for wanted in (("new", "started", "tried", "changed"), ("skipped",), ("gave up",)):
        for one, found in todo:
            if found in wanted:
                return one
    return None


def current(exercises: Exercises, order: Iterable[E]) -> E | None:
    """The exercise whose clock was started last and is still running."""
    running = [(exercises[one.name]["started"], one) for one in order if exercises.get(one.name, {}).get("started")]
    return max(running, key=lambda pair: datetime.fromisoformat(pair[0]))[1] if running else None


def summary(exercises: Exercises, exercise: Known) -> dict[str, Any]:
    """An exercise's record in short: state, counts, the first solution's time and the last seconds."""
    entry = exercises.get(exercise.name) or new_entry()
    solved = entry["solved"].get(exercise.hash) or max(
        entry["solved"].values(), key=lambda one: datetime.fromisoformat(one["time"]), default=None
    )
    return {
        "name": exercise.name,
        "state": state(exercises, exercise),
        "attempts": entry["attempts"],
        "hints": entry["hints"],
        "solved": solved and solved["time"],
        "seconds": solved and solved["seconds"],
        "gave_up": entry["gave_up"],
        "skipped": entry["skipped"],
        "started": entry["started"],
        "last": entry["last"],
    }


def export(path: Path) -> int:
    """Write all that is kept to a file; returns how many exercises. Raises UserError rather than lose another file."""
    exercises = load()
    if path.exists():
        try:
            store.decode(path.read_bytes(), checked)
        except (OSError, ValueError):
            raise UserError(f"{path} is there already and holds no progress: choose another name.") from None
    write_whole(path, store.encode(exercises))
    return len(exercises)


def bring_in(path: Path) -> int:
    """Merge an exported file into what is kept; returns how many exercises it holds. Raises UserError."""
    try:
        others = store.decode(path.read_bytes(), checked)
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except OSError as error:
        raise UserError(f"Cannot read {path}: {store.reason_for(error)}.") from error
    except ValueError as error:
        raise UserError(f"{path} is not progress that `groundup practice export` wrote: {error}.") from None

    def merge_all(mine: Exercises) -> None:
        for name, theirs in others.items():
            mine[name] = merge(mine[name], theirs) if name in mine else theirs

    store.change(merge_all, checked, strict=True)
    return len(others)


def merge(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Two records of one exercise as one, in either order; the same record twice adds nothing."""
    made = {(one["time"], one["status"], one["hash"]): one for one in [*a["last"], *b["last"]]}
    last = sorted(made.values(), key=lambda one: datetime.fromisoformat(one["time"]))
    solved = dict(a["solved"])
    for key, one in b["solved"].items():
        if key not in solved or datetime.fromisoformat(one["time"]) < datetime.fromisoformat(solved[key]["time"]):
            solved[key] = one
    done = [one["time"] for one in last if one["status"] == "passed"] + [one["time"] for one in solved.values()]
    return {
        "attempts": max(a["attempts"], b["attempts"], len(last)),
        "last": last[-LAST:],
        "hints": max(a["hints"], b["hints"]),
        "started": _later(a["started"], b["started"], done),
        "solved": dict(sorted(solved.items())),
        "gave_up": min(filter(None, (a["gave_up"], b["gave_up"])), key=datetime.fromisoformat, default=None),
        "skipped": _later(a["skipped"], b["skipped"], done),
    }


def _later(a: str | None, b: str | None, over: list[str]) -> str | None:
    """The later of two moments, unless something passed after it."""
    latest = max(filter(None, (a, b)), key=datetime.fromisoformat, default=None)
    ended = latest and any(datetime.fromisoformat(one) >= datetime.fromisoformat(latest) for one in over)
    return None if ended else latest


def checked(value: Any) -> Exercises:
    """The exercises of a progress file, if they are what this version writes. Raises ValueError."""
    try:
        if all(_is_entry(entry) for entry in value.values()):
            return dict(value)
    except (KeyError, TypeError, AttributeError, ValueError):
        pass
    raise ValueError("its exercises are not as this version writes them")


def _is_entry(entry: dict[str, Any]) -> bool:
    counts = (entry["attempts"], entry["hints"])
    moments = [entry["started"], entry["gave_up"], entry["skipped"]]
    texts: list[Any] = list(entry["solved"])
    numbers: list[Any] = []
    for one in entry["last"]:
        texts += [one["status"], one["check"], one["hash"], one["time"]]
        moments.append(one["time"])
        numbers.append(one["seconds"])
    for one in entry["solved"].values():
        texts.append(one["time"])
        moments.append(one["time"])
        numbers += [one["seconds"], one["attempts"], one["hints"]]
    return (
        isinstance(entry["last"], list)
        and all(type(count) is int and count >= 0 for count in counts)
        and all(isinstance(text, str) for text in texts)
        and all(number is None or (type(number) in (int, float) and math.isfinite(number)) for number in numbers)
        and all(datetime.fromisoformat(moment).tzinfo is not None for moment in moments if moment is not None)
    )
