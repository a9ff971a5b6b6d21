"""What a machine is here, every program up to a length, and the complexities that follow from them.

A program is a string of bits that the machine reads one after the other, only when it needs the next. It has
used all of them when it stops, so no program is the beginning of another: the machine is prefix-free.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class State(NamedTuple):
    """A machine between two readings; never changed, so that a run can go on in several ways.

    output   what it has printed, of "0" and "1"
    wants    "symbol" or "bit": what it must read to go on; "" when it has stopped
    verdict  once it has stopped: "halted", "loops" (proven), or "undecided" (out of steps)
    inner    the machine's own affair
    """

    output: str
    wants: str
    verdict: str
    inner: Any


class Machine(NamedTuple):
    """Symbols with their code words, the first state, and ``feed(state, item, limit) -> state``.

    ``feed`` hands over the symbol or bit that the state wants and runs for at most ``limit`` steps.
    """

    name: str
    code: dict[str, str]
    start: Callable[[], State]
    feed: Callable[[State, str, int], State]


class Census(NamedTuple):
    """What all programs of at most ``longest`` bits do.

    programs   those that halt
    shortest   for each string that one of them prints: a shortest such program
    mass       for each such string: the sum of 2^-length over the programs that print it
    doubtful   (bits read, printed so far) of the programs that neither halted nor provably loop
    weights    sum of 2^-length over the ends of all branches, by what became of them: "halts", "loops",
               "undecided" and, for beginnings that need more than ``longest`` bits, "wants more"
    printed    the same sum over all of these, by what they had printed
    begun      the same over those that want more, by what they had printed
    """

    longest: int
    programs: list[str]
    shortest: dict[str, str]
    mass: dict[str, float]
    doubtful: list[tuple[int, str]]
    weights: dict[str, float]
    printed: dict[str, float]
    begun: dict[str, float]


BIT = {"0": "0", "1": "1"}


def assemble(machine: Machine, symbols: str) -> str:
    """The bits of a program that is written in the machine's symbols."""
    return "".join(machine.code[symbol] for symbol in symbols)


def run_program(machine: Machine, bits: str, limit: int = 100_000, state: State | None = None) -> tuple[State, int]:
    """Run on ``bits`` from ``state`` (default: the start); returns the last state and how many bits were used.

    ``limit`` counts steps between two readings. Where the bits end too early, the state still wants more.
    """
    state, used = state or machine.start(), 0
    while state.wants:
        words = machine.code if state.wants == "symbol" else BIT
        item = next((item for item, word in words.items() if bits.startswith(word, used)), None)
        if item is None:
            break
        used += len(words[item])
        state = machine.feed(state, item, limit)
    return state, used


def every_program(machine: Machine, longest: int, limit: int) -> Iterator[tuple[str, State]]:
    """All programs of at most ``longest`` bits that stop, and the beginnings that want more bits than that.

    Depth first over what is read: beginnings are run once, not once for each program that begins so.
    """
    todo = [("", machine.start())]
    while todo:
        bits, state = todo.pop()
        for item, word in (machine.code if state.wants == "symbol" else BIT).items():
            longer = bits + word
            if len(longer) > longest:
                yield longer, state
                continue
            after = machine.feed(state, item, limit)
            if after.wants:
                todo.append((longer, after))
            else:
                yield longer, after


def census(machine: Machine, longest: int, limit: int, tick: Callable[[float], None] = lambda share: None) -> Census:
    """Run every program of at most ``longest`` bits. ``tick`` hears how much of all bit strings is done."""
    programs: list[str] = []
    shortest: dict[str, str] = {}
    mass, printed, begun = (defaultdict[str, float](float) for _ in range(3))
    weights = dict.fromkeys(("halts", "loops", "undecided", "wants more"), 0.0)
    doubtful: dict[str, int] = {}
    for number, (bits, state) in enumerate(every_program(machine, longest, limit)):
        x, weight = state.output, 2.0 ** -len(bits)  # (4)
        printed[x] += weight
        if state.wants:
            weights["wants more"] += weight
            begun[x] += weight
        elif state.verdict == "halted":
            weights["halts"] += weight
            programs.append(bits)
            mass[x] += weight  # (4)
            if x not in shortest or (len(bits), bits) < (len(shortest[x]), shortest[x]):  # (1)
                shortest[x] = bits  # (1)
        else:
            weights[state.verdict] += weight
            if state.verdict == "undecided":
                doubtful[x] = min(len(bits), doubtful.get(x, longest))
        if number % 4096 == 0:
            tick(sum(weights.values()))
    tick(1.0)
    listed = [(n, x) for x, n in doubtful.items()]
    return Census(longest, programs, shortest, dict(mass), listed, weights, dict(printed), dict(begun))


def complexities(found: Census) -> dict[str, int]:
    """K(x), in bits, of every string x that was printed: an upper bound, and exact where ``certain`` says so."""
    return {x: len(bits) for x, bits in found.shortest.items()}  # (1)


def certain(found: Census) -> set[str]:
    """The strings whose complexity is exact.

    Every shorter program either halted with something else, or provably loops, or is undecided but has
    already printed something that the string does not begin with: what is printed is never taken back.
    """
    return {
        x
        for x, bits in found.shortest.items()
        if not any(length < len(bits) and x.startswith(printed) for length, printed in found.doubtful)
    }
