"""Mutants of solutions: what is made, what counts as the same, and that the grader refuses the rest."""

import ast
import importlib.util
import inspect
import sys
import time

import numpy as np
import pytest

from groundup.notebooks.source_modules import Library
from groundup.practice import equivalence
from groundup.practice import mutants as scores
from groundup.practice.equivalence import RULES
from groundup.practice.registry import all_exercises, find_exercise
from groundup.proof.hashes import Reach
from groundup.proof.mutation import Mutant, bytecode, mutants
from groundup.proof.mutation_kinds import Options

SOURCE = '''
import numpy as np

def helper(x):
    return x + 1

def norm(x: np.ndarray, gain, eps=1e-5) -> tuple:
    """Normalise, max - min."""
    if x.ndim < 1:
        raise ValueError(f"{x.ndim - 1}")
    centred = x - x.mean(axis=-1, keepdims=True)
    inverse = (np.mean(centred * centred, axis=-1, keepdims=True) + eps) ** -0.5
    y = np.zeros_like(x)
    y[...] = gain * centred * inverse

    def backward(dy):
        total = dy.sum(0)
        total -= dy @ gain.T
        return total, dy if 0 < len(x) else -dy

    return y, backward
'''
GIVEN = '''
def helper(x):
    return x + 1

def norm(x: np.ndarray, gain, eps=1e-5) -> tuple:
    """Normalise, max - min."""
    raise NotImplementedError
'''


def made(options=None):
    return mutants(SOURCE, GIVEN, options)


def test_every_kind_of_mistake_is_made():
    found = {(one.kind, one.before, one.after) for one in made(Options(floats=True, arrays=("x",), names=("norm",)))}
    mean, dropped = "x.mean(axis=-1, keepdims=True)", "np.mean(centred * centred, axis=-1, keepdims=True)"
    for wanted in [
        ("swapped", f"x - {mean}", f"{mean} - x"),
        ("operator", f"x - {mean}", f"x + {mean}"),
        ("dropped", f"x - {mean}", "x"),
        ("mistaken", mean, mean.replace("mean", "sum")),
        ("axis", mean, "x.mean(keepdims=True)"),
        ("axis", mean, mean.replace("-1", "0")),
        ("axis", "dy.sum(0)", "dy.sum(-1)"),
        ("left out", mean, "x.mean(axis=-1)"),
        ("dropped", f"{dropped} + eps", dropped),
        ("ε moved", f"({dropped} + eps) ** -0.5", f"{dropped} ** -0.5 + eps"),
        ("+= for =", "y[...] = gain * centred * inverse", "y[...] += gain * centred * inverse"),
        ("= for +=", "total -= dy @ gain.T", "total = dy @ gain.T"),
        ("left out", "total -= dy @ gain.T", ""),
        ("transpose", "gain.T", "gain"),
        ("transpose", "dy @ gain.T", "dy.T @ gain.T"),
        ("comparison", "0 < len(x)", "0 <= len(x)"),
        ("off by one", "0", "1"),
        ("sign", "-dy", "dy"),
        ("constant", "0.5", "1.0"),
        ("float64", "return (y, backward)", "return (np.float64(1) * y, backward)"),
        ("state", "return (y, backward)", "return (_reused(y, 'norm 0'), backward)"),
    ]:
        kind, *pieces = wanted
        assert (kind, *(ast.unparse(ast.parse(piece)) for piece in pieces)) in found, wanted
    assert any(kind == "argument" for kind, _, _ in found)


def test_mutants_are_distinct_compile_and_come_in_the_same_order():
    some = made()
    assert some == made()
    assert len({ast.dump(ast.parse(one.source)) for one in some}) == len(some) > 40
    assert len({one.key for one in some}) == len(some)
    for one in some:
        compile(one.source, "mutant", "exec")


def test_what_is_given_is_left_alone():
    """Helpers, signatures, docstrings and argument checks that nobody promised."""
    for one in made():
        tree = ast.parse(one.source)
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        original = {node.name: node for node in ast.parse(SOURCE).body if isinstance(node, ast.FunctionDef)}
        assert ast.dump(functions["helper"]) == ast.dump(original["helper"])
        assert ast.dump(functions["norm"].args) == ast.dump(original["norm"].args)
        assert [ast.dump(line) for line in functions["norm"].body[:2]] == [
            ast.dump(line) for line in original["norm"].body[:2]
        ]
    assert any("x.ndim" in one.before for one in made(Options(checks=True)))


def test_same_bytecode_is_no_mutant():
    assert bytecode("def f(x: int):\n    return x + 1") == bytecode("def f(x) -> int:\n\n    return (x + 1)")
    assert bytecode("def f(x):\n    return x + 1") != bytecode("def f(x):\n    return x + 2")
    assert not [one for one in mutants("x = 2 - 0") if one.after == "2"]  # folded: 2 - 0 is 2


def a_mutant(kind, before, after, source="", function="softmax"):
    return Mutant(kind, function, before, after, 1, source, "bomb")


@pytest.mark.parametrize(
    ("rule", "same", "different"),
    [
        ("commutative", ("swapped", "a + b", "b + a"), ("swapped", "a - b", "b - a")),
        ("commutative", ("swapped", "np.maximum(a, b)", "np.maximum(b, a)"), ("swapped", "f(a, b)", "f(b, a)")),
        ("a tie of draws", ("comparison", "g.random(3) < p", "g.random(3) <= p"), ("comparison", "a < b", "a <= b")),
        ("added to zero", ("+= for =", "a[0] = b", "a[0] += b", "a = np.zeros(3)"), ("+= for =", "a = b", "a += b")),
        ("the order of an index", ("swapped", "(:, i, None)", "(:, None, i)"), ("swapped", "(:, None)", "(None, :)")),
        ("warnings alone", ("left out", "np.errstate(over='ignore')", "np.errstate()"), ("left out", "f(a=1)", "f()")),
        ("the default", ("axis", "np.argsort(a, axis=-1)", "np.argsort(a)"), ("axis", "a.sum(axis=-1)", "a.sum()")),
    ],
)  # fmt: skip
def test_rules(rule, same, different):
    softmax = find_exercise("softmax")
    assert RULES[rule](a_mutant(*same), softmax, bool)
    assert not RULES[rule](a_mutant(*different), softmax, bool)


