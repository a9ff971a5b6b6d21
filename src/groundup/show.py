"""What the command line prints: tables, progress and the state of the installation."""

import json
import os
import platform
import shlex
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from groundup import __version__
from groundup.errors import UserError
from groundup.lesson import Lesson
from groundup.proof.checks import Proof
from groundup.proof.machine import blas
from groundup.proof.results import number
from groundup.tables import laid_out, print_markdown

#: Optional part: the module, the extra that brings it, what it is for.
OPTIONAL = {
    "torch": ("torch", "the PyTorch twins, oracles and parity"),
    "PIL": ("images", "reading image folders"),
    "jupytext": ("notebooks", "building notebooks"),
    "nbclient": ("notebooks", "executing notebooks"),
    "jupyterlab": ("lab", "reading lessons in JupyterLab"),
    "watchfiles": ("dev", "rebuilding pages as lessons are written"),
}
DISTRIBUTIONS = {"PIL": "pillow"}


def output() -> Console:
    """Standard output; into a file or pipe, lines are as long as tables need, unless COLUMNS says how long."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=10_000)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str | Text]], right: Collection[str] = ()) -> None:
    """A table on standard output, as columns or, where it is too narrow for them, a few lines for each row."""
    console = output()
    console.print(laid_out(header, rows, console.width, right))


def lesson_record(lesson: Lesson) -> dict[str, Any]:
    """A lesson for machines."""
    paper = lesson.paper
    return {
        "number": lesson.number,
        "slug": lesson.slug,
        "title": lesson.title,
        "summary": lesson.summary,
        "part": lesson.part,
        "level": lesson.level,
        "minutes": lesson.minutes,
        "tracks": list(lesson.tracks),
        "needs": list(lesson.needs),
        "paper": vars(paper) if paper else None,
        "findings": [finding.question for finding in lesson.findings],
        "options": list(lesson.options),
    }


def lessons_table(lessons: Sequence[Lesson]) -> None:
    """The lessons by part."""
    rows = [
        (
            lesson.name,
            lesson.summary,
            lesson.level,
            str(lesson.minutes),
            ", ".join(lesson.tracks),
            ", ".join(lesson.needs) or "—",
        )
        for lesson in lessons
    ]
    print_table(("lesson", "what you build", "level", "min", "tracks", "needs"), rows, right=("min",))


def run_findings(record: dict[str, Any], folder: Path, model: Path | None = None) -> None:
    """The findings of one run: question, value and bar, rival, the paper's number. One seed is no verdict.

    ``model`` is the checkpoint that can write, where there is one.
    """
    console, rows = output(), []
    for finding in record["findings"]:
        value = f"{number(finding['value'])} {finding['unit']}".strip()
        bar = "" if finding["bar"] is None else f" (bar: {finding['sense']} {number(finding['bar'])})"
        rival = f"{number(finding['rival'])}: {finding['rival_is']}" if finding["rival_is"] else "—"
        rows.append((finding["question"], value + bar, rival, finding["paper"] or "—"))
    print_table(("question", "measured", "strongest rival", "the paper"), rows)
    if any(finding["on_its_side"] is None for finding in record["findings"]):
        console.print("Findings are judged at the default budget or longer, on the lesson's own data.", style="dim")
    else:
        command = f"groundup claims {record['lesson']} --seeds 5"
        console.print(f"One seed is no verdict. For intervals and verdicts: {command}", style="dim", highlight=False)
    console.print(
        f"{record['seconds']} s. Metrics, curves, figures and checkpoints are in {folder}/",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    if model:
        command = f"groundup sample {record['lesson']} --checkpoint {shlex.quote(str(model))}"
        console.print(f"Let it write: {command}", markup=False, highlight=False, soft_wrap=True)


def proofs_table(proofs: Sequence[Proof]) -> None:
    """The largest error of every check for every subject; variants of a case share a row."""
    worst: dict[tuple[str, str], Proof] = {}
    for proof in proofs:
        key = (proof.subject.split(",")[0], proof.check)
        if key not in worst or not proof.error <= worst[key].error:
            worst[key] = proof
    checks = list(dict.fromkeys(check for _, check in worst))
    rows = []
    for subject in dict.fromkeys(subject for subject, _ in worst):
        cells: list[str | Text] = [subject]
        for check in checks:
            found = worst.get((subject, check))
            if found is None:
                cells.append("")
                continue
            words = ("ok" if found.passed else "no") if found.limit == 0 else f"{found.error:.0e}"
            cells.append(Text(words, "" if found.passed else "red"))
        rows.append(cells)
    print_table(("largest relative error", *checks), rows, right=checks)
    console = output()
    failed = [proof for proof in proofs if not proof.passed]
    console.print(f"{len(proofs) - len(failed)} checks passed, {len(failed)} failed.")
    for proof in failed:
        line = f"  {proof.subject}: {proof.check} {proof.error:.2g} > {proof.limit:.0e}"
        console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def markdown(text: str) -> None:
    """Markdown as rich renders it on a terminal, and as it is into a file or pipe."""
    console = output()
    print_markdown(text, console) if console.is_terminal else print(text)


@contextmanager
def progress(total: int, quiet: bool, doing: str = "measuring") -> Iterator[Callable[[str], None]]:
    """A bar over ``total`` runs; call the function with a line about each that ended, or ""."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(doing, total=total)

        def report(line: str) -> None:
            bar.advance(task)
            if line and not quiet:
                bar.console.print(line, markup=False, highlight=False)

        yield report


