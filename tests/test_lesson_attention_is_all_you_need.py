"""Lesson 13: oracles, invariants, brute force for the beam, and mistakes that must be caught."""

import itertools
import math

import numpy as np
import pytest

from groundup.data.dates import END, LONGEST, PAD, encode_source, split_date_pairs
from groundup.errors import UserError
from groundup.lesson import Model
from groundup.lessons.p13_attention_is_all_you_need import LESSON, bahdanau, experiment, model, variants
from groundup.lessons.p13_attention_is_all_you_need.averaging import extend
from groundup.lessons.p13_attention_is_all_you_need.decoding import (
    attention_maps,
    beam_search,
    generate,
    length_penalty,
    transformer_scorer,
)
from groundup.lessons.p13_attention_is_all_you_need.facts import leak
from groundup.lessons.p13_attention_is_all_you_need.measure import encoded, exact, like_length_batch
from groundup.ops.embedding import embedding
from groundup.ops.linear import linear
from groundup.ops.types import Tree
from groundup.proof.checks import GRADIENT_LIMIT, check_case, model_case
from groundup.proof.measure import interval
from groundup.training.optim import inverse_root
from groundup.training.params import count, map_tree
from kept import kept_record


def small(learned: int = 0) -> tuple[Tree, np.ndarray, np.ndarray]:
    """A two-layer model in float64 with a padded source and target."""
    params = model.init(np.random.default_rng(0), 9, 8, 12, 2, learned, np.float64)
    source = np.array([[3, 4, 5, 6, 7], [8, 3, 4, 0, 0]])
    target = np.array([[1, 3, 4, 5], [1, 6, 2, 0]])
    return params, source, target


def test_schedule_is_equation_3_and_peaks_at_the_end_of_the_warm_up():
    rate = inverse_root(48, 200)
    for number in (1, 50, 199, 200, 201, 1000):
        assert rate(number - 1) == pytest.approx(48**-0.5 * min(number**-0.5, number * 200**-1.5))
    assert int(np.argmax([rate(step) for step in range(1000)])) == 199


def test_parameters_are_counted_by_hand():
    vocabulary, d, ff, layers = 62, 48, 96, 3
    sub_ffn, norm, attention = 2 * d * ff + ff + d, 2 * d, 4 * d * d
    encoder, decoder = attention + sub_ffn + 2 * norm, 2 * attention + sub_ffn + 3 * norm
    params = model.init(np.random.default_rng(0), vocabulary, d, ff, layers)
    assert count(params) == vocabulary * d + layers * (encoder + decoder)


@pytest.mark.parametrize("learned", [0, 6])
def test_more_padding_changes_nothing(learned):
    params, source, target = small(learned)
    wider = np.concatenate([source, np.zeros((2, 1), int)], axis=1)
    assert np.allclose(
        model.transformer(params, source, target, 2)[0], model.transformer(params, wider, target, 2)[0], atol=1e-12
    )


def test_padding_of_the_source_gets_no_attention_and_the_future_none():
    params, source, target = small()
    maps = attention_maps(params, source, target, 2)
    assert maps["encoder"].shape == (2, 2, 2, 5, 5)
    assert maps["cross"].shape == (2, 2, 2, 4, 5)
    assert np.all(maps["encoder"][:, 1, :, :, 3:] == 0)
    assert np.all(maps["cross"][:, 1, :, :, 3:] == 0)
    assert np.all(maps["decoder"][..., ~np.tri(4, dtype=bool)] == 0)
    for weights in maps.values():
        assert np.allclose(weights.sum(axis=-1), 1)


def test_leak_is_zero_and_a_missing_causal_mask_is_caught(monkeypatch):
    data = encoded(split_date_pairs(np.random.default_rng(0), 1, 1, 8).test)
    params = model.init(np.random.default_rng(0), 62, 16, 16, 1)
    assert leak(params, data, 2) == 0
    monkeypatch.setattr(model, "causal_mask", lambda length: np.ones((length, length), bool))
    assert leak(params, data, 2) > 1e-3


