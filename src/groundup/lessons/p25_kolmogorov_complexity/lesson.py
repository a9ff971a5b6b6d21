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
# *A. Shen, V. A. Uspensky & N. Vereshchagin, [Kolmogorov Complexity and Algorithmic Randomness](https://www.lirmm.fr/~ashen/kolmbook-eng-scan.pdf), AMS 2017.
# See also M. Li & P. Vitányi, An Introduction to Kolmogorov Complexity and Its Applications, and R. Cilibrasi &
# P. Vitányi, [Clustering by compression](https://arxiv.org/abs/cs/0312044), 2005.*
#
# How much information is in one string? Probability cannot say: it speaks of sources, not of single strings.
# Kolmogorov's answer needs no source. The complexity of a string is the length of the shortest program that
# prints it.
#
# You will build two tiny universal machines, run **every** program of up to 20 bits on both, and read the
# complexities off. The theorems of the subject then become things that you can measure: few strings are simple,
# the choice of machine costs only a constant, and a short program and many programs are the same thing. At the end
# ordinary compressors take the place of the shortest program, and are asked to sort sixteen languages into families.

# %% [markdown] name="intuition"
# ## Two strings
#
# Here are two strings of 32 bits: `01010101010101010101010101010101` and `01101110010111011110001001101010`. The first
# has a short description, "01, 16 times". The second seems to have none that is shorter than itself. Fair coins
# give both with the same probability, $2^{-32}$. What differs is the length of the description.
#
# A description needs a language. Let a **machine** $U$ read a program $p$, a string of bits, and print a string
# $U(p)$. Write $|p|$ for the length of $p$ in bits. The **complexity** of a string $x$ on this machine is
#
# $$K_U(x) = \min\{\,|p| : U(p) = x\,\}. \tag{1}$$
#
# ![Three programs go into a machine that prints the same string; the shortest one has K bits.](diagram:machine)
#
# Three questions come at once. Does it matter which machine? Can $K$ be computed? Is there a string whose $K$ is
# large, and can we show one? The answers will be: only by a constant; no; almost all, but we can prove it of none
# beyond a certain size.

# %% name="imports"
import math

import numpy as np

# %% [markdown] name="prefix"
# ## Programs that say where they end
#
# A machine must know where its program ends. Ours read the program bit by bit, only when they need the next bit,
# and have used all of it when they stop. So no program is the beginning of another. Such a set of words is called
# **prefix-free**, and it obeys a budget.
#
# **Kraft's inequality.** Put a dot before a word $w$ of length $l$ and read it as a binary fraction $0.w$. All
# numbers that begin with these digits fill the interval $[0.w,\ 0.w + 2^{-l})$, of length $2^{-l}$. Two intervals
# overlap only if one word begins with the other. In a prefix-free set the intervals are therefore disjoint. All
# lie within $[0, 1)$, so
#
# $$\sum_{w} 2^{-|w|} \le 1. \tag{2}$$
#
# The converse holds too. If lengths obey (2), hand out intervals from the left, the longest intervals first: there
# is always room, and the result is a prefix code. Both directions are a few lines of code.

# %% name="codes" include="groundup.lessons.p25_kolmogorov_complexity.codes:kraft_sum groundup.lessons.p25_kolmogorov_complexity.codes:is_prefix_free groundup.lessons.p25_kolmogorov_complexity.codes:code_with_lengths"
from groundup.lessons.p25_kolmogorov_complexity.codes import code_with_lengths, is_prefix_free, kraft_sum

# %% [markdown] name="kraft-by-hand"
# ### By hand
#
# ![The unit interval cut into the words 0, 10, 110 and 111, which own a half, a quarter and two eighths of it.](diagram:budget)
#
# Four words of lengths 1, 2, 3, 3: $\tfrac12 + \tfrac14 + \tfrac18 + \tfrac18 = 1$. The budget is spent: 0, 10, 110,
# 111. Lengths 1, 1, 2 would need $\tfrac12 + \tfrac12 + \tfrac14 = \tfrac54$: impossible. In the tree below a word is
# a path, left for 0 and right for 1, and a word that ends closes everything beneath it. The eight words are the
# instructions of the first machine.

# %% name="kraft-numbers" show="TAPE_CODE" include="groundup.lessons.p25_kolmogorov_complexity.tape:TAPE_CODE groundup.plots:figure groundup.plots:describe"
from groundup.lessons.p25_kolmogorov_complexity.tape import TAPE_CODE
from groundup.plots import describe, figure

