"""tiny_decoder: a one-layer decoder-only transformer, a KV cache, and half a minute of real text."""

from pathlib import Path

from groundup.lesson import Finding, Lesson, Model
from groundup.lessons.tiny_decoder import experiment, figures, learners
from groundup.lessons.tiny_decoder.facts import FACTS
from groundup.lessons.tiny_decoder.model import decoder, mlp, norm, self_attention
from groundup.lessons.tiny_decoder.rival import lstm_decoder

LESSON = Lesson(
    number="",
    slug="tiny_decoder",
    title="A tiny decoder",
    summary="One block of a decoder-only transformer writes words backwards, then novels, with and without a KV cache",
    part="Start here",
    level="intermediate",
    minutes=75,
    folder=Path(__file__).parent,
    needs=("numpy_and_pytorch", "optimizers", "self_attention"),
    experiment=experiment.run,
    figures=figures.draw,
    sample=experiment.sample,
    options=("text",),
    models=(
        Model(
            "decoder",
            learners.learner,
            learners.batch,
            learners.TINY,
            learners.SIZE,
            proves=(decoder, self_attention, mlp, norm, learners.answer_loss),
            larger={"width": 256},
        ),
        Model(
            "lstm",
            learners.lstm_learner,
            learners.batch,
            learners.LSTM_TINY,
            learners.LSTM_SIZE,
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
        Finding(
            "text",
            "And half a minute on real text?",
            "On parts of novels that it has not seen it needs fewer bits per character than the best table of counts",
            "<",
            rival="the best n-gram up to order 7, interpolated or Witten-Bell, chosen on validation text",
            unit="bits per character",
            miss="That table looks at {characters that the best n-gram sees} characters. With as many in view the "
            "block needs {bits with as many in view} bits, and with all that it may see "
            "{bits with all in view}: more does not help it. It keeps {numbers that the block keeps} numbers and has "
            "read {percent of the text that is read} % of the text; the table keeps "
            "{numbers that the best n-gram keeps} and has read all of it.",
        ),
    ),
    equations={
        "4": ("scaled_dot_product_attention.backward: d_weights - inner",),
        "5": ("sinusoidal_positions: np.sin(", "sinusoidal_positions: np.cos("),
        "9": ("layer_norm: + eps", "layer_norm: centred * inverse", "layer_norm: normalised * gain"),
        "10": (),
        "11": ("layer_norm.backward: inverse * (g",),
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
