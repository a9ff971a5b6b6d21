"""Exercises on prefix codes: Kraft's inequality, what it is about, and its converse."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p25_kolmogorov_complexity.codes import (
    code_with_lengths,
    is_prefix_free,
    kraft_sum,
)
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Subject, raises, special


def prefix_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for words in (
        [],
        [""],
        ["0"],
        ["0", "1"],
        ["0", "0"],
        ["1", "01"],
        ["0", "01"],
        ["01", "0"],
        ["10", "0", "11", "10"],
        ["", "1"],
        ["0", "10", "110", "111"],
        ["11", "00", "1"],
        ["00", "010", "100"],
        ["0", "10", "11", "110"],
        ["01", "001", "0101", "11"],
        ["100", "00", "1001", "01"],
        ["000", "001", "01", "10", "11"],
    ):
        yield {"words": words}
    everything = ["".join(bits) for bits in itertools.product("01", repeat=5)]
    long = "01" * 30
    for words in ([long, long[:-1] + "0"], [long, long + "1"], ["1" + long, long], [20 * long, 20 * long + "0"]):
        yield {"words": words}  # more bits than a float has, and than Python's recursion allows
    for _ in range(4):
        cut = [word[: rng.integers(3, 6)] for word in rng.permutation(everything)[:6].tolist()]
        yield {"words": cut}


def many_words(rng: np.random.Generator) -> dict[str, Any]:
    return {"words": [format(number, "015b") for number in rng.permutation(2**15)[:2500]]}


RETURN = "return not any(later.startswith(word) for word, later in itertools.pairwise(ordered))"

IS_PREFIX_FREE = Exercise(
    title="Is this code prefix-free?",
    functions=(is_prefix_free,),
    floats32=False,
    task=r"""
Return whether a list of words (strings of 0 and 1) is prefix-free: no word is the beginning of another one, and no
word stands in the list twice. The empty word is the beginning of every word. With thousands of words, comparing
every word with every other one is too slow.""",
    hints=(
        "Which words could have the word w as their beginning, if the list is sorted? Where do they stand?",
        r"If $u$ is a beginning of $w$, every word between the two in lexicographic order begins with $u$, too. So if "
        "there is such a pair at all, there is one of neighbours. (Or: put all words into a set and look up every "
        "beginning of every word.)",
        "`ordered = sorted(words)`; the answer is no if `later.startswith(word)` for any `word` and `later` that are "
        "neighbours in it.",
    ),
    why=r"""Sorted like in a dictionary, all words that begin with $u$ stand together, right behind $u$. So only