# %% name="kraft-check"
print("lengths 1, 2, 3, 3:", kraft_sum([1, 2, 3, 3]), "words", code_with_lengths([1, 2, 3, 3]))
print("lengths 1, 1, 2:   ", kraft_sum([1, 1, 2]))
assert kraft_sum([1, 2, 3, 3]) == 1
assert kraft_sum([1, 1, 2]) == 1.25
print("instructions:", TAPE_CODE)
print("their sum:", kraft_sum(map(len, TAPE_CODE.values())), " prefix-free:", is_prefix_free(TAPE_CODE.values()))

# %% name="kraft-tree" alt="Binary tree of the eight code words: each leaf carries an instruction, its word and its share 2 to the minus length."
fig, axes = figure(8, 3.4)


def place_of(word):
    """Middle of the word's interval, and minus its length."""
    return (int(word or "0", 2) + 0.5) / 2 ** len(word), -len(word)


for instruction, word in TAPE_CODE.items():
    for depth in range(len(word)):
        (x0, y0), (x1, y1) = place_of(word[:depth]), place_of(word[: depth + 1])
        axes.plot([x0, x1], [y0, y1], "-", color="#8b939e", linewidth=1)
    x1, y1 = place_of(word)
    axes.annotate(
        f"{instruction}\n{word}\n1/{2 ** len(word)}",
        (x1, y1),
        (0, -4),
        textcoords="offset points",
        ha="center",
        va="top",
    )
axes.set_ylim(-5.3, 0.2)
axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
axes.set_yticks([0, -1, -2, -3, -4], ["0", "1", "2", "3", "4"])
axes.grid(False)
describe(axes, "interval that the word owns", "bits read", "A word closes all that lies beneath it")

# %% [markdown] name="self-delimiting"
# ### Numbers and strings that say where they end
#
# To put a number into a longer stream one must say how long it is, and so how long its length is. Elias's delta
# code writes the length of the length in zeros, then the length, then the number without its first 1. For a
# string $x$ of $n$ bits this gives a description of $n + \log_2 n + 2\log_2\log_2 n + O(1)$ bits that can be read from a stream.
# So $K(x) \le |x| + O(\log |x|)$ on every universal machine: no string is much harder than writing it down.

# %% name="elias" include="groundup.lessons.p25_kolmogorov_complexity.codes:elias_encode groundup.lessons.p25_kolmogorov_complexity.codes:self_delimiting groundup.lessons.p25_kolmogorov_complexity.codes:read_self_delimiting"
from groundup.lessons.p25_kolmogorov_complexity.codes import elias_encode, read_self_delimiting, self_delimiting

# %% name="elias-run"
for number in (1, 2, 5, 100):
    print(f"{number:4}  {elias_encode(number)}")
stream = self_delimiting("10110") + self_delimiting("") + self_delimiting("0")
first_string, end = read_self_delimiting(stream)
print(f"stream {stream}: first string {first_string!r}, it ends at bit {end} of {len(stream)}")

# %% [markdown] name="machine"
# ## What a machine is
#
# Two functions make a machine: `start()` gives its first state, `feed(state, item, limit)` hands over the symbol
# or bit that it wants and runs it until it wants more, stops, or has taken `limit` steps. States are never
# changed. So one state can be continued with a 0 and with a 1, and every program can be run without starting
# again from the front.

# %% name="model" include="groundup.lessons.p25_kolmogorov_complexity.model:State groundup.lessons.p25_kolmogorov_complexity.model:Machine groundup.lessons.p25_kolmogorov_complexity.model:assemble groundup.lessons.p25_kolmogorov_complexity.model:run_program"
from groundup.lessons.p25_kolmogorov_complexity.model import Machine, State, assemble, run_program

# %% [markdown] name="tape"
# ## Machine A: a tape
#
# A tape of natural numbers, all 0, a head, and eight instructions:
#
# | | | | |
# |---|---|---|---|
# | `>` `<` | move the head | `[` … `]` | repeat while the cell under the head is not 0 |
# | `+` `-` | add 1, take 1 ($0 - 1 = 0$) | `.` | print 0 if the cell is 0, else 1 |
# | `,` | read the next bit of the program into the cell | `]` without `[` | the code ends here |
#
# After the code come the bits that `,` reads. The machine is universal: it is the well-known eight-instruction
# language with a different print instruction.
#
# ![The program in cells, a tape of numbers with a head on one of them, and the output.](diagram:tape)
#
# **Does it stop?** No program decides that for all programs. But for a program in front of us we can try to prove
# that it never stops. `must_repeat` holds the proof: what led from one jump back of a loop to the next must happen again, and
# so again for ever. The idea: if every cell that was found 0 has the same value as before, and every other
# tested cell at least as large a one, all tests come out the same way, because `+` and `-` keep the order of two
# numbers. For a loop that travels along the tape, compare each cell with the one it has moved to.