def test_rule_of_the_same_axis_holds_only_where_the_axes_are_counted():
    change = a_mutant("axis", "x.sum(axis=1)", "x.sum(axis=-1)")
    assert RULES["the same axis"](change, find_exercise("max_pool2d"), bool)
    assert not RULES["the same axis"](change, find_exercise("softmax"), bool)  # any shape
    assert not RULES["the same axis"](a_mutant("axis", "x.sum(axis=1)", "x.sum(axis=0)"), find_exercise("conv2d"), bool)


def test_rule_of_what_is_never_reached():
    softmax = find_exercise("softmax")
    change = a_mutant("sign", "-x", "x", function="a_helper")
    assert RULES["never reached in a helper"](change, softmax, lambda source: source == "bomb")
    assert not RULES["never reached in a helper"](change, softmax, lambda source: False)
    assert not RULES["never reached in a helper"](a_mutant("sign", "-x", "x"), softmax, lambda source: True)


def test_a_branch_that_is_never_taken_and_what_it_needs():
    """The text in which a branch raises stands beside each mutant of its condition, and of a choice."""
    source = """
def f(x):
    if x < 0:
        return 1
    return 2 if x else 3
"""
    for one in mutants(source):
        for text in (one.bomb, one.branch):
            compile(text, "bomb", "exec")
        space: dict = {}
        if one.before == "x < 0":
            exec(one.branch, space)
            assert one.after in one.branch
            assert "return 1" not in one.branch
        if one.before == "2 if x else 3":
            exec(one.bomb, space)
            kept, other = (1, 0) if one.after == "2" else (0, 1)
            assert space["f"](kept) == (2 if one.after == "2" else 3)
            with pytest.raises(AssertionError, match="reached"):
                space["f"](other)


def test_memory_that_was_not_written_to_is_no_answer():
    """A fresh array may lie where the reference's result has just been, and hold the right numbers."""
    answer = "import numpy as np\ndef sinusoidal_positions(length, width, dtype=np.float32):\n"
    answer += "    return np.empty((length, width), dtype)\n"
    assert not scores.passes(find_exercise("sinusoidal_positions"), answer, 0, 5.0)


def test_at_most_two_written_reasons_an_exercise():
    exercises = all_exercises()
    assert sum(len(one.equivalent) for one in exercises) <= 2 * len(exercises)
    assert all(reason.strip() for one in exercises for reason in one.equivalent.values())


def test_what_never_ends_is_refused():
    exercise = find_exercise("causal_mask")
    began = time.monotonic()
    lines = ["def causal_mask(length):", "    while True:", "        try:", "            x = 1"]
    lines += ["        except Exception:", "            pass"]
    assert not scores.passes(exercise, "\n".join(lines), 0, 0.2)
    assert time.monotonic() - began < 5


def test_a_tenth_of_the_mutants_drawn_anew():
    """The score in results/ says which mutants pass: a tenth of all, another each time, says the same."""
    seed = np.random.SeedSequence().entropy
    rng = np.random.default_rng(seed)
    record = scores.kept()
    for exercise in all_exercises():
        if exercise.track == "torch" and importlib.util.find_spec("torch") is None:
            continue
        known = record.get(exercise.name, {})
        if known.get("hash") != scores.score_hash(exercise):
            continue  # the next test says so
        every = scores.mutants_of(exercise)
        chosen = [every[place] for place in rng.permutation(len(every))[: (len(every) + 9) // 10]]
        left = set(scores.score(exercise, chosen=chosen).survivors)
        assert left <= set(known["survivors"]), (exercise.name, seed)


def test_a_score_is_stale_when_what_it_reaches_changes_and_not_its_neighbours(monkeypatch):
    module = "groundup.lessons.p00_numpy_and_pytorch.exercises.softmax"
    kept = {one: scores.score_hash(find_exercise(one)) for one in ("softmax", "log_softmax")}
    text = inspect.getsource(sys.modules[module])

    def changes(old, new, name=module, text=text):
        assert old in text
        reach = Reach(Library(overrides={name: text.replace(old, new)}))
        reach.follow_object(scores.score)
        monkeypatch.setattr(scores, "judging", lambda: reach)
        return [one for one in kept if scores.score_hash(find_exercise(one)) != kept[one]]

    assert changes("def log_softmax_cases", "def neighbour():\n    return 1\n\n\ndef log_softmax_cases") == []
    assert changes("[(2,), (1, 3)", "[(3,), (1, 3)") == ["softmax", "log_softmax"]
    assert changes("np.array([[0.0, 1000.0]", "np.array([[0.0, 2000.0]") == ["softmax"]
    assert changes("  # the same numbers, along the other axis", "") == []
    rules = inspect.getsource(equivalence)
    assert changes('"maximum", ', "", "groundup.practice.equivalence", rules) == ["softmax", "log_softmax"]


def test_kept_scores_are_of_this_code():
    record = scores.kept()
    for exercise in all_exercises():
        assert record.get(exercise.name, {}).get("hash") == scores.score_hash(exercise), (
            f"{exercise.name}: run `groundup practice audit --write`"
        )
