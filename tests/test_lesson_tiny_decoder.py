"""tiny_decoder: what gradient checks and parity cannot say."""

import itertools
import math

import numpy as np
import pytest

from groundup.errors import UserError
from groundup.lessons.tiny_decoder import experiment, learners, prose
from groundup.lessons.tiny_decoder.model import decode_step, decoder, generate, init, start_cache
from groundup.lessons.tiny_decoder.words import (
    LONGEST,
    PAD,
    SYMBOLS,
    best_without_order,
    draw_words,
    reversal,
    right,
    text_of,
    tokens_of,
)
from groundup.ops.attention import attention_weights, causal_mask, scaled_dot_product_attention
from groundup.ops.norms import layer_norm
from groundup.ops.positions import sinusoidal_positions
from groundup.ops.types import Array, Tree
from groundup.proof.instruments import leaks
from groundup.training.params import count, map_tree
from kept import kept_record

HEADS = 2


def model(dtype: type = np.float64) -> Tree:
    """A small decoder whose norms and biases do something too."""
    rng = np.random.default_rng(3)
    params = init(rng, len(SYMBOLS), 8, np.float64)
    return map_tree(lambda leaf: (leaf + 0.3 * rng.normal(size=leaf.shape)).astype(dtype), params)


def some_words(count: int) -> Array:
    return draw_words(np.random.default_rng(4), count)


def text(tokens: Array) -> str:
    return "".join(SYMBOLS[token] for token in tokens)


# The three things to beware of


def test_odd_dimensions_are_the_cosine_of_the_angle_before() -> None:
    width = 6
    table = sinusoidal_positions(9, width, np.float64)
    for pos, j in itertools.product(range(9), range(width)):
        wanted = math.cos(pos / 10000 ** ((j - 1) / width)) if j % 2 else math.sin(pos / 10000 ** (j / width))
        assert table[pos, j] == pytest.approx(wanted, abs=1e-14)

    def unevenness(table: Array) -> float:
        return float(np.ptp((table[:-4] * table[4:]).sum(axis=1)))

    slip = table.copy()
    slip[1:, 1::2] = table[:-1, 1::2]  # cos(pos - 1)
    assert unevenness(table) < 1e-13  # the dot product knows the distance only
    assert unevenness(slip) > 0.1


