"""Annotated code: which lines of a function belong together, and what is said of them."""

import pytest

from groundup.notebooks.source_modules import SourceError
from groundup.reader import folds, steps
from groundup.reader.links import definitions, numbered
from groundup.reader.shapes import of_docstring

SOURCE = '''import math


def f(x, y):
    """Adds `x` and $y$.

    More of it.
    """
    if x is None:
        raise ValueError
    # First one thing,
    # for a reason.
    a = x  # (1)
    b = [
        # not between statements
        a,

        y,
    ]
    # fmt: skip
    for one in b:
        # Inside of a loop.
        a = a + one

    c = a  # (2)
    d = c  # (2)
    e = (
        d
    )  # (3)

    def backward(dy):
        # Why it goes back.
        dx = dy  # (2)
        return dx

    def helper():
        """Helps."""
        return 1

    return e, backward
'''


def marks(source):
    return [(line, number) for line, numbers in numbered(source) for number in numbers]


def told(source, name="f"):
    start, end = definitions(source)[name]
    return steps.in_steps(source, start, end, marks(source))


def test_a_step_begins_at_a_comment_at_a_number_at_an_inner_function_and_after_a_blank_line():
    lines = SOURCE.splitlines()
    assert [(lines[one["start"] - 1].strip(), lines[one["end"] - 1].strip(), one["words"]) for one in told(SOURCE)] == [
        ("def f(x, y):", '"""', "Adds `x` and $y$."),
        ("if x is None:", "raise ValueError", ""),
        ("# First one thing,", "for one in b:", "First one thing, for a reason."),
        ("# Inside of a loop.", "a = a + one", "Inside of a loop."),
        ("c = a  # (2)", "d = c  # (2)", ""),
        ("e = (", ")  # (3)", ""),
        ("def backward(dy):", "return dx", "Why it goes back."),
        ("def helper():", "return 1", ""),
        ("return e, backward", "return e, backward", ""),
    ]


def test_steps_hold_every_line_but_blank_ones_once_and_only_comments_move():
    lines = SOURCE.splitlines()
    start, end = definitions(SOURCE)["f"]
    held = [line for one in told(SOURCE) for line in range(one["start"], one["end"] + 1)]
    assert len(held) == len(set(held))
    assert {line for line in range(start, end + 1) if lines[line - 1].strip()} <= set(held)
    assert all(lines[line - 1].strip().startswith("#") for one in told(SOURCE) for line in one["moved"])


def test_a_short_docstring_and_a_backward_without_comment_are_words_too():
    head = 'def f(x):\n    """Short."""\n    # Why.\n    y = x\n\n'
    source = f"{head}    def backward(dy):\n        return dy\n\n    return y\n"
    assert [(one["words"], one["moved"]) for one in told(source)] == [
        ("Short.", [2]),
        ("Why.", [3]),
        ("Backward", []),
        ("", []),
    ]


def test_a_method_and_a_function_without_docstring_have_steps():
    source = "class C:\n    def f(self):\n        # Why.\n        return 1\n"
    (found,) = steps.beside(source, ["C.f"], [], "a lesson")
    assert (found["name"], found["start"], found["end"]) == ("C.f", 2, 4)
    assert [(one["start"], one["end"], one["words"]) for one in found["steps"]] == [(2, 2, ""), (3, 4, "Why.")]


def test_a_function_that_is_not_there_or_says_nothing_is_refused():
    silent = "def f(x):\n    y = x\n\n    def backward(dy):\n        return dy\n\n    return y\n"
    with pytest.raises(SourceError, match=r'lesson\.py, cell "one": f has no steps'):
        steps.beside(silent, ["f"], [], 'lesson.py, cell "one"')
    assert steps.beside(silent, ["f"], [(2, "4")], "")  # an equation says enough
    assert steps.beside(silent, ["g"], [], "") == []
    with pytest.raises(SourceError, match=r'lesson\.py, cell "one": it does not show g, which'):
        steps.all_found({"one": ["f", "g"]}, [{"beside": [{"name": "f"}]}, {}], "lesson.py")


def test_folds_stay_inside_of_a_step_and_what_moved_is_not_counted():
    body = "".join(f"    # Why {number}.\n    x = x + {number}\n" for number in range(28))
    source = f'def f(x):\n    """First.\n\n    Rest.\n    """\n{body}    return x\n'
    found = steps.beside(source, ["f"], [], "")
    assert folds.short_enough(source, [], (), found) != []  # 35 lines: the docstring folds
    assert folds.short_enough(source, folds.inner_folds(source, ()), (), found) == folds.inner_folds(source, ())
    for fold in folds.short_enough(source, [], (), found):
        assert not any(fold["start"] < one["start"] <= fold["end"] for one in found[0]["steps"])


@pytest.mark.parametrize(
    ("docstring", "shapes"),
    [
        ("Sums.\n\nx (B, D), bias (D,) -> y (B,). ``backward(dy)`` returns dx.", "x (B, D), bias (D,) → y (B,)"),
        (
            "Shapes: x (..., D), w (D,) or None; y (...).\n``backward(dy)`` -> (dx, dw).",
            "x (…, D), w (D,) or None → y (…)",
        ),
        ("Reads: x (B, T), h (B, H) -> (ys (B, T, H), h (B, H)).", "x (B, T), h (B, H) → (ys (B, T, H), h (B, H))"),
        ("Adjoint, <f(x), c> = <x, g(c)>.\n\nc (N, k) -> x (N,).", "c (N, k) → x (N,)"),
        ("backward(dy) -> (dx, dw).", ""),
        ("Any shape, f(x, y) of it.", ""),
        (None, ""),
    ],
)
def test_shapes_are_what_a_docstring_gives_before_and_behind_its_arrow(docstring, shapes):
    assert of_docstring(docstring) == shapes