# %% name="tape-machine" show="tape_feed tape_run TAPE" beside="tape_run" include="groundup.lessons.p25_kolmogorov_complexity.tape:TAPE"
from groundup.lessons.p25_kolmogorov_complexity.tape import TAPE

# %% name="tape-examples"
for program, data in (
    ("]", ""),
    (".]", ""),
    ("+.]", ""),
    ("+[.-].]", ""),
    (",.,.]", "10"),
    ("+[]]", ""),
    ("+[>+]]", ""),
):
    bits = assemble(TAPE, program) + data
    state, used = run_program(TAPE, bits)
    print(f"{program:8} {bits:22} {used:3} bits, {state.verdict:8} prints {state.output!r}")

# %% [markdown] name="rewriting"
# ## Machine B: a string that is rewritten
#
# The second machine has no tape and no loops. It looks at the front of a string of symbols. A **term** is one
# symbol, or `@` followed by two terms (`@fx`: $f$ applied to $x$). Let $x, y, z$ be the next terms:
#
# | front | becomes | | front | becomes |
# |---|---|---|---|---|
# | `@` … | … | | `0` … | print 0, then … |
# | `K` $x\,y$ | $x$ | | `1` … | print 1, then … |
# | `S` $x\,y\,z$ | $x\,z\,$`@`$y\,z$ | | `.` | stop |
# | `T` $x\,y$ | $x\,$`@`$x\,y$ | | `R` … | read a bit $b$; `R` becomes `K` if $b=0$, else it drops the next term |
#
# The program *is* the part of the string that has not been read yet: a symbol is read when a rule needs it.
# `S` and `K` alone are universal (Schönfinkel 1924); that `T` does things twice makes repetition cheap.
#
# ### By hand: `TT0.`
#
# The front is `T` with $x$ = `T` and $y$ = `0`, so it becomes `T @T0 .` Now $x$ = `@T0` and $y$ = `.`, which
# gives `@T0 @@T0.` and so on. Follow the machine: each `T` doubled the doubling.

# %% name="rewriting-machine" show="rewrite REWRITING" include="groundup.lessons.p25_kolmogorov_complexity.rewriting:REWRITING groundup.lessons.p25_kolmogorov_complexity.rewriting:rewrite groundup.lessons.p25_kolmogorov_complexity.rewriting:write_term"
from groundup.lessons.p25_kolmogorov_complexity.rewriting import REWRITING, rewrite, write_term

# %% name="rewriting-by-hand"
terms, printed = [".", "0", "T", "T"], ""  # the front is last
while terms:
    print(f"{'  '.join(write_term(term) for term in reversed(terms)):24} printed {printed!r}")
    state = rewrite(terms, printed, limit=1)
    printed = state.output
assert printed == "0000"
for program in ("TT0.", "TTT0.", "TTTT0.", "TTT@01."):
    bits = assemble(REWRITING, program)
    state, used = run_program(REWRITING, bits, limit=1_000_000)
    print(f"{program:8} {used} bits, prints {len(state.output)} bits: {state.output[:16]}...")

# %% [markdown] name="tower"
# One more `T` and the program `TTTTT0.` prints $2^{65536}$ zeros. It has 20 bits, it does halt, and no computer
# will ever see it halt. This is why a step limit is not a detail.

# %% [markdown] name="all-programs"
# ## Every program
#
# Go through the tree of all bit strings, depth first, and cut a branch where the machine stops. Each end of a
# branch is one of four kinds: the program *halted*, it provably *loops*, it is *undecided* (the step limit came
# first), or it *wants more* bits than we allow.
#
# ![A tree of bit strings; its branches end where the program halts, loops, is undecided or wants more bits.](diagram:programs)
#
# The shortest program found for $x$ gives an **upper bound** on $K(x)$: with more steps an undecided shorter
# program might still print $x$. It is **exact** if every shorter program is excluded: it halted with another
# output, it provably loops, or it is undecided but has already printed something that $x$ does not begin with.
# Output is never taken back.

# %% name="census" include="groundup.lessons.p25_kolmogorov_complexity.model:census groundup.lessons.p25_kolmogorov_complexity.model:complexities groundup.lessons.p25_kolmogorov_complexity.model:certain"
from groundup.lessons.p25_kolmogorov_complexity.model import census, certain, complexities

# %% name="census-by-hand"
small = census(TAPE, 8, limit=100)
for bits in sorted(small.programs, key=lambda bits: (len(bits), bits)):
    print(f"{bits:8} prints {run_program(TAPE, bits)[0].output!r}")
