"""Exercises on numbers that say where they end: Elias's delta code, written and read."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p25_kolmogorov_complexity.codes import elias_decode, elias_encode
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import raises


def encode_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for number in (1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 100, 1023, 1024, 10**6, 2**53 + 1, 2**60 - 1):
        yield {"number": number}
    for _ in range(4):
        yield {"number": int(rng.integers(2, 10**9))}


WORD = """"0" * (size.bit_length() - 1) + format(size, "b") + format(number, "b")[1:]"""

ENCODE = Exercise(
    title="Elias's delta code",
    functions=(elias_encode,),
    floats32=False,
    task=r"""
Write a number $n \ge 1$ as a string of 0 and 1 that says where it ends. Let $n$ have $L$ binary digits, and $L$
itself have $M$ binary digits:

$$\text{code}(n) = 0^{M-1}\ \ \text{bin}(L)\ \ \text{rest}(n)$$

where $0^{M-1}$ stands for $M - 1$ zeros, $\text{bin}(L)$ for the binary digits of $L$, and $\text{rest}(n)$ for
those of $n$ without the first. So 1 becomes `1`, 2 becomes `0100`, and 5 becomes `01101`. Numbers below 1 raise
`ValueError`. Numbers beyond $2^{53}$ must come out right, too.""",
    hints=(
        "A reader does not know how many digits to take. Tell the length first; and since the reader does not know "
        "how long that length is, begin with as many zeros as it has further digits. Which digit need not be sent?",
        r"$|\text{code}(n)| = \lfloor \log_2 n \rfloor + 2 \lfloor \log_2 (\lfloor \log_2 n \rfloor + 1) \rfloor + 1$: "
        "Elias 1975 (the code δ).",
        '`size = number.bit_length()`; the zeros are `size.bit_length() - 1`; then `format(size, "b")`, then '
        '`format(number, "b")[1:]`.',
    ),
    why=r"""The first binary digit of a positive number is always 1: it ends the zeros in $L$, and in $n$ it need
