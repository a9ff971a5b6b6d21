"""The grader: wrong answers of the kind that people write, right ones of kinds that nobody expects, and its words."""

import json
import sys
import types
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from groundup.errors import UserError
from groundup.ops.activations import relu
from groundup.ops.types import Array
from groundup.practice import check, progress
from groundup.practice.exercise import Exercise, Wrong
from groundup.practice.grading.compare import Near, compare, show
from groundup.practice.grading.grader import grade
from groundup.practice.grading.verdict import Verdict
from groundup.practice.grading.wire import Code, Function, Other, pack, unpack
from groundup.practice.notebook import source_from
from groundup.practice.registry import find_exercise
from groundup.practice.starter import changed, solution, starter

SOFTMAX = find_exercise("softmax")
NORM = find_exercise("layer_norm")
ATTENTION = find_exercise("scaled_dot_product_attention")


def tried(exercise: Exercise, source: str, **options: Any) -> Verdict:
    return grade(exercise, source, in_process=True, **options)


ATTEND = """
import numpy as np

def scaled_dot_product_attention(query, key, value, mask=None, scale=None):
    scale = 1 / np.sqrt(query.shape[-1]).astype(query.dtype) if scale is None else scale
    scores = query @ np.swapaxes(key, -1, -2) * scale
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(top == -np.inf, 0, top))
    total = e.sum(-1, keepdims=True)
    p = e / np.where(total == 0, 1, total)

    def backward(dy):
        dp = dy @ np.swapaxes(value, -1, -2)
        ds = p * (dp - (p * dp).sum(-1, keepdims=True)) * scale
        return ds @ key, np.swapaxes(ds, -1, -2) @ query, np.swapaxes(p, -1, -2) @ dy

    return p @ value, backward
"""


def test_the_plain_answer_passes():
    verdict = tried(ATTENTION, ATTEND)
    assert verdict.passed, verdict.text()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(p * dp).sum(-1", "(p * dp).mean(-1"),
        ("(p * dp).sum(-1", "dp.mean(-1"),
        ("* scale\n        return", "\n        return"),
        ("ds @ key,", "ds @ key / 2,"),
        ("np.swapaxes(ds, -1, -2) @ query", "ds @ query if ds.shape[-1] == ds.shape[-2] else 0 * key"),
        ("np.swapaxes(p, -1, -2) @ dy", "np.swapaxes(p, -1, -2) @ np.ones_like(dy)"),
        ("(dp - ", "(dp.mean() + 0 * dp - "),
        ("return p @ value", "return p @ value * (1 if mask is None else mask.all())"),
        (
            "return p @ value",
            "return (p @ value).reshape(-1, *value.shape[1:])[:1] * 1 if value.ndim > 3 else p @ value",
        ),
        ("if mask is not None", "if mask is not None and mask.ndim == 2"),
        ("-np.inf)\n", "scores.min() - 50)\n"),
        ("top = scores.max(-1, keepdims=True)", "top = scores.max()"),
        ("else scale\n", "else 1 / np.sqrt(query.shape[-1])\n"),
        ("p = e /", "p = e.round(6) /"),
        ("query.shape[-1]", "key.shape[-2]"),
    ],
)
def test_attention_that_is_nearly_right_is_refused(old: str, new: str):
    assert ATTEND.count(old) == 1
    verdict = tried(ATTENTION, ATTEND.replace(old, new))
    assert verdict.status in ("wrong", "error"), verdict.text()