def test_embedding_is_the_sum_of_scaled_row_and_position():
    params, source, _ = small()
    x, _ = model.embed(params, source, 0.0, None)
    token, place = source[0, 3], 3
    angles = [place / 10000 ** (2 * pair / 8) for pair in range(4)]
    position = np.array([f(angle) for angle in angles for f in (math.sin, math.cos)])
    assert np.allclose(x[0, 3], math.sqrt(8) * params["embedding"]["weight"][token] + position)


def test_gradient_of_padding_rows_is_zero_but_for_the_readout():
    params, source, target = small()
    logits, backward = model.transformer(params, source, target, 2)
    gradient = backward(np.zeros_like(logits))
    assert all(
        np.all(leaf == 0)
        for leaf in (gradient["embedding"]["weight"], gradient["encoder"][0]["attention"]["key"]["weight"])
    )
    memory, encode_backward = model.encode(params, source, 2)
    upstream = np.random.default_rng(1).normal(size=memory.shape)
    upstream[1, 3:] = 0  # what the decoder sends back to places that it may not look at
    assert np.all(encode_backward(upstream)["embedding"]["weight"][PAD] == 0)


def test_smoothed_loss_at_its_floor():
    q = np.full((1, 62), 0.1 / 62)
    q[0, 5] += 0.9
    loss, backward = model.smoothed_loss(np.log(q), np.array([5]))
    assert loss == pytest.approx(-np.sum(q * np.log(q)))
    assert np.allclose(backward(), 0)


