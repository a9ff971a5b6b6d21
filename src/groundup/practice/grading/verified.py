"""What a check of an exercise's own is given: an answer whose values have the kind and shape that they should have.

Checks work on values as arrays. So that they can, every value and gradient is held beside the reference's before a
check sees it; one of another kind, shape or dtype is a finding already.
"""

import contextlib
from typing import Any

import numpy as np

from groundup.practice.exercise import Arguments, Check
from groundup.practice.grading.compare import Near, as_meant, compare
from groundup.practice.grading.judge import Finding, gradients_finding, named_gradients, values_finding
from groundup.practice.grading.subject import Answer, Failed, NoBackward, Subject


class Unlike(Exception):
    """A value of another kind or shape than the reference's; the finding says which."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Verified:
    """An answer that raises Unlike where the kind of what it gives is wrong."""

    def __init__(self, answer: Subject, reference: Subject, check: str) -> None:
        self.exercise, self.answer, self.reference, self.check = answer.exercise, answer, reference, check

    def __call__(self, **arguments: Any) -> Answer:
        expected = None
        with contextlib.suppress(Exception):  # arguments that are to be refused: there is nothing to hold beside
            expected = self.reference(**arguments)
        got = self.answer(**arguments)
        if expected is None:
            return got
        found = values_finding(self.exercise, self.check, arguments, expected.value, got.value, False, exact=False)
        if found:
            raise Unlike(found)
        pull = self.pull(arguments, expected, got) if self.exercise.gives else got.pull
        return Answer(as_meant(expected.value, got.value), pull, got.steps)

    def pull(self, arguments: Arguments, expected: Answer, got: Answer) -> Any:
        """The answer's ``pull``, verified likewise."""

        def pull(*upstream: Any) -> Any:
            wanted = None
            with contextlib.suppress(Exception):  # an upstream that is to be refused
                wanted = expected.pull(*upstream)
            raw = got.pull(*upstream)
            if wanted is None:
                return raw
            if isinstance(named_gradients(self.exercise, wanted), str):  # other gradients than usually: no bias
                differs = compare(wanted, raw, Near(exact=False))
                found = Finding(self.check, f"Of `backward`: {differs.message}.", arguments) if differs else None
            else:
                found = gradients_finding(self.exercise, arguments, upstream, wanted, raw, False, exact=False)
            if found:
                raise Unlike(found)
            return raw

        return pull


def run_check(check: Check, answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | str | None:
    """A check of an exercise's own. It was written for values like the reference's: where it stumbles over others
    all the same, that is a finding too."""
    try:
        found: Finding | str | None = check.run(Verified(answer, reference, check.name), reference, rng)
    except (Failed, NoBackward):
        raise
    except Unlike as unlike:
        return unlike.finding
    except Exception as error:
        return f"What your function returned cannot be checked: {type(error).__name__}, {error}."
    return found
