"""A line tried on an answer, the examples of exercises, and the questions of interviewers."""

import numpy as np
import pytest

from groundup.lessons import all_lessons
from groundup.practice.interviews import ASKED
from groundup.practice.registry import all_exercises, find_exercise
from groundup.practice.starter import solution, starter
from groundup.practice.trial import attempt
from groundup.reader.data import asked_in
from groundup.reader.examples import example
from groundup.reader.questions import Question, take_out

SOFTMAX = find_exercise("softmax")


@pytest.mark.parametrize("in_process", [False, True])
def test_a_line_gives_what_python_would_print(in_process: bool) -> None:
    source = solution(SOFTMAX)
    trial = attempt(SOFTMAX, source, "softmax(np.zeros((1, 2)))", 10.0, in_process)
    assert (trial.ok, trial.value) == (True, "(array([[0.5, 0.5]]), <function backward>)")
    trial = attempt(SOFTMAX, source, "y, back = softmax(np.zeros(2)); print(y.shape); back(y)", 10.0, in_process)
    assert (trial.ok, trial.value, trial.log.strip()) == (True, "array([0., 0.])", "(2,)")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("softmax(", "Not Python yet"),
        ("  ", "Write a call first"),
        ("unknown", "NameError: name 'unknown' is not defined"),
        ("open('/etc/passwd').read()", "Not allowed here"),
        ("x" * 3000, "at most 2000 characters"),
        ("raise SystemExit", "ends Python"),
    ],
)
def test_a_line_that_fails_says_why(line: str, said: str) -> None:
    trial = attempt(SOFTMAX, solution(SOFTMAX), line, 10.0)
    assert not trial.ok
    assert said in trial.message


def test_an_error_in_the_answer_names_its_line_and_what_is_not_written_yet_says_so() -> None:
    trial = attempt(SOFTMAX, "def softmax(x, axis=-1):\n    return x / 0, None\n", "softmax(1)", 10.0)
    assert (trial.ok, trial.lines) == (False, ((2, "return x / 0, None"),))
    assert "not written yet" in attempt(SOFTMAX, starter(SOFTMAX), "softmax(1)", 10.0).message
    assert "took too long" in attempt(SOFTMAX, "def softmax(x):\n    while 1: pass\n", "softmax(1)", 1.0).message


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda one: one.name)
def test_every_exercise_has_an_example_and_its_call_gives_the_value(exercise) -> None:
    found = example(exercise)
    assert found == example(exercise), "the same every time"
    assert found["arguments"]
    assert found["value"]
    assert set(found["gradients"]) == set(exercise.gives)
    assert bool(found["upstream"]) == bool(exercise.gives)
    if found["call"] and exercise.track == "numpy" and exercise.exact:
        space = {"np": np}
        exec(solution(exercise), space)
        result = eval(found["call"], space)
        value = result[0] if exercise.gives else result
        leaf = value[0] if isinstance(value, tuple) and isinstance(value[0], np.ndarray) else value
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" and leaf.size <= 60:
            first = found["value"].replace("(", " ").replace("[", " ").replace(",", " ").replace("]", " ").split()[0]
            assert float(first) == pytest.approx(float(leaf.reshape(-1)[0]), abs=1e-3)


def test_what_interviewers_ask_for_is_there() -> None:
    assert {one.name for one in all_exercises()} >= ASKED


def test_questions_in_a_list_and_in_a_paragraph() -> None:
    listed = "Before.\n\n**Asked in interviews**\n\n- *Why?* Because\n  of $x$.\n- *Common bugs*: many.\n\nAfter."
    assert take_out(listed) == ("Before.\n\n- *Common bugs*: many.\n\nAfter.", [Question("Why?", "Because of $x$.")])
    running = "**In interviews**: why $a?b$ (c)? (Since (d) is so.) derive it. Who `is?`?"
    wanted = [
        Question("Why $a?b$ (c)?", "Since (d) is so."),
        Question("Derive it.", ""),
        Question("Who `is?`?", ""),
    ]
    assert take_out(running) == ("", wanted)
    assert take_out("**Asked in interviews** but no list") != ("", [])
    assert take_out("Nothing.\n\nHere.") == ("Nothing.\n\nHere.", [])


def test_lessons_that_name_questions_show_them() -> None:
    found = {lesson.slug: asked_in(lesson) for lesson in all_lessons()}
    assert any(one["answer"] for one in found["tiny_decoder"])
    assert len(found["self_attention"]) >= 5
