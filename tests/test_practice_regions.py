"""Answers that are right in the middle of the cases and wrong at an edge: each is refused, where it goes wrong."""

import numpy as np
import pytest

from groundup.lessons.p25_kolmogorov_complexity.codes import code_with_lengths, is_prefix_free
from groundup.practice.grading import wire
from groundup.practice.grading.grader import grade
from groundup.practice.grading.layouts import WORDS
from groundup.practice.grading.wire import laid_out
from groundup.practice.properties import fits
from groundup.practice.registry import find_exercise
from groundup.practice.starter import solution

#: What is replaced in the solution, or a whole answer, and the check that says so ("" for any).
EDGES = {
    "one mask for a batch": (
        "dropout",
        """
def dropout(x, rate, rng):
    scale = (rng.random(x.shape[-2:]) >= rate) / (1 - rate)
    return (x * scale).astype(x.dtype), lambda dy: (dy * scale).astype(x.dtype)
""",
        "independent draws",
    ),
    "rates in tenths": (
        "dropout",
        """
def dropout(x, rate, rng):
    scale = (rng.integers(10, size=x.shape) >= 10 * rate) / (1 - rate)
    return (x * scale).astype(x.dtype), lambda dy: (dy * scale).astype(x.dtype)
""",
        "share kept",
    ),
    "now and then the likeliest": (
        "draw",
        """
def draw(logits, temperature, rng):
    if temperature == 0 or rng.random() < 0.02:
        return int(np.argmax(logits))
    return int(np.argmax(logits / temperature + rng.gumbel(size=logits.shape)))
""",
        "frequencies of many",
    ),
    "a random byte": (
        "random_crop",
        """
def random_crop(images, size, rng):
    rows, columns = images.shape[1] - size + 1, images.shape[2] - size + 1
    place = rng.integers(256, size=len(images)) % (rows * columns)
    return np.stack([x[p // columns :, p % columns :][:size, :size] for x, p in zip(images, place)])
""",
        "many places",
    ),
    "places in turns": (
        "random_crop",
        """
def random_crop(images, size, rng):
    rows, columns = images.shape[1] - size + 1, images.shape[2] - size + 1
    place = np.resize(rng.integers(rows * columns, size=700), len(images))
    return np.stack([x[p // columns :, p % columns :][:size, :size] for x, p in zip(images, place)])
""",
        "many places",
    ),
    "the first score taken off": (
        "softmax",
        """
def softmax(x, axis=-1):
    e = np.exp(x - np.take(x, [0], axis))
    y = e / e.sum(axis, keepdims=True)
    return y, lambda dy: y * (dy - (y * dy).sum(axis, keepdims=True))
""",
        "wide rows",
    ),
    "a row's number in a byte": (
        "embedding",
        """
def embedding(indices, weight):
    def backward(dy):
        d = np.zeros_like(weight)
        np.add.at(d, indices.astype(np.uint8), dy)
        return d
    return weight[indices.astype(np.uint8)], backward
""",
        "",
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_an_answer_that_is_wrong_at_an_edge_is_refused(name):
    exercise, answer, check = EDGES[name]
    verdict = grade(find_exercise(exercise), "import numpy as np\n" + answer, in_process=True, timed=False)
    assert verdict.status == "wrong", verdict.text()
    assert check in ("", verdict.check), verdict.text()


def test_an_optimiser_remembers_in_its_state_alone():
    """Averages kept by the identity of a parameter do not survive saving and loading."""
    sgd = find_exercise("sgd")
    answer = (
        solution(sgd).split("def sgd")[0]
        + """
def sgd(momentum=0.0, nesterov=False, weight_decay=0.0):
    kept = {}

    def update(params, gradients, state, rate):
        def step(param, gradient):
            change = gradient + weight_decay * param
            if momentum:
                velocity = kept[id(param)] = momentum * kept.get(id(param), 0) + change
                change = change + momentum * velocity if nesterov else velocity
            param -= rate * change

        map_tree(step, params, gradients)

    return Optimiser(lambda params: {}, update)
"""
    )
    verdict = grade(sgd, answer, in_process=True)
    assert verdict.status == "wrong", verdict.text()
    assert "momentum" in (verdict.arguments or {})


def test_counts_of_draws_are_compared_with_known_power():
    rng = np.random.default_rng(0)
    p = np.array([0.5, 0.3, 0.15, 0.05, 0.0])
    right = sum(fits(rng.multinomial(2000, p), p) for _ in range(2000))
    assert right == 2000  # a false alarm in three million
    moved = np.array([0.55, 0.25, 0.15, 0.05, 0.0])
    assert not any(fits(rng.multinomial(20_000, moved), p) for _ in range(100))
    assert not fits(np.array([1000, 600, 299, 100, 1]), p)  # what cannot come has come


def test_kraft_sums_are_compared_exactly():
    """In floats 1 + 2^-60 is 1: the words came out too long, and were no prefix code."""
    for lengths in ([1, 1, 60], [1, 2, 3, 3, 53], [2000, 1, 1]):
        with pytest.raises(ValueError, match="no prefix code"):
            code_with_lengths(lengths)
    words = code_with_lengths([*range(1, 201), 200])  # exactly 1
    assert [len(word) for word in words] == [*range(1, 201), 200]
    assert is_prefix_free(words)


def test_answers_that_read_arrays_as_flat_memory_are_refused():
    exercise = find_exercise("numerical_gradient")
    answer = """
import numpy as np

def numerical_gradient(function, x, step=1e-5):
    work = x.copy(order="K")
    flat, slopes = work.reshape(-1), np.zeros(x.size)  # a view only where rows come one after the other
    for i, old in enumerate(flat.tolist()):
        flat[i] = old + step
        up = function(work)
        flat[i] = old - step
        slopes[i] = (up - function(work)) / (2 * step)
        flat[i] = old
    return slopes.reshape(x.shape)
"""
    verdict = grade(exercise, answer, in_process=True)
    assert (verdict.status, verdict.check) == ("wrong", "memory layouts"), verdict.text()
    assert "columns first" in verdict.message


@pytest.mark.parametrize("layout", [*WORDS, ""])
def test_layouts_travel(layout):
    for shape in [(3,), (2, 3), (2, 1, 4), (0, 2), ()]:
        value = laid_out(np.random.default_rng(0).normal(size=shape), layout)
        back = wire.unpack(wire.pack(value), trusted=True)
        assert np.array_equal(value, back)
        assert wire.layout_of(back) == wire.layout_of(value)
    value = laid_out(np.ones((2, 3)), layout)
    assert wire.layout_of(value) == layout
    assert wire.unpack(wire.pack(value)).flags.c_contiguous  # from an answer only numbers are taken


def test_weights_of_one_query_at_a_time_are_no_blocks():
    answer = """
import math
import numpy as np

def attend_in_blocks(query, key, value, block, workers=4):
    scale = 1 / math.sqrt(query.shape[-1])

    def row(q):
        e = np.exp(key @ q * scale - (key @ q * scale).max())
        return e / e.sum()

    def backward(dy):
        dq, dk, dv = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
        for i, q in enumerate(query):
            p, dp = row(q), value @ dy[i]
            ds = p * (dp - p @ dp) * scale
            dv += np.outer(p, dy[i])
            dk += np.outer(ds, q)
            dq[i] = ds @ key
        return dq, dk, dv

    return np.stack([row(q) @ value for q in query]), backward
"""
    verdict = grade(find_exercise("attend_in_blocks"), answer, in_process=True)
    assert (verdict.status, verdict.check) == ("wrong", "blocks"), verdict.text()
