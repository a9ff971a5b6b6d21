"""Compressors as stand-ins for K: compression ratios, normalised compression distance, clustering."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from groundup.ops.types import Array

Compress = Callable[[bytes], bytes]


def zlib_compress(data: bytes) -> bytes:
    """LZ77 with a window of 32 KiB, then Huffman codes."""
    return zlib.compress(data, 9)


def bz2_compress(data: bytes) -> bytes:
    """Burrows-Wheeler transform of blocks of up to 900 kB, then Huffman codes."""
    return bz2.compress(data, 9)


def lzma_compress(data: bytes) -> bytes:
    """LZ77 with a window of 1 MiB, then an adaptive arithmetic coder; without a container around it."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)


COMPRESSORS: dict[str, Compress] = {"zlib": zlib_compress, "bz2": bz2_compress, "lzma": lzma_compress}


def ratio(data: bytes, compress: Compress) -> float:
    """Compressed size over size, both in bytes."""
    return len(compress(data)) / len(data)


def bits_as_digits(data: bytes) -> bytes:
    """The bits of ``data``, each written as the ASCII character 0 or 1: eight times as many bytes."""
    return (np.unpackbits(np.frombuffer(data, np.uint8)) + ord("0")).astype(np.uint8).tobytes()


def normalised_compression_distance(x: bytes, y: bytes, compress: Compress) -> float:
    """NCD of two strings: near 0 if either tells all about the other, near 1 if nothing.

    (C(xy) - min(C(x), C(y))) / max(C(x), C(y)), with C the compressed size (Cilibrasi & Vitányi,
    "Clustering by compression", 2005, arXiv:cs/0312044).
    """
    size_x, size_y, both = (len(compress(data)) for data in (x, y, x + y))  # (9)
    return (both - min(size_x, size_y)) / max(size_x, size_y)  # (9)


def distance_matrix(texts: Sequence[bytes], compress: Compress, tick: Callable[[], None] = lambda: None) -> Array:
    """(N, N) NCDs, the mean of both orders of each pair; 0 on the diagonal. ``tick`` is called once a row."""
    sizes = [len(compress(text)) for text in texts]
    distances = np.zeros((len(texts), len(texts)))
    for i, x in enumerate(texts):
        for j, y in enumerate(texts):
            if i != j:
                least, most = sorted((sizes[i], sizes[j]))
                distances[i, j] = (len(compress(x + y)) - least) / most
        tick()
    return (distances + distances.T) / 2


def neighbour_share(distances: Array, labels: Sequence[str]) -> float:
    """The share of items whose nearest other item has the same label."""
    return float(np.mean(neighbours_alike(distances, labels)))


def neighbours_alike(distances: Array, labels: Sequence[str]) -> Array:
    """(N,): whether an item's nearest other item has the same label."""
    names = np.array(labels)
    return np.asarray(names[nearest(distances)] == names)


def nearest(distances: Array) -> Array:
    """(N,): for each item the index of its nearest other one."""
    return np.argmin(distances + np.diag(np.full(len(distances), np.inf)), axis=1)


class Merge(NamedTuple):
    """Two clusters become one: their numbers (leaves first, then merges in order), and their distance."""

    left: int
    right: int
    height: float


def average_linkage(distances: Array) -> list[Merge]:
    """Join the two nearest clusters until one is left (UPGMA, Sokal & Michener 1958).

    The distance of two clusters is the mean over all pairs of their members. (N, N) symmetric distances
    give N - 1 merges; merge number i makes cluster N + i.
    """
    count = len(distances)
    between = {(i, j): float(distances[i, j]) for i in range(count) for j in range(i + 1, count)}
    sizes = dict.fromkeys(range(count), 1)
    merges = []
    for new in range(count, 2 * count - 1):
        (a, b), height = min(between.items(), key=lambda item: (item[1], item[0]))
        merges.append(Merge(a, b, height))
        del between[a, b]
        for other in sizes.keys() - {a, b}:
            to_a = between.pop((min(a, other), max(a, other)))
            to_b = between.pop((min(b, other), max(b, other)))
            between[other, new] = (sizes[a] * to_a + sizes[b] * to_b) / (sizes[a] + sizes[b])  # (10)
        sizes[new] = sizes.pop(a) + sizes.pop(b)
    return merges


def members(merges: Sequence[Merge], cluster: int) -> list[int]:
    """The leaves of a cluster, from left to right in the tree."""
    count = len(merges) + 1
    if cluster < count:
        return [cluster]
    merge = merges[cluster - count]
    return members(merges, merge.left) + members(merges, merge.right)


def pure_families(merges: Sequence[Merge], labels: Sequence[str]) -> list[str]:
    """The labels whose items make up one whole branch of the tree, with nothing else in it."""
    branches = {frozenset(members(merges, cluster)) for cluster in range(2 * len(merges) + 1)}
    groups = {label: frozenset(i for i, other in enumerate(labels) if other == label) for label in labels}
    return [label for label, group in groups.items() if group in branches]
