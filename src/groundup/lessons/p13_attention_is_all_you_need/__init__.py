"""13 attention_is_all_you_need: the Transformer, encoder and decoder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from groundup.lesson import Finding, Lesson, Model, Paper
from groundup.lessons.p13_attention_is_all_you_need import bahdanau, experiment, figures, model, variants
from groundup.lessons.p13_attention_is_all_you_need.facts import FACTS
from groundup.lessons.p13_attention_is_all_you_need.seq2seq import seq2seq
from groundup.ops.types import Case, Tree


def small(rng: np.random.Generator, init: Callable[..., Tree]) -> dict[str, Any]:
    """Arguments of a small Transformer of two layers, with padding on both sides."""
    source, target = np.array([[3, 4, 5, 6], [2, 6, 0, 0]]), np.array([[1, 3, 4], [1, 6, 0]])
    return {"params": init(rng, 7, 4, 5, 2, dtype=np.float64), "source": source, "target": target, "heads": 2}


def small_stack(rng: np.random.Generator) -> dict[str, Any]:
    """Arguments of a pre-LN decoder of one layer: three places that write, four that are read, one of them padding."""
    params = variants.pre_norm_init(rng, 7, 4, 5, 1, np.float64)
    return {
        "x": rng.normal(size=(2, 3, 4)),
        "layers": params["decoder"],
        "last": params["decoder_norm"],
        "heads": 2,
        "mask": np.tri(3, dtype=bool),
        "memory": rng.normal(size=(2, 4, 4)),
        "seen": np.array([[True] * 4, [True] * 3 + [False]])[:, None, None],
    }


LESSON = Lesson(
    number="13",
    slug="attention_is_all_you_need",
    title="Attention is all you need",
    summary="The Transformer, encoder and decoder, every gradient by hand; it reads dates as people write them",
    part="Architectures and mechanisms",
    level="intermediate",
    minutes=120,
    folder=Path(__file__).parent,
    paper=Paper("Vaswani et al.", "Attention Is All You Need", 2017, "https://arxiv.org/abs/1706.03762"),
    needs=("numpy_and_pytorch", "self_attention", "tiny_decoder", "lstm"),
    experiment=experiment.run,
    figures=figures.draw,
    sample=experiment.sample,
    models=(
        Model(
            "transformer",
            experiment.learner,
            experiment.batch,
            experiment.TINY,
            experiment.SIZE,
            larger={"width": 192, "hidden": 384},
            proves=(
                model.embed,
                model.drop,
                model.add_and_norm,
                model.feed_forward,
                model.encoder_layer,
                model.decoder_layer,
                model.encode,
                model.decode,
                model.transformer,
            ),
        ),
        Model(
            "learned_positions",
            experiment.learner,
            experiment.batch,
            experiment.TINY_LEARNED,
            {**experiment.SIZE, "learned": experiment.LONGEST},
            proves=(model.embed,),
            larger={"width": 192, "hidden": 384},
        ),
        Model(
            "lstm_seq2seq",
            experiment.lstm_learner,
            experiment.batch,
            experiment.LSTM_TINY,
            experiment.LSTM_SIZE,
            proves=(seq2seq,),
            larger={"width": 192, "hidden": 256},
        ),
        Model(
            "lstm_attention",
            experiment.attentive_learner,
            experiment.batch,
            experiment.LSTM_TINY,
            experiment.ATTENTIVE_SIZE,
            proves=(bahdanau.additive_attention, bahdanau.read, bahdanau.write, bahdanau.attentive_seq2seq),
            larger={"width": 176, "hidden": 128},
        ),
    ),
    cases=(
        Case(
            "smoothed_loss with padding",
            model.smoothed_loss,
            lambda rng: {
                "logits": rng.normal(size=(2, 3, 5)),
                "wanted": np.array([[1, 4, 0], [2, 3, 1]]),
                "smoothing": 0.1,
            },
            ("logits",),
            lambda torch, logits, wanted, smoothing: torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), wanted.flatten(), ignore_index=0, label_smoothing=smoothing
            ),
        ),
        Case("without_scale", variants.without_scale, lambda rng: small(rng, model.init), ("params",)),
        Case("pre_norm_stack", variants.pre_norm_stack, small_stack, ("x", "memory", "layers", "last")),
        Case(
            "pre_norm_transformer",
            variants.pre_norm_transformer,
            lambda rng: small(rng, variants.pre_norm_init),
            ("params",),
        ),
    ),
    facts=FACTS,
    findings=(
        Finding(
            "exact_match",
            "Does a Transformer convert dates without a mistake, and more of them than the network before it?",
            "It converts 99 % of held-out dates without a wrong character, and more than an LSTM with attention does",
            ">=",
            0.99,
            rival="LSTM encoder and decoder with attention, as many parameters and examples",
            unit="share of dates",
            paper="Table 2, English to German: 28.4 BLEU; an LSTM with attention (GNMT) 24.6, the best ensemble 26.36",
            miss="It passes 99 % every time, and the LSTM with attention leaves it nothing to win: "
            "{percent of the LSTM with attention} % of the dates.",
        ),
        Finding(
            "attention",
            "Does attention help an LSTM?",
            "An LSTM with attention converts more dates than one without, which has more parameters",
            ">",
            rival="LSTM encoder and decoder without attention, as many examples (the better of its last and its "
            "averaged parameters)",
            unit="share of dates",
            paper="Not in this paper; Bahdanau, Cho & Bengio 2014, table 1: 26.75 BLEU with attention, 17.82 without",
        ),
        Finding(
            "scale",
            "Does training need the division by √dₖ?",
            "After 600 steps the Transformer converts more dates than the same one without 1/√dₖ",
            ">",
            rival="the same without 1/√dₖ, from the same start",
            unit="share of dates",
            paper="Section 3.2.1 suspects that large products leave the softmax hardly any gradient; no number",
        ),
        Finding(
            "heads",
            "Does a head learn where to look?",
            "While the year is written, one head of the cross-attention looks at the year",
            ">",
            rival="the best head of the untrained network",
            unit="share of its attention on the four digits",
            paper="Figures 3 to 5 show heads of the encoder with a task of their own, without a number",
        ),
        Finding(
            "crossing",
            "Does recurrence overtake attention when the sequence is long?",
            "At sixteen times as many tokens as the width, a layer of attention takes longer than an LSTM layer",
            ">",
            1.0,
            unit="times the LSTM layer's time",
            paper="Section 4 and table 1, by counting: attention is faster while the length is below the width",
        ),
    ),
    equations={
        "1": ("scaled_dot_product_attention",),
        "2": (),
        "3": ("multi_head_attention",),
        "4": ("scaled_dot_product_attention.backward",),
        "11": ("inverse_root.rate",),
    },
    twins={
        "multi_head_attention": "Attention",
        "embed": "Transformer.embed",
        "feed_forward": "FeedForward",
        "encoder_layer": "EncoderLayer",
        "decode": "Transformer.decode",
        "smoothed_loss": "smoothed_loss",
        "generate": "greedy",
    },
)
