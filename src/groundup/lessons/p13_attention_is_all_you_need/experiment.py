"""Turn written dates into ISO 8601: the Transformer against LSTMs with and without attention, and its variants."""

from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.data.dates import (
    CHARACTERS,
    LONGEST,
    PAD,
    decode_date,
    encode_source,
    split_date_pairs,
)
from groundup.errors import UserError
from groundup.lesson import Batch, Learner, Measured, Result
from groundup.lessons.p13_attention_is_all_you_need.ablations import ablate, variants
from groundup.lessons.p13_attention_is_all_you_need.averaging import WRITTEN, Trained, greedy, train
from groundup.lessons.p13_attention_is_all_you_need.bahdanau import (
    attentive_init,
    attentive_scorer,
    attentive_seq2seq,
)
from groundup.lessons.p13_attention_is_all_you_need.costs import costs
from groundup.lessons.p13_attention_is_all_you_need.decoding import (
    Scorer,
    attention_maps,
    beam_search,
    generate,
    transformer_scorer,
)
from groundup.lessons.p13_attention_is_all_you_need.measure import (
    Encoded,
    encoded,
    exact,
    one,
    year_head,
)
from groundup.lessons.p13_attention_is_all_you_need.model import init, smoothed_loss, transformer
from groundup.lessons.p13_attention_is_all_you_need.seq2seq import seq2seq, seq2seq_init, seq2seq_scorer
from groundup.ops.types import Array, Tree
from groundup.proof.instruments import growth
from groundup.training import params as trees
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.optim import cosine, inverse_root
from groundup.training.run import Run

SIZE: dict[str, Any] = {
    "vocabulary": len(CHARACTERS), "width": 48, "hidden": 96, "layers": 1, "heads": 4, "learned": 0,
    "dropout": 0.0, "batch": 64, "source": 16, "target": 11,
}  # fmt: skip
TINY = {
    **SIZE, "vocabulary": 7, "width": 4, "hidden": 5, "layers": 2, "heads": 2, "dropout": 0.2,
    "batch": 3, "source": 5, "target": 4,
}  # fmt: skip
TINY_LEARNED = {**TINY, "learned": 6, "layers": 1}
LSTM_SIZE: dict[str, Any] = {
    "vocabulary": len(CHARACTERS), "width": 48, "hidden": 64, "batch": 64, "source": 16, "target": 11,
}  # fmt: skip
LSTM_TINY = {"vocabulary": 7, "width": 3, "hidden": 4, "batch": 3, "source": 5, "target": 4}
ATTENTIVE_SIZE = {**LSTM_SIZE, "width": 44, "hidden": 32}  # as many parameters as the Transformer has, to 0.4 %
WARM_UP = 200
CHECKED = 200  # validation dates looked at while training


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    vocabulary: int,
    width: int,
    hidden: int,
    layers: int,
    heads: int,
    learned: int,
    dropout: float,
    **_: int,
) -> Learner:
    """A Transformer in training on either track, from the same parameters, with Adam and rate of section 5.3."""

    def twin() -> Twin:
        from groundup.lessons.p13_attention_is_all_you_need.twin import Transformer, smoothed_loss

        return Twin(Transformer(vocabulary, width, hidden, layers, heads, dropout, learned), smoothed_loss)

    return both_tracks(
        track,
        init(rng, vocabulary, width, hidden, layers, learned, dtype),
        forward=lambda params, rng, source, given: transformer(params, source, given, heads, dropout, rng),
        loss=smoothed_loss,
        twin=twin,
        inputs=["source", "given"],
        target="wanted",
        settings={"beta1": 0.9, "beta2": 0.98, "epsilon": 1e-9},
        schedule=inverse_root(width, WARM_UP),
    )


def lstm_learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    vocabulary: int,
    width: int,
    hidden: int,
    steps: int = 1000,
    **_: int,
) -> Learner:
    """The LSTM without attention in training, with what served it best: forget bias 4, cosine from 0.01, clipping."""

    def twin() -> Twin:
        from groundup.lessons.p13_attention_is_all_you_need.twin import Seq2Seq, smoothed_loss

        return Twin(Seq2Seq(vocabulary, width, hidden), smoothed_loss)

    return both_tracks(
        track,
        seq2seq_init(rng, vocabulary, width, hidden, 4.0, dtype),
        forward=lambda params, rng, source, given: seq2seq(params, source, given),
        loss=smoothed_loss,
        twin=twin,
        inputs=["source", "given"],
        target="wanted",
        schedule=cosine(1e-2, steps, warmup=50),
        clip=5.0,
    )