def table_scorer(seed: int, vocabulary: int = 4):
    """A made-up language model: the logits depend on the whole prefix."""

    def score(prefixes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        keys = [[seed, int(row), *map(int, prefix)] for prefix, row in zip(prefixes, rows, strict=True)]
        return np.stack([np.random.default_rng(key).normal(0, 2, vocabulary) for key in keys])

    return score


def log_probability(score, row: int, tokens: tuple[int, ...]) -> float:
    total, prefix = 0.0, [1]
    for token in tokens:
        logits = score(np.array([prefix]), np.array([row]))[0]
        total += logits[token] - np.log(np.exp(logits).sum())
        prefix.append(token)
    return total


def every_text(vocabulary: int, length: int):
    for size in range(1, length + 1):
        for tokens in itertools.product(range(vocabulary), repeat=size):
            ended = END in tokens
            if (ended and tokens.index(END) == size - 1) or (not ended and size == length):
                yield tokens


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_a_beam_wide_enough_finds_what_brute_force_finds(alpha):
    score, length = table_scorer(3), 3
    found, totals = beam_search(score, 2, length, width=4**3, alpha=alpha)
    for row in range(2):
        best = max(
            every_text(4, length),
            key=lambda tokens: log_probability(score, row, tokens) / length_penalty(np.array(len(tokens)), alpha),
        )
        assert tuple(found[row][: len(best)]) == best
        assert np.all(found[row][len(best) :] == PAD)
        assert totals[row] == pytest.approx(log_probability(score, row, best))


def test_a_beam_of_one_is_greedy_and_greedy_stops_at_end():
    for seed in range(5):
        score = table_scorer(seed)
        assert np.array_equal(beam_search(score, 3, 5, width=1)[0], generate(score, 3, 5))
        for row in generate(score, 3, 5):
            ends = np.flatnonzero(row == END)
            assert not ends.size or np.all(row[ends[0] + 1 :] == PAD)


def test_beam_search_with_the_model_scores_its_own_output():
    params, source, _ = small()
    score = transformer_scorer(params, source, 2)
    found, totals = beam_search(score, 2, 4)
    for row in range(2):
        tokens = found[row].tolist()
        tokens = tokens[: tokens.index(END) + 1] if END in tokens else tokens
        assert totals[row] == pytest.approx(log_probability(score, row, tuple(tokens)))


def test_a_batch_holds_like_lengths_and_shifted_targets():
    data = encoded(split_date_pairs(np.random.default_rng(0), 400, 1, 1).train)
    lengths = []
    for seed in range(20):
        found = like_length_batch(np.random.default_rng(seed), data, 16)
        assert np.array_equal(found["given"][:, 1:], found["wanted"][:, :-1])
        assert np.all(found["wanted"][:, -1] == END)
        lengths.append((found["source"] == PAD).mean())
    assert np.mean(lengths) < 0.5 * (data.source[:, : data.lengths.max()] == PAD).mean()


def test_exact_counts_whole_dates():
    data = encoded(split_date_pairs(np.random.default_rng(0), 1, 1, 30).test)
    answers = {row.tobytes(): target[1:] for row, target in zip(data.source, data.target, strict=True)}

    def write(source: np.ndarray, spoil: int = 0) -> np.ndarray:
        padded = np.pad(source, ((0, 0), (0, LONGEST - source.shape[1])))
        written = np.stack([answers[row.tobytes()] for row in padded])
        written[:spoil, 4] += 1
        return written

    assert exact(data, write).all()
    assert exact(data, lambda source: write(source, 3), chunk=10).sum() == 21
    assert not exact(data, lambda source: write(source)[:, :-1]).any()  # no END: not yet finished


def test_curves_of_later_stretches_count_on():
    curves: dict[str, list[float]] = {"step": [0, 10], "seconds": [0.0, 1.0], "training": [3.0, 2.0]}
    extend(curves, {"step": [0, 5], "seconds": [0.0, 0.5], "training": [9.0, 1.0]})
    assert curves == {"step": [0, 10, 15], "seconds": [0.0, 1.0, 1.5], "training": [3.0, 2.0, 1.0]}


@pytest.mark.parametrize("mistake", ["readout", "scale", "memory"])
def test_planted_mistakes_in_the_backward_are_caught(monkeypatch, mistake):
    def broken(params, source, target, heads, rate=0.0, rng=None):
        logits, backward = model.transformer(params, source, target, heads, rate, rng)

        def wrong(d_logits):
            found = backward(d_logits)
            if mistake == "readout":  # the table's third use forgotten
                x = np.linalg.lstsq(params["embedding"]["weight"], logits[..., None][0, 0], rcond=None)[0][:, 0]
                found["embedding"]["weight"] = found["embedding"]["weight"] - np.outer(d_logits[0, 0], x)
            elif mistake == "scale":
                found["embedding"]["weight"] = found["embedding"]["weight"] / 2  # √d at width 4
            else:  # nothing comes back from the cross-attention
                found["encoder"] = map_tree(np.zeros_like, found["encoder"])
            return found

        return logits, wrong

    monkeypatch.setattr(experiment, "transformer", broken)
    size = {**experiment.TINY, "layers": 1, "dropout": 0.0}
    findings = check_case(model_case(Model("broken", experiment.learner, experiment.batch, size, size)), oracle=False)
    assert next(finding.error for finding in findings if finding.check == "gradient") > GRADIENT_LIMIT


def test_additive_attention_worked_by_hand():
    half = math.log(3) / 2
    keys, memory = np.array([[[0.0], [half], [7.0]]]), np.array([[[0.0], [4.0], [9.0]]])  # the third is padding
    mask = np.array([[True, True, False]])
    (context, weights), backward = bahdanau.additive_attention(
        np.zeros((1, 1)), keys, memory, np.array([[4 * half]]), mask
    )
    assert np.allclose(weights, [[1 / 4, 3 / 4, 0]])
    assert context.item() == pytest.approx(3)
    d_query, d_keys, d_memory, _ = backward(np.ones((1, 1)))
    assert np.allclose(d_keys.ravel(), [-1.648, 1.236, 0], atol=5e-4)
    assert d_query.item() == pytest.approx(-0.412, abs=5e-4)
    assert np.allclose(d_memory.ravel(), [1 / 4, 3 / 4, 0])


def test_the_rival_has_as_many_parameters():
    ours = model.init(np.random.default_rng(0), 62, 48, 96, 1)
    rival = bahdanau.attentive_init(np.random.default_rng(0), 62, 44, 32, 1.0)
    assert count(rival) == 50_022
    assert abs(count(rival) / count(ours) - 1) < 0.005  # "to within half a percent"


def test_the_rival_reads_nothing_from_padding():
    params = bahdanau.attentive_init(np.random.default_rng(1), 9, 5, 4, 1.0, np.float64)
    _, source, target = small()
    (memory, hidden, cell), _ = bahdanau.read(params, source)
    spoilt = memory.copy()
    spoilt[1, 3:] = 1e3
    before, after = (bahdanau.write(params, target, each, hidden, cell, source)[0] for each in (memory, spoilt))
    assert np.array_equal(before, after)


def test_the_decoder_of_the_rival_does_not_look_ahead():
    params = bahdanau.attentive_init(np.random.default_rng(1), 9, 5, 4, 1.0, np.float64)
    _, source, target = small()
    changed = target.copy()
    changed[:, 2] = 8
    before, after = (bahdanau.attentive_seq2seq(params, source, given)[0] for given in (target, changed))
    assert np.array_equal(before[:, :2], after[:, :2])
    assert not np.allclose(before[:, 2], after[:, 2])


def test_without_scale_is_softmax_of_the_bare_products():
    params, source, target = small()
    scaled = map_tree(np.copy, params)
    for layer in [*scaled["encoder"], *scaled["decoder"]]:
        for kind in ("attention", "cross_attention"):
            if kind in layer:
                layer[kind]["key"]["weight"] *= 2  # √d_k at two heads of width 4; on the keys as good as on the queries
    bare, _ = variants.without_scale(params, source, target, 2)
    assert np.allclose(bare, model.transformer(scaled, source, target, 2)[0])


def test_without_warm_up_the_rate_begins_at_its_peak_and_falls_as_ever():
    rate, usual = variants.at_once(48, 200), inverse_root(48, 200)
    assert rate(0) == rate(199) == pytest.approx(usual(199))
    assert rate(500) == pytest.approx(usual(500))


def test_pre_norm_leaves_the_sum_as_it_is():
    """With all output matrices at zero the sub-layers add nothing, and each place meets the last norm alone."""
    params = variants.pre_norm_init(np.random.default_rng(0), 9, 8, 12, 2, np.float64)
    for layer in [*params["encoder"], *params["decoder"]]:
        for kind in ("attention", "cross_attention"):
            if kind in layer:
                layer[kind]["out"]["weight"][:] = 0
        for name in ("weight", "bias"):
            layer["feed_forward"]["down"][name][:] = 0
    _, source, target = small()
    y, _ = model.embed(params, target, 0.0, None)
    normed = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5)
    logits, _ = variants.pre_norm_transformer(params, source, target, 2)
    assert np.allclose(logits, normed @ params["embedding"]["weight"].T)


