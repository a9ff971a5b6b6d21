"""What the grader says."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Status = Literal["passed", "wrong", "unwritten", "error", "refused", "timeout", "memory", "exited"]


@dataclass(frozen=True)
class Verdict:
    """The outcome of grading one answer; everything in it is text or numbers, so that it can be sent as JSON.

    check      the check that failed: "values", "gradient of x", "causal", …; "" where none got that far
    message    one or two sentences
    arguments  the arguments of the failing call, shown as text by name; shapes too where they are arrays
    upstream   the upstream gradient, where a gradient failed
    expected, got, error
               texts, and the largest difference
    measured   for a wrong gradient: the slope that two calls of the reference measure at the place of the largest error
    diagnosis  a whole sentence, if a known mistake gives the same numbers
    lines      of the answer, (number, text), outermost first, where an exception came from
    log        what the answer printed, cut
    checks     names of the checks that passed before
    seed       of the arguments that were drawn: the same seed draws the same again
    """

    exercise: str
    status: Status
    message: str
    check: str = ""
    arguments: dict[str, str] | None = None
    upstream: str = ""
    expected: str = ""
    got: str = ""
    error: float | None = None
    measured: str = ""
    diagnosis: str = ""
    lines: tuple[tuple[int, str], ...] = ()
    log: str = ""
    checks: tuple[str, ...] = ()
    seconds: float = 0.0
    seed: int = 0

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.status == "passed"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        error = self.error
        finite = error is None or abs(error) < float("inf")
        return asdict(replace(self, error=error if finite else None)) | {"passed": self.passed}

    def text(self) -> str:
        """For people, on a terminal or in a notebook."""
        head = {"passed": "passed", "unwritten": "not written yet"}.get(self.status, "not yet")
        lines = [f"{self.exercise}: {head}" + (f" ({self.check})" if self.check else "")]
        lines.append(self.message)
        lines += [f"  line {number}: {text}" for number, text in self.lines]
        for name, text in (self.arguments or {}).items():
            lines.append(indent(f"  {name} = ", text))
        for name in ("upstream", "expected", "got", "measured"):
            if getattr(self, name):
                lines.append(indent(f"  {name}: ", getattr(self, name)))
        if self.error is not None:
            lines.append(f"  largest error: {self.error:.3g}")
        if self.diagnosis:
            lines.append(self.diagnosis)
        if self.arguments and not self.passed:
            lines.append(f"Seed {self.seed} draws these arguments.")
        if self.log.strip():
            lines.append("Your code printed:\n" + "\n".join("  " + line for line in self.log.strip().splitlines()[:20]))
        return "\n".join(line for line in lines if line)


def indent(head: str, text: str) -> str:
    """The text's further lines under its first."""
    return head + text.replace("\n", "\n" + " " * len(head))