def attentive_learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    vocabulary: int,
    width: int,
    hidden: int,
    steps: int = 1000,
    **_: int,
) -> Learner:
    """The LSTM with attention in training: forget bias 1, cosine from 0.01, clipping."""

    def twin() -> Twin:
        from groundup.lessons.p13_attention_is_all_you_need.twin import AttentiveSeq2Seq, smoothed_loss

        return Twin(AttentiveSeq2Seq(vocabulary, width, hidden), smoothed_loss)

    return both_tracks(
        track,
        attentive_init(rng, vocabulary, width, hidden, 1.0, dtype),
        forward=lambda params, rng, source, given: attentive_seq2seq(params, source, given),
        loss=smoothed_loss,
        twin=twin,
        inputs=["source", "given"],
        target="wanted",
        schedule=cosine(1e-2, steps, warmup=50),
        clip=5.0,
    )


def batch(rng: np.random.Generator, *, vocabulary: int, batch: int, source: int, target: int, **_: Any) -> Batch:
    """Random tokens in the shape of training data, with PADs at the ends of rows on both sides."""
    read = rng.integers(1, vocabulary, size=(batch, source))
    written = rng.integers(1, vocabulary, size=(batch, target + 1))
    for tokens, shortest in ((read, source - 3), (written, target)):
        ends = rng.integers(shortest, tokens.shape[1] + 1, size=(batch, 1))
        tokens[np.arange(tokens.shape[1]) >= ends] = PAD
    return {"source": read, "given": written[:, :-1], "wanted": written[:, 1:]}