def test_sample_refuses_what_is_no_date():
    params = model.init(np.random.default_rng(0), 62, 16, 16, 1)
    about = {"model": "transformer", "heads": 2}
    rng = np.random.default_rng(0)
    for prompt in ("", "  ", "März 1999", "1" * (LONGEST + 1)):
        with pytest.raises(UserError):
            experiment.sample(params, about, 0.0, 20, rng, prompt)
    assert LESSON.sample is not None
    assert isinstance(LESSON.sample(params, about, 0.0, 20, rng, "3rd of March 1999"), str)


def test_twin_decodes_as_the_model_does():
    torch = pytest.importorskip("torch")
    from groundup.lessons.p13_attention_is_all_you_need import twin
    from groundup.training.torch import load_params

    params = model.init(np.random.default_rng(0), 62, 16, 24, 2, dtype=np.float64)
    module = twin.Transformer(62, 16, 24, 2, 4, dropout=0.1)
    load_params(module, params)
    source = encode_source(["3rd of March 1999", "12.11.2010"])
    mine = generate(transformer_scorer(params, source, 4), 2, 6)
    theirs = twin.greedy(module, torch.from_numpy(source), mine.shape[1]).numpy()
    for a, b in zip(mine, theirs, strict=True):
        size = a.tolist().index(END) + 1 if END in a else len(a)
        assert np.array_equal(a[:size], b[:size])


