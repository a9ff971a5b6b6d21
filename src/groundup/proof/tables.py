"""Tables of what was measured, in Markdown: for notebooks, for the command line and for results/README.md."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from groundup.files import write_whole
from groundup.lesson import Lesson
from groundup.proof.bench import bench_table, load_bench
from groundup.proof.measure import CHANCE
from groundup.proof.results import Record, kept, number, read


def findings_text(lesson: Lesson) -> str | None:
    """The section of a notebook that shows a lesson's kept findings, or None if there are none."""
    record = kept(lesson)
    return f"## Measured\n\n{findings_table(record)}" if record else None


def findings_table(record: Record) -> str:
    """A lesson's findings: question and answer, medians and spread over seeds, the rival, the verdict, the paper."""
    rows = ["| finding | measured | strongest rival | verdict | the paper |", "|---|---|---|---|---|"]
    for finding in record["findings"]:
        cells = [
            f"*{finding['question']}* {finding['statement']}",
            measured(finding),
            rival(finding),
            verdict_in_words(finding, record["seeds"]),
            finding["paper"] or "—",
        ]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    about = record["machine"]
    rows += [
        "",
        f"Median of {record['seeds']} seeds (in brackets the smallest and largest), {record['track']} track,"
        f" {record['seconds']} s of a processor a run, one thread ({about['processor']}, {about['cores']} cores),"
        f" {record['date']}. Differences are 95 % intervals of the mean, seed by seed."
        f" The same again: `{record['command']}`.",
    ]
    return "\n".join(rows)


def measured(finding: Record) -> str:
    """The median with its spread, and the bar."""
    text = f"{number(finding['median'])} {finding['unit']}".strip() + f" ({spread(finding['values'])})"
    return text if finding["bar"] is None else f"{text}; bar {finding['sense']} {number(finding['bar'])}"


def rival(finding: Record) -> str:
    """The rival's median, what it is, and how far the value is from it."""
    if not finding["rival_is"]:
        return "—"
    text = f"{number(finding['rival_median'])}: {finding['rival_is']}"
    if finding["difference"]:
        low, high = finding["difference"]
        text += f"; difference {number(low)} … {number(high)}"
    return text


def verdict_in_words(finding: Record, seeds: int) -> str:
    """The verdict, how many seeds are for it, what the paired test says, and the reason if it is not seen."""
    word = finding["verdict"]
    text = f"{word if word == 'holds' else f'**{word}**'}, {finding['seeds_for']}/{seeds} seeds"
    if finding["pairs"]:
        text += f"; {paired_test(finding)}"
    return text + (f". *{finding['miss']}*" if finding["miss"] else "")


def paired_test(finding: Record) -> str:
    """What McNemar's test says of value and rival on the same examples: the p of the median seed."""
    chance = statistics.median(pair["p"] for pair in finding["pairs"])
    return f"paired test {'p' if chance < CHANCE else 'cannot tell, p'} = {chance:.2g}"


def spread(values: Sequence[float | None]) -> str:
    """The smallest and the largest value."""
    numbers = [value for value in values if value is not None]
    if len(numbers) > 1 and min(numbers) == max(numbers):
        return "the same with every seed"
    return f"{number(min(numbers))} … {number(max(numbers))}" if numbers else "no number"


def overview(lessons: Sequence[Lesson], folder: Path) -> str:
    """results/README.md: every kept table."""
    parts = [
        "# Measured",
        "Made by `groundup claims --write` and `groundup bench --write`; the tests fail when a lesson's code no longer"
        " is the code that made its numbers.",
        "A finding *holds* if every seed reaches its bar and beats the strongest rival that was measured, or the"
        " interval over seeds clears both, and, where both are right answers on one test set, a paired test (McNemar)"
        " tells them apart. *Mostly*: only the median does. *Not seen*: not even that, with the reason.",
    ]
    for lesson in lessons:
        for track in lesson.tracks:
            record = read(lesson, folder, track)
            if record is not None:
                heading = f"## {lesson.name}" + ("" if track == "numpy" else f" ({track})")
                parts += [heading, findings_table(record)]
    bench = load_bench(folder)
    if bench is not None:
        parts += ["## NumPy against PyTorch", bench_table(bench)]
    return "\n\n".join(parts) + "\n"


def write_overview(lessons: Sequence[Lesson], folder: Path) -> None:
    """Write results/README.md from the records beside it."""
    write_whole(folder / "README.md", overview(lessons, folder))
