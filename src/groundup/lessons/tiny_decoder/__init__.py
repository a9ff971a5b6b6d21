"""tiny_decoder: a one-layer decoder-only transformer, and generation with a KV cache."""

from pathlib import Path

from groundup.lesson import Finding, Lesson, Model
from groundup.lessons.tiny_decoder import experiment, figures
from groundup.lessons.tiny_decoder.facts import FACTS
from groundup.lessons.tiny_decoder.model import decoder, mlp, norm, self_attention
from groundup.lessons.tiny_decoder.rival import lstm_decoder

LESSON = Lesson(
    number="",
    slug="tiny_decoder",
    title="A tiny decoder",
    summary="A one-layer decoder-only transformer in about 200 lines, generating with and without a KV cache",
    part="Start here",
    level="intermediate",
    minutes=75,
    folder=Path(__file__).parent,
    needs=("numpy_and_pytorch", "self_attention"),
    experiment=experiment.run,
    figures=figures.draw,
    sample=experiment.sample,
    models=(
        Model(
            "decoder",
            experiment.learner,
            experiment.batch,
            experiment.TINY,
            experiment.SIZE,
            proves=(decoder, self_attention, mlp, norm),
            larger={"width": 256},
        ),
        Model(
            "lstm",
            experiment.lstm_learner,
            experiment.batch,
            experiment.LSTM_TINY,
            experiment.LSTM_SIZE,
            proves=(lstm_decoder,),
            larger={"width": 256, "hidden": 332},
        ),
    ),
    facts=FACTS,
    findings=(
        Finding(
            "exact",
            "Can one layer learn to write words backwards?",
            "It writes words of 4 to 16 letters that it has not seen backwards, without a mistake in 99 of 100",
            ">=",
            bar=0.99,
            rival="an LSTM with as many parameters, as many words",
            unit="exact match",
        ),
        Finding(
            "leak",
            "What does a model learn that may look at the answer?",
            "Trained without the causal mask it writes fewer words right than it seemed to in training",
            "<",
            rival="the same model while it sees the answer",
            unit="exact match",
        ),
        Finding(
            "mirror",
            "Does a head find the mirror that was worked out by hand?",
            "One head gives most of its attention to the very letter that is to be written next",
            ">",
            bar=0.5,
            rival="the best head before training",
            unit="share of its attention",
        ),
        Finding(
            "speed",
            "What does the cache save?",
            "256 tokens are generated at least three times as fast with the cache as without",
            ">=",
            bar=3.0,
            unit="times as fast",
        ),
    ),
    equations={
        "4": ("scaled_dot_product_attention.backward",),
        "5": ("sinusoidal_positions",),
        "9": ("layer_norm",),
        "10": (),
        "11": ("layer_norm.backward",),
    },
    twins={
        "sinusoidal_positions": "sinusoids",
        "init": "TinyDecoder.__init__",
        "decoder": "TinyDecoder.forward",
        "answer_loss": "answer_loss",
        "decode_step": "TinyDecoder.forward",
        "generate": "generate",
    },
)
