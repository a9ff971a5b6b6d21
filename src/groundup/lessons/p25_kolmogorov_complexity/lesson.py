# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,include,show,beside,margin,measures,predict,name,alt,-all
#     notebook_metadata_filter: kernelspec,lesson,-all
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lesson:
#     title: Kolmogorov complexity and algorithmic randomness
# ---

# %% [markdown] name="title"
# # Kolmogorov complexity and algorithmic randomness
#
# *A. Shen, V. A. Uspensky & N. Vereshchagin, [Kolmogorov Complexity and Algorithmic Randomness](https://www.lirmm.fr/~ashen/kolmbook-eng-scan.pdf), AMS 2017.*
#
# Here are three strings of 32 bits. A fair coin gives each of them with the same probability, $2^{-32}$.
#
# ```
# A   01010101010101010101010101010101
# B   01101110010111011110001001101010
# C   10100010001001111000010100010011
# ```
#
# Nobody believes that A came from a coin. Which of the other two would you say did?

# %% name="imports" tags=["tools"]
# NumPy, and `math` for logarithms.
import math

import numpy as np

# %% name="frames-tool" tags=["tools"] include="groundup.plots:figure groundup.plots:describe groundup.plots:curves groundup.plots:frames groundup.data.measured:measured"
# Figures and curves in one style, a figure with a slider, and `measured`: what the experiment of this lesson found.
from groundup.data.measured import measured
from groundup.plots import curves, describe, figure, frames

# %% name="reveal" predict="B or C: which one was tossed?" alt="The three strings as rows of 32 light and dark squares, each with what made it: A is 01, 16 times, B is the numbers 0, 1, 2, 3 and so on in binary, C is a random generator with seed 25."
A = "01" * 16
B = "".join(format(number, "b") for number in range(14))[:32]
C = "".join(map(str, np.random.default_rng(25).integers(2, size=32)))
assert B == "01101110010111011110001001101010"
assert C == "10100010001001111000010100010011"
fig, rows = figure(8.4, 2.4, rows=3)
sources = ("A: '01' * 16", "B: 0, 1, 10, 11, 100, 101, 110, … one behind the other", "C: default_rng(25).integers(2)")
for axes, string, source in zip(rows, (A, B, C), sources, strict=True):
    axes.imshow([[int(bit) for bit in string]], cmap="Blues", vmin=0, vmax=1.4)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    describe(axes, title=source)

# %% [markdown] name="punch-line"
# Neither. B is `0 1 10 11 100 101 110 111 1000 …`: somebody *counted*, in binary, and left out the spaces. David
# Champernowne, an undergraduate in Cambridge and a friend of Alan Turing, wrote the numbers like this in 1933, in
# decimal, and proved that in the long run every digit and every block of digits comes exactly as often as it should.
# The same is true in binary: let B go on for ever, and all its frequencies are those of a coin, with no chance in it
# at all. (The long run is long. Of the first 200,000 digits 53 % are ones, for every number begins with a 1.) And C
# is the output of `default_rng(25)`, a program as well.
#
# So what do we mean when we say that a string is random? Probability cannot help. It speaks of sources, not of single
# strings, and it gave all three the same. The man who felt this most was Andrei Kolmogorov, who had given probability
# its axioms in 1933. Thirty years later he found an answer that needs no source: **a string is random if nothing
# describes it that is shorter than the string itself.** Ray Solomonoff had the idea in 1960, for he wanted a machine
# that predicts. Gregory Chaitin had it in 1966, a student at City College in New York. Each of them found it alone.
#
# A fine definition, but can it be used? You will build two tiny computers and run *every* program of up to 20 bits on
# both. Then the theorems become things that one can count. And here is what the whole lesson is about: is there a
# string of which you can *prove* that it is random?

# %% [markdown] name="definition"
# ## The length of the shortest program
#
# A description needs a language. Let a **machine** $U$ read a program $p$, a string of bits, and print a string
# $U(p)$. Write $|p|$ for the length of $p$ in bits. The **Kolmogorov complexity** of a string $x$ on this machine is
#
# $$K_U(x) = \min\{\,|p| : U(p) = x\,\}. \tag{1}$$
#
# ![Three programs go into a machine that prints the same string; the shortest one has K bits.](diagram:machine)
#
# Three questions follow. Does it matter which machine? Can $K$ be computed? Is there a string whose $K$ is
# large, and can we show one?
#
# One thing first. In Python the counting program has over fifty characters, that is over 400 bits: for 32 bits nothing
# is gained. But let it run on, and its length hardly grows. How much of this do the compressors find that you use
# every day?

# %% name="compressor-tools" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.ncd:COMPRESSORS groundup.lessons.p25_kolmogorov_complexity.ncd:bits_as_digits groundup.lessons.p25_kolmogorov_complexity.ncd:ratio groundup.lessons.p25_kolmogorov_complexity.texts:generated groundup.lessons.p25_kolmogorov_complexity.texts:generator_size groundup.data.languages:language_texts groundup.data.languages:FAMILIES groundup.lessons.p25_kolmogorov_complexity.figures:compressors"
# Three compressors, a generator of bytes that look random, the declaration of human rights in sixteen languages, and bars.
from groundup.data.languages import FAMILIES, language_texts
from groundup.lessons.p25_kolmogorov_complexity.figures import compressors
from groundup.lessons.p25_kolmogorov_complexity.ncd import COMPRESSORS, bits_as_digits, ratio
from groundup.lessons.p25_kolmogorov_complexity.texts import generated, generator_size

# %% name="counting-compressed"
program = 'n=200000\nprint("".join(format(i,"b")for i in range(n))[:n])'
bits = "".join(format(number, "b") for number in range(20_000))[:200_000]
packed = int(bits, 2).to_bytes(25_000, "big")  # eight bits a byte
print(f"200,000 bits by counting; a program of {8 * len(program)} bits prints them")
for name, compress in COMPRESSORS.items():
    print(f"{name:5} shortens them to {ratio(packed, compress):.3f} of their size")
assert 8 * len(program) == 472

# %% [markdown] name="counting-seen"
# The best of them saves a seventh. The program says it all in 472 bits, and ten times as many digits would cost it 8
# bits more.

# %% [markdown] name="prefix"
# ## Programs that say where they end
#
# A machine must know where its program ends. Ours read it bit by bit, only when they need the next bit, and when they
# stop they have used all of it. So no program is the beginning of another. Such a set of words is called
# **prefix-free**, and it lives on a budget.
#
# **Kraft's inequality.** Put a point before a word $w$ and read it as a binary fraction $0.w$. All numbers that begin
# with these digits fill the interval from $0.w$ to $0.w + 2^{-|w|}$, of length $2^{-|w|}$. Two intervals overlap only
# if one word begins with the other. In a prefix-free set they are therefore disjoint, and all lie between 0 and 1. So
#
# $$\sum_{w} 2^{-|w|} \le 1. \tag{2}$$
#
# ![The unit interval cut into the words 0, 10, 110 and 111, which own a half, a quarter and two eighths of it.](diagram:budget)
#
# By hand: four words of lengths 1, 2, 3, 3 cost $\tfrac12 + \tfrac14 + \tfrac18 + \tfrac18 = 1$. The budget is spent:
# 0, 10, 110, 111. Could there be words of lengths 1, 1, 2? They would cost $\tfrac12 + \tfrac12 + \tfrac14 =
# \tfrac54$: no. The converse holds, too: if lengths obey (2), hand out intervals from the left, the longest intervals
# first, and the result is a prefix code.

# %% name="codes" include="groundup.lessons.p25_kolmogorov_complexity.codes:kraft_sum groundup.lessons.p25_kolmogorov_complexity.codes:is_prefix_free"
from groundup.lessons.p25_kolmogorov_complexity.codes import is_prefix_free, kraft_sum

