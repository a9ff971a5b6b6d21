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
        "1": {
            "cell:mirror-by-hand": ("scores.argmax(axis=1) == 31 - asking",),
            "reversal": ("line[:, LONGEST + 1 : -1] = words[:, ::-1]",),
            "on_the_letter": ("weights[:, :, places, 2 * LONGEST - 1 - places]",),
        },
        "2": {
            "decoder": (
                "embedded, embedding_backward = embedding(",
                "x = embedded + positions",
                "normed, attention_norm_backward = norm(x",
                "attended, attention_backward = self_attention(normed",
                "middle = x + attended",
            ),
            "decode_step": (
                'x = params["embedding"]["weight"][token] + cache["positions"][length]',
                'normed, _ = norm(x, params["attention_norm"])',
                "query, key, value = split_qkv(",
                "per_head = attention_weights(query, keys) @ values",
                "x = x + linear(merge_heads(per_head)",
            ),
            "TinyDecoder.forward": (
                "x = self.embedding(tokens) + positions",
                "self.attention(self.attention_norm(x)",
                "x = x + attended",
            ),
        },
        "3": {
            "decoder": (
                "normed, mlp_norm_backward = norm(middle",
                "thought, mlp_backward = mlp(normed",
                "last = middle + thought",
                "normed, norm_backward = norm(last",
                "logits, readout_backward = linear(normed",
            ),
            "decode_step": ("x = x + mlp(norm(x", "logits, _ = linear(norm(x"),
            "TinyDecoder.forward": ('x = x + self.mlp["down"](', "self.readout(self.norm(x))"),
        },
        "4": {
            "scaled_dot_product_attention.backward": (
                "inner = (y * dy).sum(",
                "d_scores = weights * (d_weights - inner)",
            )
        },
        "5": {
            "sinusoidal_positions": ("angles = ", "= np.sin(angles)", "= np.cos(angles"),
            "sinusoids": ("frequency = ", "= torch.sin(position * frequency)", "= torch.cos(position * frequency)"),
        },
        "6": {"cell:positions-picture": ('"same angle": (table[:-4] * table[4:]).sum(axis=1)',)},
        "7": {"cell:mirror-by-hand": ("scores = (place_of[asking] @ projection.T) @ place_of[:32].T",)},
        "8": {"cell:mirror-by-hand": ("sine, cosine = ", "= [[-cosine, sine], [sine, cosine]]")},
        "9": {
            "layer_norm": (
                "centred = shifted - shifted.mean(",
                "variance = (centred**2).mean(",
                "inverse = (variance + eps) ** -0.5",
                "normalised = centred * inverse",
                "y = normalised * gain + bias",
            ),
            "TinyDecoder.forward": ("self.attention_norm(x)", "self.mlp_norm(x)", "self.norm(x)"),
        },
        "10": {},  # a step towards (11): the matrix of these is never made
        "11": {
            "layer_norm.backward": (
                "g = dy * gain",
                "mean_g = g.mean(",
                "mean_gx = (g * normalised).mean(",
                "dx = inverse * (g - mean_g",
            ),
        },
        "12": {"decoder.backward": ("d_middle = d_last + d_inside", "dx = d_middle + d_inside")},
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