def test_eps_is_inside_the_root() -> None:
    x = np.array([[2.0, 2.0, 2.0, 2.0 + 4e-4]])
    centred = (x[0, 3] - 2) * np.array([[-0.25, -0.25, -0.25, 0.75]])  # exactly: x - x.mean() would be rounded
    variance, eps = (centred**2).mean(), 1e-5
    y, _ = layer_norm(x, np.ones(4), np.zeros(4), eps)
    np.testing.assert_allclose(y, centred / math.sqrt(variance + eps), rtol=1e-12)
    assert np.abs(y - centred / (math.sqrt(variance) + eps)).max() > 1  # what eps outside would give
    _, backward = layer_norm(np.full((1, 4), 2.0), np.ones(4), np.zeros(4), eps)
    dx, _, _ = backward(np.array([[1.0, 0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(dx, np.array([[0.75, -0.25, -0.25, -0.25]]) / math.sqrt(eps), rtol=1e-12)


def test_nothing_is_added_to_the_denominator_of_the_softmax() -> None:
    rng = np.random.default_rng(0)
    query, key = rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 5, 4))
    weights = attention_weights(query, key, causal_mask(5))
    scores = np.where(causal_mask(5), query @ key.swapaxes(-1, -2) / 2, -np.inf)
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    planted = exponentials / (exponentials.sum(axis=-1, keepdims=True) + 1e-9)
    assert np.abs(weights.sum(axis=-1) - 1).max() < 1e-15
    assert np.abs(planted.sum(axis=-1) - 1).min() > 1e-11


def test_the_numbers_worked_by_hand() -> None:
    query, key = np.ones((3, 1)), np.log([[1.0], [2.0], [3.0]])
    value = np.array([[6.0], [0.0], [3.0]])
    y, backward = scaled_dot_product_attention(query, key, value, causal_mask(3))
    np.testing.assert_allclose(y[:, 0], [6, 2, 2.5], rtol=1e-14)
    d_query, d_key, d_value = backward(np.array([[0.0], [0.0], [1.0]]))
    np.testing.assert_allclose(d_value[:, 0], [1 / 6, 2 / 6, 3 / 6], rtol=1e-14)
    np.testing.assert_allclose(d_key[:, 0], [7 / 12, -10 / 12, 3 / 12], rtol=1e-13)
    np.testing.assert_allclose(d_query[:, 0], [0, 0, (3 * math.log(3) - 10 * math.log(2)) / 12], rtol=1e-13)


# The mask


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_output_depends_on_a_later_token_and_a_leak_is_found(dtype: type) -> None:
    params, tokens = model(dtype), reversal(some_words(3))["tokens"]
    length = tokens.shape[1]
    assert (leaks(lambda tokens: decoder(params, tokens, HEADS)[0], tokens) == 0).all()
    ahead = np.tri(length, k=1, dtype=bool)
    assert (leaks(lambda tokens: decoder(params, tokens, HEADS, ahead)[0], tokens) > 0).all()
    one_hole = causal_mask(length)
    one_hole[4, 20] = True
    found = leaks(lambda tokens: decoder(params, tokens, HEADS, one_hole)[0], tokens)
    assert np.flatnonzero(found).tolist() == [19]  # t = 20, and nowhere else


def test_the_last_output_depends_on_every_token() -> None:
    """The other half of causal: the past is visible."""
    params, tokens = model(), reversal(some_words(2))["tokens"]
    before = decoder(params, tokens, HEADS)[0][:, -1]
    for t in range(tokens.shape[1]):
        changed = tokens.copy()
        changed[:, t] = (changed[:, t] + 1) % len(SYMBOLS)
        assert (np.abs(decoder(params, changed, HEADS)[0][:, -1] - before).max(axis=-1) > 0).all()


def test_without_positions_the_order_of_the_past_is_lost() -> None:
    params, tokens = model(), reversal(some_words(2))["tokens"]
    shuffled = tokens.copy()
    shuffled[:, :LONGEST] = np.random.default_rng(0).permuted(shuffled[:, :LONGEST], axis=1)
    nowhere = np.zeros((tokens.shape[1], 8))

    def change(positions: Array | None) -> float:
        one, other = (decoder(params, line, HEADS, positions=positions)[0] for line in (tokens, shuffled))
        return float(np.abs(one - other)[:, LONGEST:].max())

    assert change(nowhere) < 1e-12
    assert change(None) > 1e-3


# The cache


def test_the_cache_changes_nothing_but_the_time() -> None:
    params, prompt = model(), some_words(3)[:, :7]
    tokens, logits = generate(params, prompt, 20, HEADS)
    again, plain = generate(params, prompt, 20, HEADS, cached=False)
    np.testing.assert_array_equal(tokens, again)
    np.testing.assert_allclose(logits, plain, rtol=0, atol=1e-12)
    whole = decoder(params, np.concatenate([prompt, tokens], axis=1), HEADS)[0]
    np.testing.assert_allclose(logits, whole[:, 6:-1], rtol=0, atol=1e-12)


def test_a_cache_with_wrong_positions_or_a_lost_token_is_noticed() -> None:
    params, tokens = model(), some_words(2)
    wanted = decoder(params, tokens, HEADS)[0][:, -1]

    def last(cache: Tree, columns: range) -> Array:
        for column in columns:
            logits, cache = decode_step(params, tokens[:, column], cache)
        return logits

    cache = start_cache(params, 2, HEADS, 20)
    assert np.abs(last(cache, range(LONGEST)) - wanted).max() < 1e-12
    assert np.abs(last(cache, range(1, LONGEST)) - wanted).max() > 1e-3
    late = {**cache, "positions": np.roll(cache["positions"], 1, axis=0)}
    assert np.abs(last(late, range(LONGEST)) - wanted).max() > 1e-3


def test_an_earlier_cache_can_be_gone_on_from_twice() -> None:
    params, tokens = model(), some_words(2)
    _, cache = decode_step(params, tokens[:, 0], start_cache(params, 2, HEADS, 3))
    first, _ = decode_step(params, tokens[:, -1], cache)
    decode_step(params, tokens[:, -2], cache)
    again, full = decode_step(params, tokens[:, -1], cache)
    np.testing.assert_array_equal(first, again)
    _, full = decode_step(params, tokens[:, -1], full)
    with pytest.raises(IndexError):
        decode_step(params, tokens[:, -1], full)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="8 does not divide into 3"):
        decoder(model(), some_words(1), 3)


def test_sampling_follows_the_softmax() -> None:
    params, prompt = model(), some_words(1)[:, :5]
    logits = generate(params, prompt, 1, HEADS)[1][0, 0]
    expected = np.exp(logits / 0.7 - np.max(logits / 0.7))
    expected /= expected.sum()
    many = np.repeat(prompt, 20_000, axis=0)
    drawn = generate(params, many, 1, HEADS, temperature=0.7, rng=np.random.default_rng(1))[0][:, 0]
    shares = np.bincount(drawn, minlength=len(SYMBOLS)) / len(many)
    assert np.abs(shares - expected).max() < 5 * math.sqrt(0.25 / len(many))
    assert expected.max() > 0.1  # or the bound above would say little


# The task


def test_the_task_is_to_write_the_word_backwards() -> None:
    words = some_words(200)
    task = reversal(words)
    lengths = set()
    for word, tokens, targets in zip(words, task["tokens"], task["targets"], strict=True):
        letters = text(word).strip()
        lengths.add(len(letters))
        line = f"{letters.rjust(LONGEST)}>{letters[::-1]}."
        assert text(tokens) == line.ljust(2 * LONGEST + 2)[:-1]
        assert text(targets[targets != -1]) == letters[::-1] + "."
        assert np.flatnonzero(targets != -1).tolist() == list(range(LONGEST, LONGEST + len(letters) + 1))
    assert lengths == set(range(4, 17))


def test_held_out_words_are_never_drawn() -> None:
    held_out = draw_words(np.random.default_rng(0), 60)
    drawn = draw_words(np.random.default_rng(0), 60, held_out)  # would be the same sixty
    assert not {text(word) for word in drawn} & {text(word) for word in held_out}


def test_right_is_what_generation_does() -> None:
    """A half-trained decoder: some answers are right, some wrong, and both ways of counting agree on each."""
    learner = learners.learner("numpy", np.random.default_rng(0), **learners.SIZE, steps=100)
    rng = np.random.default_rng(1)
    for _ in range(100):
        learner.step(reversal(draw_words(rng, 32)), rng)
    task = reversal(some_words(100))
    counted = right(learner.outputs(task), task["targets"])
    written, _ = generate(learner.parameters(), task["tokens"][:, : LONGEST + 1], LONGEST + 1, 4)
    answers = [text_of(line) == text(word).strip()[::-1] for line, word in zip(written, some_words(100), strict=True)]
    assert counted.tolist() == answers
    assert 0 < counted.mean() < 1


def test_best_without_order_counts_the_orders() -> None:
    words = np.array([tokens_of(word)[:LONGEST] for word in ("aabb", "abcd", "zzzz", "aabcc")])
    orders = [len(set(itertools.permutations(word[word != PAD].tolist()))) for word in words]
    assert best_without_order(words) == pytest.approx(np.mean([1 / count for count in orders]))


def test_attention_is_measured_on_the_mirrored_letter() -> None:
    words = some_words(3)
    targets = reversal(words)["targets"]
    weights = np.zeros((3, 2, 2 * LONGEST + 1, 2 * LONGEST + 1))
    for row, word in enumerate(words):
        for step, place in enumerate(range(LONGEST - 1, LONGEST - 1 - np.count_nonzero(word), -1)):
            weights[row, 0, LONGEST + step, place] = 1  # head 1 looks just where it should
            weights[row, 1, LONGEST + step, place - 1] = 1  # head 2 one place beside
    np.testing.assert_array_equal(experiment.on_the_letter(weights, targets), [1, 0])


@pytest.mark.parametrize("prompt", ["abc", "a" * 17, "Hello", "he llo", "hel>lo", "héllo", ">"])
def test_prompts_that_the_task_does_not_know_are_refused(prompt: str) -> None:
    about = {"variant": "decoder", "heads": HEADS}
    with pytest.raises(UserError, match="4 to 16 letters"):
        experiment.sample(model(), about, 0.8, 50, np.random.default_rng(0), prompt)


def test_sample_answers_a_prompt_and_refuses_baselines() -> None:
    def sample(variant: str, prompt: str) -> str:
        about = {"variant": variant, "heads": HEADS}
        return experiment.sample(model(), about, 0.0, 50, np.random.default_rng(0), prompt)

    written = generate(model(), tokens_of("hello")[None], LONGEST + 1, HEADS)[0][0]
    assert sample("decoder", "hello>") == sample("decoder", "hello") == f"hello>{text_of(written)}"
    assert 4 <= len(sample("decoder", "").partition(">")[0]) <= LONGEST  # no prompt: a random word
    with pytest.raises(UserError, match="no_mask"):
        sample("no_mask", "hello")


# The twin, where parity does not reach: other masks and positions, and its own cache


def test_twin_with_masks_positions_and_cache() -> None:
    torch = pytest.importorskip("torch")
    from groundup.lessons.tiny_decoder import twin
    from groundup.training.torch import load_params

    params, words = model(), some_words(3)
    module = twin.TinyDecoder(len(SYMBOLS), 8, HEADS)
    load_params(module, params)
    for mask in (None, np.tri(LONGEST, k=1, dtype=bool), np.eye(LONGEST, dtype=bool)):
        for positions in (None, np.zeros((LONGEST, 8))):
            mine, _ = decoder(params, words, HEADS, mask, positions)
            given = [None if array is None else torch.from_numpy(array) for array in (mask, positions)]
            with torch.no_grad():
                theirs, _ = module(torch.from_numpy(words), *given)
            np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-10, atol=1e-10)
    mine = generate(params, words, 15, HEADS)[0]
    np.testing.assert_array_equal(mine, twin.generate(module, torch.from_numpy(words), 15).numpy())