print("K:", complexities(small))
assert complexities(small)["0"] == 5
assert complexities(small)["1"] == 8

# %% name="census-run"
LONGEST = 20
found = {}
for machine, limit in ((TAPE, 2000), (REWRITING, 1000)):
    found[machine.name] = census(machine, LONGEST, limit)
    one = found[machine.name]
    halting = kraft_sum(map(len, one.programs))
    print(f"{machine.name} machine, programs of up to {LONGEST} bits:")
    print(
        f"  {len(one.programs):,} halt and print {len(one.shortest):,} different strings; K is exact for {len(certain(one)):,}"
    )
    print(
        f"  weight: halts {halting:.4f}, loops {one.looping:.4f}, wants more {one.unread:.4f}, undecided {1 - halting - one.looping - one.unread:.6f}"
    )
    print(f"  prefix-free: {is_prefix_free(one.programs)}; Kraft's sum {'at most 1' if halting <= 1 else 'above 1!'}")

# %% [markdown] name="omega"
# The weight of the halting programs is a lower bound of Chaitin's $\Omega$, the probability that a program drawn by
# coin flips halts. Halting, looping, undecided and unread together make 1: nothing is lost.

# %% [markdown] name="counting"
# ## Few strings are simple
#
# There are $2^0 + 2^1 + \dots + 2^{k-1} = 2^k - 1$ bit strings shorter than $k$. Each prints at most one string. So
# fewer than $2^k$ strings have a description shorter than $k$ bits, whatever the machine. Of the $2^n$ strings of length $n$,
#
# $$\frac{\#\{x : |x| = n,\ K(x) \le n - c\}}{2^n} \;\le\; 2^{-c}. \tag{3}$$
#
# (For a prefix-free machine, (2) says it directly: each such $x$ spends at least $2^{-(n-c)}$ of a budget of 1, so
# there are at most $2^{n-c}$.) One string in a thousand can be shortened by 10 bits, one in a million by 20. This
# holds for every decompressor there will ever be. As another decoder take a code that sends the number of ones
# and then which string it is; its shares can be computed exactly for strings of 64 bits.

# %% name="counting-code" show="compressible_share" include="groundup.lessons.p25_kolmogorov_complexity.codes:compressible_share groundup.plots:curves"
from groundup.lessons.p25_kolmogorov_complexity.codes import compressible_share
from groundup.plots import curves

# %% name="counting-figure" alt="Number of strings with complexity at most k on both machines below the line 2 to the k, and shares of strings that the counting code shortens below the line 2 to the minus c."
fig, (left, right) = figure(9.5, 3.8, columns=2)
limits = np.arange(3, LONGEST + 1)
lines = {"bound 2ᵏ": 2.0**limits}
for name, one in found.items():
    bits = np.array(list(complexities(one).values()))
    lines[f"{name} machine"] = (bits[None] <= limits[:, None]).sum(axis=1)
curves(left, limits, lines, "k, bits", "strings with K ≤ k", "Few strings are simple", log="y")
saved = np.arange(1, 41)
shares = np.array([compressible_share(64, int(c)) for c in saved])
curves(
    right,
    saved,
    {"bound 2⁻ᶜ": 2.0**-saved, "counting code": shares},  # (3)
    "c, bits saved",
    "share of 64-bit strings",
    "Few can be shortened",
    log="y",
)
worst = max(float(np.max(line / lines["bound 2ᵏ"])) for name, line in lines.items() if "bound" not in name)
print(
    f"largest count divided by its bound: {worst:.3f}; largest share divided by its bound: {np.max(shares * 2.0**saved):.3f}"
)
print("bounds hold" if max(worst, np.max(shares * 2.0**saved)) <= 1 else "a bound is broken: there is a mistake")

# %% [markdown] name="structure"
# Some strings do have programs shorter than themselves. The rewriting machine finds these:

# %% name="structure-table"
k = complexities(found["rewriting"])
shorter = sorted((x for x in k if k[x] < len(x) <= 40), key=lambda x: (k[x] - len(x), x))
print(f"{sum(k[x] < len(x) for x in k)} strings are longer than their program; some of them:")
for x in shorter[:8]:
    print(f"  K = {k[x]:2}, |x| = {len(x):2}: {x}")

# %% name="frames-tool" tags=["tools"] include="groundup.plots:frames"
# A figure with a slider: one picture for each value of a number.
from groundup.plots import frames

# %% name="length-frames" alt="Share of all strings of each length that some program of at most L bits prints, for both machines, and the most that any machine could print: the share falls off one bit later for each bit more."
every_k = {f"{name} machine": complexities(one) for name, one in found.items()}
printed_lengths = np.arange(13)


