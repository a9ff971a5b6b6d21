"""The task: words of random letters, to be written backwards; as tokens, as targets, and judged."""

import math

import numpy as np

from groundup.errors import UserError
from groundup.lesson import Batch
from groundup.ops.types import Array

SYMBOLS = " abcdefghijklmnopqrstuvwxyz>."
PAD, SEPARATOR, END = 0, 27, 28
SHORTEST, LONGEST = 4, 16


def draw_words(rng: np.random.Generator, count: int, held_out: Array | None = None) -> Array:
    """(count, 16) random words of 4 to 16 letters, at the right end of their field; none that is in ``held_out``."""
    letters = rng.integers(1, 27, size=(count, LONGEST))
    lengths = rng.integers(SHORTEST, LONGEST + 1, size=(count, 1))
    words = np.where(np.arange(LONGEST) >= LONGEST - lengths, letters, PAD)
    if held_out is not None:
        known = np.isin(keys(words), keys(held_out))
        if known.any():
            words[known] = draw_words(rng, int(known.sum()), held_out)
    return words


def keys(words: Array) -> Array:
    """One number for a word, modulo 2^64."""
    return words.astype(np.uint64) @ (np.uint64(29) ** np.arange(LONGEST, dtype=np.uint64))


def reversal(words: Array) -> Batch:
    """The task as tokens and targets (B, 33): a word, ``>``, the word backwards, ``.``; then nothing counts.

    Only the answer is to be learned: the targets of the word itself, which is random, are -1.
    """
    count = len(words)
    lengths = (words != PAD).sum(axis=1, keepdims=True)
    line = np.full((count, 2 * LONGEST + 2), PAD)
    line[:, :LONGEST] = words
    line[:, LONGEST] = SEPARATOR
    line[:, LONGEST + 1 : -1] = words[:, ::-1]
    end = LONGEST + 1 + lengths
    np.put_along_axis(line, end, END, axis=1)
    places = np.arange(2 * LONGEST + 2)
    targets = np.where((places > LONGEST) & (places <= end), line, -1)
    return {"tokens": line[:, :-1], "targets": targets[:, 1:]}


def right(logits: Array, targets: Array) -> Array:
    """(B,) whether greedy generation writes the whole answer without a mistake.

    No generation is needed to know: if the likeliest token is right at every place of the right answer,
    generation writes just that answer; at the first place where it is not, generation goes wrong.
    """
    return ((logits.argmax(axis=-1) == targets) | (targets == -1)).all(axis=1)


def best_without_order(words: Array) -> float:
    """The largest share of words that can be reversed, in expectation, by knowing how often each letter occurs.

    A word of n letters has n! / Π (count of a letter)! equally likely orders, and only one of them is right.
    """
    orders = []
    for word in words:
        counts = np.bincount(word[word != PAD])
        orders.append(math.factorial(int(counts.sum())) // math.prod(math.factorial(int(c)) for c in counts))
    return float(np.mean([1 / order for order in orders]))


def tokens_of(text: str) -> Array:
    """(17,) tokens of a prompt: the word at the right end of its field, then the separator. Raises UserError."""
    word = text.removesuffix(">")
    if not SHORTEST <= len(word) <= LONGEST or not set(word) <= set(SYMBOLS[1:SEPARATOR]):
        raise UserError(f"The prompt must be a word of {SHORTEST} to {LONGEST} letters from a to z, not {text!r}.")
    return np.array([SYMBOLS.index(symbol) for symbol in word.rjust(LONGEST) + ">"])


def text_of(tokens: Array) -> str:
    """The text of tokens, up to the end sign."""
    return "".join(SYMBOLS[token] for token in tokens).partition(".")[0]
