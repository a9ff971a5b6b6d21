"""Exercises on counting: a code by the number of ones, and how many strings it can shorten."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p25_kolmogorov_complexity.codes import compressible_share, counting_code_length
from groundup.practice.exercise import Exercise, Right, Wrong


def length_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for n, ones in [(0, 0), (1, 0), (1, 1), (2, 1), (3, 1), (3, 2), (4, 2), (5, 0), (7, 3), (8, 1), (8, 8), (15, 4)]:
        yield {"n": n, "ones": ones}
    for n in (16, 31, 64, 65, 1000, 5000, 40_000):
        yield {"n": n, "ones": int(rng.integers(2, n - 1))}
    yield {"n": 64, "ones": 32}


BOTH = "return math.ceil(math.log2(n + 1)) + (math.comb(n, ones) - 1).bit_length()"
WHICH = "(math.comb(n, ones) - 1).bit_length()"

LENGTH = Exercise(
    title="The length of a counting code",
    functions=(counting_code_length,),
    floats32=False,
    task=r"""
A string of $n$ bits is described, to a reader who knows $n$, in two parts: first how many ones it has (a number
from 0 to $n$), then which of the strings of $n$ bits with so many ones it is. There are

$$N = \frac{n!}{m!\,(n - m)!}$$

such strings, with $m$ the argument `ones`. Return the number of bits that any string with $m$ ones needs, as an
`int`:

$$\lceil \log_2 (n + 1) \rceil + \lceil \log_2 N \rceil$$

$n$ may be several thousand: then $N$ does not fit into a float.""",
    hints=(
        "To name one of N things takes the logarithm of N to base 2, rounded up; 0 bits if there is only one thing. "
        "Python's integers have no limit, floats do.",
        r"$\lceil \log_2 N \rceil$ is the number of binary digits of $N - 1$, the largest of $0 \dots N - 1$.",
        "`(math.comb(n, ones) - 1).bit_length()`, and `n.bit_length()` for the first part.",
    ),
    why=r"""Numbers $0 \dots N - 1$ have at most as many digits as $N - 1$ has. With `N.bit_length()` a power of two
costs a bit too many, even $N = 1$, where there is nothing to say. Strings with few ones or many become short; but
there are few of them, and a typical string gets longer, as counting says it must.""",
    difficulty=2,
    minutes=10,
    cases=length_cases,
    loops="None are needed.",
    equivalent={
        "counting_code_length: math.comb(n, ones) - 1 → 1 - math.comb(n, ones)": (
            "A number and its negative have as many bits."
        ),
    },
    wrong=(
        Wrong(
            "digits of N",
            {WHICH: "math.comb(n, ones).bit_length()"},
            "that takes the digits of the binomial coefficient itself: one too many for 1, 2, 4 …",
        ),
        Wrong(
            "n possible counts",
            {"math.log2(n + 1)": "math.log2(max(n, 1))"},
            "that forgets that 0 ones are possible, too: there are n + 1 counts",
        ),
        Wrong(
            "rounded down",
            {"math.ceil(math.log2(n + 1))": "math.floor(math.log2(n + 1))"},
            "that rounds the first part down",
        ),
        Wrong(
            "rounded once",
            {BOTH: "return math.ceil(math.log2(n + 1) + math.log2(math.comb(n, ones)))"},
            "that rounds the sum up, not each part",
        ),
        Wrong(
            "which string only",
            {"math.ceil(math.log2(n + 1)) + ": ""},
            "that leaves the number of ones out: a reader cannot do without it",
        ),
        Wrong(
            "entropy",
            {
                BOTH: "p = ones / n if n else 0.0\n"
                "    h = 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)\n"
                "    return math.ceil(math.log2(n + 1)) + math.ceil(n * h)"
            },
            "that takes n times the entropy: an upper bound of the second part, not its value",
        ),
        Wrong(
            "factorials of floats",
            {WHICH: "math.ceil(math.log2(float(math.factorial(n)) / math.factorial(ones) / math.factorial(n - ones)))"},
            "that computes with floats, which end at 10 to the 308",
            crashes=True,
        ),
    ),
    right=(
        Right(
            "doubling",
            """
            def counting_code_length(n, ones):
                ways = 1
                for k in range(ones):
                    ways = ways * (n - k) // (k + 1)

                def bits(things, width=0):
                    while 1 << width < things:
                        width += 1
                    return width

                return bits(n + 1) + bits(ways)
            """,
        ),
    ),
)


def share_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for n, saved in [
        (1, 0),
        (2, 0),
        (4, 1),
        (8, 1),
        (8, 4),
        (8, 0),
        (9, 9),
        (16, 2),
        (16, 5),
        (32, 8),
        (64, 1),
        (64, 20),
    ]:
        yield {"n": n, "saved": saved}
    yield {"n": int(rng.integers(20, 60)), "saved": int(rng.integers(0, 6))}
    yield {"n": 500, "saved": 3}


SHARE = Exercise(
    title="How many strings can a code shorten?",
    functions=(compressible_share,),
    given=(counting_code_length,),
    floats32=False,
    task=r"""
