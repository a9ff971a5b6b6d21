"""13 attention_is_all_you_need: the Transformer, encoder and decoder."""

from pathlib import Path

import numpy as np

from groundup.lesson import Finding, Lesson, Model, Paper
from groundup.lessons.p13_attention_is_all_you_need import experiment, figures, model
from groundup.lessons.p13_attention_is_all_you_need.facts import FACTS
from groundup.lessons.p13_attention_is_all_you_need.seq2seq import seq2seq
from groundup.ops.types import Case

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
    needs=("numpy_and_pytorch", "self_attention", "tiny_decoder"),
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
    ),
    facts=FACTS,
    findings=(
        Finding(
            "exact_match",
            "Does a Transformer convert dates without a mistake?",
            "It converts 99 % of held-out dates without a wrong character, and more than the LSTM does",
            ">=",
            0.99,
            rival="LSTM encoder and decoder without attention, as many examples",
            unit="share of dates",
            paper="Table 2: 28.4 BLEU from English to German, the best ensemble before it 26.36",
        ),
        Finding(
            "positions",
            "Do learned positions do as well as sinusoids?",
            "After as many steps the two differ by at most one point",
            "<=",
            0.01,
            unit="difference in share of dates",
            paper="Table 3, row (E): 25.7 BLEU instead of 25.8, “nearly identical”",
            miss="Measured early, where the sinusoids still have {points that the sinusoids still gain} points to "
            "gain: a small lead in training is a large difference there.",
        ),
        Finding(
            "beam",
            "Does beam search find what greedy decoding misses?",
            "With the last checkpoint a beam of four is right more often than greedy decoding",
            ">",
            rival="greedy decoding",
            unit="share of dates",
            paper="Section 6.1: beam of four, length penalty 0.6; greedy decoding is not reported",
            miss="A date has one right answer, and where the model is sure of it greedy decoding finds it too.",
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
        "1": ("attention_weights", "scaled_dot_product_attention"),
        "2": ("scaled_dot_product_attention.backward",),
        "3": ("multi_head_attention",),
        "4": ("scaled_dot_product_attention.backward",),
        "6": ("layer_norm.backward",),
        "7": ("sinusoidal_positions",),
        "8": ("embedding.backward",),
        "10": ("cross_entropy", "cross_entropy.backward"),
        "11": ("inverse_root.rate",),
    },
    twins={
        "multi_head_attention": "Attention",
        "sinusoidal_positions": "sinusoids",
        "embed": "Transformer.embed",
        "feed_forward": "FeedForward",
        "encoder_layer": "EncoderLayer",
        "decoder_layer": "DecoderLayer",
        "init": "Transformer.__init__",
        "encode": "Transformer.encode",
        "decode": "Transformer.decode",
        "transformer": "Transformer.forward",
        "smoothed_loss": "smoothed_loss",
        "generate": "greedy",
    },
)