def up_to(axes, longest):
    lines = {"any machine, at most": np.minimum(1, 2.0 ** (longest + 1 - printed_lengths))}
    for name, k in every_k.items():
        reached = np.bincount([len(x) for x in k if k[x] <= longest and len(x) < 13], minlength=13)
        lines[name] = reached / 2.0**printed_lengths
    curves(axes, printed_lengths, lines, "length of the string", "share that is printed")
    axes.set_ylim(-0.03, 1.05)
    describe(axes, "length of the string, bits", "share that is printed", f"Programs of at most {longest} bits")


fig = frames("program length", list(range(9, LONGEST + 1)), up_to, start=11)

# %% [markdown] name="coding-theorem"
# ## One short program or many programs
#
# Feed a machine with coin flips. The probability that it prints $x$ is
#
# $$m(x) = \sum_{p\,:\,U(p) = x} 2^{-|p|}. \tag{4}$$
#
# By (2), the sum of $m(x)$ over all $x$ is at most 1. The shortest program alone contributes $2^{-K(x)}$, so
# $m(x) \ge 2^{-K(x)}$, that is $-\log_2 m(x) \le K(x)$. The **coding theorem** (Levin) is the other direction:
#
# $$K(x) = -\log_2 m(x) + O(1). \tag{5}$$
#
# *Why.* List the programs as they halt. The weight collected so far for each $x$ is a lower bound of $m(x)$.
# Whenever it first reaches a new power $2^{-l}$, reserve for $x$ a new word of length $l + 1$. For one $x$ the reserved weights
# form at most a geometric series $\tfrac12 (2^{-l} + 2^{-l-1} + \dots) = 2^{-l} \le m(x)$. Over all $x$ the sum is at most 1, so by the converse
# of Kraft's inequality (in the form that serves requests as they come) the words exist and form a prefix code. The shortest
# word of $x$ has at most $-\log_2 m(x) + 2$ bits. A fixed program rebuilds this list and decodes; its length is the $O(1)$.
#
# So many long programs for $x$ mean that there is also one short program. We sum over programs of up to 20 bits and look at strings
# with $K \le 16$, so that for each of them programs up to 4 bits longer than the shortest are counted.

# %% name="coding-tools" show="coding_theorem" include="groundup.lessons.p25_kolmogorov_complexity.experiment:coding_theorem groundup.lessons.p25_kolmogorov_complexity.experiment:MARGIN groundup.lessons.p25_kolmogorov_complexity.figures:coding"
from groundup.lessons.p25_kolmogorov_complexity.experiment import MARGIN, coding_theorem
from groundup.lessons.p25_kolmogorov_complexity.figures import coding

# %% name="coding-figure" alt="K(x) against minus log m(x) for both machines: dots a few bits above the diagonal."
for name, one in found.items():
    numbers = coding_theorem(one)
    better = numbers["correlation"] > numbers["correlation with length"]
    print(
        f"{name}: {numbers['strings']} strings, correlation {numbers['correlation']:.3f} (with the length of x:"
        f" {numbers['correlation with length']:.3f}, {'beaten' if better else 'not beaten'}),"
        f" largest gap {numbers['largest gap']:.2f} bits"
    )
fig = coding(found, MARGIN)

# %% [markdown] name="invariance"
# ## The choice of machine costs a constant
#
# Suppose there is one string $h$ such that $A(h\,p) = B(p)$ for all $p$: an **interpreter** for $B$, written for
# $A$. Put it before the shortest $B$-program of $x$ and you have an $A$-program of $x$:
#
# $$K_A(x) \le K_B(x) + |h| \quad\text{for all } x. \tag{6}$$
#
# With an interpreter in the other direction, $|K_A(x) - K_B(x)|$ is bounded by a constant that does not depend on
# $x$. This is the invariance theorem. It is usually quoted without the constant. Here are both interpreters.
#
# **B on the tape.** The tape holds the string in groups of three cells: symbol, spare, mark. Rules that need terms mark them:
# this one stays, this one goes, this one is copied to the front. The end of a term is found by counting: each symbol is one term less to come,
# each `@` two more. Then the marks are obeyed from right to left. Read the comments first.
#
# **The tape in S and K.** Write the tape machine in lambda terms: a number is a choice between "zero" and "one more than",
# the tape is a pair of lists, an instruction takes what happens next. Then remove the variables: $\lambda x.\,x$ becomes `SK0` with two
# `@`, a term without $x$ gets a `K`, and an application hands $x$ to both sides with `S`.
#
# A trap: the machine reads a program only as it needs it. An `R` at the front must not run before the interpreter is
# read to its end, or it takes the interpreter's own bits for data. `K` *interpreter* `0` reads it whole first.