def installed_version(module: str) -> str | None:
    """The version of an installed distribution by its module's name, or None."""
    try:
        return version(DISTRIBUTIONS.get(module, module))
    except PackageNotFoundError:
        return None


def command_for(module: str) -> str:
    """The command that installs an optional part."""
    return f"pip install 'groundup[{OPTIONAL[module][0]}]'"


def doctor_record() -> dict[str, Any]:
    """Versions, threads, and the optional parts with what is missing."""
    return {
        "groundup": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": {name: installed_version(name) for name in ("numpy", "matplotlib", "safetensors", "typer", "rich")},
        "blas": [
            {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
            for pool in blas()
        ],
        "optional": {
            name: {
                "version": installed_version(name),
                "for": purpose,
                "command": None if installed_version(name) else command_for(name),
            }
            for name, (_, purpose) in OPTIONAL.items()
        },
    }


def doctor_table(record: dict[str, Any]) -> None:
    """The same for people."""
    rows: list[Sequence[str | Text]] = [
        ("groundup", record["groundup"], ""),
        ("python", record["python"], record["executable"]),
        ("system", record["system"], f"{record['cores']} cores"),
    ]
    rows += [(name, found or Text("missing", "red"), "") for name, found in record["packages"].items()]
    for pool in record["blas"]:
        about = f"{pool['num_threads']} threads, {pool['architecture']} kernels"
        rows.append((str(pool["internal_api"]), str(pool["version"]), about))
    for name, part in record["optional"].items():
        if part["version"]:
            rows.append((name, part["version"], part["for"]))
        else:
            rows.append((name, Text("missing", "yellow"), f"for {part['for']}: {part['command']}"))
    print_table(("", "", ""), rows)


def has(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    return installed_version(module) is not None


def demand(module: str, what: str) -> None:
    """Raise UserError with the command that brings an optional part, if it is missing."""
    if not has(module):
        verb = "need" if what.endswith("s") else "needs"
        raise UserError(f"{what} {verb} {module}, which is not installed: {command_for(module)}")


def print_json(value: Any) -> None:
    """JSON on stdout, as it is."""
    print(json.dumps(value, indent=2, allow_nan=False))


def stderr(text: str) -> None:
    """A line beside the output."""
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