def run(run: Run) -> Result:
    """Three models on as many examples each, then what the lesson asks, on dates that none of them has seen."""
    sizes = run.pick((1500, 50, 60), (50_000, 1000, 2000))
    parts = split_date_pairs(run.rng("data"), *sizes)
    data, validation, test = (encoded(part) for part in parts)
    watched = Encoded(*(array[:CHECKED] for array in validation))
    steps = run.pick(10, 1500, 6000)
    heads = SIZE["heads"]

    def trained(name: str, learner: Learner, scorer: Callable[..., Scorer], about: dict[str, Any]) -> Trained:
        return train(run, name, learner, data, watched, steps, SIZE["batch"], scorer, {"model": name, **about})

    def scorer_of(params: Tree, source: Array) -> Scorer:
        return transformer_scorer(params, source, heads)

    def right(scorer: Callable[..., Scorer], params: Tree) -> Array:
        return exact(test, lambda source: greedy(scorer(params, source), len(source)))

    ours, attentive, plain = (
        trained("transformer", learner(run.track, run.rng("parameters", "transformer"), **SIZE), scorer_of,
                {"heads": heads}),
        trained("lstm_attention",
                attentive_learner(run.track, run.rng("parameters", "lstm_attention"), **ATTENTIVE_SIZE, steps=steps),
                attentive_scorer, {}),
        trained("lstm", lstm_learner(run.track, run.rng("parameters", "lstm"), **LSTM_SIZE, steps=steps),
                seq2seq_scorer, {}),
    )  # fmt: skip
    models = {"transformer": ours, "lstm_attention": attentive, "lstm": plain}
    scorers = {"transformer": scorer_of, "lstm_attention": attentive_scorer, "lstm": seq2seq_scorer}
    found = {name: right(scorers[name], model.params) for name, model in models.items()}
    found |= {f"{name}, last checkpoint": right(scorers[name], model.last) for name, model in models.items()}
    share = {name: float(each.mean()) for name, each in found.items()}

    def best(name: str) -> str:
        return max((name, f"{name}, last checkpoint"), key=lambda one: share[one])

    recurrent, blind = best("lstm_attention"), best("lstm")
    searched, asked = Encoded(*(array[:1000] for array in test)), found["transformer, last checkpoint"][:1000]
    beamed = exact(searched, lambda source: beam_search(scorer_of(ours.last, source), len(source), WRITTEN)[0])
    head, mass = year_head(ours.params, validation, test, heads)
    untrained = init(run.rng("parameters", "transformer"), **{name: SIZE[name] for name in INITIAL})
    _, mass_before = year_head(untrained, validation, test, heads)
    short = run.pick(10, 600)
    run.say(f"Seven variants for a small table 3, {short} steps each")
    changed = {
        name: ablate(run, variant, SIZE, WARM_UP, data, searched, short) for name, variant in variants(LONGEST).items()
    }
    base, _ = changed["as it is"]
    no_scale, _ = changed["no scale"]
    longest = test.lengths > np.quantile(test.lengths, 0.95)
    lengths = run.pick([16, 32, 64], [32, 64, 128, 256, 512, 1024])
    cost = costs(run.rng("costs"), lengths, 64, 4, run.pick(1, 5))
    slopes = {name: {what: growth(lengths[-3:], row[what][-3:]) for what in row} for name, row in cost.items()}
    example = int(np.argmax(test.lengths == min(22, test.lengths.max())))
    picture = attention_maps(ours.params, *one(test, example), heads)
    wrong = [
        {"read": parts.test[row][0], "wanted": parts.test[row][1]} for row in np.flatnonzero(~found["transformer"])[:5]
    ]
    ratios = np.divide(cost["attention"]["seconds"], cost["lstm"]["seconds"])
    return Result(
        measured={
            "exact_match": Measured(share["transformer"], share[recurrent], (found["transformer"], found[recurrent])),
            "attention": Measured(share[recurrent], share[blind], (found[recurrent], found[blind])),
            "scale": Measured(float(base.mean()), float(no_scale.mean()), (base, no_scale)),
            "heads": Measured(mass, mass_before),
            "crossing": Measured(float(ratios[-1])),
        },
        metrics={
            "exact match": share,
            "percent of the LSTM with attention": 100 * share[recurrent],
            "on the longest twentieth": {name: float(each[longest].mean()) for name, each in found.items()},
            "last checkpoint, beam 4 and greedy": [float(beamed.mean()), float(asked.mean())],
            "parameters": {name: trees.count(model.params) for name, model in models.items()},
            "seconds of training": {name: model.curves["seconds"][-1] for name, model in models.items()},
            "steps": {"of the three": steps, "of each variant": short},
            "examples": steps * SIZE["batch"],
            "head of the year": head,
            "cost": cost,
            "exponents": slopes,
            "seconds, attention / lstm": dict(zip(lengths, ratios.tolist(), strict=True)),
            "wrong": wrong,
            "every seed": {
                **share,
                "beam": float(beamed.mean()),
                "dates on which beam and greedy differ": int((beamed != asked).sum()),
                **{f"{name}, right": float(each.mean()) for name, (each, _) in changed.items()},
                **{f"{name}, loss": loss for name, (_, loss) in changed.items()},
            },
        },
        curves={name: model.curves for name, model in models.items()},
        arrays={
            "maps": {name: array[:, 0] for name, array in picture.items()},
            "read": parts.test[example][0],
            "written": parts.test[example][1],
            "lengths": lengths,
            "cost": cost,
            "slopes": slopes,
            "steps": steps,
            "averages": {name: share[name] for name in models},
        },
    )  # fmt: skip


INITIAL = ("vocabulary", "width", "hidden", "layers")


def sample(
    params: Tree, about: dict[str, Any], temperature: float, length: int, rng: np.random.Generator, prompt: str
) -> str:
    """What ``groundup sample`` prints: the prompt, a written date, in ISO 8601. Raises UserError if it is none."""
    if not prompt.strip():
        raise UserError('Which date? Add --prompt "3rd of March 1999".')
    try:
        source = encode_source([prompt])
    except ValueError as error:
        raise UserError(f"{error}.") from error
    if source.shape[1] > LONGEST:
        raise UserError(f"The date has {source.shape[1]} characters; this model was trained on at most {LONGEST}.")
    if about["model"] == "transformer":
        score = transformer_scorer(params, source, about["heads"])
    else:
        score = (seq2seq_scorer if about["model"] == "lstm" else attentive_scorer)(params, source)
    return decode_date(generate(score, 1, min(length, WRITTEN), temperature, rng)[0])