neighbours have to be compared: $n \log n$ instead of $n^2$. Common mistakes: only one direction (the shorter word
may come later in the list), and equal words: a code in which two symbols share a word cannot be decoded. Kraft's
sum does not answer the question: it looks at lengths only.""",
    difficulty=2,
    minutes=10,
    cases=prefix_cases,
    loops="Over the words, not over all pairs of words.",
    speed=many_words,
    wrong=(
        Wrong(
            "not sorted",
            {"ordered = sorted(words)": "ordered = list(words)"},
            "that compares neighbours without sorting the words first",
        ),
        Wrong(
            "sorted by length",
            {"ordered = sorted(words)": "ordered = sorted(words, key=len)"},
            "that sorts by length and compares neighbours: a beginning need not stand just before",
        ),
        Wrong(
            "equal words allowed",
            {"ordered = sorted(words)": "ordered = sorted(set(words))"},
            "that allows a word twice",
        ),
        Wrong(
            "anywhere inside",
            {RETURN: "return not any(a in b for a, b in itertools.permutations(words, 2))"},
            "that looks for a word anywhere inside another one",
        ),
        Wrong(
            "endings",
            {RETURN: "return not any(b.endswith(a) for a, b in itertools.permutations(words, 2))"},
            "that looks at the ends of words",
        ),
        Wrong(
            "by Kraft's sum",
            {RETURN: "return sum(2.0 ** -len(word) for word in words) <= 1"},
            "that computes Kraft's sum: necessary, but not enough",
        ),
        Wrong(
            "one direction",
            {RETURN: "return not any(b.startswith(a) for a, b in itertools.combinations(words, 2))"},
            "that finds a beginning only where it comes earlier in the list",
        ),
        Wrong(
            "the wrong way round",
            {"return not any(": "return any("},
            "that answers whether the words are not prefix-free",
        ),
        Wrong(
            "all pairs",
            {RETURN: "return not any(b.startswith(a) for a, b in itertools.permutations(words, 2))"},
            "that compares every word with every other one",
        ),
    ),
    right=(
        Right(
            "a set of beginnings",
            """
            def is_prefix_free(words):
                known = set(words)
                return len(known) == len(words) and all(
                    word[:end] not in known for word in words for end in range(len(word))
                )
            """,
        ),
        Right(
            "a tree",
            """
            def is_prefix_free(words):
                root = {}
                for word in words:
                    node, new = root, not root and not word
                    for bit in word:
                        if "end" in node:
                            return False
                        new = bit not in node
                        node = node.setdefault(bit, {})
                    if not new or "end" in node:
                        return False
                    node["end"] = True
                return True
            """,
        ),
    ),
)


def lengths_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for lengths in ([], [0], [1], [1, 1], [2, 1, 2], [3, 1], [3, 3, 2, 1], [2, 2, 2, 2], [4, 2, 4, 1], [5, 3, 1, 3, 5]):
        yield {"lengths": lengths}
    yield {"lengths": [int(n) for n in rng.permutation([1, 2, 3, 4, 5, 5])]}
    yield {"lengths": [int(n) for n in rng.permutation([2, 3, 3, 3, 4, 4, 6])]}
    yield {"lengths": [*range(1, 71), 70]}  # a sum of exactly 1, and more bits than a float has


def kraft_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield from lengths_cases(rng)
    for lengths in ([1, 1, 1], [0, 0, 3], [2, 2, 2, 2, 2], [1, 3, 30]):  # the last needs more digits than float32 has
        yield {"lengths": lengths}


def a_good_code(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """Words of 0 and 1, of the lengths asked for, in that order, and none the beginning of another one."""
    for arguments in lengths_cases(rng):
        words, wanted = list(answer(**arguments).value), arguments["lengths"]
        name = expected = ""
        if any(set(word) - {"0", "1"} for word in words):
            name, message = "words", "Words are strings of the characters 0 and 1."
        elif [len(word) for word in words] != wanted:
            name, message = "lengths", "The words should have the lengths asked for, in the same order."
            expected = f"lengths {wanted}"
        elif not is_prefix_free(words):
            name, message = "prefix-free", "No word may be the beginning of another one, or equal to it."
        if name:
            return Finding(name, message, arguments, (), expected, str(words), raw=words, kind="value")
    return None


KRAFT = Exercise(
    title="Kraft's sum",
    functions=(kraft_sum,),
    floats32=False,
    task=r"""
Return Kraft's sum of the words whose lengths are given, as a float:

$$\sum_i 2^{-l_i}$$

It is at most 1 for every prefix-free code. Equal lengths count as often as they occur, no words give 0, and lengths
may be several thousands.""",
    hints=(
        "The bit sequences that begin with a word of l bits are a share of 2 to the minus l of all. Add the shares.",
        r"$\sum_i 2^{-l_i} \le 1$: Kraft 1949 (lesson, eq. 2).",
        "`math.fsum(2.0**-length for length in lengths)`; with an integer 2 and a float result, mind very long words.",
    ),
    why=r"""A random sequence of bits begins with the word $w$ with probability $2^{-|w|}$. No sequence begins with
