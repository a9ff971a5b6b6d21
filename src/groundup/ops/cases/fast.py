"""The fast forms, proven by the cases of the readable ones."""

from dataclasses import replace

from groundup.ops.cases.dense import CASES as DENSE
from groundup.ops.fast import FAST

CASES = [
    replace(case, name=f"fast {case.name}", function=FAST[case.function]) for case in DENSE if case.function in FAST
]
