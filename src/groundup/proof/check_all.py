"""Everything that ``groundup check`` and the tests prove, found through the building blocks and the records."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from groundup.lesson import Lesson
from groundup.proof.checks import Finding, check_case, check_model, check_parity


def check_everything(lessons: Sequence[Lesson], building_blocks: bool, torch: bool) -> list[Finding]:
    """All findings; without torch, oracles and parity are left out (the caller says so)."""
    findings: list[Finding] = []
    if building_blocks:
        from groundup.ops.cases import CASES

        for case in CASES:
            findings += check_case(case, oracle=torch)
    for lesson in lessons:
        findings += check_lesson(lesson, torch)
    return findings


def check_lesson(lesson: Lesson, torch: bool) -> Iterator[Finding]:
    """A lesson's own functions, its models, and their parity with the twins."""
    for case in lesson.cases:
        for finding in check_case(case, oracle=torch):
            yield replace(finding, subject=f"{lesson.slug}: {finding.subject}")
    for model in lesson.models:
        found = check_model(model)
        if torch and "torch" in lesson.tracks:
            found += check_parity(model)
        for finding in found:
            yield replace(finding, subject=f"{lesson.slug}: {finding.subject}")
