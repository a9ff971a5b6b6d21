"""self_attention: the hand-worked numbers, merging in any order, the task by brute force, planted mistakes."""

import itertools
import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from groundup.lessons.self_attention import CASES, experiment, facts, model
from groundup.lessons.self_attention.model import attend, attend_in_blocks, attend_scaled, attend_with_loops
from groundup.ops.attention import scaled_dot_product_attention
from groundup.ops.init import linear_params
from groundup.ops.types import Array
from groundup.proof.checks import check_case
from groundup.training.params import count, flatten
from kept import kept_record

X = np.array([[1, 0, 0.5, 0.2], [0, 1, 0, 0.3], [0.5, 0, 1, 0.1]])


def test_the_three_words_by_exact_fractions() -> None:
    """Scores exactly, weights and new words from them, without an array in sight."""
    rows = [[Fraction(number).limit_denominator(10) for number in row] for row in X.tolist()]
    scores = [[sum(a * b for a, b in zip(left, right, strict=True)) for right in rows] for left in rows]
    assert scores[0] == [Fraction(129, 100), Fraction(6, 100), Fraction(102, 100)]
    for i, row in enumerate(scores):
        powers = [math.exp(score) for score in row]
        new = [sum(p * float(x[c]) for p, x in zip(powers, rows, strict=True)) / sum(powers) for c in range(4)]
        for function in (attend_with_loops, attend):
            np.testing.assert_allclose(function(X, X, X)[0][i], new, rtol=1e-12)


