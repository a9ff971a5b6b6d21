"""tiny_decoder: a one-layer decoder-only transformer, and generation with a KV cache."""

from pathlib import Path

from groundup.lesson import Claim, Lesson, Model
from groundup.lessons.tiny_decoder import experiment, figures
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
        ),
    ),
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
            "cache",
            "Along whole generations the logits with a KV cache are those without, in float32",
            "<=",
            bar=1e-5,
            unit="largest difference",
        ),
        Claim(
            "speed",
            "256 tokens are generated at least three times as fast with the cache as without",
            ">=",
            bar=3.0,
            unit="times",
        ),
        Claim(
            "causal",
            "Changing token t changes no output before t, for all t: not by one bit",
            "<=",
            bar=0.0,
            baseline="the same with a mask that lets each token see the next",
            unit="largest change",
        ),
        Claim(
            "planted",
            "That mask is found out at every t",
            ">=",
            bar=1.0,
            unit="share of t",
        ),
    ),
)
