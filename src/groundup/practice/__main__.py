"""For authors: `python -m groundup.practice NAME…` audits exercises and shows every verdict."""

import sys

from groundup.practice.audit import audit_exercise
from groundup.practice.registry import find_exercise
from groundup.practice.starter import starter


def main(names: list[str]) -> int:
    """Print starter and verdicts; 1 if something is not graded as it should be."""
    bad = 0
    for name in names:
        exercise = find_exercise(name)
        print(f"{'=' * 20} {exercise.name}\n{starter(exercise)}")
        for one in audit_exercise(exercise).tried:
            bad += not one.as_should
            print(f"{'ok ' if one.as_should else 'BAD'} {one.kind}: {one.name} ({one.verdict.seconds:.2f} s)")
            print("    " + one.verdict.text().replace("\n", "\n    "))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
