"""The constant of the invariance theorem as programs: each machine imitates the other.

``TAPE_INTERPRETER + p`` makes the tape machine do what ``p`` makes the rewriting machine do, reading the same
bits and no more; ``rewriting_interpreter() + p`` the other way round.
"""

import re
from typing import Any

from groundup.lessons.p25_kolmogorov_complexity.model import assemble
from groundup.lessons.p25_kolmogorov_complexity.rewriting import REWRITING, REWRITING_CODE, write_term
from groundup.lessons.p25_kolmogorov_complexity.tape import TAPE

# The string lies on the tape in groups of three cells, its front to the left:
#   symbol  1 @, 2 blank (erased), 3 R, 4 K, 5 T, 6 S, 7 ., 8 "0", 9 "1"; 0 where the string is not read yet
#   spare   0
#   mark    0, or 1 + what happens to the symbol: 1 stays, 2 goes, 3 moves to the front, 4 is copied there
# The group before the front is empty: "home". The cells before home hold what is going on.
# A term ends where the count of terms still to come reaches 0: each symbol takes 1 from it, an @ gives 2 back,
# a blank 1, that is 3 - symbol, with 3 - symbol = 0 for all others.
READ = (
    ",>,<<++++++++"  # two bits a, b; symbol = 8 + b if a is 0
    ">[-<--->>>,[-<<<++>>>]"  # a is 1: third bit c; symbol = 5 + 2c if b is 0
    "<[-<<---->>>,[-<<<+++>>>]<]<]>[-<<+>>]"  # b is 1 too: fourth bit d; symbol = 1 + 2c + 3d
)
READ_IF_MISSING = ">+<[>-]>[" + READ + "]"
# What the front symbol sets off, as differences from one symbol to the next, in the order R K T S . 0 1. From
# right to left: what to print, go on, rule, bit wanted, and marks for up to three terms.
DISPATCH = (
    "-[-[-<-<+<+<+<++>>>>>[-<<<->>>[-<<<<+++<->>>>>[-<<<<-<<++++>>>>>>[-<<-<<---<-<---->>>>>>[-<+>>+<[->+<]]]]]]]]"
)
RIGHT, LEFT = "[>>>]", "[<<<]"  # along the marks
WALK = (  # give the next term the first mark of the list; then the next mark, while there is one
    "[>+[->>>>>" + RIGHT + "<<" + READ_IF_MISSING  # a term is lacking: go to the first symbol without mark
    + "<+++<[->->+<<]>>[-<<+>>]<[-<<" + LEFT + "<<+>>>>>" + RIGHT + "<]"  # count += 3 - symbol
    + ">+" + LEFT + "<<<[->>+>>>>" + RIGHT + "<<<+" + LEFT + "<<<]>>[-<<+>>]<"  # mark it
    + "]<[-]<[->+<]<[->+<]>>]"
)  # fmt: skip
OBEY = (  # take the marks away, the last first, and do what they say
    "[" + RIGHT + "<<<--[-<<[->+<]++>>"  # not "stays": take the symbol, leave a blank
    + "[-[-<<-->[-<+>>+<]>[-<+>]]"  # "is copied": put it back
    + "<[-<<" + LEFT + "<<+>>>>>" + RIGHT + "<]<<" + LEFT + "++" + RIGHT + "]]"  # carry it to the front
    + "<[-]><<<" + LEFT + ">>>]"
)  # fmt: skip
TAPE_INTERPRETER_CODE = (
    "<+[->>>>" + READ_IF_MISSING + "<<<+>" + DISPATCH
    + "<<<[,[-<+<-->>]]"  # R: the bit says which of the next two terms goes
    + ">>>>[-[->+<]>.[-]<]"  # print
    + "<<<[->>+>>++<<<<<<" + WALK + ">>>>>>" + OBEY + "<<<<<<+<]>]]"  # a rule: its symbol becomes @
)  # fmt: skip
TAPE_INTERPRETER = assemble(TAPE, TAPE_INTERPRETER_CODE)

