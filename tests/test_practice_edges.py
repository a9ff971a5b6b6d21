"""Changes of a solution that show only at an edge, loops that are fast enough to be overlooked, lists for arrays."""

import numpy as np
import pytest

from groundup.practice.exercise import Wrong
from groundup.practice.grading.compare import compare
from groundup.practice.grading.grader import grade
from groundup.practice.registry import find_exercise
from groundup.practice.starter import changed, solution

#: What is replaced in the solution, and the check that says so.
CHANGED = {
    "a memory that forgets shape and axis": (
        "softmax",
        {
            "    e = np.exp(subtract_maximum(x, axis))\n    total = e.sum(axis=axis, keepdims=True)\n"
            "    y = e / np.where(total == 0, 1, total)": "    if x.tobytes() not in MEMO:\n"
            "        e = np.exp(subtract_maximum(x, axis))\n        total = e.sum(axis=axis, keepdims=True)\n"
            "        MEMO[x.tobytes()] = e / np.where(total == 0, 1, total)\n"
            "    y = MEMO[x.tobytes()]",
            "import numpy as np\n": "import numpy as np\n\nMEMO = {}\n",
        },
        "values",
    ),
    "classes in a byte": ("cross_entropy", {"targets.reshape(-1)": "targets.reshape(-1).astype(np.int8)"}, "values"),
    "a window's places in a byte": (
        "max_pool2d",
        {"first = open_windows & (": "first = open_windows & (i * kw + j < 128) & ("},
        "gradient of x",
    ),
    "quotients of what may be 0": (
        "local_response_norm",
        {"neighbour_sum(dy * x * scale / s, after": "neighbour_sum(dy * y / (x / (y / scale)) * x / s, after"},
        "gradient of x",
    ),
    "one long stride": ("conv2d_backward", {"dcolumns[:, :, :, i, j]": "dcolumns[:, :, :, i, j] / (sh * sw)"}, "grad"),
    "right without dropout": (
        "encoder_layer_backward",
        {"feed_forward_backward(d_thought)": "feed_forward_backward(dh)"},
        "gradient of x",
    ),
    "draws whenever it could": ("greedy_decoding", {"if temperature > 0 and rng": "if rng"}, "values"),
    "a short memory": ("greedy_decoding", {"score(written, rows)": "score(written[:, -8:], rows)"}, "values"),
    "an average that is never corrected again": (
        "adam",
        {'state["steps"] += 1': 'state["steps"] = min(state["steps"] + 1, 10)'},
        "values",
    ),
    "sums of floats": ("code_with_lengths", {"sum(2 ** (longest - length) ": "sum(2.0 ** (longest - length) "}, ""),
    "gradients that stay on the tape": (
        "tape",
        {
            "found = {output: np.ones_like(output.value) if upstream is None else upstream}": (
                "found = self.__dict__.setdefault('found', {})\n"
                "        found[output] = np.ones_like(output.value) if upstream is None else upstream"
            )
        },
        "",
    ),
    "large and negative in place of −∞": (
        "scaled_dot_product_attention",
        {"scores.shape), scores, -np.inf)": "scores.shape), scores, -1e4)"},
        "",
    ),
    "prefixes of a few letters": (
        "is_prefix_free",
        {"later.startswith(word)": "later[:16].startswith(word)"},
        "values",
    ),
    "large scores": ("attend", {"np.exp(subtract_maximum(x, axis))": "np.exp(x)"}, "large scores"),
    "one head's mask for all": (
        "multi_head_attention_torch",
        {"~mask": "~(mask[:, -1:] if mask.dim() == 4 else mask)"},
        "values",
    ),
    "−30 in place of −∞": ("scaled_dot_product_attention_torch", {"-math.inf": "-30.0"}, "large scores behind masks"),
    "clipped where it is large": (
        "training_loop_torch",
        {
            "loss.backward()": "loss.backward()\n        nn.utils.clip_grad_norm_(model.parameters(), 10.0)",
        },
        "values",
    ),
    "training mode for the outer modules": (
        "training_loop_torch",
        {"    model.train()": "    for module in [model, *model.children()]:\n        module.training = True"},
        "values",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_that_shows_at_an_edge_is_refused(name):
    exercise, change, check = CHANGED[name]
    if exercise.endswith("_torch"):
        pytest.importorskip("torch")
    answer = changed(find_exercise(exercise), Wrong(name, change, "…"))
    verdict = grade(find_exercise(exercise), answer, in_process=True, timed=False)
    assert verdict.status == "wrong", verdict.text()
    assert verdict.check.startswith(check), verdict.text()


#: Loops that array code does without, none of which costs a second: what Python executes is counted.
LOOPS = {
    "rnn_step": """
def rnn_step(x, hidden, weight_ih, weight_hh, bias_ih, bias_hh):
    h = np.stack([np.tanh(weight_ih @ a + bias_ih + weight_hh @ b + bias_hh) for a, b in zip(x, hidden)])

    def backward(dh):
        da = dh * (1 - h * h)
        return da @ weight_ih, da @ weight_hh, da.T @ x, da.T @ hidden, da.sum(0), da.sum(0)

    return h, backward
""",
    "attend": """
def attend(query, key, value):
    one = [attend_one(*parts) for parts in zip(*(a.reshape(-1, *a.shape[-2:]) for a in (query, key, value)))]

    def backward(dy):
        parts = zip(one, dy.reshape(-1, *dy.shape[-2:]))
        gradients = zip(*(pull(d) for (_, pull), d in parts))
        return [np.stack(g).reshape(a.shape) for g, a in zip(gradients, (query, key, value))]

    return np.stack([y for y, _ in one]).reshape(*query.shape[:-1], value.shape[-1]), backward


def attend_one(query, key, value):
    e = np.exp(query @ key.T - (query @ key.T).max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)

    def backward(dy):
        dp = dy @ value.T
        ds = p * (dp - (p * dp).sum(-1, keepdims=True))
        return ds @ key, ds.T @ query, p.T @ dy

    return p @ value, backward
""",
    "padding_mask": """
def padding_mask(keep):
    return np.stack([row[None, None] for row in keep])
""",
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_over_rows_are_refused(name):
    exercise = find_exercise(name)
    answer = "import numpy as np\n" + LOOPS[name]
    assert grade(exercise, answer, in_process=True, timed=False).passed
    verdict = grade(exercise, answer, in_process=True)
    assert (verdict.status, verdict.check) == ("wrong", "speed"), verdict.text()


def test_lists_of_whole_numbers_and_truths_are_arrays():
    mask = "import numpy as np\ndef causal_mask(length):\n    return np.tri(length, dtype=bool).tolist()\n"
    assert grade(find_exercise("causal_mask"), mask, in_process=True, timed=False).passed
    greedy = find_exercise("greedy_decoding")
    answer = solution(greedy).replace("return written[:, 1:]", "return [row[1:].tolist() for row in written]")
    assert grade(greedy, answer, in_process=True).passed
    assert compare(np.array([[1, 2], [3, 4]]), [[1, 2], [3, 5]]) is not None
    assert compare(np.array([[1, 2], [3, 4]]), [[1, 2], [3]]) is not None
    assert compare(np.array([1, 2]), [1.0, 2.0]) is not None
    assert compare(np.array([1.0, 2.0]), [1.0, 2.0]) is not None  # whose dtype would be a guess
    assert compare(np.zeros((0,), int), []) is None
