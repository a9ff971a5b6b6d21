"""Exercises, verdicts and progress on a terminal."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from groundup.lesson import Lesson
from groundup.practice.exercise import Exercise
from groundup.practice.grading.verdict import Verdict
from groundup.practice.mathtext import plain
from groundup.practice.progress import Attempt, State, state
from groundup.practice.store import Exercises
from groundup.show import output, print_table

STATES: dict[State, tuple[str, str]] = {
    "solved": ("✓ solved", "green"),
    "changed": ("✓ changed since you solved it", "yellow"),
    "tried": ("… tried", "yellow"),
    "started": ("… started", "yellow"),
    "skipped": ("skipped", "dim"),
    "gave up": ("solution seen", "dim"),
    "new": ("", ""),
}
AUDITED = ("starter", "solution", "wrong", "right")
REACHED = {True: "●", False: "○", None: "·"}
MUTANTS = ("mutants", "refused", "same by rule", "same by reason", "left")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Text from elsewhere without what could move the cursor or colour the terminal."""
    return CONTROL.sub("�", text.replace("\r\n", "\n"))


def counted(number: int, what: str) -> str:
    """ "1 attempt", "2 attempts"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """ "45 s", "4 min 10 s", "2 h 5 min", "3 days"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 2 * 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} days"


def prose(text: str, console: Console | None = None) -> None:
    """Markdown with formulas, for a terminal; in plain characters into a file or pipe."""
    console = console or output()
    if console.is_terminal:
        # Nothing in a formula means anything to Markdown; displayed ones are put between the pieces of text.
        pieces = plain(text, lambda formula: re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", formula), "\0{}\0".format).split(
            "\0"
        )
        with console.use_theme(Theme({"markdown.code": "cyan"})):
            for number, piece in enumerate(pieces):
                if number % 2:
                    console.print(Padding(Text(piece, "cyan"), (1, 0, 1, 4)))
                elif piece.strip():
                    console.print(Markdown(piece))
    else:
        console.print(plain(text), markup=False, highlight=False, soft_wrap=True)


def line(text: str, style: str = "", console: Console | None = None) -> None:
    """One line, as it is."""
    (console or output()).print(Text(text, style), soft_wrap=True, highlight=False)


def task(exercise: Exercise, lesson: Lesson) -> None:
    """Title, what is to be written, and how long it may take."""
    console = output()
    line(f"{exercise.name}: {exercise.title}", "bold", console)
    about = f"Lesson {lesson.name}, difficulty {exercise.difficulty} of 5, {exercise.minutes} minutes"
    line(about + (", PyTorch" if exercise.track == "torch" else ""), "dim", console)
    console.print()
    prose(exercise.task, console)
    console.print()


def verdict(found: Verdict, exercise: Exercise, attempt: Attempt) -> None:
    """What the grader found, and how long it took."""
    console = output()
    head = {"passed": ("Passed", "bold green"), "unwritten": ("Not written yet", "bold yellow")}
    words, style = head.get(found.status, ("Not yet", "bold red"))
    line(f"{words}: {exercise.name}" + (f" ({clean(found.check)})" if found.check else ""), style, console)
    line(clean(found.message), "", console)
    for number, code in found.lines:
        line(f"  line {number}: {clean(code)}", "cyan", console)
    values = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    values.add_column(no_wrap=True)
    rows = [*(found.arguments or {}).items(), ("upstream", found.upstream), ("expected", found.expected)]
    rows += [("got", found.got), ("measured", found.measured)]
    if found.error is not None:
        rows.append(("largest error", f"{found.error:.3g}"))
    styles = {"expected": "green", "got": "red"}
    for name, value in rows:
        if value:
            values.add_row(Text(clean(name), "dim"), Text(clean(value), styles.get(name, ""), overflow="fold"))
    if values.row_count:
        console.print(Padding(values, (0, 0, 0, 2), expand=False))
    if found.diagnosis:
        line(clean(found.diagnosis), "yellow", console)
    if found.log.strip():
        line("Your code printed:", "dim", console)
        for printed in clean(found.log).strip().splitlines()[:20]:
            line(f"  {printed}", "", console)
    if not found.passed and found.checks:
        line(f"Right so far: {', '.join(found.checks)}.", "dim", console)
    if not found.passed and found.arguments:
        line(f"Seed {found.seed}: --seed {found.seed} draws the same arguments again.", "dim", console)
    if clock := time_taken(found, exercise, attempt):
        line(clock, "dim", console)