def test_the_scaled_version_is_the_librarys() -> None:
    rng = np.random.default_rng(0)
    query, key, value, dy = rng.normal(size=(4, 2, 5, 3))
    mine, library = (f(query, key, value) for f in (attend_scaled, scaled_dot_product_attention))
    np.testing.assert_allclose(mine[0], library[0], rtol=1e-12)
    for a, b in zip(mine[1](dy), library[1](dy), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_partial_results_merge_in_any_order_and_grouping() -> None:
    """Scores of a thousand too: unshifted exponentials would overflow."""
    rng = np.random.default_rng(1)
    query, key, value = 12 * rng.normal(size=(3, 8, 30))
    tiles = [slice(0, 1), slice(1, 4), slice(4, 8)]
    wanted, _ = attend(query, key, value)
    assert np.abs(query @ key.T).max() > 1000
    for order in itertools.permutations(tiles):
        a, b, c = (model.partial_attention(query, key[tile], value[tile]) for tile in order)
        for merged in (model.merge(model.merge(a, b), c), model.merge(a, model.merge(b, c))):
            np.testing.assert_allclose(merged[2] / merged[1], wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("block", "workers"), [(1, 1), (3, 4), (5, 2), (100, 4), (2, 100)])
def test_blocks_and_workers_do_not_change_the_result(block: int, workers: int) -> None:
    rng = np.random.default_rng(2)
    query, dy = rng.normal(size=(2, 6, 4))
    key, value = rng.normal(size=(2, 13, 4))
    (y, backward), (wanted, full_backward) = (
        attend_in_blocks(query, key, value, block, workers),
        attend_scaled(query, key, value),
    )
    np.testing.assert_allclose(y, wanted, rtol=1e-12)
    for a, b in zip(backward(dy), full_backward(dy), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)


def test_blocks_refuse_a_size_that_makes_no_progress() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        attend_in_blocks(X, X, X, block=0)
    with pytest.raises(ValueError, match="at least 1"):
        attend_in_blocks(X, X, X, block=2, workers=0)


def test_no_array_of_all_weights_is_made_in_blocks() -> None:
    """Twice the words: about twice the memory, where full attention needs about four times as much."""
    small, large = (experiment.blocks_against_full(np.random.default_rng(3), n, 16, 8) for n in (256, 512))
    assert large["blocks"] < 2.3 * small["blocks"]
    assert large["full"] > 3.3 * small["full"]
    assert large["blocks"] * 2**20 < 512 * 512 * 4  # less than the weights alone


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_is_blind_to_order(heads: int) -> None:
    """All six orders of three words, and positions that end it."""
    rng = np.random.default_rng(4)
    params = {p: linear_params(rng, 4, 4, dtype=np.float64) for p in ("query", "key", "value", "out")}
    y, _ = model.self_attention(X[None], params, heads)
    for order in itertools.permutations(range(3)):
        moved, _ = model.self_attention(X[None, list(order)], params, heads)
        np.testing.assert_allclose(moved, y[:, list(order)], rtol=0, atol=1e-12)
    without, positioned = facts.word_order(rng)
    assert without <= 1e-12 < 0.01 < positioned


def test_boxes_answer_their_questions() -> None:
    """Every answer looked up by a dictionary from names to contents; places and counting by brute force."""
    names, contents = 9, 4
    dealt = experiment.deal(np.random.default_rng(5), 20, 6, names, contents)
    places = experiment.asked_places(dealt["cards"], names, contents)
    commonest = []
    for cards, answers, where in zip(dealt["cards"], dealt["answers"], places, strict=True):
        rows = cards - np.array([0, names, names + contents, 2 * names + contents])
        book = {name: content for name, content, _, _ in rows.tolist()}
        assert len(book) == 6
        assert set(book) <= set(range(names))
        for (_, _, first, second), answer, place in zip(rows.tolist(), answers, where, strict=True):
            assert answer.tolist() == [book[first], book[second]]
            assert rows[place, 0].tolist() == [first, second]
        commonest.append(max(Counter(book.values()).values()) / 6)
    assert experiment.counting_score(dealt, names, contents) == pytest.approx(np.mean(commonest))
    assert dealt["cards"].max() < 3 * names + contents


def test_the_weights_that_are_shown_are_the_weights_that_are_used() -> None:
    """The logits again, from the heat map's numbers."""
    params = model.init(np.random.default_rng(6), names=5, contents=3, width=6, dtype=np.float64)
    cards = experiment.deal(np.random.default_rng(7), 2, 4, 5, 3)["cards"]
    weights = experiment.reader_weights(params, cards, heads=2)
    np.testing.assert_allclose(weights.sum(axis=-1), 1)
    x = params["embedding"]["weight"][cards].sum(axis=2)
    part = {name: (p["weight"], p["bias"]) for name, p in params["attention"].items()}
    values = x @ part["value"][0].T + part["value"][1]
    mixed = np.concatenate([weights[:, head] @ values[:, :, 3 * head : 3 * head + 3] for head in (0, 1)], axis=-1)
    flat = (mixed @ part["out"][0].T + part["out"][1]) @ params["readout"]["weight"].T + params["readout"]["bias"]
    logits, _ = model.card_reader(params, cards, heads=2)
    np.testing.assert_allclose(logits, flat.reshape(2, 4, 2, 3), rtol=1e-10)


def test_the_rivals_have_equally_many_parameters() -> None:
    sizes = []
    for changes in experiment.READERS.values():
        size: dict[str, Any] = {**experiment.SIZE, **changes}
        sizes.append(count(experiment.learner("numpy", np.random.default_rng(0), **size).parameters()))
    assert len(sizes) == 5
    assert len(set(sizes)) == 1


def test_the_standard_error_of_the_variance() -> None:
    """For Gaussian entries the variance of the sample variance is d² (2 + 6/d) / N, by the fourth moment."""
    d, pairs = 8, 40_000
    variance, error = experiment.product_variance(np.random.default_rng(8), d, pairs)
    assert error == pytest.approx(d * math.sqrt((2 + 6 / d) / pairs), rel=0.1)
    assert abs(variance - d) < 5 * error


def forgetful_merge(a: model.Partial, b: model.Partial) -> model.Partial:
    """A merge that does not bring both sides to the common maximum."""
    return np.maximum(a[0], b[0]), a[1] + b[1], a[2] + b[2]


def missing_mean(x: Array, axis: int = -1) -> tuple[Array, Callable[..., Any]]:
    """A softmax whose backward forgets that the weights of a row add up to 1."""
    y = np.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y, lambda dy: y * dy


@pytest.mark.parametrize(
    ("case", "name", "mistake"),
    [("attend_in_blocks", "merge", forgetful_merge), ("attend", "softmax", missing_mean)],
)
def test_planted_mistakes_are_caught(
    case: str, name: str, mistake: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lesson's own cases pass, and fail once a step of the derivation is dropped."""
    found = next(one for one in CASES if one.name == case)
    assert all(finding.passed for finding in check_case(found, oracle=False))
    monkeypatch.setattr(model, name, mistake)
    assert not all(finding.passed for finding in check_case(found, oracle=False))


def test_an_untrained_reader_is_near_chance() -> None:
    """4,096 questions with 16 possible answers: the task does not give its answers away."""
    size: dict[str, Any] = dict(experiment.SIZE)
    reader = experiment.learner("numpy", np.random.default_rng(9), **size)
    test = experiment.deal(np.random.default_rng(10), 64, 32, 48, 16)
    first, second = experiment.accuracy(reader, test)
    assert (first + second) / 2 == pytest.approx(1 / 16, abs=0.03)


@pytest.mark.parametrize("divided", ["by d", "not"])
def test_other_scales_are_those_scales_on_both_tracks(divided: str) -> None:
    torch = pytest.importorskip("torch")
    size: dict[str, Any] = {**experiment.TINY, "divided": divided}
    pair = [experiment.learner(track, np.random.default_rng(9), np.float64, **size) for track in ("numpy", "torch")]
    batch = experiment.batch(np.random.default_rng(10), **experiment.TINY)
    (loss, tree), (twin_loss, twin_tree) = (one.gradients(batch) for one in pair)
    assert loss == pytest.approx(twin_loss, rel=1e-10)
    for name, gradient in flatten(tree).items():
        np.testing.assert_allclose(gradient, flatten(twin_tree)[name], rtol=1e-8, atol=1e-12)
    module = pair[1].module  # type: ignore[attr-defined]
    x = torch.randn(2, 3, 4, dtype=torch.float64)
    query, key, value = (
        module.attention.split(part(x))
        for part in (module.attention.query, module.attention.key, module.attention.value)
    )
    d = 4 // experiment.TINY["heads"]
    weights = torch.softmax(query @ key.transpose(-1, -2) / {"by d": d, "not": 1}[divided], dim=-1)
    expected = module.attention.out((weights @ value).transpose(1, 2).flatten(2))
    torch.testing.assert_close(module.attention(x), expected)


def test_what_the_text_says_of_the_measurements() -> None:
    record = kept_record("self_attention")
    found = {one["name"]: one for one in record["findings"]}
    answers = record["drawn"]["metrics"]["accuracy by question"]
    assert min(answers["two_heads"]) > 0.99  # "two heads answer nearly everything"
    assert max(answers["one_head"]) > 0.99  # "answers one of the two questions perfectly"
    guessing = 1 / 32 + 31 / 32 / 16  # "makes 9.2 %": one in 32 questions asks for the card of the other
    assert abs(min(answers["one_head"]) - guessing) < 2 * math.sqrt(guessing * (1 - guessing) / 2048)
    assert all(value < 0.56 for value in found["lookup"]["rivals"])  # with every seed
    assert min(answers["undivided"]) < 0.2  # "this seed learns one of the two questions hardly at all"
    undivided = sorted(found["scale"]["rivals"][1:])
    assert [round(value, 2) for value in undivided] == [0.58, 0.89, 0.90, 0.90]  # "58 % … three with about 90 %"
    assert min(found["scale"]["values"]) > 0.997  # "division brings every seed above 99.7 %"
    low, high = found["scale"]["difference"]
    assert low < 0 < high  # "so wide that it contains 0"
    rivals = zip(found["scale"]["values"], found["scale"]["rivals"], strict=True)
    assert all(value > rival for value, rival in rivals)  # "seed by seed, division won all five times"
    softmaxes = record["drawn"]["metrics"]["softmax"]
    without, scaled = (softmaxes[name] for name in ("without 1/√d", "with 1/√d"))
    keys = [math.exp(found["entropy"]) for found in without.values()]
    assert keys == sorted(keys, reverse=True)  # "less even with every doubling"
    assert 2 < math.exp(without["32"]["entropy"]) < 3  # "only two or three of the 64 keys count"
    ratios = {d: without[d]["median gradient"] / scaled[d]["median gradient"] for d in without}
    assert all((ratio > 1) == (int(d) <= 16) for d, ratio in ratios.items())  # "up to 16 it is longer … then it falls"
    assert 0.0005 < ratios["1024"] < 0.002  # "about a thousandth"
    assert without["1024"]["mean gradient"] > 50 * without["1024"]["median gradient"]  # "far above its median"
    assert 0.4 < found["lookup"]["median"] - found["lookup"]["rival_median"] < 0.5  # "nearly half of all answers"
    assert answers["one_head"][0] < record["drawn"]["metrics"]["accuracy without looking"]["commonest content"]
    assert found["root"]["verdict"] == "mostly"  # "cannot tell the two apart"
    assert max(abs(bound) for bound in found["root"]["difference"]) < 0.005
    spreads = [value for name, value in record["drawn"]["metrics"].items() if name.startswith("spread of the scores")]
    assert min(spreads) > 2  # "… that spread well beyond 1"