NORM_RIGHT = """
import numpy as np

def layer_norm(x, gain, bias, eps=1e-5):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    sd = np.sqrt(var + eps)
    unit = (x - mean) / sd
    axes = tuple(range(x.ndim - 1))

    def backward(dy):
        q = dy * gain
        dx = (q - q.mean(-1, keepdims=True) - unit * (q * unit).mean(-1, keepdims=True)) / sd
        return dx, (dy * unit).sum(axes), dy.sum(axes)

    return unit * gain + bias, backward
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return dx,", "return dx.T.copy().T,"),  # another order in memory
        ("return dx,", "return [dx][0],"),
        ("(dy * unit).sum(axes), dy.sum(axes)", "*(np.sum(v, axes) for v in (dy * unit, dy))"),
        ("return unit * gain + bias, backward", "return [unit * gain + bias, backward]"),
        ("return unit * gain + bias, backward", "return unit * gain + bias, lambda dy: list(backward(dy))"),
        ("return unit * gain + bias, backward", "return np.flip(np.flip(unit * gain + bias)), backward"),
        ("def layer_norm(x, gain, bias, eps=1e-5)", "def layer_norm(a, g, b, *, eps: float = 1e-5)"),
        ("def layer_norm(x, gain, bias, eps=1e-5)", "def layer_norm(*args, **options)"),
        (
            "import numpy as np",
            "from __future__ import annotations\nimport numpy\nimport numpy as np\nfrom math import *",
        ),
        (
            "x.mean(-1, keepdims=True), x.var(-1, keepdims=True)",
            "(m := np.mean(x, -1)[..., None]), ((x - m) ** 2).mean(-1)[..., None]",
        ),
        ("sd = np.sqrt(var + eps)", "sd = (var + eps) ** 0.5  # σ"),
        ("    axes =", "    x = gain_ = None\n    axes ="),
    ],
)
def test_right_answers_in_other_clothes_are_accepted(old: str, new: str):
    assert NORM_RIGHT.count(old) == 1
    source = NORM_RIGHT.replace(old, new)
    if new.startswith("def layer_norm(a"):
        source = source.replace("    mean,", "    x, gain, bias = a, g, b\n    mean,")
    if "*args" in new:
        source = source.replace("    mean,", "    x, gain, bias = args\n    eps = options.get('eps', 1e-5)\n    mean,")
    if "x = gain_" in new:
        source = source.replace("    axes = tuple(range(x.ndim - 1))", "    axes = tuple(range(unit.ndim - 1))")
    verdict = tried(NORM, source)
    assert verdict.passed, verdict.text()


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("return None", "not None"),
        ("return dx", "not an array"),
        ("return dx, dy.sum(axes)", "not 2"),
        ("return dx, dy.sum(axes), None", "gradient of gain"),
        ("return dx, (dy * unit).sum(axes), None", "gradient of bias"),
        ("return dx, (dy * unit).sum(axes), dy.sum(axes), None", "not 4"),
        ("return dx, (dy * unit).sum(0), dy.sum(0)", "shape"),
        ("return dx, (dy * unit).sum(axes).astype('f8'), dy.sum(axes)", "float32 is wanted"),
        ("return np.stack([dx, dx, dx])", "a tuple of 3"),
        ("return {'x': dx}", "a tuple of 3"),
    ],
)
def test_gradients_of_another_form_are_explained(new: str, said: str):
    old = "return dx, (dy * unit).sum(axes), dy.sum(axes)"
    verdict = tried(NORM, NORM_RIGHT.replace(old, new))
    assert verdict.status == "wrong"
    assert said in verdict.message, verdict.text()


def test_the_first_failing_check_says_everything_there_is_to_say():
    wrong = next(wrong for wrong in NORM.wrong if wrong.name == "mean term dropped")
    verdict = tried(NORM, changed(NORM, wrong))
    assert verdict.check == "gradient of x"
    assert verdict.arguments is not None
    assert set(verdict.arguments) >= {"x", "gain", "bias"}
    assert verdict.upstream
    assert verdict.expected
    assert verdict.got
    assert verdict.expected != verdict.got
    assert verdict.error is not None
    assert verdict.error > 1e-3
    assert "gives a slope of" in verdict.measured
    assert wrong.diagnosis in verdict.diagnosis
    assert "values" in verdict.checks
    again = json.loads(json.dumps(verdict.as_dict()))
    assert again["passed"] is False
    assert wrong.diagnosis in verdict.text()


def test_diagnosis_is_only_given_where_all_numbers_agree():
    # On the smallest case it is one known mistake, on others another: no diagnosis rather than a wrong one.
    source = NORM_RIGHT.replace("q = dy * gain\n", "q = dy if x.ndim == 1 else dy * gain * 2\n")
    verdict = tried(NORM, source)
    assert verdict.status == "wrong"
    assert verdict.diagnosis == ""


def test_an_exception_is_shown_with_the_learners_lines_and_arguments():
    verdict = tried(SOFTMAX, "def helper(x):\n    return x.nothing\n\ndef softmax(x, axis=-1):\n    return helper(x)\n")
    assert verdict.status == "error"
    assert [line for line, _ in verdict.lines] == [5, 2]
    assert "AttributeError" in verdict.message
    assert verdict.arguments is not None


def test_half_written_starter_gets_feedback_on_its_first_half():
    half = starter(SOFTMAX).replace("y = ...  # your code", "y = np.exp(x)\n    y /= y.sum(axis, keepdims=True)")
    verdict = tried(SOFTMAX, half)
    assert verdict.status == "unwritten"
    assert verdict.checks == ("values",)
    assert "backward" in verdict.message.lower()


def test_docstrings_comments_and_layout_do_not_make_the_starter_an_answer():
    text = starter(SOFTMAX).replace('    """Softmax', '    # mine\n\n    """My softmax')
    assert tried(SOFTMAX, text).status == "unwritten"


