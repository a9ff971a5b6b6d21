"""Rules that say why a mutant which passes does the same as the solution. Each is about text, not about numbers:
that two sources agree on the cases is what passing means, and proves nothing beyond the cases."""

import ast
import inspect
import re
from collections.abc import Callable

import numpy as np

from groundup.practice.exercise import Exercise
from groundup.practice.grading.subject import Local
from groundup.proof.mutation import Mutant
from groundup.proof.mutation_kinds import name_of

Accepted = Callable[[str], bool]
SYMMETRIC = {"maximum", "minimum", "add", "multiply", "max", "min", "vecdot", "swapaxes", "logaddexp", "gcd", "hypot"}
#: Keywords that say what holds without them: function, keyword, value.
DEFAULTS = {
    ("argsort", "axis", "-1"), ("sort", "axis", "-1"), ("take_along_axis", "axis", "-1"), ("diff", "axis", "-1"),
    ("reduceat", "axis", "0"), ("vecdot", "axis", "-1"), ("stack", "axis", "0"), ("concatenate", "axis", "0"),
}  # fmt: skip


def commutative(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """a + b and b + a, max(a, b) and max(b, a), the two axes that are swapped: always the same for numbers. (For
    lists and texts + is not, and there the grader has refused it.)"""
    if mutant.kind != "swapped" or (node := parsed(mutant.before)) is None:
        return False
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add)
    two = isinstance(node, ast.Call) and len(node.args) == 2
    return two and (name_of(node) in SYMMETRIC or (name_of(node) == "transpose" and exercise.track == "torch"))


def tie_of_draws(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """< and ≤ of a number drawn from a continuum: they differ with probability 0."""
    strict = mutant.before.replace("=", "") == mutant.after.replace("=", "")
    return mutant.kind == "comparison" and strict and ".random(" in mutant.before


def fresh_zero(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """a[i] += b for a[i] = b, where a[i] is 0: just made of zeros, or chosen for being 0. (Where an element comes
    twice, and the two differ, the grader has refused it.)"""
    if mutant.kind != "+= for =":
        return False
    target = mutant.before.split("[")[0]
    zeros = re.search(rf"\b{re.escape(target)} = (np|torch)\.zeros(_like)?\(", mutant.source)
    return bool(zeros) or mutant.before.startswith(f"{target}[{target} == 0]")


def default(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """A keyword left out whose value is the default."""
    before, after = parsed(mutant.before), parsed(mutant.after)
    if not isinstance(before, ast.Call) or not isinstance(after, ast.Call):
        return False
    kept = {ast.dump(keyword) for keyword in after.keywords}
    left_out = [keyword for keyword in before.keywords if ast.dump(keyword) not in kept]
    said = {(name_of(before), str(one.arg), ast.unparse(one.value)) for one in left_out}
    if counted(exercise):  # the last axis by its other name
        said |= {(name, axis, "-1") for name, axis, _ in said if axis == "axis"}
    return len(after.keywords) < len(before.keywords) and bool(said & DEFAULTS)


def warnings_alone(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """``np.errstate`` changes what is warned of, no number."""
    return mutant.before.startswith("np.errstate(")


def index_order(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """x[:, 0, None] and x[:, None, 0]: an integer takes its axis away, wherever the new one comes in."""
    if mutant.kind != "swapped" or not mutant.before.startswith("("):
        return False
    before, after = (indices(parsed(f"x[{text[1:-1]}]")) for text in (mutant.before, mutant.after))
    moved = [a for a, b in zip(before, after, strict=True) if ast.dump(a) != ast.dump(b)]
    new = [item for item in moved if isinstance(item, ast.Constant) and item.value is None]
    whole = [item for item in moved if isinstance(item, ast.Name) and item.id in ("axis", "i", "j", "t")]
    return len(new) == len(whole) == 1


def same_axis(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """An axis counted from the other end, where the number of axes is fixed: neither the task nor a docstring has
    "..." or "any shape" in it. (Another axis would have been refused, for no case is square.)"""
    if not counted(exercise):
        return False
    before, after = numbers(mutant.before), numbers(mutant.after)
    if mutant.kind not in ("axis", "sign") or len(before) != len(after):
        return False
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    return len(changed) == 1 and changed[0][0] * changed[0][1] <= 0 and min(changed[0]) < 0


def counted(exercise: Exercise) -> bool:
    """Whether the number of axes is fixed, by all that task and docstrings say."""
    texts = [exercise.task, *(inspect.getdoc(function) or "" for function in exercise.functions)]
    return not any(free in text.lower() for text in texts for free in ("...", "…", r"\dots", "any shape"))


def unreached(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """A piece of a helper that this exercise never comes to, or a branch of it that is never taken: even one that
    raises there passes. (In the function asked for it is a gap in the cases.)"""
    if mutant.function.split(".")[0] in exercise.names:
        return False
    return any(text != "" and accepted(text) for text in (mutant.bomb, mutant.branch))


def no_array(mutant: Mutant, exercise: Exercise, accepted: Accepted) -> bool:
    """``backward`` overwrites its upstream gradient, which is a number and no array: then nothing is overwritten."""
    if mutant.kind != "argument" or any(f", {name}" in mutant.after for name in exercise.gives):
        return False
    case = next(iter(exercise.cases(np.random.default_rng(0))))
    return not isinstance(Local(exercise)(**case).value, np.ndarray | tuple | list | dict)


def indices(node: ast.expr | None) -> list[ast.expr]:
    """What stands in the brackets of x[…]."""
    inner = node.slice if isinstance(node, ast.Subscript) else None
    return inner.elts if isinstance(inner, ast.Tuple) else []


def parsed(text: str) -> ast.expr | None:
    """Text as an expression, if it is one."""
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def numbers(text: str) -> list[int]:
    """The whole numbers of a piece of code, with their signs."""
    return [int(number) for number in re.findall(r"(?<![\w.])-?\d+(?![\w.])", text)]


#: Why a mutant that passes does the same as the solution.
RULES: dict[str, Callable[[Mutant, Exercise, Accepted], bool]] = {
    "commutative": commutative,
    "a tie of draws": tie_of_draws,
    "added to zero": fresh_zero,
    "the default": default,
    "the same axis": same_axis,
    "warnings alone": warnings_alone,
    "the order of an index": index_order,
    "no array to overwrite": no_array,
    "never reached in a helper": unreached,
}
