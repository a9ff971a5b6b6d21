"""Machine B: a string of symbols that is rewritten at its front; the program is the rest of the string, unread.

A *term* is one symbol, or @ followed by two terms. With x, y, z for the next terms, the rules are

    @ ...      ->  ...              0 ...  ->  print 0, go on with ...
    K x y      ->  x                1 ...  ->  print 1, go on with ...
    S x y z    ->  x z @yz          .      ->  stop
    T x y      ->  x @xy            R ...  ->  read a bit: 0 turns R into K, 1 turns it into D
                                    D x    ->  (nothing)

D cannot be written, only be made. S and K are Schönfinkel's combinators (1924), T says "twice".
A symbol is read only when a rule needs it.
"""

from typing import Any

from groundup.lessons.p25_kolmogorov_complexity.model import Machine, State

REWRITING_CODE = {
    "0": "00", "1": "01", "T": "100", ".": "101", "@": "1100", "K": "1101", "R": "1110", "S": "1111",
}  # fmt: skip
NEEDED = {"0": 1, "1": 1, ".": 1, "R": 1, "D": 2, "K": 3, "T": 3, "S": 4}  # terms, with the symbol itself

Term = Any  # a symbol, or a pair (f, x) for @fx


def rewriting_start() -> State:
    """Nothing read. The state is (known terms, the next one last; symbols of a term half read; terms it lacks)."""
    return State("", "symbol", "", ([], "", 1))


def rewriting_feed(state: State, item: str, limit: int) -> State:
    """Take a symbol to the end of the string, or the bit that an R reads."""
    terms, half, lacking = state.inner
    if state.wants == "bit":
        return rewrite([*terms, "KD"[int(item)]], state.output, limit)
    if item == "@" and not terms and not half:
        return state  # at the front of the string: dropped
    half, lacking = half + item, lacking + (1 if item == "@" else -1)
    if lacking:
        return State(state.output, "symbol", "", (terms, half, lacking))
    return rewrite([parse_term(half), *terms], state.output, limit)


def rewrite(terms: list[Term], printed: str, limit: int) -> State:
    """Apply rules until one needs a symbol or a bit, the machine stops, or ``limit`` steps. Changes ``terms``."""
    output = [printed]
    for _ in range(limit):
        # Nothing is left to look at: the machine asks for the next symbol of its program.
        if not terms:
            return State("".join(output), "symbol", "", (terms, "", 1))
        # `@fx` unfolds: `f` comes to the front, and `x` stands behind it.
        first = terms[-1]
        if isinstance(first, tuple):
            terms[-1:] = [first[1], first[0]]
            continue
        # A rule waits until its terms have been read, all of them. `R` needs none.
        if len(terms) < NEEDED[first]:
            return State("".join(output), "symbol", "", (terms, "", 1))
        terms.pop()
        # To stop or to read a bit, the machine hands back to whoever feeds it.
        if first == ".":
            return State("".join(output), "", "halted", None)
        if first == "R":
            return State("".join(output), "bit", "", (terms, "", 1))
        # Printed is printed: no rule takes it back.
        if first in "01":
            output.append(first)
            continue
        # `K` keeps the first of two terms. For `D` this is all: it drops a term.
        x = terms.pop()
        if first == "K":
            terms[-1] = x
        # `T` puts `x` in front twice: now, and once more inside the term behind it.
        elif first == "T":
            terms += [(x, terms.pop()), x]
        # `S` hands `z` to both.
        elif first == "S":
            y, z = terms.pop(), terms.pop()
            terms += [(y, z), z, x]
    return State("".join(output), "", "undecided", None)


def parse_term(symbols: str) -> Term:
    """The term that is written as ``symbols``: @fx becomes (f, x)."""
    done: list[Term] = []
    for symbol in reversed(symbols):
        done.append((done.pop(), done.pop()) if symbol == "@" else symbol)
    return done[0]


def write_term(term: Term) -> str:
    """The symbols of a term."""
    return term if isinstance(term, str) else "@" + write_term(term[0]) + write_term(term[1])


REWRITING = Machine("rewriting", REWRITING_CODE, rewriting_start, rewriting_feed)