def test_missing_function_is_named():
    verdict = tried(SOFTMAX, "def soft_max(x): return x\n")
    assert verdict.status == "wrong"
    assert "`softmax`" in verdict.message


def test_needless_loops_are_too_slow_and_array_code_is_not():
    loops = """
import numpy as np

def softmax(x, axis=-1):
    rows = np.moveaxis(x, axis, -1)
    y = np.empty(rows.shape, x.dtype)
    for place in np.ndindex(rows.shape[:-1]):
        top = rows[place].max()
        if top == -np.inf:
            y[place] = 0
            continue
        total = 0.0
        for j in range(rows.shape[-1]):
            y[place][j] = np.exp(rows[place][j] - top)
            total += y[place][j]
        y[place] /= total
    y = np.moveaxis(y, -1, axis)
    return y, lambda dy: y * (dy - (y * dy).sum(axis, keepdims=True))
"""
    verdict = tried(SOFTMAX, loops)
    assert verdict.check == "speed", verdict.text()
    assert "slow" in verdict.message
    assert tried(SOFTMAX, loops, timed=False).passed


def test_what_is_fast_only_because_it_is_wrong_on_large_arrays_is_refused():
    end = "    return y, backward"
    source = solution(SOFTMAX)
    assert end in source
    verdict = tried(SOFTMAX, source.replace(end, f"    if x.size > 10**4: return x, lambda dy: dy\n{end}"))
    assert verdict.status == "wrong"


FORBIDDEN = replace(SOFTMAX, name="forbidding", forbids=("numpy.exp", "numpy.expm1"))


@pytest.mark.parametrize("call", ["np.exp(x)", "getattr(np, 'ex' + 'p')(x)", "vars(np)['exp'](x)"])
def test_forbidden_functions_are_refused_by_name_and_when_called(call: str):
    verdict = grade(FORBIDDEN, f"import numpy as np\ndef softmax(x, axis=-1):\n    return {call}, lambda dy: dy\n")
    assert verdict.status == "refused", verdict.text()
    assert "numpy.exp" in verdict.message


def test_what_is_forbidden_comes_back_after_grading_in_this_process():
    tried(FORBIDDEN, "def softmax(x, axis=-1):\n    return x, lambda dy: dy\n")
    assert np.exp(0.0) == 1.0


# -- records of other kinds: trees, several functions, things that are used, what is kept


def add_one(x: Array) -> Array:
    """x + 1."""
    return x + 1


def run_twice(f: Any, x: Array) -> Any:
    values = [f(f(x))]
    return {"twice": values[0], "names": ["a", "b"], "count": 2}


def record(**fields: Any) -> Exercise:
    base: dict[str, Any] = {
        "title": "t",
        "functions": (relu,),
        "task": "t",
        "hints": ("a", "b", "c"),
        "why": "w",
        "difficulty": 1,
        "minutes": 1,
        "cases": lambda rng: [{"x": rng.normal(size=(2, 3))}, {"x": rng.normal(size=4)}],
        "wrong": (),
    }
    return Exercise(**{**base, **fields})


def test_keep_forward_leaves_only_backward_to_be_written():
    exercise = record(gives=("x",), keep="forward")
    text = starter(exercise)
    assert "np.maximum" in text
    assert "dy * (y > 0)" not in text
    assert tried(exercise, text).status == "unwritten"
    assert tried(exercise, solution(exercise)).passed
    written = text.replace('raise NotImplementedError("backward is not written yet")', "return dy * (x > 0)")
    assert tried(exercise, written).passed


