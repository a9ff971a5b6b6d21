"""What must be so in this lesson: bounds, and how far they are overstepped. ``groundup check 25`` proves it."""

import functools
import math
from typing import Any

import numpy as np

from groundup.lesson import Fact
from groundup.lessons.p25_kolmogorov_complexity.codes import kraft_sum
from groundup.lessons.p25_kolmogorov_complexity.experiment import LIMITS, counting
from groundup.lessons.p25_kolmogorov_complexity.interpreters import TAPE_INTERPRETER, rewriting_interpreter
from groundup.lessons.p25_kolmogorov_complexity.model import (
    Census,
    Machine,
    assemble,
    census,
    complexities,
    run_program,
)
from groundup.lessons.p25_kolmogorov_complexity.ncd import COMPRESSORS, bits_as_digits, ratio
from groundup.lessons.p25_kolmogorov_complexity.prediction import bits_lost, predictor
from groundup.lessons.p25_kolmogorov_complexity.rewriting import REWRITING
from groundup.lessons.p25_kolmogorov_complexity.tape import TAPE

LONGEST = 14  # bits of a program
ALTERNATING = "TT@TT@01."  # on the rewriting machine: 01, 256 times
LOOPS = "++++[>++++[>++++[>++++[>.+.-<-]<-]<-]<-]]"  # on the tape machine: the same
BYTES = 8192  # of random data


@functools.cache
def short_programs() -> dict[str, Census]:
    """Every program of up to 14 bits of both machines."""
    return {machine.name: census(machine, LONGEST, LIMITS[machine.name]) for machine in (TAPE, REWRITING)}


def above(amount: float, bound: float) -> float:
    """By how much an amount oversteps its bound."""
    return max(0.0, amount - bound)


def counts_above() -> float:
    """Of the largest share of its bound that any count of short descriptions reaches, what is above 1."""
    return above(counting(short_programs())["largest"], 1)


def kraft_above() -> float:
    """Of the sum of 2^-length over all halting programs, on the worse machine, what is above 1."""
    return above(max(kraft_sum(map(len, one.programs)) for one in short_programs().values()), 1)


def imitation_failed() -> float:
    """The share of the other's programs of up to 12 bits that an interpreter does not imitate, the worse of two."""
    failed = []
    for host, guest, header in ((TAPE, REWRITING, TAPE_INTERPRETER), (REWRITING, TAPE, rewriting_interpreter())):
        programs = census(guest, 12, LIMITS[guest.name]).programs
        ready, _ = run_program(host, header)
        failed.append(np.mean([not imitates(host, ready, guest, program) for program in programs]))
    return float(max(failed))


def imitates(host: Machine, ready: Any, guest: Machine, program: str) -> bool:
    """Whether ``host``, its interpreter read, halts on a guest's program with the same output after the same bits."""
    expected, _ = run_program(guest, program)
    state, used = run_program(host, program, 1_000_000, ready)
    return state.verdict == "halted" and used == len(program) and state.output == expected.output


def weights_lost() -> float:
    """By how much the four weights, each summed by itself, miss 1 on the worse machine."""
    return max(abs(1 - sum(one.weights.values())) for one in short_programs().values())


def loss_above() -> float:
    """By how many bits predicting a string with all programs costs more than its complexity, at most."""
    worst = 0.0
    for one in short_programs().values():
        share = predictor(one, LONGEST)
        known = {x: bits for x, bits in complexities(one).items() if len(x) <= LONGEST}
        worst = max(worst, *(above(bits_lost(share, x), bits) for x, bits in known.items()))
    return worst


def bound_above() -> float:
    """By how many bits a tape program that prints 01, 256 times, is longer than interpreter and short program.

    Infinite if one of the two does not print it.
    """
    loops = assemble(TAPE, LOOPS)
    behind, used = run_program(TAPE, TAPE_INTERPRETER + assemble(REWRITING, ALTERNATING), 100_000_000)
    alone, _ = run_program(TAPE, loops)
    right = all(state.verdict == "halted" and state.output == "01" * 256 for state in (behind, alone))
    return above(len(loops), used) if right else math.inf


def random_shortened() -> float:
    """The largest share of 8,192 random bytes that a compressor saves."""
    data = np.random.default_rng(0).bytes(BYTES)
    return above(1, min(ratio(data, compress) for compress in COMPRESSORS.values()))


def digits_below() -> float:
    """By how much a compressor gets random bits, written as the characters 0 and 1, below one bit in eight."""
    data = bits_as_digits(np.random.default_rng(0).bytes(BYTES // 8))
    return above(1 / 8, min(ratio(data, compress) for compress in COMPRESSORS.values()))


FACTS = (
    Fact(
        "counting",
        "At most 2^k strings have K <= k on these prefix-free machines, and a share of 2^-c of a length saves c bits",
        counts_above,
    ),
    Fact("weights", "Of coin flips, what halts, loops, is undecided or wants more adds up to exactly 1", weights_lost),
    Fact("kraft", "The sum of 2^-length over all halting programs is at most 1 on both machines", kraft_above),
    Fact(
        "interpreters",
        "Behind its interpreter each machine prints what the other prints, from the same bits",
        imitation_failed,
    ),
    Fact("loss", "To predict a string bit by bit with all programs costs no more than K bits", loss_above),
    Fact(
        "bound_at_work",
        "Interpreter and short program print 01, 256 times, on the tape machine, and it has a shorter program for it",
        bound_above,
    ),
    Fact("random", "No compressor shortens random bytes", random_shortened),
    Fact(
        "digits_floor",
        "No compressor gets random bits, written as characters, below the one bit in eight that carries information",
        digits_below,
    ),
)
