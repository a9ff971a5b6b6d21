"""Everything that ``groundup check`` and the tests prove, found through the building blocks and the records."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from groundup.lesson import Fact, Lesson
from groundup.proof.checks import Proof, check_case, check_model, check_parity


def check_everything(lessons: Sequence[Lesson], building_blocks: bool, torch: bool) -> list[Proof]:
    """All proofs; without torch, what compares with it is left out (the caller says so)."""
    proofs: list[Proof] = []
    if building_blocks:
        from groundup.ops.cases import CASES

        for case in CASES:
            proofs += check_case(case, oracle=torch)
    for lesson in lessons:
        proofs += check_lesson(lesson, torch)
    return proofs


def check_lesson(lesson: Lesson, torch: bool) -> Iterator[Proof]:
    """A lesson's own functions, its models, their parity with the twins, and its facts."""
    for case in lesson.cases:
        for proof in check_case(case, oracle=torch):
            yield replace(proof, subject=f"{lesson.slug}: {proof.subject}")
    for model in lesson.models:
        found = check_model(model)
        if torch and "torch" in lesson.tracks:
            found += check_parity(model)
        for proof in found:
            yield replace(proof, subject=f"{lesson.slug}: {proof.subject}")
    for fact in lesson.facts:
        if torch or not fact.torch:
            yield replace(check_fact(fact), subject=f"{lesson.slug}: fact {fact.name}")


def check_fact(fact: Fact) -> Proof:
    """One fact: how far it is from being so."""
    return Proof(f"fact {fact.name}", "fact", fact.check(), fact.limit)