# The tape machine in lambda terms. A number n is a choice: \s z. s (n-1), or \s z. z for 0. A tape is the cells
# to the left, the cell, the cells to the right: l x r; a side is \f. f cell rest. An instruction takes what
# happens next, c, and then the tape. P reads instructions up to "]" and gives the block to its argument.
DEFINITIONS = r"""
I     = S K 0
zero  = S K
one   = \s z. s zero
Y     = S S K (S (K (S S (S (S S K)))) K)
zeros = Y (\t f. f zero t)
dot   = \c l x r. x (K 1) 0 (c l x r)
plus  = \c l x. c l (\s z. s x)
minus = \c l x. c l (x I zero)
right = \c l x r. r (c (\f. f x l))
left  = \c l x r. l (\y m. c m y (\f. f x r))
comma = \c l x. R (c l zero) (c l one)
loop  = \body b c. Y (\again l x. x (K (body again)) (b c) l x)
then  = \i P k. P (\b. k (\c. i (b c)))
open  = \P k. P (\body. P (\b. k (loop body b)))
close = \P k. k I
block = \t. R (R (t dot) (R (t plus) (t minus))) (R (R open close) (R (t right) (R (t left) (t comma))))
P     = Y (block then)
main  = P (\b. (\t. b halt t zero t) zeros)
"""

Lambda = Any  # a name, a pair (function, argument), or ("lambda", name, body)


def parse_lambda(text: str) -> Lambda:
    """Read a lambda term: \\x y. body, application by writing side by side, parentheses."""
    tokens = re.findall(r"[\\.()]|[^\s\\.()]+", text)

    def read(place: int) -> tuple[Lambda, int]:
        term = None
        while place < len(tokens) and tokens[place] != ")":
            if tokens[place] == "\\":
                dot = tokens.index(".", place)
                names = tokens[place + 1 : dot]
                part, place = read(dot + 1)
                for name in reversed(names):
                    part = ("lambda", name, part)
            elif tokens[place] == "(":
                part, place = read(place + 1)
                place += 1
            else:
                part, place = tokens[place], place + 1
            term = part if term is None else (term, part)
        return term, place

    return read(0)[0]


def occurs(name: str, term: Lambda) -> bool:
    """Whether a variable occurs in a term without lambdas."""
    return term == name if isinstance(term, str) else any(occurs(name, part) for part in term)


def is_combinator(term: Lambda) -> bool:
    """Whether a term holds symbols of the machine only, no variables."""
    return term in REWRITING_CODE if isinstance(term, str) else all(is_combinator(part) for part in term)


def size(term: Lambda) -> int:
    """The bits that a term without lambdas takes, with 4 for a variable."""
    if isinstance(term, str):
        return len(REWRITING_CODE.get(term, "four"))
    return len(REWRITING_CODE["@"]) + sum(size(part) for part in term)


def without(name: str, term: Lambda) -> Lambda:
    """Bracket abstraction: a term t without the variable such that t x behaves as ``term`` with x in its place.

    K drops what does not need x, S hands x to both halves; the other rules only make t shorter.
    """
    if term == name:
        return (("S", "K"), "0")
    if not occurs(name, term):
        return ("K", term)
    f, a = term
    if a == name and not occurs(name, f):
        return f
    choices = []
    if isinstance(a, tuple) and is_combinator(f) and is_combinator(a[0]):
        choices.append(without(name, ((("S", ("K", f)), a[0]), a[1])))
    if isinstance(f, tuple) and is_combinator(f[0]) and is_combinator(a):
        choices.append(without(name, ((("S", f[0]), ("K", a)), f[1])))
    choices.append((("S", without(name, f)), without(name, a)))
    return min(choices, key=size)


def compile_lambda(definitions: str) -> dict[str, Lambda]:
    """Every defined name as a term of the rewriting machine; names stand for the lines above, ``halt`` for "."."""
    done: dict[str, Lambda] = {"halt": "."}

    def compiled(term: Lambda, bound: frozenset[str]) -> Lambda:
        if isinstance(term, str):
            return term if term in bound else done.get(term, term)
        if len(term) == 3:
            return without(term[1], compiled(term[2], bound | {term[1]}))
        return (compiled(term[0], bound), compiled(term[1], bound))

    for line in definitions.strip().splitlines():
        name, body = line.split("=")
        done[name.strip()] = compiled(parse_lambda(body), frozenset())
    return done


def rewriting_interpreter() -> str:
    """The bits with which the rewriting machine imitates the tape machine.

    K term 0 -> term: so that the whole term is read before any R in it can take the term's own bits for data.
    """
    return assemble(REWRITING, "K" + write_term(compile_lambda(DEFINITIONS)["main"]) + "0")