# %% name="interpreters" include="groundup.lessons.p25_kolmogorov_complexity.interpreters:TAPE_INTERPRETER groundup.lessons.p25_kolmogorov_complexity.interpreters:rewriting_interpreter groundup.lessons.p25_kolmogorov_complexity.facts:imitates"
from groundup.lessons.p25_kolmogorov_complexity.facts import imitates
from groundup.lessons.p25_kolmogorov_complexity.interpreters import TAPE_INTERPRETER, rewriting_interpreter

# %% name="interpreters-run"
headers = {"tape": TAPE_INTERPRETER, "rewriting": rewriting_interpreter()}
for host, guest in ((TAPE, REWRITING), (REWRITING, TAPE)):
    ready, used = run_program(host, headers[host.name])
    guests = census(guest, 13, 1000).programs
    right = sum(imitates(host, ready, guest, program) for program in guests)
    print(
        f"{host.name} machine, interpreter of {used:,} bits: {right} of {len(guests)} programs of the {guest.name}"
        f" machine print the same and read the same bits"
    )
assert right == len(guests)

# %% name="invariance-run"
tape_k, rewriting_k = (complexities(one) for one in found.values())
both = certain(found["tape"]) & certain(found["rewriting"])
difference = {x: tape_k[x] - rewriting_k[x] for x in both}  # (6)
largest = max(map(abs, difference.values()))
constant = max(map(len, headers.values()))  # (6)
print(
    f"{len(both)} strings with exact K on both machines: |K_A - K_B| is at most {largest}; the constant is {constant:,}"
)
verdict = "holds" if largest <= constant else "is broken"  # (6)
print(f"the bound {verdict}, and it is {constant / largest:.0f} times too generous for strings this short")

# %% [markdown] name="constants"
# Keep the lesson of this number. For short strings the theorem says nothing: both complexities are far below the
# constant. It speaks about long strings. Take `01` repeated 256 times. The rewriting machine needs a few symbols. The
# tape machine, printing bit by bit without a loop, needs 5 bits for each. Do the interpreter and the short program
# together need fewer?

# %% name="bound-at-work" include="groundup.lessons.p25_kolmogorov_complexity.facts:ALTERNATING groundup.lessons.p25_kolmogorov_complexity.facts:printing_length"
from groundup.lessons.p25_kolmogorov_complexity.facts import ALTERNATING, printing_length

# %% name="bound-at-work-run"
short = assemble(REWRITING, ALTERNATING)
state, used = run_program(TAPE, TAPE_INTERPRETER + short, 100_000_000)  # (6)
printing = printing_length("01" * 256)
print(f"{ALTERNATING} has {len(short)} bits; behind the interpreter the tape machine reads {used:,} bits")
print(
    f"and prints the right string: {state.output == '01' * 256}; without loops it needs {printing:,}: {'beaten' if used < printing else 'not beaten'}"
)

# %% [markdown] name="uncomputable"
# ## K cannot be computed
#
# Suppose a program computed $K$. Then a program could search, in order, for the first $x$ with $K(x) \ge n$ and print
# it. That program has to contain $n$, about $\log_2 n + 2 \log_2\log_2 n$ bits, and a fixed part of $c$ bits. So
# $n \le K(x) \le \log_2 n + 2\log_2\log_2 n + c$, which is false for large $n$. (It is Berry's paradox: "the first number that cannot
# be named in under twelve words".) What can be done is what we did: bounds from above, which get better the longer we
# search. The same argument with "provable" in the place of "computed" shows that no theory proves $K(x) \ge n$ for any
# $x$ once $n$ exceeds a constant of that theory, although (3) says that nearly all $x$ are like this.
#
# The undecided programs show where it breaks here. These printed the least before the limit:

# %% name="undecided"
for length, begun in sorted(found["rewriting"].doubtful, key=lambda item: (len(item[1]), item))[:5]:
    print(
        f"a program of {length} bits or more, undecided after 1000 steps, has printed {len(begun)} bits: {begun[:20]!r}"
    )

# %% [markdown] name="compressors"
# ## Compressors in the place of K
#
# A compressor is a computable upper bound: the decompressor is a machine, the compressed file a program for it.
# By (3) it must lengthen some strings, and can shorten few. Try bytes of six kinds. One of them is written by
# a generator of pseudo-random numbers. Its whole program is one line, so the $K$ of its output is small. Can a
# compressor see that?
#
# **Beware of units.** Random *bits* written as the characters `0` and `1` shrink, but never below an eighth. No pattern
# was found: a character has 8 bits and carries 1. And a compressor has a header: one byte becomes several. Compare bits with bits,
# and never measure $K$ of a short string by the size of a zip file.