def time_taken(found: Verdict, exercise: Exercise, attempt: Attempt) -> str:
    """How long it took or has taken, against the minutes of the exercise."""
    if attempt.seconds is None:
        return ""
    taken, within = duration(attempt.seconds), attempt.seconds <= 60 * exercise.minutes
    if not found.passed:
        return f"{taken} so far, of {exercise.minutes} min."
    return (
        f"{taken}, {'within' if within else 'over'} the {exercise.minutes} min; {counted(attempt.number, 'attempt')}."
    )


def hint(exercise: Exercise, number: int) -> None:
    """One of the three hints."""
    console = output()
    line(f"Hint {number} of {len(exercise.hints)}", "bold", console)
    prose(exercise.hints[number - 1], console)


def solution(exercise: Exercise, source: str) -> None:
    """Our own answer and the reason why it is right."""
    console = output()
    if console.is_terminal:
        console.print(Syntax(source, "python", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        print(source)
    line("Why this is right", "bold", console)
    prose(exercise.why, console)


def exercises_table(
    groups: Iterable[tuple[Lesson, list[Exercise]]], progress: Exercises, upcoming: Exercise | None
) -> None:
    """The exercises by lesson, how far one is, and what comes next."""
    rows: list[Sequence[str | Text]] = []
    done = total = 0
    for lesson, exercises in groups:
        rows.append((Text(lesson.name, "bold"), Text(lesson.title, "bold")))
        for one in exercises:
            found = state(progress, one)
            total, done = total + 1, done + (found == "solved")
            title = one.title + (" (PyTorch)" if one.track == "torch" else "")
            words = [Text(*STATES[found]), *([Text("← next", "bold")] if one is upcoming else [])]
            shown = Text(" ").join(word for word in words if word)
            rows.append((f"  {one.name}", title, "●" * one.difficulty, str(one.minutes), shown))
    print_table(("exercise", "what you write", "level", "min", ""), rows, right=("min",))
    line(f"{done} of {total} solved.")


def progress_table(rows: list[dict[str, Any]], others: int) -> None:
    """What was done, exercise by exercise, and the sums."""
    shown: list[Sequence[str | Text]] = []
    for row in rows:
        if row["state"] == "new":
            continue
        seconds, moment = row["seconds"], row["solved"]
        words, style = STATES[row["state"]]
        shown.append((
            row["name"], Text(words, style), str(row["attempts"]), str(row["hints"]),
            "" if seconds is None else duration(seconds),
            "" if moment is None else f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d}",
        ))  # fmt: skip
    if shown:
        header = ("exercise", "state", "attempts", "hints", "time", "solved on")
        print_table(header, shown, right=("attempts", "hints", "time"))
    solved = sum(row["state"] == "solved" for row in rows)
    line(f"{solved} of {len(rows)} solved, {counted(sum(row['attempts'] for row in rows), 'attempt')}.")
    if others:
        line(f"{others} more in your file are not in this groundup; they are kept.", "dim")


def audit_table(rows: list[Any]) -> None:
    """Answers tried and graded as they should be, what became of the mutants, and each that was not."""
    columns = ("starter refused", "solution accepted", "wrong refused", "right accepted", *MUTANTS)
    shown: list[Sequence[str | Text]] = []
    sums = [[0, 0] for _ in AUDITED]
    for row in rows:
        counts = [row.count(kind) for kind in AUDITED]
        for total, (tried, good) in zip(sums, counts, strict=True):
            total[0], total[1] = total[0] + tried, total[1] + good
        shares = (_share(good, tried) for tried, good in counts)
        shown.append((row.exercise.name, *shares, *_mutants(mutant_sums([row]))))
    totals = (_share(good, tried) for tried, good in sums)
    shown.append((Text(counted(len(rows), "exercise"), "bold"), *totals, *_mutants(mutant_sums(rows))))
    print_table(("exercise", *columns), shown, right=columns)
    regions_table(rows)
    for row in rows:
        for one in row.tried:
            if not one.as_should:
                line(f"{one.exercise}, {one.kind} {one.name!r}: {one.verdict.status}. {one.verdict.message}", "red")
        if row.score:
            for key in row.score.survivors:
                line(f"{row.exercise.name}, a mutant passes: {key}", "red")
            for key in row.score.surplus:
                line(f"{row.exercise.name}, called equivalent, but no such mutant passes: {key}", "red")
    rules = ", ".join(f"{name} {count}" for name, count in mutant_sums(rows)["rules"].items())
    if rules:
        line(f"The same by rule: {rules}.", "dim")


def regions_table(rows: list[Any]) -> None:
    """The regions that the arguments of each exercise reach, a sign for each; those that none reaches in words."""
    table = [(row.exercise.name, *("".join(REACHED[one] for one in some.values()) for some in row.regions.values()))
             for row in rows if row.regions]  # fmt: skip
    if not table:
        return
    print_table(("exercise", *rows[0].regions), table)
    line(f"{REACHED[True]} reached, {REACHED[False]} not reached, {REACHED[None]} of no concern, in this order:", "dim")
    for group, some in rows[0].regions.items():
        line(f"{group}: {', '.join(some)}", "dim")
    for row in rows:
        names = [name for some in row.regions.values() for name, state in some.items() if state is False]
        if names:
            line(f"{row.exercise.name}: no case has {', '.join(names)}.", "yellow")


def mutant_sums(rows: list[Any]) -> dict[str, Any]:
    """Mutants made and refused, the same as the solution by rule and by reason, and the survivors, added up."""
    scores = [row.score for row in rows if row.score]
    rules: dict[str, int] = {}
    for one in scores:
        for name, count in one.rules.items():
            rules[name] = rules.get(name, 0) + count
    return {
        "made": sum(one.made for one in scores),
        "refused": sum(one.refused for one in scores),
        "rules": rules,
        "reasons": sum(len(one.reasons) for one in scores),
        "survivors": sum(len(one.survivors) + len(one.surplus) for one in scores),
    }


def _mutants(sums: dict[str, Any]) -> list[Text]:
    numbers = sums["made"], sums["refused"], sum(sums["rules"].values()), sums["reasons"]
    left = sums["survivors"]
    return [Text(str(number)) for number in numbers] + [Text(str(left), "bold red" if left else "")]


def audit_record(rows: list[Any]) -> dict[str, Any]:
    """The same for machines."""
    totals = {kind: [sum(row.count(kind)[place] for row in rows) for place in (0, 1)] for kind in AUDITED}
    return {
        "passed": all(row.passed for row in rows),
        "totals": {kind: {"tried": tried, "as_should": good} for kind, (tried, good) in totals.items()},
        "mutants": mutant_sums(rows),
        "exercises": [
            {
                "name": row.exercise.name,
                "passed": row.passed,
                "tried": [one.as_dict() for one in row.tried],
                "mutants": row.score.as_dict() if row.score else None,
                "regions": row.regions,
            }
            for row in rows
        ],
    }


def _share(good: int, tried: int) -> Text:
    return Text(f"{good} of {tried}" if tried else "—", "" if good == tried else "bold red")