def test_the_lstm_has_as_many_parameters() -> None:
    ours, rival = (
        count(make("numpy", np.random.default_rng(0), **size).parameters())
        for make, size in ((learners.learner, learners.SIZE), (learners.lstm_learner, learners.LSTM_SIZE))
    )
    assert abs(rival - ours) < 0.01 * ours


def test_what_the_text_says_of_the_measurements() -> None:
    record = kept_record("tiny_decoder")
    curves, metrics = record["drawn"]["curves"], record["drawn"]["metrics"]
    ends = [curves[name]["training"][-1] for name in ("decoder", "no_mask")]
    assert [f"{loss:.4f}" for loss in ends] == ["0.0069", "0.0069"]  # the question before the opening
    assert (metrics["exact match"]["decoder"], metrics["exact match"]["no_mask"]) == (1.0, 0.0)
    assert metrics["parameters"]["decoder"] == 53_853


# Real text


def test_a_window_asks_for_the_character_after_each_of_its_own() -> None:
    read = prose.windows(np.arange(100), np.array([0, 40]))
    assert read["tokens"].shape == read["targets"].shape == (2, prose.TIME)
    np.testing.assert_array_equal(read["tokens"][1], np.arange(40, 40 + prose.TIME))
    np.testing.assert_array_equal(read["targets"], read["tokens"] + 1)


