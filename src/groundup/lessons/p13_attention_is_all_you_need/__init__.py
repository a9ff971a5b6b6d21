"""13 attention_is_all_you_need: the Transformer, encoder and decoder."""

from pathlib import Path

import numpy as np

from groundup.checks import Case
from groundup.lesson import Claim, Lesson, Model, Paper
from groundup.lessons.p13_attention_is_all_you_need import experiment, figures, model
from groundup.lessons.p13_attention_is_all_you_need.seq2seq import seq2seq

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
        ),
        Model(
            "lstm_seq2seq",
            experiment.lstm_learner,
            experiment.batch,
            experiment.LSTM_TINY,
            experiment.LSTM_SIZE,
            proves=(seq2seq,),
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
    claims=(
        Claim(
            "exact_match",
            "Held-out dates are converted without a wrong character",
            ">=",
            0.99,
            baseline="LSTM without attention, as many examples",
            unit="share of dates",
        ),
        Claim(
            "positions",
            "After as many steps, learned positions and sinusoids differ by at most one point, as in Table 3, row (E)",
            "<=",
            0.01,
            unit="difference in share of dates",
        ),
        Claim(
            "beam",
            "Beam search is right at least as often as greedy decoding, at the last checkpoint",
            ">=",
            baseline="greedy decoding",
            unit="share of dates",
        ),
        Claim(
            "causal",
            "Changing a character of the target moves no logit at an earlier place, not by one bit",
            "<=",
            0.0,
            unit="largest change",
        ),
        Claim(
            "heads",
            "While the year is written, one head of the cross-attention looks at the year",
            ">",
            baseline="the best head of the untrained network",
            unit="share of its attention on the four digits",
        ),
        Claim(
            "memory",
            "The memory of self-attention grows like the square of the length",
            ">",
            1.8,
            baseline="an LSTM layer, which grows linearly",
            unit="exponent",
        ),
    ),
)
