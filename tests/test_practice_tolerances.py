"""Tolerances, over all exercises: the solution in half the precision is refused, in another order of sums accepted."""

import ast
import importlib.util
from typing import Any

import numpy as np
import pytest

from groundup.practice.exercise import Exercise
from groundup.practice.grading.grader import grade
from groundup.practice.grading.subject import Local
from groundup.practice.grading.tolerance import magnified, paths, relative
from groundup.practice.registry import all_exercises
from groundup.practice.starter import changed, solution

#: Rounds floats of so many bits to the digits that floats of half as many have; the range stays.
ROUNDED = """
def _rounded(value, bits):
    import numpy as np
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return type(value)(_rounded(item, bits) for item in value)
    if type(value) is dict:
        return {key: _rounded(item, bits) for key, item in value.items()}
    if type(value).__module__ == "torch":
        wide = str(getattr(value, "dtype", "")) == f"torch.float{bits}"
        return (value.float() if bits == 64 else value.half()).to(value.dtype) if wide else value
    number = type(value) is float and bits == 64
    if number or isinstance(value, np.ndarray | np.generic) and value.dtype == f"f{bits // 8}":
        with np.errstate(all="ignore"):
            digits, exponent = np.frexp(value)
            places = 2.0 ** (24 if bits == 64 else 11)
            found = np.ldexp(np.round(digits * places) / places, exponent)
        if number:
            return float(found)
        return found.astype(value.dtype) if isinstance(value, np.ndarray) else value.dtype.type(found)
    return value


"""

#: Sums and products from the last term to the first, sums one term after the other.
TURNED = """
def _product(a, b):
    if type(a).__module__ == "torch":
        return a.flip(-1) @ b.flip(-2 if b.dim() > 1 else -1)
    return a[..., ::-1] @ (b[..., ::-1, :] if b.ndim > 1 else b[::-1])


def _reduced(name, x, axis=None, keepdims=False, **options):
    import numpy as np
    plain = isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.size and x.ndim
    if not plain or not {*options} <= {"axis"}:
        given = {"keepdims": keepdims, **options} if keepdims else options
        whole = x if type(x).__module__ == "torch" else np.asarray(x)
        return getattr(whole, name)(axis, **given) if axis is not None else getattr(whole, name)(**given)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count, total = 1, x
    for each in axes:
        count *= x.shape[each]
        total = np.take(np.cumsum(np.flip(total, each), axis=each), [-1], axis=each)
    total = total / x.dtype.type(count) if name == "mean" else total
    return total if keepdims else total.squeeze(tuple(axes))[()]


def _added(items, *start):
    items = list(items)
    return sum(items[::-1] if all(type(one) is float for one in items) else items, *start)


"""


class Rewritten(ast.NodeTransformer):
    """Every operation of floats rounded to half of ``bits``; with 0 bits, every sum turned round."""

    def __init__(self, bits: int, names: tuple[str, ...]) -> None:
        self.bits, self.names, self.inside = bits, names, [""]

    def wrapped(self, node: ast.expr) -> ast.expr:
        if not self.bits:
            return node
        return ast.Call(ast.Name("_rounded", ast.Load()), [node, ast.Constant(self.bits)], [])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.inside.append(node.name)
        node.body = [self.visit(line) for line in node.body]
        self.inside.pop()
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        if len(self.inside) > 1:  # not types and constants
            node.value = self.visit(node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AugAssign:
        node.value = self.wrapped(self.visit(node.value))
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        asked = self.inside[1:2] and (self.inside[1] in self.names or self.inside[-1] == "backward")
        node.value = self.visit(node.value) if node.value else None
        if node.value and asked:
            node.value = self.wrapped(node.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not self.bits and isinstance(node.op, ast.MatMult):
            return ast.Call(ast.Name("_product", ast.Load()), [node.left, node.right], [])
        return self.wrapped(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if not self.bits and method in ("sum", "mean") and isinstance(node.func, ast.Attribute):
            of_library = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "torch")
            args = node.args if of_library else [node.func.value, *node.args]
            return ast.Call(ast.Name("_reduced", ast.Load()), [ast.Constant(method), *args], node.keywords)
        if not self.bits and isinstance(node.func, ast.Name) and node.func.id == "sum":
            return ast.Call(ast.Name("_added", ast.Load()), node.args, node.keywords)
        # Functions of the answer's own may return views that are written to: they round inside.
        return self.wrapped(node) if method or self.bits == 0 else node


def rewritten(exercise: Exercise, bits: int) -> str:
    """The solution in half the precision of floats of so many bits; with 0 bits, in another order."""
    tree = Rewritten(bits, exercise.names).visit(ast.parse(solution(exercise)))
    return (ROUNDED if bits else TURNED) + ast.unparse(ast.fix_missing_locations(tree))


def floats_of(exercise: Exercise) -> bool:
    """Whether floats are compared at all: not where whole numbers or draws are asked for."""
    return exercise.exact and any(
        np.size(leaf)
        for case in exercise.cases(np.random.default_rng(0))
        for _, leaf in paths(Local(exercise)(**case).value)
    )


EXERCISES = [
    pytest.param(
        one,
        id=one.name,
        marks=pytest.mark.skipif(one.track == "torch" and importlib.util.find_spec("torch") is None, reason="no torch"),
    )
    for one in all_exercises()
]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_half_the_precision_is_refused(exercise: Exercise):
    if not floats_of(exercise):
        return
    double = any(
        isinstance(leaf, float) or leaf.dtype == np.float64
        for case in exercise.cases(np.random.default_rng(0))
        for _, leaf in paths(case | {"": Local(exercise)(**case).value})
    )
    for bits in [64] * double + [32] * (exercise.floats32 or not double):
        verdict = grade(exercise, rewritten(exercise, bits), in_process=True, timed=False)
        assert verdict.status == "wrong", (bits, verdict.text())
        assert verdict.error is not None, (bits, verdict.text())


@pytest.mark.parametrize("exercise", EXERCISES)
def test_any_order_of_summation_is_accepted(exercise: Exercise):
    for seed in range(5):
        verdict = grade(exercise, rewritten(exercise, 0), seed, in_process=True, timed=False)
        assert verdict.passed, f"seed {seed}: {verdict.text()}"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_right_answers_are_accepted_whatever_is_drawn(exercise: Exercise):
    for right in exercise.right:
        for seed in range(1, 4):
            verdict = grade(exercise, changed(exercise, right), seed, in_process=True, timed=False)
            assert verdict.passed, f"{right.name}, seed {seed}: {verdict.text()}"


def test_the_tolerance_lies_between_a_precision_and_half_of_it():
    pairs: list[tuple[Any, Any]] = [(np.float64, np.float32), (np.float32, np.float16)]
    for wide, half in pairs:
        found = relative(np.dtype(wide))
        assert found / float(np.finfo(wide).eps) == pytest.approx(float(np.finfo(half).eps) / found)


def test_what_magnifies_its_arguments_may_differ_by_more():
    def variance(x: np.ndarray) -> Any:
        return {"variance": x.var(), "first": x[:1]}

    x = 1e4 + np.random.default_rng(1).normal(size=8)
    near = relative(x.dtype) * 1e4
    found = magnified(variance(x), lambda rng: variance(x + rng.choice([-near, near], x.shape)))
    assert found["first"] == pytest.approx(near, rel=1e-3)
    assert 0.1 * near < found["variance"] < 10 * near