def test_bits_by_place_are_those_of_every_window_by_itself() -> None:
    params = model()
    tokens = np.random.default_rng(0).integers(len(SYMBOLS), size=3 * prose.TIME)
    found, windows = np.zeros(prose.TIME), 0
    for start in range(0, len(tokens) - prose.TIME, prose.TIME // 2):
        logits = decoder(params, tokens[None, start : start + prose.TIME], HEADS)[0][0]
        p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        wanted = tokens[start + 1 : start + prose.TIME + 1]
        found += -np.log2(p[np.arange(prose.TIME), wanted])
        windows += 1
    by_place = prose.bits_by_place(params, tokens, HEADS)
    np.testing.assert_allclose(by_place, found / windows, rtol=1e-10)
    late = found[prose.TIME // 2 :].mean() / windows
    assert prose.bits_per_character(params, tokens, HEADS) == pytest.approx(late, rel=1e-10)


def test_writing_goes_on_beyond_the_window_and_never_writes_the_unknown() -> None:
    params, prompt = model(), np.array([3, 1, 4])
    params["readout"]["bias"][0] = 50.0  # the model would write token 0 for ever
    kept = map_tree(np.copy, params)
    written = prose.write(params, prompt, 3 * prose.TIME + 5, HEADS, 0.0, np.random.default_rng(0))
    assert written.shape == (3 * prose.TIME + 5,)
    assert (written > 0).all()
    assert count(kept) == count(params)
    assert params["readout"]["bias"][0] == 50.0
    params["readout"]["bias"][0] = -1e9
    room = prose.TIME - len(prompt)
    np.testing.assert_array_equal(written[:room], generate(params, prompt[None], room, HEADS)[0][0])
    seen = np.concatenate([prompt, written[:room]])[-prose.TIME // 2 :]  # the window's second half begins the next
    np.testing.assert_array_equal(
        written[room : room + prose.TIME // 2], generate(params, seen[None], prose.TIME // 2, HEADS)[0][0]
    )
    drawn = [prose.write(params, prompt, 40, HEADS, 1.0, np.random.default_rng(seed)).tolist() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_sample_goes_on_from_a_prompt_of_text() -> None:
    vocabulary = "\ufffd" + "".join(sorted(SYMBOLS[1:]))
    params = init(np.random.default_rng(0), len(vocabulary), 8)
    about = {"variant": "text", "heads": HEADS, "vocabulary": vocabulary}
    for prompt in ("", "hello", "Ünknown"):
        written = experiment.sample(params, about, 0.8, 50, np.random.default_rng(0), prompt)
        assert len(written) == 50
        assert set(written) <= set(vocabulary[1:])


def test_layer_norm_worked_by_hand() -> None:
    for x in ([1.0, 3.0, 5.0, 7.0], [10.0, 30.0, 50.0, 70.0]):
        y, _ = layer_norm(np.array([x]), np.ones(4), np.zeros(4), 0.0)
        np.testing.assert_allclose(y[0], np.array([-3, -1, 1, 3]) / math.sqrt(5), rtol=1e-12)


def test_what_the_text_says_of_the_novels() -> None:
    record = kept_record("tiny_decoder")
    (finding,) = (one for one in record["findings"] if one["name"] == "text")
    metrics, curve = record["drawn"]["metrics"], record["drawn"]["curves"]["text"]
    tables = {order: metrics["n-grams"][f"Witten-Bell {order}"]["bits"] for order in range(1, 8)}
    rnn = kept_record("char_rnn")
    network = next(one for one in rnn["findings"] if one["name"] == "bits")
    # "a 4-gram does better, which looks at three characters", "the recurrent network beats it as well"
    for bits in finding["values"]:
        assert tables[4] < bits < tables[3]
        assert max(network["values"]) < bits
    assert finding["verdict"] == "not seen"
    assert finding["rivals"][0] == network["rivals"][0]  # the same parts of the novels, and the same tables
    assert metrics["numbers that the block keeps"] == 60_561
    steps = (1500 * 32 * 32, 1200 * 32 * 64)  # characters read: ours, and lesson 02's
    assert 1.5 < steps[1] / steps[0] < 1.7  # "one and a half times as much"
    assert 1.7 < rnn["drawn"]["metrics"]["numbers that the network keeps"] / 60_561 < 1.9  # "nearly twice as many"
    assert math.log2(81) == pytest.approx(6.34, abs=0.005)
    assert 2 * 32 * 4096 * 2 == 0.5 * 2**20  # bytes of a token in a cache of 32 layers of width 4096, in 16 bits
    by_place = metrics["bits by characters in view"]
    assert 0 < by_place[0] - tables[2] < 0.2  # "nearly level"
    assert all(bits > tables[seen + 1] for seen, bits in enumerate(by_place[:6], start=1))
    assert abs(by_place[4] - np.mean(by_place[15:])) < 0.05  # "flat from the fifth on"
    assert by_place[2] - by_place[4] > 0.1
    assert 0.7 < metrics["known words"] < 0.8  # "three in four"
    assert curve["held-out bits"][-1] < curve["held-out bits"][-2]  # "still falling"