# %% name="kraft-check"
print("lengths 1, 2, 3, 3:", kraft_sum([1, 2, 3, 3]), "prefix-free:", is_prefix_free(["0", "10", "110", "111"]))
print("lengths 1, 1, 2:   ", kraft_sum([1, 1, 2]))
assert (kraft_sum([1, 2, 3, 3]), kraft_sum([1, 1, 2])) == (1, 5 / 4)

# %% [markdown] name="prefix-turn"
# **Your turn**: exercise `kraft_sum` is the budget, and exercise `is_prefix_free` looks for a word that begins another.

# %% [markdown] name="converse" tags=["second"]
# ## Words for given lengths, and numbers that say where they end
#
# The converse in code: the words are handed out in order of length, each the next binary fraction that is still free.

# %% name="converse-code" include="groundup.lessons.p25_kolmogorov_complexity.codes:code_with_lengths"
from groundup.lessons.p25_kolmogorov_complexity.codes import code_with_lengths

# %% name="converse-run"
print("lengths 1, 2, 3, 3:", code_with_lengths([1, 2, 3, 3]))
assert code_with_lengths([1, 2, 3, 3]) == ["0", "10", "110", "111"]

# %% [markdown] name="self-delimiting"
# **Your turn**: exercise `code_with_lengths` is this converse.
#
# ### Numbers and strings that say where they end
#
# To put a number into a longer stream one must say how long it is, and so how long its length is. Elias's delta code
# writes the length of the length in zeros, then the length, then the number without its first 1. Take the number 5, in
# binary 101. Its length is 3, in binary 11, and that has two digits, so there is one zero. Then `0`, `11` and `01`
# (the number without its first 1) make `01101`.
#
# A string $x$ of $n$ bits behind its own length takes $n + \log_2 n + 2\log_2\log_2 n + O(1)$ bits. So $K(x) \le |x| +
# O(\log |x|)$ on every universal machine: no string is much harder than writing it down.

# %% name="elias" include="groundup.lessons.p25_kolmogorov_complexity.codes:elias_encode groundup.lessons.p25_kolmogorov_complexity.codes:self_delimiting groundup.lessons.p25_kolmogorov_complexity.codes:read_self_delimiting"
from groundup.lessons.p25_kolmogorov_complexity.codes import elias_encode, read_self_delimiting, self_delimiting

# %% name="elias-run"
for number in (1, 2, 5, 100):
    print(f"{number:4}  {elias_encode(number)}")
assert elias_encode(5) == "01101"
stream = self_delimiting("10110") + self_delimiting("") + self_delimiting("0")
first_string, end = read_self_delimiting(stream)
print(f"stream {stream}: first string {first_string!r}, it ends at bit {end} of {len(stream)}")

# %% [markdown] name="elias-turn"
# **Your turn**: exercise `elias_encode` writes such numbers, and exercise `elias_decode` reads them.

# %% [markdown] name="tape"
# ## Machine A: a tape
#
# The first computer is a tape of natural numbers, all 0 at the start, a head, and eight instructions. It is the
# language that Urban Müller invented in 1993, under the name *brainfuck*, to have a compiler of a few hundred bytes.
# Ours reads and prints bits.
#
# | symbol | word | what it does |
# |---|---|---|
# | `>` `<` | 110 1110 | move the head |
# | `+` `-` | 010 011 | add 1, subtract 1 ($0 - 1 = 0$) |
# | `[` … `]` | 100 101 | repeat while the cell under the head is not 0 |
# | `]` without `[` | 101 | the code ends here |
# | `.` | 00 | print 0 if the cell is 0, else 1 |
# | `,` | 1111 | read the next bit of the program into the cell |
#
# ![The program in cells, a tape of numbers with a head on one of them, and the output.](diagram:tape)
#
# By hand: which program prints `1`? Add 1, print, end: `+.]`, in bits `010 00 101`. That is 8 bits, and printing `0`
# takes 5. Instructions come first; the bits that `,` reads come behind them.

# %% [markdown] name="rewriting"
# ## Machine B: a string that is rewritten
#
# The second computer has no tape and no loops. It looks at the front of a string of symbols and replaces what it
# finds there. A **term** is one symbol, or `@` followed by two terms: `@fx` is $f$ applied to $x$. In the table $x,
# y, z$ are terms.
#
# | front | word | becomes |
# |---|---|---|
# | `0` | 00 | nothing, and 0 is printed |
# | `1` | 01 | nothing, and 1 is printed |
# | `.` | 101 | the end |
# | `@` | 1100 | nothing, and its two terms remain |
# | `T` $x\,y$ | 100 | $x\,$`@`$x\,y$ |
# | `K` $x\,y$ | 1101 | $x$ |
# | `S` $x\,y\,z$ | 1111 | $x\,z\,$`@`$y\,z$ |
# | `R` | 1110 | `K` if the next bit of the program is 0, `D` if it is 1 |
# | `D` $x$ | made by `R` only | nothing |
#
# At the start the string is empty. Whenever a rule needs a symbol that is not there, the machine reads one from the
# program and puts it at the end. `R` does not wait for terms: it takes its bit at once. So `R`, the bit 1, `0`, `1`,
# `.`, in bits `1110 1 00 01 101`, prints 1: the `R` becomes `D`, which drops the `0`. With the bit 0 it becomes `K`,
# which drops the `1`, and 0 is printed. (This `K` is a symbol, not the complexity.)
#
# Moses Schönfinkel found `S` and `K` in 1920, to get rid of variables in logic. We add `T`, "twice", since it makes
# repetition cheap.

# %% [markdown] name="loops" tags=["second"]
# ## The machines in code, and how to prove that a program never stops
#
# No program decides for all programs whether they stop. But for a program in front of us we can try. What led from one
# jump back of a loop to the next must happen again, and so again for ever, if all tests come out the same way.
#
# When is that sure? Compare the tape at two such jumps. If every cell that was found 0 has the same value as before,
# and every other cell that was touched has at least the value that it had, then every test comes out as before: `+`
# and `-` keep the order of two numbers, so what was more than 0 is more than 0 again. For a loop that travels along
# the tape compare each cell with the one to which it has moved, and ask for untouched zeros ahead.
#
# By hand, `+[>+]`: at the first jump back the head stands on cell 1, and cells 0 and 1 hold 1 and 1. At the second it
# stands on cell 2, and cells 0, 1 and 2 hold 1, 1 and 1. Shifted by one, everything that counts is as before. It will
# run to the right for ever.

# %% name="loops-code" include="groundup.lessons.p25_kolmogorov_complexity.tape:must_repeat"
from groundup.lessons.p25_kolmogorov_complexity.tape import must_repeat

# %% name="loops-by-hand"
assert must_repeat({0: 1, 1: 1}, {0: 1, 1: 1, 2: 1}, shift=1, touched={1}, zeros=set())
assert not must_repeat({0: 2}, {0: 1}, shift=0, touched={0}, zeros=set())  # ++[-]: the cell gets less, so it may stop

# %% [markdown] name="tape-code-words"
# ### The tape
#
# `tape_run` runs the code from `place` on. Now and then it tries to find such a proof.

# %% name="model" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.model:State groundup.lessons.p25_kolmogorov_complexity.model:Machine groundup.lessons.p25_kolmogorov_complexity.model:assemble groundup.lessons.p25_kolmogorov_complexity.model:run_program"
# A `State` is what a machine printed, what it wants to read and how it ended; `run_program` feeds it bits until it stops.
from groundup.lessons.p25_kolmogorov_complexity.model import Machine, State, assemble, run_program

# %% name="tape-machine" show="tape_run" beside="tape_run" include="groundup.lessons.p25_kolmogorov_complexity.tape:TAPE groundup.lessons.p25_kolmogorov_complexity.tape:tape_run"
from groundup.lessons.p25_kolmogorov_complexity.tape import TAPE, tape_run

# %% [markdown] name="rewriting-code-words"
# ### The rewriting machine
#
# A `State` says, in this order: what has been printed, what the machine wants to read, the verdict, which is empty
# while it runs, and what it must remember. Here that is the terms, the symbols of a term that is only half read, here
# none, and how many terms are still to come for it. (If a rule has read the two terms behind an `R` already, its bit
# comes behind them.)