# %% name="compressor-tools" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.ncd:COMPRESSORS groundup.lessons.p25_kolmogorov_complexity.ncd:bits_as_digits groundup.lessons.p25_kolmogorov_complexity.ncd:ratio groundup.lessons.p25_kolmogorov_complexity.texts:generated groundup.lessons.p25_kolmogorov_complexity.texts:generator_size groundup.data.languages:language_texts groundup.data.languages:FAMILIES groundup.lessons.p25_kolmogorov_complexity.figures:compressors"
# Three compressors, a generator of digits that look random, the declaration of human rights in sixteen languages, and bars.
from groundup.data.languages import FAMILIES, language_texts
from groundup.lessons.p25_kolmogorov_complexity.figures import compressors
from groundup.lessons.p25_kolmogorov_complexity.ncd import COMPRESSORS, bits_as_digits, ratio
from groundup.lessons.p25_kolmogorov_complexity.texts import generated, generator_size

# %% name="compressor-figure" alt="Compressed size over size by kind of data and compressor: zeros near 0, text below a half, random digits near an eighth, random and generated bytes at 1."
rng = np.random.default_rng(0)
texts = language_texts()
few = rng.bytes(4096)
kinds = {
    "zeros": bytes(32768),
    "English text": texts["English"].encode(),
    "random bits as digits": bits_as_digits(few),
    "the same bits as bytes": few,
    "generator's output": generated(32768, 12345),
    "random bytes": rng.bytes(32768),
}
ratios = {kind: {name: ratio(data, compress) for name, compress in COMPRESSORS.items()} for kind, data in kinds.items()}
fig = compressors(ratios)
least = min(ratios["generator's output"].values())
print(
    f"the generator's program has {generator_size(32768, 12345)} bytes, its output {32768:,}; best compressor: {least:.3f} of the size"
)
print("seen through" if least < 1 else "not seen through")
print("one byte becomes", {name: len(compress(b"0")) for name, compress in COMPRESSORS.items()}, "bytes")

# %% [markdown] name="ncd"
# ## Distance by compression
#
# Let $K(x \mid y)$ be the length of the shortest program that prints $x$ when it may read $y$. Two strings are close if
# each is easy to get from the other. The normalised information distance is
# $\max\{K(x\mid y), K(y\mid x)\} / \max\{K(x), K(y)\}$. Up to logarithmic terms $K(x \mid y) = K(xy) - K(y)$, where $xy$ is both together. Let $C(x)$ be the
# compressed size in the place of $K(x)$. The larger of $C(xy) - C(y)$ and $C(xy) - C(x)$ is $C(xy)$ minus the smaller of the two sizes:
#
# $$\mathrm{NCD}(x, y) = \frac{C(xy) - \min\{C(x), C(y)\}}{\max\{C(x), C(y)\}}. \tag{7}$$
#
# It is near 0 for equal strings and near 1 for unrelated ones. The compressor must be able to *see* both strings at
# once: zlib looks back 32 KiB, so longer texts than that look unrelated to themselves.

# %% name="ncd-tools" show="normalised_compression_distance distance_matrix" include="groundup.lessons.p25_kolmogorov_complexity.ncd:zlib_compress groundup.lessons.p25_kolmogorov_complexity.ncd:normalised_compression_distance groundup.lessons.p25_kolmogorov_complexity.ncd:distance_matrix groundup.lessons.p25_kolmogorov_complexity.ncd:neighbour_share groundup.lessons.p25_kolmogorov_complexity.ncd:nearest"
from groundup.lessons.p25_kolmogorov_complexity.ncd import (
    distance_matrix,
    nearest,
    neighbour_share,
    normalised_compression_distance,
    zlib_compress,
)

# %% name="ncd-window" predict="Random bytes compared with themselves: does a compressor always notice that they are the same?"
for amount in (10_000, 30_000, 40_000):
    x = rng.bytes(amount)
    print(f"{amount:,} random bytes against themselves: NCD {normalised_compression_distance(x, x, zlib_compress):.3f}")

# %% [markdown] name="languages"
# ### Sixteen languages
#
# From the Universal Declaration of Human Rights, take one random excerpt of 6,000 characters a language. The compressor is told nothing about languages.
# Is the nearest neighbour of each language in its own family? Beside it stand three rivals: chance, the same question with shuffled
# family names, and a distance that only compares how often each letter occurs.

