"""Prefix codes: Kraft's inequality, numbers and strings that say where they end, and a code that counts ones."""

import itertools
import math
from collections.abc import Iterable, Sequence


def kraft_sum(lengths: Iterable[int]) -> float:
    """The sum of 2^-length: at most 1 for every prefix-free set of words (Kraft 1949)."""
    return math.fsum(2.0**-length for length in lengths)  # (2)


def is_prefix_free(words: Iterable[str]) -> bool:
    """Whether no word is the beginning of another, or the same. Sorted, it stands just before one that it begins."""
    ordered = sorted(words)
    return not any(later.startswith(word) for word, later in itertools.pairwise(ordered))


def code_with_lengths(lengths: Sequence[int]) -> list[str]:
    """Prefix-free words of the given lengths, in their order: the converse of Kraft's inequality.

    Short words first, each the next free node of the binary tree. Raises ValueError if the sum exceeds 1.
    """
    longest = max(lengths, default=0)
    if sum(2 ** (longest - length) for length in lengths) > 2**longest:  # (2) in whole numbers: floats have 53 bits
        raise ValueError(f"no prefix code has these lengths: their Kraft sum is over 1, about {kraft_sum(lengths):.6g}")
    words, node, depth = [""] * len(lengths), 0, 0
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        node <<= lengths[place] - depth
        depth = lengths[place]
        words[place] = format(node, f"0{depth}b") if depth else ""
        node += 1
    return words


def elias_encode(number: int) -> str:
    """Elias's delta code of a number >= 1 (1975): about log n + 2 log log n bits, and it says where it ends."""
    if number < 1:
        raise ValueError(f"the delta code starts at 1, got {number}")
    size = number.bit_length()
    return "0" * (size.bit_length() - 1) + format(size, "b") + format(number, "b")[1:]


def elias_decode(bits: str, start: int = 0) -> tuple[int, int]:
    """The number whose code begins at ``start``, and the place after it. Raises ValueError if bits are missing."""
    first = bits.find("1", start)
    if first < 0:
        raise ValueError("the code word is cut off")
    middle = 2 * first - start + 1
    size = int(bits[first:middle], 2)
    end = middle + size - 1
    if end > len(bits):
        raise ValueError("the code word is cut off")
    return int("1" + bits[middle:end], 2), end


def self_delimiting(x: str) -> str:
    """A string of bits behind its own length: |x| + O(log |x|) bits, readable from a stream."""
    return elias_encode(len(x) + 1) + x


def read_self_delimiting(bits: str, start: int = 0) -> tuple[str, int]:
    """The string whose code begins at ``start``, and the place after it. Raises ValueError if bits are missing."""
    length, middle = elias_decode(bits, start)
    if middle + length - 1 > len(bits):
        raise ValueError("the string is cut off")
    return bits[middle : middle + length - 1], middle + length - 1


def counting_code_length(n: int, ones: int) -> int:
    """Bits for a string of ``n`` bits, given n: first its number of ones, then which of those strings it is."""
    return math.ceil(math.log2(n + 1)) + (math.comb(n, ones) - 1).bit_length()


def compressible_share(n: int, saved: int) -> float:
    """The share of all strings of n bits that the counting code shortens by ``saved`` bits or more, exactly."""
    short = sum(math.comb(n, ones) for ones in range(n + 1) if counting_code_length(n, ones) <= n - saved)  # (3)
    return short / 2**n  # (3)