# %% name="rewriting-machine" show="rewrite" beside="rewrite" include="groundup.lessons.p25_kolmogorov_complexity.rewriting:REWRITING groundup.lessons.p25_kolmogorov_complexity.rewriting:rewrite groundup.lessons.p25_kolmogorov_complexity.rewriting:write_term"
from groundup.lessons.p25_kolmogorov_complexity.rewriting import REWRITING, rewrite, write_term

# %% [markdown] name="tape-work"
# ## The machines at work
#
# `TAPE` is the first machine, `assemble` spells symbols as its bits, and `run_program` hands it one bit after the other
# until it stops. The verdict "loops" says that the program was *proven* never to stop. Here are six programs.

# %% name="tape-examples" predict="What does each of the six programs print, and which of them loop?"
for code, data in ((".]", ""), ("+.]", ""), ("+[.-.].]", ""), (",.,.]", "10"), ("+[]]", ""), ("+[>+]]", "")):
    state, used = run_program(TAPE, assemble(TAPE, code) + data)
    print(f"{code:8} and data {data!r:4} {used:2} bits, {state.verdict:6} prints {state.output!r}")
assert assemble(TAPE, "+.]") == "01000101"

# %% [markdown] name="rewriting-work"
# Now the rewriting machine, by hand: `TT0.`, with spaces between the terms.
#
# ```
# T  T  0  .        T with x = T and y = 0
# T  @T0  .         T with x = @T0 and y = .
# @T0  @@T0.        @ is dropped
# T  0  @@T0.       T with x = 0 and y = @@T0.
# 0  @0@@T0.        the first zero is printed
# ```
#
# Where does it end? Go on, and then look: here is what it prints, and what its brothers print.

# %% name="rewriting-examples" predict="T0. prints 2 zeros. How many will TT0., TTT0. and TTTT0. print?"
for code in ("T0.", "TT0.", "TTT0.", "TTTT0.", "TTT@01."):
    state, used = run_program(REWRITING, assemble(REWRITING, code), limit=1_000_000)
    print(f"{code:8} {used} bits, prints {len(state.output):6,} bits: {state.output[:16]}…")

terms, printed = [".", "0", "T", "T"], ""  # rule by rule, as above; the front is last
for front in ("T  @T0  .", "@T0  @@T0.", "T  0  @@T0.", "0  @0@@T0."):
    printed = rewrite(terms, printed, limit=1).output
    assert "  ".join(write_term(term) for term in reversed(terms)) == front

# %% [markdown] name="tower"
# 2, 4, 16, 65536: each `T` puts the number into the exponent, and $n$ zeros become $2^n$. (`T` says
# "twice", so it is the number 2, and a number $n$ in front of a number $m$ makes $m^n$: `TT` is $2^2$, `TTT` is
# $2^4$.) One more, and `TTTTT0.` prints $2^{65536}$ zeros. It has 20 bits, it does halt, and no computer will ever see
# it halt. This is why a step limit is not a detail. (And `TTT@01.` is a program of 20 bits for string A.)

# %% [markdown] name="all-programs"
# ## Every program
#
# Go through the tree of all bit strings, depth first, and cut a branch where the machine stops. Each end of a branch
# is of one of four kinds: the program *halted*, it provably *loops*, it is *undecided* (too many steps without
# reading: the limit counts them from one reading to the next), or it *wants more* bits than we allow.
#
# ![A tree of bit strings; its branches end where the program halts, loops, is undecided or wants more bits.](diagram:programs)
#
# By hand, with the tape and up to 8 bits: `]` alone prints nothing with 3 bits, `.]` prints `0` with 5, `..]` prints
# `00` with 7, and `+.]` prints `1` with 8. Is there a shorter one for `1`? You need an instruction that changes a
# cell, one that prints and the end, so no. These four complexities are exact.
#
# In general the shortest program *found* for $x$ is only an **upper bound**: with more steps, an undecided shorter
# one might still print $x$. It is exact if every shorter program is ruled out: it halted with another output, it
# provably loops, or it is undecided but has already printed something that $x$ does not begin with. What is printed
# is never taken back.

# %% name="census-tools" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.model:every_program groundup.lessons.p25_kolmogorov_complexity.model:certain"
# `every_program` walks the tree; `certain` gives the strings whose complexity is exact.
from groundup.lessons.p25_kolmogorov_complexity.model import certain, every_program

# %% name="census" show="census complexities" include="groundup.lessons.p25_kolmogorov_complexity.model:census groundup.lessons.p25_kolmogorov_complexity.model:complexities"
from groundup.lessons.p25_kolmogorov_complexity.model import census, complexities

# %% name="census-by-hand"
small = census(TAPE, 8, limit=100)
for x, bits in small.shortest.items():
    print(f"K = {len(bits)}: {bits:8} prints {x!r}, weight of all that do {small.mass[x]:.4f}")
assert complexities(small) == {"": 3, "0": 5, "00": 7, "1": 8}

# %% [markdown] name="census-words"
# Now all of them, up to 20 bits: more than a million bit strings for each machine. A program of length $|p|$ gets the
# weight $2^{-|p|}$, the probability that coin flips spell it ((4), folded below, sums it).

# %% name="census-run"
LONGEST = 20
found = {}
for machine, limit in ((TAPE, 2000), (REWRITING, 1000)):
    one = found[machine.name] = census(machine, LONGEST, limit)
    print(f"{machine.name} machine: {len(one.programs):,} programs halt, {len(one.shortest):,} different strings,")
    print(f"    K is exact for {len(certain(one)):,}; weights", {k: round(w, 6) for k, w in one.weights.items()})

# %% [markdown] name="check"
# ### Is it right?
#
# On each machine one of the four weights is 0. On the tape every program that did not halt was *proven* to loop: of
# two passes through one of its loops we could show that the second must be followed by a third just like it, and so
# for ever. For the rewriting machine we try no proofs, so what does not halt in time is undecided.
#
# Each weight was summed by itself. Together they must make 1, exactly, for every sequence of coin flips ends in one of
# the four ways, and floating point adds powers of two as small as these without rounding. To see it fail, take the word
# of `R` out of the code: then coin flips that spell `R` end nowhere. Also, no program may be the beginning of another.

# %% name="check-run"
for name, one in found.items():
    print(f"{name}: together {sum(one.weights.values())}, prefix-free: {is_prefix_free(one.programs)}")
    assert sum(one.weights.values()) == 1
    assert kraft_sum(map(len, one.programs)) == one.weights["halts"] <= 1  # (2)
without_r = {symbol: word for symbol, word in REWRITING.code.items() if symbol != "R"}
fails = census(REWRITING._replace(code=without_r), 12, limit=1000)
print(f"rewriting without R: together {sum(fails.weights.values()):.4f}")

# %% [markdown] name="omega"
# The weight of what halts is a lower bound of a famous number. Chaitin's $\Omega$ is the probability that a program
# made of coin flips halts. Whoever knew its first $n$ bits could decide for every program of $n$ bits whether it
# halts: run them all side by side until those that have halted weigh as much as these $n$ bits say. What will halt
# later weighs less than $2^{-n}$ together, so no program of up to $n$ bits is among it. That would settle Goldbach's
# conjecture and much else. How many bits of ours do we know? Of the rewriting machine's, one: more than half of all
# coin flips halt already, so its first binary digit is a 1. Of the tape's not even that. Where is the doubt? Look at
# "wants more".

