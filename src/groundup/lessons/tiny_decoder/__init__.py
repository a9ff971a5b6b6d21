"""tiny_decoder: a one-layer decoder-only transformer, and generation with a KV cache."""

from pathlib import Path

from groundup.lesson import Claim, Lesson, Model
from groundup.lessons.tiny_decoder import experiment, figures
from groundup.lessons.tiny_decoder.facts import FACTS
from groundup.lessons.tiny_decoder.model import decoder, mlp, norm, self_attention

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
    ),
    facts=FACTS,
    claims=(
        Claim(
            "exact",
            "One layer writes random words of 4 to 16 letters, which it has not seen, backwards without a mistake",
            ">=",
            bar=0.99,
            baseline="the better of the same model without attention and without positions",
            unit="exact match",
        ),
        Claim(
            "speed",
            "256 tokens are generated at least three times as fast with the cache as without",
            ">=",
            bar=3.0,
            unit="times",
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
