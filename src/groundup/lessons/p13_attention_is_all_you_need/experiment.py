"""Turn written dates into ISO 8601: the Transformer with two kinds of positions, and an LSTM without attention."""

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
from groundup.lessons.p13_attention_is_all_you_need.averaging import WRITTEN, Trained, greedy, train
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
    **SIZE,
    "dropout": 0.2,
    "vocabulary": 7,
    "width": 4,
    "hidden": 5,
    "layers": 2,
    "heads": 2,
    "batch": 3,
    "source": 5,
    "target": 4,
}
TINY_LEARNED = {**TINY, "learned": 6, "layers": 1}
LSTM_SIZE: dict[str, Any] = {
    "vocabulary": len(CHARACTERS),
    "width": 48,
    "hidden": 64,
    "batch": 64,
    "source": 16,
    "target": 11,
}
LSTM_TINY = {"vocabulary": 7, "width": 3, "hidden": 4, "batch": 3, "source": 5, "target": 4}
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
    early, steps = run.pick((5, 10), (1000, 1650), (3000, 6000))
    heads = SIZE["heads"]

    def sinusoidal_or_learned(name: str, learned: int, *ends: int) -> Trained:
        model = learner(run.track, run.rng("parameters", name), **{**SIZE, "learned": learned})
        return train(run, name, model, data, watched, ends, SIZE["batch"], scorer_of, {"model": name, "heads": heads})

    def scorer_of(params: Tree, source: Array) -> Scorer:
        return transformer_scorer(params, source, heads)

    def right(scorer: Callable[..., Scorer], params: Tree) -> Array:
        return exact(test, lambda source: greedy(scorer(params, source), len(source)))

    ours = sinusoidal_or_learned("transformer", 0, early, steps)
    table = sinusoidal_or_learned("learned", LONGEST, early)
    rival_model = lstm_learner(run.track, run.rng("parameters", "lstm"), **LSTM_SIZE, steps=steps)
    rival = train(run, "lstm", rival_model, data, watched, (steps,), SIZE["batch"], seq2seq_scorer, {"model": "lstm"})

    found = {
        "transformer": right(scorer_of, ours.params),
        "transformer, last checkpoint": right(scorer_of, ours.last),
        "transformer, early": right(scorer_of, ours.averaged[early]),
        "learned positions, early": right(scorer_of, table.params),
        "lstm": right(seq2seq_scorer, rival.params),
        "lstm, last checkpoint": right(seq2seq_scorer, rival.last),
    }
    share = {name: float(each.mean()) for name, each in found.items()}
    searched = Encoded(*(array[:1000] for array in test))
    compared = found["transformer, last checkpoint"][:1000]
    beamed = exact(searched, lambda source: beam_search(scorer_of(ours.last, source), len(source), WRITTEN)[0])
    head, mass = year_head(ours.params, validation, test, heads)
    untrained = init(run.rng("parameters", "transformer"), **{name: SIZE[name] for name in INITIAL})
    _, mass_before = year_head(untrained, validation, test, heads)
    longest = test.lengths > np.quantile(test.lengths, 0.95)
    lengths = run.pick([16, 32, 64], [32, 64, 128, 256, 512, 1024])
    cost = costs(run.rng("costs"), lengths, 64, 4, run.pick(1, 5))
    slopes = {name: {what: growth(lengths[-3:], row[what][-3:]) for what in row} for name, row in cost.items()}
    example = int(np.argmax(test.lengths == min(22, test.lengths.max())))
    picture = attention_maps(ours.params, *one(test, example), heads)
    wrong = [
        {"read": parts.test[row][0], "wanted": parts.test[row][1]} for row in np.flatnonzero(~found["transformer"])[:5]
    ]
    best_lstm = max(("lstm", "lstm, last checkpoint"), key=lambda name: share[name])
    ratios = np.divide(cost["attention"]["seconds"], cost["lstm"]["seconds"])
    return Result(
        measured={
            "exact_match": Measured(
                share["transformer"], share[best_lstm], (found["transformer"], found[best_lstm])
            ),
            "positions": Measured(abs(share["learned positions, early"] - share["transformer, early"])),
            "beam": Measured(float(beamed.mean()), float(compared.mean()), (beamed, compared)),
            "heads": Measured(mass, mass_before),
            "crossing": Measured(float(ratios[-1])),
        },
        metrics={
            "exact match": share,
            "on the longest twentieth": {name: float(each[longest].mean()) for name, each in found.items()},
            "last checkpoint, beam 4 and greedy": [float(beamed.mean()), float(compared.mean())],
            "parameters": {name: trees.count(each.params) for name, each in models(ours, table, rival)},
            "seconds of training": {name: each.curves["seconds"][-1] for name, each in models(ours, table, rival)},
            "steps": {"early": early, "transformer and lstm": steps},
            "examples of transformer and lstm": steps * SIZE["batch"],
            "head of the year": head,
            "cost": cost,
            "exponents": slopes,
            "exponent of attention's time": slopes["attention"]["seconds"],
            "exponent of the LSTM's time": slopes["lstm"]["seconds"],
            "points that the sinusoids still gain": 100 * (share["transformer"] - share["transformer, early"]),
            "seconds, attention / lstm": dict(zip(lengths, ratios.tolist(), strict=True)),
            "wrong": wrong,
        },
        curves={name: each.curves for name, each in models(ours, table, rival)},
        arrays={
            "maps": {name: array[:, 0] for name, array in picture.items()},
            "read": parts.test[example][0],
            "written": parts.test[example][1],
            "lengths": lengths,
            "cost": cost,
            "slopes": slopes,
            "steps": steps,
            "averages": {
                "transformer": {early: share["transformer, early"], steps: share["transformer"]},
                "learned positions": {early: share["learned positions, early"]},
                "lstm": {steps: share["lstm"]},
            },
        },
    )  # fmt: skip


INITIAL = ("vocabulary", "width", "hidden", "layers")


def models(ours: Trained, table: Trained, rival: Trained) -> list[tuple[str, Trained]]:
    return [("transformer", ours), ("learned positions", table), ("lstm", rival)]


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
    score = (
        seq2seq_scorer(params, source)
        if about["model"] == "lstm"
        else transformer_scorer(params, source, about["heads"])
    )
    return decode_date(generate(score, 1, min(length, WRITTEN), temperature, rng)[0])