# %% name="language-tools" tags=["tools"] include="groundup.lessons.p25_kolmogorov_complexity.texts:excerpt groundup.lessons.p25_kolmogorov_complexity.texts:letter_distances"
# Excerpts of the texts, and the rival: distances of letter frequencies.
from groundup.lessons.p25_kolmogorov_complexity.texts import excerpt, letter_distances

# %% name="languages-run"
names = list(texts)
labels = [FAMILIES[name] for name in names]
parts = [excerpt(text, 6000, rng) for text in texts.values()]
matrices = {name: distance_matrix(parts, compress) for name, compress in COMPRESSORS.items()}
by_letters = neighbour_share(letter_distances(parts), labels)
chance = float(np.mean([(labels.count(label) - 1) / (len(labels) - 1) for label in labels]))
shuffled = [neighbour_share(matrices["zlib"], list(rng.permutation(labels))) for _ in range(1000)]
print(
    f"chance {chance:.3f}; shuffled families {np.mean(shuffled):.3f}, 99 of 100 times below {np.quantile(shuffled, 0.99):.3f}"
)
for name, matrix in matrices.items():
    share = neighbour_share(matrix, labels)
    wrong = [f"{names[i]} → {names[j]}" for i, j in enumerate(nearest(matrix)) if labels[i] != labels[j]]
    sure = abs(share - by_letters) > 2 * math.sqrt((2 - share - by_letters) / len(labels))  # else a matter of chance
    verdict = ("better than" if share > by_letters else "worse than") if sure else "too close to tell from"
    print(
        f"{name}: {share:.3f} in the own family, {verdict} letter frequencies ({by_letters:.3f}); others: {', '.join(wrong) or 'none'}"
    )

# %% [markdown] name="linkage"
# ### A tree
#
# **Average linkage** joins the two nearest clusters, again and again. The distance of two clusters is the mean over all
# pairs of their members. When $a$ and $b$, of sizes $n_a$ and $n_b$, become one, its distance to any other cluster $c$ is
# the mean of the two old distances, weighted by size:
#
# $$d(ab, c) = \frac{n_a\, d(a, c) + n_b\, d(b, c)}{n_a + n_b}. \tag{8}$$

# %% name="linkage-tools" show="average_linkage" include="groundup.lessons.p25_kolmogorov_complexity.ncd:average_linkage groundup.lessons.p25_kolmogorov_complexity.ncd:pure_families groundup.lessons.p25_kolmogorov_complexity.figures:language_tree"
from groundup.lessons.p25_kolmogorov_complexity.figures import language_tree
from groundup.lessons.p25_kolmogorov_complexity.ncd import average_linkage, pure_families

# %% name="tree-figure" alt="Dendrogram of sixteen languages by average linkage and the matrix of distances in the same order, with families as light blocks."
whole = pure_families(average_linkage(matrices["zlib"]), labels)
print(f"{len(whole)} of {len(set(labels))} families are whole branches: {', '.join(whole)}")
fig = language_tree(matrices["zlib"], names)

# %% [markdown] name="reading-the-tree"
# Look where English stands. If it lies with the Romance languages, the compressor was not fooled: it sees shared letter sequences, and
# a large part of the English vocabulary of law came from French and Latin. NCD measures what the compressor can use, not
# descent. And if counting letters does as well, say so: a good result needs a strong rival beside it.

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 25`.

# %% [markdown] name="take-away"
# ## What to take away
#
# - $K(x)$ is the length of the shortest program for $x$. It depends on the machine by a constant, and that constant is a program that you
#   can write down. For short strings it is larger than everything else.
# - Counting alone shows that nearly all strings are incompressible. No particular long string can be proven to be.
# - Prefix-free programs spend a budget of 1. That makes $2^{-K(x)}$ almost a probability, and (5) makes it the universal one.
# - $K$ can only be approached from above. A search has a step limit; say which results are exact and why.
# - Compressors bound $K$ from above too, and see only the patterns that they were built for.
#
# **In interviews**: why can no compressor shorten every file? (Count.) Does a random string compress? What is the entropy
# of a generator's output, and what is its $K$? How is cross-entropy of a language model related to compression? ($-\log_2 p$ is a code length;
# a good model is a good compressor.) Why does 2-part description length choose simple models? (Lesson 23.)
#
# **Common bugs**: random bits stored as characters or as one byte each; comparing bits with bytes; forgetting the header of the
# compressor; texts longer than its window; taking "not halted yet" for "never halts".
#
# **Try**: give `T` the word 1111 and `S` the word 100, and see which strings become simple; raise `LONGEST` to 22; remove the
# `K` … `0` around the interpreter and look at what it reads; use halves of the same text in (7); cluster your own files.