def test_use_drives_the_function_and_its_value_may_be_a_tree():
    exercise = record(
        functions=(add_one,), use=run_twice, solution="import numpy as np\n\n\ndef add_one(x):\n    return x + 1\n"
    )
    assert tried(exercise, solution(exercise)).passed
    verdict = tried(exercise, "def add_one(x):\n    return x + 2\n")
    assert verdict.status == "wrong"
    assert "twice" in verdict.message
    assert tried(exercise, "def add_one(x):\n    x += 1\n    return x\n").check == "arguments unchanged"


def test_several_functions_need_use():
    with pytest.raises(ValueError, match="use"):
        record(functions=(relu, add_one))


def test_wrong_replacement_is_the_authors_mistake():
    with pytest.raises(ValueError, match="occurs 0 times"):
        changed(SOFTMAX, Wrong("x", {"nowhere": ""}, "x"))


# -- comparison and transport


@pytest.mark.parametrize(
    ("expected", "got", "kind"),
    [
        (np.zeros(2), np.zeros(2), None),
        (np.ones(2), np.ones(2) + 1e-12, None),
        (np.ones(2), np.ones(2) + 1e-9, "values"),
        (np.ones(2, np.float32), np.float32(1 + 1e-6) * np.ones(2, np.float32), None),
        (np.ones(2, np.float32), np.float32(1 + 1e-4) * np.ones(2, np.float32), "values"),
        (np.ones(2), np.ones((2, 1)), "shape"),
        (np.ones(2), np.ones(2, np.float32), "dtype"),
        (np.ones(2), np.array([1.0, np.nan]), "values"),
        (np.array([np.inf, np.nan]), np.array([np.inf, np.nan]), None),
        (np.array([np.inf]), np.array([-np.inf]), "values"),
        (np.array([1e300]), np.array([np.inf]), "values"),
        (np.array([1, 2]), np.array([1, 2], np.int32), None),
        (np.array([1, 2]), np.array([1.0, 2.0]), "dtype"),
        (np.array([1, 2]), np.array([1, 3]), "values"),
        (np.array([True]), np.array([1]), "dtype"),
        (1.5, np.float64(1.5), None),
        (np.float32(1.5), 1.5, None),
        (np.float32(1.5), np.float64(1.5), "dtype"),
        (1.5, "1.5", "kind"),
        ((np.ones(1), np.ones(1)), [np.ones(1), np.ones(1)], None),
        ((np.ones(1), np.ones(1)), (np.ones(1),), "kind"),
        ({"a": np.ones(1)}, {"a": np.ones(1)}, None),
        ({"a": np.ones(1)}, {"b": np.ones(1)}, "kind"),
        ("01", "01", None),
        ("01", "10", "values"),
        (np.ones(2), None, "kind"),
        (np.ones(2), Other("a set"), "kind"),
        (np.ones(0), np.ones(0), None),
        (None, None, None),
    ],
)
def test_compare(expected: Any, got: Any, kind: str | None):
    found = compare(expected, got)
    assert (found and found.kind) == kind


def test_an_error_is_relative_to_the_array_but_not_to_nothing():
    assert compare(np.array([1e6, 0.0]), np.array([1e6, 1e-6])) is None
    assert compare(np.array([0.0]), np.array([1e-14]), Near(around=1.0)) is None
    assert compare(np.array([0.0]), np.array([1e-12]), Near(around=1.0)) is not None
    assert compare(np.array([0.0]), np.array([1e-12]), Near(np.dtype(np.float32), around=1.0)) is None


def test_values_travel():
    value: dict[str, Any] = {
        "a": [np.arange(6.0).reshape(2, 3).T, (1, 2.5, None, True, "ü")],
        "b": np.float32(0.1),
        "c": b"\0\1",
        "d": np.array(3),
        "e": np.zeros((0, 2)),
        "f": np.array([1, 2], ">i4"),
        "g": float("inf"),
    }
    back = unpack(pack(value))
    assert list(back) == list(value)
    assert np.array_equal(back["a"][0], value["a"][0])
    assert back["a"][1] == value["a"][1]
    assert type(back["b"]) is np.float32
    assert back["d"].shape == ()
    assert back["e"].shape == (0, 2)
    assert back["f"].tolist() == [1, 2]
    back["a"][0][...] = 0  # fresh and writable