# %% [markdown] name="counting"
# ## Few strings are simple
#
# Take any way of describing strings whatever, even one that will be invented in a thousand years. There are
# $2^0+2^1+\dots+2^{n-c} = 2^{n-c+1}-1$ descriptions of at most $n - c$ bits, and each describes one string at most.
# So of the $2^n$ strings of length $n$, the share that can be shortened by $c$ bits or more is below $2^{1-c}$. If
# the descriptions are prefix-free, (2) is stricter: each spends at least $2^{-(n-c)}$ of a budget of 1, so there are
# at most $2^{n-c}$ of them.
#
# $$\frac{\#\{x : |x| = n,\ K(x) \le n - c\}}{2^n} \;\begin{cases} < 2^{1-c} & \text{any,}\\ \le 2^{-c} & \text{prefix-free.}\end{cases} \tag{3}$$
#
# By hand, $n = 8$ and $c = 3$: up to 5 bits there are $1 + 2 + 4 + 8 + 16 + 32 = 63$ descriptions. A decoder that
# gives each its own string of 8 bits shortens $63/256 = 0.246$ of all. That is less than $2^{-2} = 0.25$, but nearly
# twice $2^{-3}$. So the factor 2 is not an oversight. This decoder is told where a description ends, and that tells
# it something, too. Prefix-free descriptions must say it themselves.
#
# At most one string in five hundred can be shortened by 10 bits, one in half a million by 20, **by any method, for
# ever**. Up to a few bits, nearly all strings are random! (Prefix-free programs share one budget: a share $s_n$ of the
# strings of length $n$ spends $s_n 2^c$ of it. So over *all* lengths together the shares sum to at most $2^{-c}$.)
#
# How many strings of each length do our programs print? Move the slider. With each bit more of program, the edge of
# the bound, the lower half of (3), moves one bit further. How fast do the machines follow, and why is the tape so slow?

# %% name="length-frames" alt="Share of all strings of each length that some program of at most L bits prints, for both machines, and the most that any prefix-free machine could print: the bound falls off at L, the rewriting machine near half of L, the tape earlier still."
every_k = {name: complexities(one) for name, one in found.items()}
printed_lengths = np.arange(25)


def up_to(axes, longest):
    lines = {"bound": np.minimum(1, 2.0 ** (longest - printed_lengths))}  # (3)
    for name, k in every_k.items():
        reached = np.bincount([len(x) for x in k if k[x] <= longest and len(x) < 25], minlength=25)
        lines[name] = reached / 2.0**printed_lengths
    title = f"Programs of at most {longest} bits"
    curves(axes, printed_lengths, lines, "length of the string, bits", "share that is printed", title)
    axes.set_ylim(-0.03, 1.05)


fig = frames("program length", list(range(9, LONGEST + 1)), up_to, start=11)


# %% [markdown] name="structure"
# Both stay far behind the bound, for what they print must be spelt. A bit costs the rewriting machine 2 bits of
# program. It costs the tape 2 as well, and 3 more if the cell has to change. So the place where a share leaves 1 moves
# by half a bit and by a fifth of a bit for each bit of program. On the tape no loop pays at this size: none of its
# strings is longer than its program, and by the definition all are random, even `000000`. The rewriting machine has
# shorter programs for some, such as `ST0T0.`, 17 bits, which prints 31 zeros:

# %% name="structure-table" tags=["tools"]
# Strings of up to 40 bits whose program is shorter than they are.
k = complexities(found["rewriting"])
shorter = sorted((x for x in k if k[x] < len(x) <= 40), key=lambda x: (k[x] - len(x), x))
print(f"{sum(k[x] < len(x) for x in k)} strings are longer than their program; some of those with up to 40 bits:")
for x in shorter[:4]:
    print(f"  K = {k[x]:2}, |x| = {len(x):2}: {x}")

# %% [markdown] name="counting-code-words" tags=["second"]
# ## A description that people use
#
# Say how many ones a string has, and then which of the strings with so many it is. This is short for strings with few
# ones. How many of all strings of 64 bits does it help?

# %% name="counting-code" show="compressible_share" include="groundup.lessons.p25_kolmogorov_complexity.codes:compressible_share"
from groundup.lessons.p25_kolmogorov_complexity.codes import compressible_share

# %% name="counting-code-run"
for saved in (1, 5, 10, 20):
    share = compressible_share(64, saved)
    print(f"{saved:2} bits saved for a share of {share:.1e} of the strings; at most {2.0**-saved:.1e}")
    assert share <= 2**-saved  # (3)

# %% [markdown] name="counting-turn"
# **Your turn**: exercise `counting_code_length` is this description, and exercise `compressible_share` the share.

# %% [markdown] name="coding-theorem" tags=["second"]
# ## One short program or many programs
#
# Feed a machine with coin flips. How probable is it that it prints $x$ and stops?
#
# $$m(x) = \sum_{p\,:\,U(p) = x} 2^{-|p|}. \tag{4}$$
#
# By (2), the sum of $m(x)$ over all $x$ is at most 1. The shortest program alone contributes $2^{-K(x)}$, so $m(x)
# \ge 2^{-K(x)}$, and that is $-\log_2 m(x) \le K(x)$. Could $m(x)$ be large although each single program is long,
# because there are so many? In 1974 Leonid Levin proved that it cannot, up to a constant (an $O(1)$ is a number that
# stays below some constant, whatever $x$ is):
#
# $$K(x) = -\log_2 m(x) + O(1). \tag{5}$$
#
# *Why.* List the programs as they halt. The weight collected so far for each $x$ only grows. Whenever it first
# reaches a new power $2^{-l}$, reserve for $x$ a new word of length $l + 1$. What does that cost? For one $x$ at most
# $\tfrac12 (2^{-l} + 2^{-l-1} + \dots) = 2^{-l} \le m(x)$, with $l$ the smallest that was reached. Over all $x$ it is
# at most 1, so by the converse of Kraft's inequality the words exist. (The requests come one by one here, and long
# words may come before short ones. It works all the same: cut each word's interval from the shortest free one that is
# long enough.) The shortest word of $x$ has at most $-\log_2 m(x) + 2$ bits, and one fixed program, which rebuilds
# the list and looks up the word, turns it into $x$. The length of that program is the $O(1)$.
#
# Many long programs for $x$ always mean one short program. It is a beautiful theorem. Do our programs obey it? We sum
# over programs of up to 20 bits and look at strings with $K \le 16$, so that the sum for each string has all programs
# that are up to 4 bits longer than its shortest.

# %% name="coding-tools" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.experiment:MARGIN groundup.lessons.p25_kolmogorov_complexity.figures:coding"
# `coding` draws K(x) against -log m(x).
from groundup.lessons.p25_kolmogorov_complexity.experiment import MARGIN
from groundup.lessons.p25_kolmogorov_complexity.figures import coding

# %% name="coding-figure" alt="K(x) against minus log m(x) for both machines: dots near the diagonal for short programs, and further above it for long ones."
for name, one in found.items():
    known = [x for x, bits in complexities(one).items() if bits <= LONGEST - MARGIN]
    gaps = [len(one.shortest[x]) + math.log2(one.mass[x]) for x in known]  # (5)
    print(f"{name}: {len(known)} strings, the largest gap between K and -log m is {max(gaps):.2f} bits")
fig = coding(found, MARGIN)

# %% [markdown] name="gap"
# The dots lie near the diagonal, and one would like to write "as the theorem says". Be careful. That no dot lies below
# the diagonal is clear, for $m(x)$ contains $2^{-K(x)}$ itself. How far above it they lie is what the theorem is about:
# it says that the gap stays below *one constant for all strings*. So look at the largest gap while more and more
# programs are run:

# %% name="gap-figure" alt="The largest gap between K and minus log m against the longest program that was run, for both machines: it grows with every step."
growth = measured("p25_kolmogorov_complexity", "metrics/largest gap by longest program")
growth = growth["metrics/largest gap by longest program"]
fig, axes = figure(6.4, 3.2)
lines = {f"{name} machine": list(gaps.values()) for name, gaps in growth.items()}
longest_run = [int(bits) for bits in growth["tape"]]
curves(axes, longest_run, lines, "longest program, bits", "largest gap, bits", "A constant? Not yet")

