"""Whether a known mistake gives the same numbers as an answer: then its diagnosis is the learner's."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from groundup.practice.exercise import Arguments, Exercise
from groundup.practice.grading.compare import Near, compare
from groundup.practice.grading.judge import Finding, upstream_of
from groundup.practice.grading.subject import Failed, Local, NoBackward, Remote, Subject
from groundup.practice.grading.tolerance import coarsest
from groundup.practice.starter import changed


def diagnose(findings: Sequence[Finding], answer: Remote) -> str:
    """The diagnosis of the first wrong variant that gives what the answer gave every time; "" if none does.

    Variants in NumPy run here. Those in PyTorch take the answer's place in its process, for there PyTorch is.
    """
    exercise = answer.exercise
    for variant in exercise.wrong:
        with contextlib.suppress(Exception):
            source = changed(exercise, variant)
            one: Subject = answer
            if exercise.track == "torch":
                answer.load(source)
            else:
                one = variant_of(exercise, source)
            if all(agrees(one, finding) for finding in findings):
                return sentence(variant.diagnosis)
    return ""


def sentence(diagnosis: str) -> str:
    """The diagnosis in full."""
    return f"Your answer gives the same numbers as one {diagnosis.rstrip('.')}."


def more(finding: Finding, answer: Subject, cases: Sequence[Arguments]) -> list[Finding]:
    """The finding, and what the answer gives for other cases: one case alone can fit several mistakes."""
    found = [finding]
    reference, rng = Local(answer.exercise), np.random.default_rng(0)
    with contextlib.suppress(Failed, NoBackward):
        for arguments in cases:
            got = answer(**arguments)
            raw, upstream = got.value, finding.upstream[:0]
            if finding.kind == "gradient":
                upstream = upstream_of(answer.exercise, reference(**arguments).value, rng)
                raw = got.pull(*upstream)
                # The value too: half of a gradient may be the backward's fault, or the forward's.
                found.append(replace(finding, kind="value", arguments=arguments, upstream=(), raw=got.value))
            found.append(replace(finding, arguments=arguments, upstream=upstream, raw=raw))
    return found


def variant_of(exercise: Exercise, source: str) -> Local:
    """A variant of our own, run here."""
    space: dict[str, Any] = {"__name__": "variant"}
    exec(source, space)
    return Local(exercise, tuple(space[name] for name in exercise.names))


def agrees(variant: Subject, finding: Finding) -> bool:
    """Whether the variant, asked the same, gives the same."""
    assert finding.arguments is not None
    with np.errstate(all="ignore"):
        answer = variant(**finding.arguments)
        theirs = answer.value if finding.kind == "value" else answer.pull(*finding.upstream)
    if isinstance(theirs, np.ndarray) and isinstance(finding.raw, tuple | list) and len(finding.raw) == 1:
        theirs = (theirs,)
    return compare(theirs, finding.raw, Near(coarsest(finding.arguments))) is None