def test_functions_and_generators_are_only_made_from_trusted_bytes():
    code = pack(Code("lambda x: w * x", w=3.0))
    assert unpack(code, trusted=True)(2) == 6.0
    assert isinstance(unpack(code), Other)
    rng = np.random.default_rng(3)
    assert unpack(pack(rng), trusted=True).random() == np.random.default_rng(3).random()
    assert isinstance(unpack(pack(rng)), Other)
    assert isinstance(unpack(pack(len, lambda function: 7)), Function)
    assert isinstance(unpack(pack({1, 2})), Other)
    assert isinstance(unpack(pack(np.array([None]))), Other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"passed",
        b"\0" * 8,
        b"\0" * 7 + b"\2{}",
        b"\0" * 7 + b"\x2f" + b'{"array": ["<f8", [1000000000000, 1000000]]}   ',
    ],
)
def test_bytes_that_are_no_value_are_refused(data: bytes):
    with pytest.raises(ValueError, match="not a value"):
        unpack(data)


def test_large_arrays_are_shown_where_it_matters():
    assert "shape (10, 20)" in show(np.ones((10, 20)), (3, 7))
    assert show(np.arange(3)) == "[0, 1, 2]"


# -- the notebook


def notebook(source: str) -> dict[str, Any]:
    """A namespace as a notebook's, whose cells have a text."""
    import linecache

    module = types.ModuleType("notebook_of_tests")
    sys.modules[module.__name__] = module
    name = "<cell of tests>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), module.__dict__)
    return module.__dict__


CELL = '''
import math
import numpy as np
from functools import partial
Array = np.ndarray
AXIS = -1
TABLE = np.array([1.0, 2.0])
UNUSED = object()

class Kept:
    """Keeps y."""

    def __init__(self, y):
        self.y = y

def shift(x: Array, axis: int) -> Array:
    top = x.max(axis, keepdims=True)
    return x - np.where(np.isfinite(top), top, 0 * float(TABLE[0]))

def softmax(x: Array, axis: int = AXIS) -> tuple:
    e = np.exp(shift(x, axis))
    total = e.sum(axis, keepdims=True)
    kept = Kept(e / np.where(total == 0, 1, total))
    return kept.y, partial(pull, kept, axis)

def pull(kept, axis, dy):
    return kept.y * (dy - (kept.y * dy).sum(axis, keepdims=True)) * math.pow(1, 2)
'''


def test_a_function_of_a_notebook_is_graded_with_what_it_uses():
    namespace = notebook(CELL)
    source = source_from(namespace, ("softmax",))
    assert "UNUSED" not in source
    assert tried(SOFTMAX, source).passed
    namespace["check"] = check
    exec("verdict = check('softmax')", namespace)
    assert "passed" in str(namespace["verdict"])
    assert repr(namespace["verdict"]).startswith("softmax")
    assert progress.state(progress.load(), SOFTMAX) == "solved"


def test_a_notebook_that_uses_groundups_own_function_is_refused():
    namespace = notebook(
        "from groundup.ops.activations import softmax as own\ndef softmax(x, axis=-1):\n    return own(x, axis)\n"
    )
    assert tried(SOFTMAX, source_from(namespace, ("softmax",))).status == "refused"
    namespace = notebook("from groundup.ops.activations import softmax\n")
    assert not tried(SOFTMAX, source_from(namespace, ("softmax",))).passed


def test_a_notebook_without_the_function_is_told_so():
    with pytest.raises(UserError, match="Define softmax first"):
        check("softmax")
    with pytest.raises(UserError, match="did you mean softmax"):
        check("sofmax")
    with pytest.raises(UserError, match="def softmax"):
        source_from(notebook("softmax = lambda x, axis=-1: (x, lambda dy: dy)"), ("softmax",))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("class Soft:\n    def __call__(self, x, axis=-1):\n        return x\nsoftmax = Soft()", "it is a Soft here"),
        ("import functools\nsoftmax = functools.partial(print)", "it is a partial here"),
        (
            "import numpy as np\nBIG = np.ones(20_000)\ndef softmax(x, axis=-1):\n    return BIG",
            "BIG has 20000 numbers",
        ),
    ],
)
def test_what_a_notebook_cannot_hand_over_is_said(source: str, words: str):
    with pytest.raises(UserError, match=words):
        source_from(notebook(source), ("softmax",))