# %% [markdown] name="gap-words"
# It grows, on both machines, on average by a quarter to half a bit for each bit, through all lengths that we can
# afford. Is the theorem wrong? No. Its constant is the length of a program that runs all other programs and keeps a
# list. Such a program is far longer than the 22 bits that we could afford. Levin's theorem is about strings that we
# cannot reach. (Two things grow along the axis. Keep to the strings with $K \le 10$, and from 14 to 20 bits their
# largest gap grows from 1.4 to 2.1 bits on the rewriting machine and from 1.6 to 2.5 on the tape, for longer programs
# add to $m$. The rest comes from the longer strings, which only count once the programs are long enough.) Whoever
# shows you a picture of it on strings of twelve bits shows you something else.
#
# People have gone much further than we do, and met the same wall. Fernando Soler-Toscano and colleagues ran [all
# Turing machines with 5 states](https://doi.org/10.1371/journal.pone.0096223), $22^{10} \approx 2.7 \cdot 10^{13}$ of
# them before symmetries, and took $-\log_2 m$ for $K$: they got all strings of up to 11 bits, and most of up to 16.

# %% [markdown] name="prediction"
# ## Predict the next bit, with all programs
#
# This is what Solomonoff wanted all along. You have seen `0101010`. What comes next? *Any* bit can: there is a
# program that prints `01010100`. But take all programs whose output begins with what you saw, give each the weight
# that coin flips give it, and let them vote. Write $M(x)$ for the probability that the machine, fed with coin flips,
# prints something that *begins* with $x$:
#
# $$M(x) = \sum_{p\,:\,U(p) = x\dots} 2^{-|p|}, \tag{6}$$
#
# where $U(p) = x\dots$ says that the output of $p$ begins with $x$, and a program counts with the bits that it has
# read when the last bit of $x$ is printed. The probability that a 1 comes after $x$ is then
#
# $$P(1 \mid x) = \frac{M(x1)}{M(x0) + M(x1)}. \tag{7}$$
#
# Nobody trained anything. Short explanations have large weights, long ones small weights, and whoever predicts
# wrongly drops out. It is Occam's razor as a formula. One thing was chosen, the machine, and it decides what is
# short.
#
# **By hand.** Let there be one program of 3 bits that prints zeros for ever, one of 4 bits that prints `01` again and
# again, and let the rest, $\tfrac{13}{16}$ of the weight, print fair random bits. You see a 0. The weights are now
# $\tfrac18$, $\tfrac1{16}$ and $\tfrac12 \cdot \tfrac{13}{16}$. In 64ths: for another 0 there are $8 + \tfrac{26}{2}
# = 21$, for a 1 there are $4 + 13 = 17$. So $P(1 \mid \mathtt{0}) = \tfrac{17}{38} = 0.447$. And after eight zeros?
# The second program is out. The coin flips have shrunk to $\tfrac{13}{16} \cdot 2^{-8} = \tfrac{13}{4096}$, and the
# first still has $\tfrac18 = \tfrac{512}{4096}$. So now the probability of a 1 is $6.5/525 = 0.012$.

# %% name="predictor" show="predictor chance_of_one" beside="predictor" include="groundup.lessons.p25_kolmogorov_complexity.prediction:predictor groundup.lessons.p25_kolmogorov_complexity.prediction:chance_of_one"
from groundup.lessons.p25_kolmogorov_complexity.prediction import chance_of_one, predictor

# %% name="prediction-by-hand"
flips = {"": 13 / 16}
toy = small._replace(printed={"0" * 16: 1 / 8, "01" * 8: 1 / 16, **flips}, begun=flips)
share = predictor(toy, 16)
print(f"after 0: {chance_of_one(share, '0'):.3f}; after eight zeros: {chance_of_one(share, '0' * 8):.3f}")
assert math.isclose(chance_of_one(share, "0"), 17 / 38)
assert math.isclose(chance_of_one(share, "0" * 8), 6.5 / 525)

# %% [markdown] name="prediction-words"
# Now for real: all programs of the rewriting machine vote. Where a program wants more than 20 bits, we let coin flips
# print the rest. Beside them stands a rule that everybody would try: count how often 0 and 1 came before, or came
# after the same last bit or two. (Every count begins at one half: Krichevsky and Trofimov, 1981.) Who will learn faster? Move the slider through five strings.

# %% name="counting-rule" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.prediction:bits_lost_by_counting groundup.lessons.p25_kolmogorov_complexity.prediction:bits_lost"
# What a predictor loses on a string, in bits, and what counting loses.
from groundup.lessons.p25_kolmogorov_complexity.prediction import bits_lost, bits_lost_by_counting

# %% name="prediction-frames" alt="The probability that was given to each next bit of five strings, by all programs and by counting with a context of two bits: for 0000… and 0101… both rise to 1, for the others the programs stay at one half."
share = predictor(found["rewriting"], 25)
strings = {"0000…": "0" * 24, "0101…": A[:24], "0011…": "0011" * 6, "B, counting": B[:24], "C, the generator": C[:24]}


def given(axes, name):
    x = strings[name]
    ones = [chance_of_one(share, x[:n]) for n in range(24)]
    by_programs = [one if bit == "1" else 1 - one for one, bit in zip(ones, x, strict=True)]
    lost = [bits_lost_by_counting(x[:n], 2) for n in range(25)]
    lines = {"all programs": by_programs, "counting, context of 2": 2.0 ** -np.diff(lost)}
    title = f"{name}; bits lost:\nprograms {bits_lost(share, x):.1f}, counting {lost[-1]:.1f}"
    curves(axes, np.arange(1, 25), lines, "place of the bit", "probability of the bit that came", title)
    axes.set_ylim(0, 1.05)


fig = frames("string", list(strings), given, start=1, shown=(0, 1, 3))


# %% [markdown] name="prediction-seen"
# Watch `0101…`. For twelve bits nothing happens, and ten bits later the machine is certain. At `0000…` there is a
# moment of doubt after 16 zeros: to this machine 16 is a round number (`TTT0`), and many short programs do something
# else after it. Of B, C and even `0011…` it knows nothing, for the programs that would know are longer than 20 bits.
#
# And counting is *faster*, where there is something to count: whoever wrote the rule knew what to look for. On C it
# pays for it. With a context of two it sees patterns that are not there, and loses 28 bits on 24, where the programs
# lose hardly more than a coin.
#
# The programs pay for finding out, too. But what they pay has a limit. In (7), $M(x0) + M(x1) \le M(x)$, for what
# prints $x0$ or $x1$ has printed $x$ before. So each bit $b$ that comes was given at least $M(xb)/M(x)$. Multiply over
# all bits of $x$: each $M$ cancels against the next, the first is 1, and $M(x)$ remains. The loss in bits, $-\log_2$ of
# what was given, adds up to at most
#
# $$-\log_2 M(x) \;\le\; K(x).$$
#
# Whatever the regularity, if a program of 300 bits prints the string, all mistakes together cost at most 300 bits, on
# a string of a million bits as well. No rule that counts can promise this.
#
# ### That is a language model
#
# A language model does what (7) does: it gives a probability to each next token. Its training loss, the cross-entropy,
# is the loss above for one token, on average. Times the number of tokens, and in bits, it is the length of a file: an
# *arithmetic coder* turns any such predictor into a compressor that needs these bits and at most two more. So
# predicting well and compressing well are the same thing, and lower loss means a shorter description of the text.
# Grégoire Delétang and colleagues [took this at its word](https://arxiv.org/abs/2309.10668) in 2023: Chinchilla,
# trained mostly on text, squeezed speech to 16.4 % of its size, where FLAC needs 30.3 %. (Without its own 70 billion
# weights. Whoever adds the bits of the model to those of the data, and takes the model with the smallest sum, follows
# the principle of **minimum description length**.) The ideal behind all such models is (7), and the ideal cannot be
# computed.

