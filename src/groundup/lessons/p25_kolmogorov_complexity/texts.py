"""Compressors in the place of K: on random and other data, and on excerpts in sixteen languages."""

from typing import Any

import numpy as np

from groundup.data.languages import FAMILIES, language_texts
from groundup.data.text import default_text
from groundup.lessons.p25_kolmogorov_complexity.ncd import (
    COMPRESSORS,
    average_linkage,
    bits_as_digits,
    distance_matrix,
    nearest,
    neighbour_share,
    neighbours_alike,
    pure_families,
    ratio,
)
from groundup.ops.types import Array
from groundup.training.run import Run

GENERATOR = "for i in range(n):s=(s*6364136223846793005+1)%2**64;o.append(s>>56)"


def generated(n: int, seed: int) -> bytes:
    """``n`` bytes written by the program ``GENERATOR``, whose only variable parts are n and the seed s."""
    scope: dict[str, Any] = {"n": n, "s": seed, "o": bytearray()}
    exec(GENERATOR, scope)
    return bytes(scope["o"])


def generator_size(n: int, seed: int) -> int:
    """Bytes of the whole program, with n and the seed written out."""
    return len(f"n={n};s={seed};o=bytearray()\n{GENERATOR}".encode())


def compressor_ratios(run: Run) -> dict[str, dict[str, float]]:
    """Compressed size over size of several kinds of data, by compressor."""
    n = run.pick(8192, 65536)
    rng = run.rng("bytes")
    seed = int(rng.integers(1, 2**16))
    text = default_text().encode()
    start = int(rng.integers(len(text) - n))
    few = rng.bytes(n // 8)
    kinds = {
        "zeros": bytes(n),
        "English text": text[start : start + n],
        "random bits as digits": bits_as_digits(few),
        "the same bits as bytes": few,
        "generator's output": generated(n, seed),
        "random bytes": rng.bytes(n),
    }
    sizes = {
        kind: {name: ratio(data, compress) for name, compress in COMPRESSORS.items()} for kind, data in kinds.items()
    }
    size = generator_size(n, seed)
    sizes["generator"] = {"bytes": size, "program": size / n}
    sizes["1 byte"] = {name: ratio(b"0", compress) for name, compress in COMPRESSORS.items()}
    return sizes


def excerpt(text: str, length: int, rng: np.random.Generator) -> bytes:
    """A random contiguous part of a text."""
    start = int(rng.integers(len(text) - length + 1))
    return text[start : start + length].encode()


def languages(run: Run) -> dict[str, Any]:
    """Nearest neighbours and trees of random excerpts in sixteen languages."""
    length = run.pick(1500, 6000)
    texts, rng = language_texts(), run.rng("excerpts")
    names = list(texts)
    labels = [FAMILIES[name] for name in names]
    parts = [excerpt(text, length, rng) for text in texts.values()]
    matrices = {name: distances_with_bar(run, name, parts) for name in COMPRESSORS}

    most = min(map(len, texts.values())) // 2
    pieces = [(name, half) for name in names for half in halves(texts[name])]
    twice = [excerpt(half, min(length, most), rng) for _, half in pieces]
    pair_matrix = distances_with_bar(run, "zlib", twice)
    pair_names = [name for name, _ in pieces]
    same = {"compression": pair_matrix, "letters": letter_distances(twice)}
    best = max(matrices.values(), key=lambda matrix: neighbour_share(matrix, labels))
    family = {"compression": best, "letters": letter_distances(parts)}

    shuffled = []
    shuffling = run.rng("shuffled labels")
    for _ in range(1000):
        other = [labels[place] for place in shuffling.permutation(len(labels))]
        shuffled.append(max(neighbour_share(matrix, other) for matrix in matrices.values()))
    wrong = {
        compressor: {names[i]: names[j] for i, j in enumerate(nearest(matrix)) if labels[i] != labels[j]}
        for compressor, matrix in matrices.items()
    }
    return {
        "excerpt": length,
        "family": {name: neighbour_share(matrix, labels) for name, matrix in matrices.items()},
        "family, by letter frequencies": neighbour_share(family["letters"], labels),
        "family, right": {name: neighbours_alike(matrix, labels) for name, matrix in family.items()},
        "family, chance": float(np.mean([(labels.count(label) - 1) / (len(labels) - 1) for label in labels])),
        "family, shuffled labels": float(np.quantile(shuffled, 0.99)),
        "nearest neighbour of another family": wrong,
        "whole branches": {name: pure_families(average_linkage(matrix), labels) for name, matrix in matrices.items()},
        "same language": neighbour_share(pair_matrix, pair_names),
        "same language, by letter frequencies": neighbour_share(same["letters"], pair_names),
        "same language, right": {name: neighbours_alike(matrix, pair_names) for name, matrix in same.items()},
        "same language, chance": 1 / (len(pieces) - 1),
        "matrix": matrices["zlib"],
        "names": names,
    }


def distances_with_bar(run: Run, name: str, parts: list[bytes]) -> Array:
    """The distance matrix, with a progress bar."""
    bar = run.progress.add_task(f"{len(parts)} excerpts, {name}", total=len(parts), loss="")
    return distance_matrix(parts, COMPRESSORS[name], lambda: run.progress.advance(bar))


def halves(text: str) -> tuple[str, str]:
    """Both halves of a text."""
    return text[: len(text) // 2], text[len(text) // 2 :]


def letter_distances(parts: list[bytes]) -> Array:
    """(N, N): sums of absolute differences of character frequencies, a rival that knows no words at all."""
    texts = [part.decode() for part in parts]
    letters = sorted(set("".join(texts)))
    shares = np.array([[text.count(letter) / len(text) for letter in letters] for text in texts])
    return np.abs(shares[:, None] - shares[None]).sum(axis=-1)