two words of a prefix-free code, so the events exclude each other and their probabilities sum to at most 1. $2^{-l}$
fades to 0 for long words, which is harmless; $1/2^l$ with a float $2^l$ overflows.""",
    difficulty=1,
    minutes=5,
    cases=kraft_cases,
    loops="Over the lengths.",
    checks=(special("long words", lambda rng: [{"lengths": [1, 5000]}, {"lengths": [1100, 1100]}]),),
    wrong=(
        Wrong(
            "each length once",
            {"for length in lengths": "for length in set(lengths)"},
            "that counts equal lengths once",
        ),
        Wrong("2 to the length", {"2.0**-length": "2.0**length"}, "that adds 2 to the length, not to minus the length"),
        Wrong("1 over the length", {"2.0**-length": "1.0 / max(length, 1)"}, "that adds 1 / length"),
        Wrong("natural exponential", {"2.0**-length": "math.exp(-length)"}, "that adds powers of e, not of 2"),
        Wrong(
            "overflow",
            {"2.0**-length": "1 / 2.0**length"},
            "that divides by 2 to the length: too large for a float beyond 1023",
            crashes=True,
        ),
        Wrong(
            "whole numbers", {"2.0**-length": "1 >> length"}, "that computes with whole numbers: 1 >> l is 0 from 1 on"
        ),
        Wrong(
            "never above 1",
            {"math.fsum(": "(lambda terms: min(1.0, math.fsum(terms)))("},
            "that cuts the sum off at 1",
        ),
    ),
    right=(
        Right(
            "one fraction",
            """
            from fractions import Fraction

            def kraft_sum(lengths):
                return float(sum((Fraction(1, 2**n) for n in lengths), Fraction()))
            """,
        ),
        Right(
            "NumPy",
            """
            import numpy as np

            def kraft_sum(lengths):
                return np.exp2(-np.array(lengths, dtype=float)).sum()
            """,
        ),
    ),
)

CODE = Exercise(
    title="A prefix code with given lengths",
    functions=(code_with_lengths,),
    given=(kraft_sum,),
    floats32=False,
    exact=False,
    task=r"""
The converse of Kraft's inequality. Return a list of words (strings of 0 and 1) with `len(words[i]) == lengths[i]`,
none of which is the beginning of another one or equal to it. Any such code is right. Where $\sum_i 2^{-l_i} > 1$
there is none, by however little: raise `ValueError`. A sum of exactly 1 is possible, and so is a single word of
length 0.""",
    hints=(
        "Think of the binary tree, or of the interval from 0 to 1: a word of l bits takes a piece of length 2 to the "
        "minus l. In which order should the pieces be handed out so that no room is wasted?",
        r"Lengths in increasing order: the $i$-th word is the binary expansion, to $l_i$ places, of "
        r"$\sum_{j < i} 2^{-l_j}$ (Kraft 1949). It has no more than $l_i$ places, for no earlier word is longer.",
        "Go through the places sorted by length, with an integer `node`: `node <<= length - depth; depth = length`; "
        'the word is `format(node, f"0{depth}b")` (empty for depth 0); then `node += 1`.',
    ),
    why=r"""Handed out from the left, short words first, each piece begins at a multiple of its own length, so it is
