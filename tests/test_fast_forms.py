"""Fast forms equal the readable ones, stand in for them exactly while a lesson runs, and are shown nowhere."""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from groundup.lessons import find_lesson
from groundup.lessons.self_attention import model as cards
from groundup.ops import embedding as plain
from groundup.ops import fast
from groundup.ops.cases import CASES
from groundup.proof.hashes import experiment_hash, model_hash
from groundup.proof.layouts import rearranged, reversed_axes, strided
from groundup.training.forms import fast_forms
from groundup.training.run import Run, run_lesson
from test_hashes import changed

SRC = Path(fast.__file__).parents[1]
LAYOUTS: dict[str, Callable[..., np.ndarray]] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": strided,
    "reversed": reversed_axes,
}
LOOKUPS = [((), 5, 3), ((0,), 5, 3), ((2, 0), 5, 0), ((7,), 1, 4), ((3, 4), 5, 3), ((2, 3, 4), 300, 8), ((40, 9), 6, 1)]


def embeddings(rng):
    """Arguments of ``embedding`` with an upstream: every shape, repeated and unused rows, every integer type."""
    for shape, count, width in LOOKUPS:
        for kind in (np.int64, np.int32, np.uint8 if count <= 256 else np.uint16):
            indices = rng.integers(count, size=shape).astype(kind)
            yield (np.asarray(indices), rng.normal(size=(count, width))), rng.normal(size=(*shape, width))
    spread = np.broadcast_to(rng.normal(size=(3, 1, 4)), (3, 5, 4))  # a view that lies on itself
    yield (rng.integers(6, size=(3, 5)), rng.normal(size=(6, 4))), spread


DRAWN = {plain.embedding: embeddings}


@pytest.mark.parametrize("readable", fast.FAST, ids=lambda function: function.__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_values_and_gradients_equal(readable, dtype, layout):
    quick = fast.FAST[readable]

    def lay(array):
        real = array.astype(dtype) if array.dtype == np.float64 else array
        return rearranged(real, LAYOUTS[layout])

    close = {"rtol": 40 * np.finfo(dtype).eps, "atol": 40 * np.finfo(dtype).eps}  # sums in another order
    for arguments, upstream in DRAWN[readable](np.random.default_rng(0)):
        arguments, upstream = [lay(array) for array in arguments], lay(upstream)
        before = [array.copy() for array in arguments]
        (y, backward), (fast_y, fast_backward) = readable(*arguments), quick(*arguments)
        assert fast_y.dtype == y.dtype
        np.testing.assert_array_equal(fast_y, y)
        gradient, fast_gradient = backward(upstream), fast_backward(upstream)
        assert fast_gradient.dtype == gradient.dtype
        np.testing.assert_allclose(fast_gradient, gradient, **close)
        np.testing.assert_array_equal(fast_backward(upstream), fast_gradient)
        for now, then in zip(arguments, before, strict=True):
            np.testing.assert_array_equal(now, then)


def test_they_refuse_what_the_readable_form_refuses():
    for indices, error in [([0.0], TypeError), ([-1], IndexError), ([3], IndexError)]:
        with pytest.raises(error, match="embedding indices must be"):
            fast.embedding(np.array(indices), np.zeros((3, 2)))


def test_names_and_signatures_are_the_same_and_all_are_proven():
    for readable, quick in fast.FAST.items():
        assert quick.__name__ == readable.__name__
        assert inspect.signature(quick) == inspect.signature(readable)
        assert any(case.function is quick for case in CASES)
        assert readable in DRAWN


def test_they_stand_in_inside_the_block_alone():
    before = dict(vars(cards))
    with fast_forms():
        assert cards.embedding is plain.embedding is fast.embedding
    assert dict(vars(cards)) == before
    with pytest.raises(KeyError), fast_forms():
        raise KeyError
    assert dict(vars(cards)) == before
    assert plain.embedding is fast.readable_embedding is not fast.embedding


def test_a_module_that_is_loaded_inside_is_put_right_afterwards(monkeypatch):
    late: Any = ModuleType("groundup.late")
    with fast_forms():
        late.embedding = plain.embedding  # what `from groundup.ops.embedding import embedding` finds
        monkeypatch.setitem(sys.modules, late.__name__, late)
        assert late.embedding is fast.embedding
    assert late.embedding is fast.readable_embedding


def test_learners_built_before_and_inside_take_the_same_steps(monkeypatch):
    calls = []

    def counted(indices, weight):
        calls.append(1)
        return fast.embedding(indices, weight)

    monkeypatch.setattr(fast, "FAST", {plain.embedding: counted})
    model = find_lesson("self_attention").models[0]
    rng = np.random.default_rng(0)
    batches = [model.batch(rng, **model.tiny) for _ in range(3)]

    def fresh():
        return model.learner("numpy", np.random.default_rng(1), np.float64, **model.tiny)

    def losses(learner):
        return [learner.step(batch, rng) for batch in batches]

    early, expected = fresh(), losses(fresh())
    assert not calls
    with fast_forms():
        assert losses(early) == pytest.approx(expected, rel=1e-12)
        assert losses(fresh()) == pytest.approx(expected, rel=1e-12)
    assert len(calls) == 6


def test_a_run_uses_them_and_leaves_the_readable_ones():
    seen = []

    def experiment(run):
        seen.append(cards.embedding)
        raise LookupError

    lesson = replace(find_lesson("numpy_and_pytorch"), experiment=experiment)
    with pytest.raises(LookupError):
        run_lesson(Run(lesson, quiet=True))
    assert seen == [fast.embedding]
    assert cards.embedding is plain.embedding


def test_measurements_go_stale_with_the_fast_form_that_they_use():
    other = changed("groundup.ops.fast", "np.zeros_like(weight)", "0 * weight")
    lesson, without = find_lesson("self_attention"), find_lesson("numpy_and_pytorch")
    assert experiment_hash(lesson, other) != experiment_hash(lesson)
    assert experiment_hash(without, other) == experiment_hash(without)
    model = lesson.models[0]
    assert model_hash(model, model.size, other) != model_hash(model, model.size)


def test_no_lesson_and_no_exercise_shows_them():
    for room in ("lessons", "practice", "notebooks", "reader"):
        for path in (SRC / room).rglob("*.py"):
            assert not re.search(r"ops\.fast|ops import fast|training\.forms", path.read_text(encoding="utf-8")), path