# %% [markdown] name="invariance"
# ## The choice of machine costs a constant
#
# Suppose there is one string $h$ such that $A(h\,p) = B(p)$ for all $p$: an **interpreter** for $B$, written for $A$.
# Put it before the shortest $B$-program of $x$ and you have an $A$-program of $x$:
#
# $$K_A(x) \le K_B(x) + |h| \quad\text{for all } x. \tag{8}$$
#
# A machine that has an interpreter for every other one that reads bit by bit is called **universal**. Both of ours are:
# with its loops the tape can imitate any computer, and the rewriting machine can imitate the tape. With an interpreter
# in the other direction, $|K_A(x) - K_B(x)|$ is bounded by a constant that does not depend on $x$. This is the
# **invariance theorem**, and it is usually quoted without the constant. We have both interpreters. How long are they,
# would you say? The two machines are tiny.

# %% name="interpreter-tools" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.interpreters:TAPE_INTERPRETER groundup.lessons.p25_kolmogorov_complexity.interpreters:rewriting_interpreter"
# The two interpreters as bits.
from groundup.lessons.p25_kolmogorov_complexity.interpreters import TAPE_INTERPRETER, rewriting_interpreter

# %% name="invariance-run" predict="The longer of the two interpreters: 50, 500 or 5000 bits?"
headers = {"tape": TAPE_INTERPRETER, "rewriting": rewriting_interpreter()}
tape_k, rewriting_k = (complexities(one) for one in found.values())
both = certain(found["tape"]) & certain(found["rewriting"])
difference = max(abs(tape_k[x] - rewriting_k[x]) for x in both)
print({f"interpreter on the {name} machine": f"{len(bits):,} bits" for name, bits in headers.items()})
print(f"{len(both)} strings with exact K on both machines; they differ by at most {difference} bits")

# %% [markdown] name="constants"
# The bound holds, and it *could not fail* here: two numbers between 3 and 20 differ by less than thousands, whatever
# they mean. For short strings the theorem says nothing. Keep that in mind when somebody computes "the" complexity of a
# short string. It speaks about long ones, of millions of bits, where a few thousand do not count.

# %% [markdown] name="uncomputable"
# ## K cannot be computed
#
# "The smallest number that cannot be named in under twelve words." Count the words: you have just named it in eleven.
# G. G. Berry, a librarian in Oxford, found the paradox, and Bertrand Russell made it known. Here it becomes a
# theorem.
#
# Suppose a program computed $K$. Then another one could go through all strings in order and print the first $x$ with
# $K(x) \ge n$. That program has to contain $n$ and to say where $n$ ends. If every binary digit of $n$ is written
# twice, and `01` behind them, that takes about $2 \log_2 n$ bits. The rest of the program has some fixed length.
# Together, $c$ bits more than $2 \log_2 n$ print $x$, so $n \le K(x) \le 2 \log_2 n + c$. For large $n$ that is
# false. So there is no such program.
#
# What can be done is what we did: bounds from above, which get better the longer we search. For 138 of the 749 strings
# that the rewriting machine printed, all with the bound 20, $K$ is not exact. The programs below took 1000 steps
# without reading. One of them has printed nothing, and may still print any of the 138:

# %% name="undecided"
for length, begun in sorted(found["rewriting"].doubtful, key=lambda item: (len(item[1]), item))[:3]:
    print(f"a program of {length} bits, undecided, has printed {len(begun)} bits: {begun[:20]!r}")

# %% [markdown] name="chaitin"
# Now put "prove" where "compute" stood. Take a theory whose proofs a program can list, and which is *sound*: what it
# proves is true. (An unsound one may prove what is false.) Let a program search all proofs for the first one of a
# sentence "$K(x) \ge n$", and print that $x$. If it finds one, $K(x) \ge n$ is true, and yet about $2 \log_2 n$ bits
# and a constant have printed $x$. So beyond some $n$, which one could compute for your theory, **it proves $K(x) \ge n$
# for no $x$ at all**. And by (3) the sentence is true of all strings of $n + 10$ bits but one in a thousand.
#
# This is Chaitin's form of Gödel's theorem, and the answer to the question at the top. Random strings are everywhere.
# You meet almost nothing else when you toss a coin. But whatever sound theory you trust, beyond some length it proves
# of none that it is random. (Of short ones one can: the census did.)

# %% [markdown] name="compressors"
# ## Compressors in place of K
#
# A compressor is a computable upper bound: the decompressor is a machine, the compressed file a program for it. By (3)
# it must lengthen some strings, and can shorten few. Let it try six kinds of bytes. One of them is written by a
# generator of pseudo-random numbers, whose whole program is one line.

# %% name="compressor-figure" predict="Six kinds of bytes. Which of them will not shrink, and does any compressor see through the generator?" alt="Compressed size over size by kind of data and compressor: zeros near 0, text below a half, random digits near an eighth, random and generated bytes at 1."
rng = np.random.default_rng(0)
texts = language_texts()
few = rng.bytes(8192)
kinds = {
    "zeros": bytes(65536),
    "English text": texts["English"].encode(),
    "random bits as digits": bits_as_digits(few),
    "the same bits as bytes": few,
    "generator's output": generated(65536, 12345),
    "random bytes": rng.bytes(65536),
}
ratios = {kind: {name: ratio(data, compress) for name, compress in COMPRESSORS.items()} for kind, data in kinds.items()}
fig = compressors(ratios)
written = generator_size(65536, 12345)
print(f"the generator's program has {written} bytes, its output {65536:,}: {written / 65536:.5f} of that")

# %% [markdown] name="compressor-words"
# None of them sees it (the "random bytes" come from NumPy's, with a longer program), and no
# compressor that will ever be written sees all such things: that was the theorem. "It does not compress" is never a
# proof of randomness.
#
# **Beware of units.** Random *bits*, written as the characters `0` and `1`, shrink, but in practice never below an
# eighth. No pattern was found: a character has 8 bits and carries 1. And compressors have costs of their own: one byte
# becomes 9 with zlib, 37 with bz2 and 5 with lzma (without its header), and bz2 adds about half a kilobyte to 8 KiB of
# random bytes and hardly more to 64 KiB. Compare bits with bits, and never measure $K$ of a short string by a zip file.

# %% [markdown] name="conditional" tags=["second"]
# ## What one string knows of another
#
# Let the program have help. The **conditional complexity** $K(x \mid y)$ is the length of the shortest program that
# prints $x$ when it may *read* $y$, for nothing. On our machines that is easy to arrange: let $y$ be the bits that
# come behind the program, and count the program alone.
#
# Take any 256 bits $y$, and ask for $K(y \mid y)$. Written out, with 2 bits for each, $y$ takes 515 bits on the
# rewriting machine, and by (3) at most one string in a thousand can do with 246 or less. But the term `@@R01` reads a
# bit and prints it, and the `T`s say how often. By hand, with data `10`: `T` waits until it has read two terms, and
# `T@@R01.` becomes `@@R01 @@@R01.` with only the data unread. The front reads 1 and prints 1, the rest unfolds to
# `@@R01 .`, reads 0, prints 0 and stops. So `T` does it twice. And `TT@TT`, the number 4 in front of the term `@TT`,
# again a 4, does it $4^4 = 256$ times. What do you have to change to get the *opposite* of $y$, every bit flipped?

# %% name="conditional-run"
y = "".join(map(str, np.random.default_rng(3).integers(2, size=256)))
flipped = y.translate(str.maketrans("01", "10"))
for code, data in (("T@@R01.", "10"), ("TT@TT@@R01.", y), ("TT@TT@@R10.", y)):
    program = assemble(REWRITING, code)
    state, used = run_program(REWRITING, program + data)
    result = {data: "the data", flipped: "the opposite"}.get(state.output, state.output)
    print(f"{code:12} {len(program)} bits of program, {used - len(program)} of data, prints {result}")
    assert state.output in (data, flipped)

