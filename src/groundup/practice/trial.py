"""A line that a learner tries on their own answer, before it is graded: what it gives, as Python would print it."""

import re
from dataclasses import asdict, dataclass
from typing import Any

from groundup.practice.exercise import Exercise
from groundup.practice.grading.look import as_text, look
from groundup.practice.grading.process import start
from groundup.practice.grading.subject import Failed, Remote
from groundup.practice.grading.verdict import Verdict

LONGEST = 2_000  # characters of a line
SHOWN = 4_000  # characters of what it gives
NAME = "the_line_that_is_tried"
FUNCTION = re.compile(r"<function (?:\S+\.)?(\w+) at 0x[0-9a-f]+>")
#: Runs beside the answer, below its last line, so that line numbers stay what they are.
BESIDE = '''


def {name}():
    """Run the line in the answer's own names; the value of its last expression as text."""
    import ast

    import numpy

    space = {{"np": numpy, **globals()}}
    tree = ast.parse({line!r}, "<line>")
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<line>", "exec"), space)
    value = eval(compile(ast.Expression(last.value), "<line>", "eval"), space) if last else None
    with numpy.printoptions(precision=6, suppress=True, threshold=200, edgeitems=3, linewidth=88):
        return "" if value is None else repr(value)[:{shown}]
'''


@dataclass(frozen=True)
class Trial:
    """What a line gave: its value as text, or in a sentence why it gave none; what was printed; lines of the answer."""

    ok: bool
    value: str = ""
    message: str = ""
    lines: tuple[tuple[int, str], ...] = ()
    log: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def attempt(exercise: Exercise, source: str, line: str, seconds: float, in_process: bool = False) -> Trial:
    """Try a line, such as ``softmax(np.zeros((1, 3)))``, on an answer: in a process of its own, as for grading."""
    text = as_text(exercise, source)
    if isinstance(text, Verdict):
        return Trial(False, message=text.message)
    if why := unfit(line):
        return Trial(False, message=why)
    verdict = look(exercise, text)
    if verdict:
        return Trial(False, message=verdict.message, lines=verdict.lines)
    worker = start(exercise.track, seconds, in_process)
    try:
        return run(Remote(exercise, worker), text, line, exercise)
    finally:
        worker.close()


def run(answer: Remote, text: str, line: str, exercise: Exercise) -> Trial:
    """Load the answer with the line beside it, and call that."""
    beside = BESIDE.format(name=NAME, line=line, shown=SHOWN)
    ask = {"names": [NAME], "use": "", "track": exercise.track, "gives": [], "forbids": list(exercise.forbids)}
    try:
        answer.request(do="load", source=text.rstrip() + beside, **ask)
        value = answer.request(do="call", args=[], options={}).get("value")
    except Failed as failed:
        known = tuple((number, words) for number, words in failed.lines if number <= text.count("\n") + 1)
        return Trial(False, message=failed.message, lines=known, log=answer.worker.log())
    plain = FUNCTION.sub(r"<function \1>", value) if isinstance(value, str) else ""
    return Trial(True, value=plain, log=answer.worker.log())


def unfit(line: str) -> str:
    """Why a line cannot be tried; "" if it can."""
    if not line.strip():
        return "Write a call first."
    if len(line) > LONGEST:
        return f"A line has at most {LONGEST} characters."
    try:
        compile(line, "<line>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"Not Python yet: {error.msg if isinstance(error, SyntaxError) else error}."
    return ""