not be sent. So $n$ costs $\log n + 2 \log \log n$ bits, where writing the length in unary (the code γ) would cost
$2 \log n$. Computing $L$ as `int(math.log2(n)) + 1` is the common mistake: a float has 53 digits, so $2^{60} - 1$
comes out as $2^{60}$.""",
    difficulty=2,
    minutes=15,
    cases=encode_cases,
    loops="None are needed; over the digits.",
    checks=(raises("below 1", (ValueError,), lambda rng: [{"number": 0}, {"number": -5}]),),
    wrong=(
        Wrong(
            "gamma code",
            {WORD: '"0" * (size - 1) + format(number, "b")'},
            "that writes the gamma code: as many zeros as the number has further digits",
        ),
        Wrong(
            "first digit sent",
            {'format(number, "b")[1:]': 'format(number, "b")'},
            "that sends the number's first digit, which is always 1",
        ),
        Wrong(
            "one zero too many",
            {"size.bit_length() - 1": "size.bit_length()"},
            "that begins with one zero too many",
        ),
        Wrong("ones", {'return "0" * (': 'return "1" * ('}, "that begins with ones, where zeros belong"),
        Wrong(
            "length less one",
            {"size = number.bit_length()": "size = number.bit_length() - 1"},
            "that sends the number of digits after the first, not of all digits",
        ),
        Wrong(
            "logarithm of a float",
            {
                "size = number.bit_length()": "size = int(np.log2(number)) + 1",
                "    if number < 1:": "    import numpy as np\n    if number < 1:",
            },
            "that takes the logarithm of a float: large numbers just below a power of two come out a digit too long",
        ),
        Wrong("0 is let through", {"if number < 1:": "if number < 0:"}, "that does not refuse 0"),
        Wrong(
            "no length",
            {WORD: 'format(number, "b")'},
            "that writes plain binary digits: nobody can tell where they end",
        ),
    ),
    right=(
        Right(
            "by the gamma code of the length",
            """
            def digits(n):
                return digits(n // 2) + "01"[n % 2] if n > 1 else "1"

            def gamma(n):
                return digits(n).rjust(2 * len(digits(n)) - 1, "0")

            def elias_encode(number: int) -> str:
                if not number >= 1:
                    raise ValueError(number)
                return gamma(len(digits(number))) + digits(number).removeprefix("1")
            """,
        ),
    ),
)


def decode_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"bits": "1"}
    yield {"bits": "0100"}
    yield {"bits": "11", "start": 1}
    for number in (1, 2, 3, 5, 8, 31, 1000, 2**40 + 12345):
        yield {"bits": elias_encode(number)}
        before, after = ("".join(map(str, rng.integers(2, size=rng.integers(1, 5)))) for _ in range(2))
        yield {"bits": elias_encode(number) + after}
        yield {"bits": before + elias_encode(number) + after, "start": len(before)}
    yield {"bits": "0011" + elias_encode(77), "start": 4}


def cut_off(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Everything that begins a code word and is none."""
    for number in (1, 2, 5, 1000):
        word = elias_encode(number)
        for end in range(len(word)):
            yield {"bits": word[:end]}
    yield {"bits": "1", "start": 1}
    yield {"bits": "1000", "start": 1}


DECODE = Exercise(
    title="Reading Elias's delta code",
    functions=(elias_decode,),
    floats32=False,
    task=r"""
A stream of bits (a string of 0 and 1) has a number in Elias's delta code beginning at index `start`; anything may
stand before and after it. The code of $n \ge 1$ is

$$\text{code}(n) = 0^{M-1}\ \ \text{bin}(L)\ \ \text{rest}(n)$$

where $n$ has $L$ binary digits and $L$ has $M$; $0^{M-1}$ are $M - 1$ zeros, $\text{bin}(L)$ the digits of $L$, and
$\text{rest}(n)$ those of $n$ without the first, which is 1.

Return `(number, end)`, with `end` the index in `bits` after the code word. Raise `ValueError` where the bits end
before the code word does.""",
    hints=(
        "Read from the left: how many zeros until the first 1? That tells how many digits the length has; the length "
        "tells how many digits the number has.",
        r"With $z$ zeros, $M = z + 1$; the digits of $L$ begin at the first 1, those of $n$ right behind them, $L - 1$ "
        "in number (Elias 1975). The reader never needs to know where the stream ends.",
        '`first = bits.find("1", start)` (below 0: cut off); `middle = first + (first - start) + 1`; '
        '`size = int(bits[first:middle], 2)`; `end = middle + size - 1`; put a "1" before `bits[middle:end]`. A slice '
        "that goes too far raises nothing: compare `end` with `len(bits)`.",
    ),
    why=r"""Each part says how long the next one is: the zeros that of $L$, $L$ that of $n$. So no code word is the
beginning of another one, and a stream of several numbers needs no separators: `end` is where the next one starts.
Python's slices stop silently at the end of a string, which is why a reader that does not check lengths returns a
wrong number for a stream that was cut off.""",
    difficulty=2,
    minutes=15,
    cases=decode_cases,
    loops="None are needed; over the digits.",
    checks=(raises("cut off", (ValueError,), cut_off),),
    equivalent={
        "elias_decode: if first < 0: … → if False: …": (
            "The empty text that follows is no number either: `int` raises a ValueError."
        ),
    },
    wrong=(
        Wrong(
            "start ignored",
            {'first = bits.find("1", start)': 'start = 0\n    first = bits.find("1", start)'},
            "that ignores `start`",
        ),
        Wrong(
            "place by itself", {", 2), end\n": ", 2), end - start\n"}, "whose `end` counts from `start`, not in `bits`"
        ),
        Wrong("end of the stream", {", 2), end\n": ", 2), len(bits)\n"}, "whose `end` is the end of the stream"),
        Wrong(
            "digits to the end",
            {"bits[middle:end], 2)": "bits[middle:], 2)"},
            "that takes all bits that are left for the number's",
        ),
        Wrong(
            "first digit forgotten",
            {'int("1" + bits[middle:end], 2)': 'int(bits[middle:end] or "1", 2)'},
            "that forgets the number's first digit, the 1 that is not sent",
        ),
        Wrong(
            "one digit more",
            {"end = middle + size - 1": "end = middle + size"},
            "that reads one digit too many",
            crashes=True,
        ),
        Wrong(
            "not checked",
            {'    if end > len(bits):\n        raise ValueError("the code word is cut off")\n': ""},
            "that does not notice that the number's digits are cut off",
        ),
        Wrong(
            "0 where nothing is",
            {
                'if first < 0:\n        raise ValueError("the code word is cut off")': "if first < 0:\n"
                "        return 0, len(bits)"
            },
            "that returns 0 where the stream has no 1 any more",
        ),
    ),
    right=(
        Right(
            "bit by bit",
            """
            def elias_decode(bits, start=0):
                stream = iter(range(start, len(bits)))

                def bit():
                    place = next(stream, None)
                    if place is None:
                        raise ValueError("no more bits")
                    return place + 1, int(bits[place])

                zeros, (end, b) = 0, bit()
                while b == 0:
                    zeros, (end, b) = zeros + 1, bit()
                length = 1
                for _ in range(zeros):
                    end, b = bit()
                    length = 2 * length + b
                number = 1
                for _ in range(length - 1):
                    end, b = bit()
                    number = number << 1 | b
                return [number, end]
            """,
        ),
    ),
)