# %% [markdown] name="conditional-words"
# 35 bits, whatever the 256 are. The opposite costs the same: $y$ knows all about it. So $K(x \mid y)$ measures what is
# *new* in $x$, and if it is as large as $K(x)$, then $y$ was of no help. First describe $y$, then what is new: let
# $K(y, x)$ be the length of the shortest program that prints both, and tells them apart. Up to a term of the order of
# $\log K(y)$, Kolmogorov and Levin found, $K(x \mid y) = K(y, x) - K(y)$. (Written as one string, $yx$ has lost the
# border between the two. To say where it was costs a logarithm, too, of the length of $y$.)

# %% [markdown] name="ncd"
# ### Distance by compression
#
# Two strings are close if each is easy to get from the other. Put the compressed size $C$ in place of $K$. By the rule
# above, what is new in $y$ after $x$ is $C(xy) - C(x)$, and the other way round $C(xy) - C(y)$. Take the larger of the
# two, which is $C(xy)$ less the *smaller* size, and divide by the larger size, so that long and short pairs compare.
# That is the **normalised compression distance** of Rudi Cilibrasi and Paul Vitányi:
#
# $$\mathrm{NCD}(x, y) = \frac{C(xy) - \min\{C(x), C(y)\}}{\max\{C(x), C(y)\}}. \tag{9}$$
#
# By hand: $C(x) = 100$, $C(y) = 80$, $C(xy) = 120$. The new parts are 20 and 40, and the distance is $40/100 = 0.4$. It
# is near 0 for equal strings and near 1 for unrelated ones. Random bytes beside themselves should then have distance 0.
# Does a compressor always notice?

# %% name="ncd-tools" show="normalised_compression_distance" include="groundup.lessons.p25_kolmogorov_complexity.ncd:zlib_compress groundup.lessons.p25_kolmogorov_complexity.ncd:normalised_compression_distance"
from groundup.lessons.p25_kolmogorov_complexity.ncd import normalised_compression_distance, zlib_compress

# %% name="ncd-window"
sizes = {b"x": 100, b"y": 80, b"xy": 120}
assert normalised_compression_distance(b"x", b"y", lambda data: bytes(sizes[data])) == 0.4
for amount in (10_000, 30_000, 40_000):
    x = rng.bytes(amount)
    print(f"{amount:,} random bytes against themselves: NCD {normalised_compression_distance(x, x, zlib_compress):.3f}")

# %% [markdown] name="ncd-turn"
# Only if it *sees* both at once. The window of zlib is 32 KiB long, and what lies further back it has forgotten.
#
# **Your turn**: exercise `normalised_compression_distance` is (9).

# %% [markdown] name="languages"
# ### Sixteen languages
#
# From the Universal Declaration of Human Rights, take one random excerpt of 6,000 characters a language: English,
# German, Dutch and Swedish, French, Spanish, Italian and Portuguese, Polish, Czech, Croatian and Slovene, Finnish and
# Estonian, Turkish and Azerbaijani. The compressor is told nothing about languages. Is the nearest neighbour of each
# of its own family? A good story needs a strong rival. Ours knows no words and no order: it counts how often each
# character occurs, and compares the counts. What do you expect?

# %% name="language-tools" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.texts:excerpt groundup.lessons.p25_kolmogorov_complexity.texts:letter_distances groundup.lessons.p25_kolmogorov_complexity.ncd:distance_matrix groundup.lessons.p25_kolmogorov_complexity.ncd:neighbour_share groundup.lessons.p25_kolmogorov_complexity.ncd:nearest"
# Excerpts of the texts, distances of all pairs, nearest neighbours, and the rival: distances of letter frequencies.
from groundup.lessons.p25_kolmogorov_complexity.ncd import distance_matrix, nearest, neighbour_share
from groundup.lessons.p25_kolmogorov_complexity.texts import excerpt, letter_distances

# %% name="languages-run" predict="Compression against counting letters: which finds more neighbours from the same family?"
rng = np.random.default_rng(0)
names = list(texts)
labels = [FAMILIES[name] for name in names]
parts = [excerpt(text, 6000, rng) for text in texts.values()]
matrices = {name: distance_matrix(parts, compress) for name, compress in COMPRESSORS.items()}
matrices["letter frequencies"] = letter_distances(parts)
for name, matrix in matrices.items():
    wrong = [f"{names[i]} → {names[j]}" for i, j in enumerate(nearest(matrix)) if labels[i] != labels[j]]
    print(f"{name:18} {neighbour_share(matrix, labels):.3f} from the same family; others: {', '.join(wrong) or 'none'}")
chance = np.mean([(labels.count(label) - 1) / (len(labels) - 1) for label in labels])
print(f"{'chance':18} {chance:.3f}")

# %% [markdown] name="letters-win"
# Counting letters does as well. Then take two excerpts of each language and ask which of the 31 others is in the same
# language: here it is even right every time, in all five runs of the table below, and compression misses one of the
# 32 in four of the five. Is this a surprise? It has a history. In 2002 three scientists in Rome published trees of
# languages made with gzip in Physical Review Letters. Joshua Goodman sent the journal a comment: he had measured the
# method, and it was, he wrote, [3 times worse and 17 times slower](https://arxiv.org/abs/cond-mat/0202383) than Naive
# Bayes, the simplest thing in the textbook. The paper became famous all the same. There was nothing wrong with its
# trees. What was missing was the rival.
#
# And English? Its neighbour is French. The compressor was not fooled: a large part of the English vocabulary of law
# came over with the Normans. The distance measures shared stretches of letters, not descent.

# %% [markdown] name="neighbour-turn"
# **Your turn**: exercise `neighbour_share` asks for the share above, without a loop.

# %% [markdown] name="linkage"
# ### A tree
#
# **Average linkage** joins the two nearest clusters, again and again. The distance of two clusters is the mean over
# all pairs of their members. When $a$ and $b$, of sizes $n_a$ and $n_b$, become one, the sum over all pairs with $c$
# is $n_a n_c\, d(a, c) + n_b n_c\, d(b, c)$. Divided by the $(n_a + n_b)\, n_c$ pairs:
#
# $$d(ab, c) = \frac{n_a\, d(a, c) + n_b\, d(b, c)}{n_a + n_b}. \tag{10}$$
#
# A cluster of 3 at distance 2 and one of 1 at distance 6 make one of 4 at distance $(3 \cdot 2 + 1 \cdot 6)/4 = 3$.
# The plain mean would be 4.

# %% name="linkage-tools" show="average_linkage" include="groundup.lessons.p25_kolmogorov_complexity.ncd:average_linkage groundup.lessons.p25_kolmogorov_complexity.ncd:pure_families groundup.lessons.p25_kolmogorov_complexity.figures:language_tree"
from groundup.lessons.p25_kolmogorov_complexity.figures import language_tree
from groundup.lessons.p25_kolmogorov_complexity.ncd import average_linkage, pure_families

# %% name="linkage-by-hand"
near = np.full((5, 5), 0.5)  # three things close together, a fourth at 1, and a fifth at 2 from the three
near[3] = near[:, 3] = 1
near[4], near[:, 4] = [2, 2, 2, 6, 0], [2, 2, 2, 6, 0]
assert average_linkage(near)[-1].height == 3  # (10)

# %% name="tree-figure" alt="Dendrogram of sixteen languages by average linkage and the matrix of distances in the same order, with families as light blocks."
whole = pure_families(average_linkage(matrices["zlib"]), labels)
print(f"{len(whole)} of {len(set(labels))} families are whole branches: {', '.join(whole)}")
fig = language_tree(matrices["zlib"], names)