def test_what_the_text_says_of_the_measurements():
    record = kept_record("attention_is_all_you_need")
    found, metrics = {one["name"]: one for one in record["findings"]}, record["drawn"]["metrics"]
    seeds, curves = record["drawn"]["seeds"], record["drawn"]["curves"]
    assert [metrics["parameters"][name] for name in ("transformer", "lstm_attention", "lstm")] == [49824, 50022, 65374]
    assert (min(seeds["transformer"]), max(seeds["transformer"])) == (0.993, 0.9995)  # "passes 99 % in every training"
    last = seeds["transformer, last checkpoint"]
    assert (min(last), max(last)) == (0.967, 0.981)
    assert all(average > one for average, one in zip(seeds["transformer"], last, strict=True))
    assert sum(seeds["dates on which beam and greedy differ"]) == 3
    rival = found["exact_match"]
    assert rival["verdict"] == "not seen"
    assert set(rival["rivals"]) == {1.0}  # "it makes no mistake"
    assert sorted(pair["only_rival"] for pair in rival["pairs"]) == [1, 2, 3, 3, 14]
    told = sorted(pair["p"] for pair in rival["pairs"])
    assert round(told[0], 4) == 0.0001  # "14 dates to none"
    assert told[1] > 0.05
    behind = np.subtract(found["attention"]["values"], found["attention"]["rivals"])
    assert found["attention"]["verdict"] == "holds"
    assert np.allclose([behind.min(), behind.max()], [0.026, 0.065])
    assert [curves[name]["step"][1] for name in curves] == [325] * 3
    assert [round(100 * curves[name]["exact match"][1]) for name in ("lstm_attention", "transformer")] == [98, 43]
    longest = metrics["on the longest twentieth"]
    assert round(92 * longest["lstm"]) == 91
    assert round(2000 * (1 - seeds["lstm"][0])) == 105
    assert round(min(found["heads"]["values"]), 2) == 0.87
    assert max(found["heads"]["rivals"]) < 0.375
    ratios = found["crossing"]["values"]  # at 1,024
    assert (round(min(ratios), 2), round(max(ratios), 2)) == (0.79, 1.09)


def test_what_the_text_says_of_the_small_table_3():
    seeds = kept_record("attention_is_all_you_need")["drawn"]["seeds"]
    share = {name.removesuffix(", right"): 100 * np.array(seeds[name]) for name in seeds if name.endswith(", right")}

    def reach(name: str) -> tuple[int, int]:
        return round(share[name].min()), round(share[name].max())

    def difference(name: str) -> tuple[float, float]:
        low, high = interval(share[name] - share["as it is"]) or (math.nan, math.nan)
        return low, high

    assert (reach("as it is"), reach("no scale"), reach("no warm-up")) == ((59, 80), (1, 23), (14, 48))
    assert difference("no scale")[1] < 0
    assert difference("no warm-up")[1] < 0
    low, high = difference("learned positions")
    assert (round(low), round(high)) == (14, 31)  # "by 14 to 31 points"
    for name in ("1 head", "12 heads", "pre-LN"):
        assert difference(name)[0] < 0 < difference(name)[1]  # "cannot tell"
    assert (44 < share["1 head"].min() < 45, 74 < share["1 head"].max() < 75.5) == (True, True)  # "45 %", "75 %"


def test_numbers_worked_by_hand_for_the_shared_table():
    table, here = np.array([[3.0]]), np.array([0])  # d = 1; the gradients do not depend on the entry
    read, given = (embedding(here, table)[1](np.array([[slope]])) for slope in (0.5, -1.0))
    _, d_readout = linear(np.array([[2.0]]), table)[1](np.array([[0.25]]))
    assert (read.item(), given.item(), d_readout.item()) == (0.5, -1.0, 0.5)
    assert read + given + d_readout == 0  # (8)
    assert round(7.7e19 / 3.3e18) == 23  # the ensemble's operations against the base model's
    per_second = 8 * 9.5e12  # of eight GPUs, as footnote 5 of the paper has it
    assert f"{12 * 3600 * per_second:.1e}" == "3.3e+18"  # the base model's twelve hours
    assert f"{3.5 * 86400 * per_second:.1e}" == "2.3e+19"  # the big model's three and a half days
    assert 1500 * 64 == 96_000
    assert round(2.3e19 / 3.3e18) == 7  # Google's LSTM with attention against the base model
    assert round(27.3 - 24.6, 1) == 2.7