exactly the set of sequences with one beginning: a word. The pieces do not overlap, and they fit as long as the sum
is at most 1. In another order, what has been handed out need not be a multiple of the next piece: moved to its
node, that piece overlaps earlier ones, unless the gaps are kept for later. The result must go back to the order
that was asked for.""",
    difficulty=3,
    minutes=20,
    cases=lengths_cases,
    loops="Over the lengths.",
    checks=(
        Check("code", a_good_code),
        raises(
            "no room",
            (ValueError,),
            lambda rng: [
                {"lengths": [1, 1, 1]},
                {"lengths": [1, 2, 3, 3, 9]},
                {"lengths": [0, 4]},
                {"lengths": [1, 1, 60]},
                {"lengths": [1, 2, 3, 3, 53]},
                {"lengths": [2000, 1, 1]},
            ],
        ),
    ),
    equivalent={
        "code_with_lengths: 0 → 1": "The default serves no words at all, and there no sum is too large.",
        "code_with_lengths: words[place] = format(node, f'0{depth}b') if depth else '' → words[place] += "
        "format(node, f'0{depth}b') if depth else ''": ("The words begin empty."),
    },
    wrong=(
        Wrong(
            "not sorted",
            {
                "sorted(range(len(lengths)), key=lambda place: lengths[place])": "range(len(lengths))",
                "node <<= lengths[place] - depth": "node = node << lengths[place] - depth if "
                "lengths[place] >= depth else "
                "node >> depth - lengths[place]",
            },
            "that hands the words out in the order of the list, not short words first",
        ),
        Wrong(
            "in sorted order",
            {"    return words": "    return sorted(words, key=len)"},
            "that returns the words in the order of their lengths",
        ),
        Wrong(
            "node not moved down",
            {"        node <<= lengths[place] - depth\n": ""},
            "that does not go down in the tree: longer words begin with shorter ones",
            crashes=True,
        ),
        Wrong(
            "next node not taken",
            {"        node += 1\n": ""},
            "that uses the same node again",
        ),
        Wrong(
            "no check",
            {"if sum(2 ** (longest - length) for length in lengths) > 2**longest:": "if False:"},
            "that does not check Kraft's sum",
        ),
        Wrong(
            "compared as floats",
            {"if sum(2 ** (longest - length) for length in lengths) > 2**longest:": "if kraft_sum(lengths) > 1:"},
            "that compares Kraft's sum as a float: beyond 53 bits what is too much is rounded away",
        ),
        Wrong(
            "exactly 1 refused",
            {"> 2**longest:": ">= 2**longest:"},
            "that refuses lengths whose sum is exactly 1",
            crashes=True,
        ),
        Wrong(
            "leading zeros lost",
            {'format(node, f"0{depth}b") if depth else ""': 'format(node, "b") if depth else ""'},
            "that loses leading zeros",
        ),
        Wrong(
            "unary words",
            """
            def code_with_lengths(lengths):
                if sum(2.0**-n for n in lengths) > 1:
                    raise ValueError("no room")
                return ["1" * (n - 1) + "0" if n else "" for n in lengths]
            """,
            "that gives equal lengths equal words",
        ),
    ),
    right=(
        Right(
            "binary expansions of fractions, from the right",
            """
            from fractions import Fraction

            def code_with_lengths(lengths):
                used, words = Fraction(0), {}
                for length, i in sorted((n, i) for i, n in enumerate(lengths)):
                    if used + Fraction(1, 2**length) > 1:
                        raise ValueError("these lengths do not fit")
                    bits, rest = [], used
                    for _ in range(length):
                        rest *= 2
                        bits.append("0" if rest >= 1 else "1")
                        rest -= rest >= 1
                    words[i] = "".join(bits)
                    used += Fraction(1, 2**length)
                return [words[i] for i in range(len(lengths))]
            """,
        ),
        Right(
            "the leftmost free place, in the order of the list",
            """
            def code_with_lengths(lengths):
                deep = max(lengths, default=0)
                if sum(1 << deep - n for n in lengths) > 1 << deep:
                    raise ValueError("no room")
                free, words = [(0, 1 << deep)], []  # intervals of leaves
                for i in sorted(range(len(lengths)), key=lambda i: (lengths[i], -i)):
                    (start, end), size = free.pop(), 1 << deep - lengths[i]
                    words.append((i, format(start >> deep - lengths[i], "b").zfill(lengths[i]) if lengths[i] else ""))
                    free.append((start + size, end))
                return [word for _, word in sorted(words)]
            """,
        ),
        Right(
            "free nodes",
            """
            def code_with_lengths(lengths):
                free, words = [""], [None] * len(lengths)
                for i in sorted(range(len(lengths)), key=lengths.__getitem__):
                    fits = [node for node in free if len(node) <= lengths[i]]
                    if not fits:
                        raise ValueError("the tree is full")
                    node = max(fits, key=len)
                    free.remove(node)
                    while len(node) < lengths[i]:
                        free.append(node + "1")
                        node += "0"
                    words[i] = node
                return tuple(words)
            """,
        ),
    ),
)