# %% [markdown] name="linkage-turn"
# **Your turn**: exercise `average_linkage` builds the tree.

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 25`.

# %% [markdown] name="findings-words"
# One expectation of five holds. The first row is about Levin's theorem (folded above): coin flips make a machine print
# $x$ with a probability $m(x)$, and $-\log_2 m(x)$ is $K(x)$ up to a constant. In the second row each machine predicts
# 100 strings that coin flips made the other one print, and the mean of both is taken. The rival chose its length of
# context afterwards, on the same strings. In the last two, distances are measured by compressing two texts together
# (folded above, too).
#
# The theorems are not refuted, since they speak of constants that we cannot reach. Where compression and prediction by
# programs meet a rival that knows what to look for, the rival is as good or wins. The toy shows that the objects of the
# theory exist and can be held in the hand. It shows nothing about long strings, and those are the ones that the theory
# is about.

# %% [markdown] name="break-it"
# ## Break it
#
# The rewriting machine once more, with programs of up to 16 bits. Two changes, each one line, and one conclusion:
#
# 1. **Two code words exchanged**: `T` gets 1111, `S` gets 100. The same machine, but for the price of two symbols.
# 2. **A limit of 2 steps** between two readings, in place of 1000.
# 3. **What takes 2 steps without reading never halts.** That takes "not yet" for "never".
#
# Which of them makes the census *wrong*, and which one only makes it modest?

# %% name="break-it-code" tags=["tools"]
# The three machines, all their programs of up to 16 bits, and what is lost.
swapped = REWRITING._replace(code=REWRITING.code | {"T": "1111", "S": "100"})
runs = {"as it was": (REWRITING, 1000), "T and S exchanged": (swapped, 1000), "2 steps": (REWRITING, 2)}
results = {name: census(machine, 16, limit) for name, (machine, limit) in runs.items()}
for name, one in results.items():
    k = complexities(one)
    saved = sum(k[x] < len(x) for x in k)
    print(f"{name:18} {len(k)} strings, K proven for {len(certain(one)):3}, longer than their program: {saved}")
lost = complexities(results["as it was"]).keys() - complexities(results["2 steps"])
print(f"with 2 steps {len(lost)} strings are not found at all, such as {min(lost)}")

# %% [markdown] name="break-it-why"
# With the words exchanged not one string has a program of up to 16 bits that is shorter than itself: what is simple has
# changed, and no theorem is hurt, for the constant has room for it. *Simple* is a word about a string **and** a
# machine.
#
# With 2 steps between readings the census still finds the 127 strings of up to 6 bits: written out, they print one bit
# for each symbol that is read, and the limit never touches them. It can prove hardly any complexity, and says so. What
# is wrong is the conclusion: 16 strings were not found, and each of them does have a program of up to 16 bits.
#
# **Three things that people believe.** *"What does not compress is random."* It is not compressible *by that
# compressor*; the bytes of the generator above have a program of under a hundred bytes. *"Complexity is entropy."*
# Entropy belongs to a source and says what the average string costs; $K$ belongs to one string. For long strings from
# a source the two agree on average, per symbol. *"A random string has no regularities."* It has as many zeros as
# ones, nearly, and runs of the expected length. What it lacks is what would shorten it.

# %% [markdown] name="interpreters" tags=["second"]
# ## The two interpreters
#
# **B on the tape.** The string lies on the tape in groups of three cells: symbol, spare, mark. When a rule has found
# its terms, it marks every symbol with what shall happen to it: 1 stay, 2 go, 3 move to the front, 4 be copied there.
# For `K01` that is: `K` goes, `0` stays, `1` goes.
#
# ![The string K, 0, 1 on the tape in groups of three cells: symbol, spare and mark.](diagram:groups)
#
# How does it know where a term ends? By counting what is still to come. A symbol is one term less, an `@` is two terms
# for one. For `@@R01`: start with 1; `@` makes it 2, `@` makes it 3, then `R`, `0` and `1` take it to 0. At 0 the term
# is complete.
#
# **The tape in S and K.** Write the tape machine in lambda terms: a number is a choice between "zero" and "one more
# than", the tape is a pair of lists, an instruction takes what happens next. Then remove the variables: $\lambda
# x.\,x$ becomes `@@SK0`, a term without $x$ gets a `K`, and an application hands $x$ to both sides with `S`.
#
# A trap: the machine reads its program only as it needs it. An `R` at the front must not run before the interpreter is
# read to its end, or it takes the interpreter's own bits for data. `K` *interpreter* `0` reads it whole first.

# %% name="interpreters-code" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.interpreters:TAPE_INTERPRETER_CODE groundup.lessons.p25_kolmogorov_complexity.facts:imitates groundup.lessons.p25_kolmogorov_complexity.facts:ALTERNATING groundup.lessons.p25_kolmogorov_complexity.facts:LOOPS"
# The source of the first interpreter, whether a host does what a guest does, and two programs for 01, 256 times.
from groundup.lessons.p25_kolmogorov_complexity.facts import ALTERNATING, LOOPS, imitates
from groundup.lessons.p25_kolmogorov_complexity.interpreters import TAPE_INTERPRETER_CODE

# %% name="interpreters-run"
print(TAPE_INTERPRETER_CODE[:96], "…")
for host, guest in ((TAPE, REWRITING), (REWRITING, TAPE)):
    ready, used = run_program(host, headers[host.name])
    guests = census(guest, 12, 1000).programs
    right = sum(imitates(host, ready, guest, program) for program in guests)
    print(f"{host.name} machine, behind {used:,} bits: {right} of {len(guests)} programs of the other do the same")
    assert right == len(guests)

# %% [markdown] name="bound-at-work"
# A longer one: `TT@TT@01.` prints `01` on the rewriting machine, 256 times. Behind the interpreter the tape prints it,
# too. But is (8) close? Left to itself the tape can count, in four loops of four rounds. What does it need then?

# %% name="bound-at-work-run"
program, loops = assemble(REWRITING, ALTERNATING), assemble(TAPE, LOOPS)
state, used = run_program(TAPE, TAPE_INTERPRETER + program, 100_000_000)  # (8)
print(f"{ALTERNATING} has {len(program)} bits; behind the interpreter the tape machine reads {used:,} bits")
print(f"{LOOPS} has {len(loops)} bits")
assert state.output == run_program(TAPE, loops)[0].output == "01" * 256
assert len(loops) == 125 < used == len(TAPE_INTERPRETER) + len(program)  # (8)

# %% [markdown] name="take-away"
# ## What to take away
#
# - $K(x)$ is the length of the shortest program for $x$. It depends on the machine by a constant, and that constant is a
#   program which you can write down. For short strings the constant is larger than everything else.
# - Counting alone shows that nearly all strings are random up to a few bits: a share below $2^{1-c}$ saves $c$ bits.
#   But each sound theory has a length beyond which it can prove it of none.
# - Prefix-free programs spend a budget of 1. So their weights are probabilities, and they predict: sum over all programs, weigh
#   each by $2^{-|p|}$, and all mistakes together cost at most $K$ bits.
# - A language model's loss is a code length. Prediction is compression.
# - $K$ can only be approached from above. Say which results are exact and why, and what your step limit was.
# - Compressors see the patterns that they were built for. Put the simplest rival beside them.
#
# **Asked in interviews**
#
# - *Why can no compressor shorten every file?* There are $2^n$ files of $n$ bits and fewer than $2^n$ shorter ones: two files
#   would share one archive.
# - *What is the entropy of a generator's output, and what is its complexity?* By all usual tests it looks like full entropy.
#   Its complexity is at most that of the generator, the seed and the length.
# - *How is the cross-entropy of a language model related to compression?* $-\log_2 p$ of each token, added up, is the length
#   of the text behind an arithmetic coder with that model. Lower loss means a shorter file.
# - *Is Kolmogorov complexity computable?* No: a program that computed it could print "the first string that no short program
#   prints". It can be bounded from above, by search.
# - *Does the choice of the language matter?* By at most the length of an interpreter, the same for all strings. For short
#   strings that is everything.
# - *Why does minimum description length choose simple models?* It adds the bits of the model to the bits of the data given
#   the model. A parameter must save more than it costs.
#
# **Common mistakes**: random bits stored as characters, of eight bits each. Bits compared with bytes. The header of
# the compressor forgotten. "Not halted yet" taken for "never halts". A bound that cannot
# fail reported as a result.