`counting_code_length(n, ones)` is given: the length of a description of any string of $n$ bits with so many ones.
Return the share of all $2^n$ strings whose description has at most $n - c$ bits, with $c$ the argument `saved`,
exactly but for the last rounding to a float:

$$\frac{\#\{x \in \{0, 1\}^n : \text{length}(x) \le n - c\}}{2^n}$$

$n$ may be in the hundreds: do not go through the strings.""",
    hints=(
        "The length depends on the number of ones alone. So go through the n + 1 numbers of ones, and count how many "
        "strings each stands for.",
        r"$\sum_{k:\, \text{length}(k) \le n - c} N_k / 2^n$, with $N_k$ strings of $k$ ones; "
        r"for every prefix-free code it is at most $2^{-c}$ (lesson, eq. 3).",
        "`sum(math.comb(n, k) for k in range(n + 1) if counting_code_length(n, k) <= n - saved) / 2**n`: integers "
        "until the division.",
    ),
    why=r"""There are fewer than $2^{n - c + 1}$ descriptions of at most $n - c$ bits, and a code whose words are
prefix-free has at most $2^{n - c}$: whatever the code, few strings get short. Here the numbers of ones are very
unequal: near $n/2$ there are almost all strings, at the ends hardly any. Counting each number of ones once makes
the code look far better than it is.""",
    difficulty=2,
    minutes=15,
    cases=share_cases,
    loops="Over the numbers of ones.",
    equivalent={
        "compressible_share: range(n + 1) → range(n + 1 + 1)": "No string of n bits has n + 1 ones.",
        "compressible_share: 1 → 2": "No string of n bits has n + 1 ones.",
    },
    wrong=(
        Wrong(
            "numbers of ones",
            {"sum(math.comb(n, ones) for": "sum(1 for", "short / 2**n": "short / (n + 1)"},
            "that takes every number of ones for as frequent",
        ),
        Wrong("more than saved", {"<= n - saved": "< n - saved"}, "that leaves out what saves exactly `saved` bits"),
        Wrong("exactly saved", {"<= n - saved": "== n - saved"}, "that counts only what saves exactly `saved` bits"),
        Wrong("all ones left out", {"range(n + 1)": "range(n)"}, "that forgets the string of ones only"),
        Wrong(
            "half of them",
            {"range(n + 1)": "range(n // 2 + 1)"},
            "that counts strings with few ones, and not those with many",
        ),
        Wrong("at least as long", {"<= n - saved": ">= n - saved"}, "that counts the strings that are not shortened"),
        Wrong("the bound", {"short / 2**n": "2.0**-saved"}, "that returns the bound, not the share"),
    ),
    right=(
        Right(
            "Pascal's triangle",
            """
            def counting_code_length(n, ones):
                import math
                return n.bit_length() + (math.comb(n, ones) - 1).bit_length()

            def compressible_share(n, saved):
                row = [1]
                for k in range(n):
                    row.append(row[-1] * (n - k) // (k + 1))
                good = 0
                for k, ways in enumerate(row):
                    good += ways * (counting_code_length(n, k) + saved <= n)
                return good / (1 << n)
            """,
        ),
    ),
)
