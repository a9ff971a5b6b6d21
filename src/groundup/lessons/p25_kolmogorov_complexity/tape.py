"""Machine A: a tape of natural numbers and eight instructions, in the manner of Urban Müller's language (1993).

    >  <   move the head          [  ]   repeat what is between while the cell is not 0
    +  -   add 1, subtract 1 (0 - 1 = 0)     .  print 0 if the cell is 0, else 1
    ,      read the next bit of the program into the cell

The code ends with a "]" that closes nothing. The bits after it are there for "," to read.
"""

from groundup.lessons.p25_kolmogorov_complexity.model import Machine, State

TAPE_CODE = {
    ".": "00", "+": "010", "-": "011", "[": "100", "]": "101", ">": "110", "<": "1110", ",": "1111",
}  # fmt: skip
FIRST_PROOF = 60  # steps after which a proof of looping is first tried
PROOF_STEPS = 600

Cells = dict[int, int]


def tape_start() -> State:
    """Nothing read: the state is (code so far, open brackets)."""
    return State("", "symbol", "", ("", 0))


def tape_feed(state: State, item: str, limit: int) -> State:
    """Take an instruction into the code, or a bit into the cell under the head."""
    if state.wants == "symbol":
        code, depth = state.inner
        if item == "]" and depth == 0:
            return tape_run(code, matching(code), 0, 0, {}, "", limit)
        return State("", "symbol", "", (code + item, depth + (item == "[") - (item == "]")))
    code, jumps, place, head, cells = state.inner
    return tape_run(code, jumps, place + 1, head, {**cells, head: int(item)}, state.output, limit)


def matching(code: str) -> dict[int, int]:
    """For the place of each bracket, the place of its partner."""
    waiting, jumps = [], {}
    for place, symbol in enumerate(code):
        if symbol == "[":
            waiting.append(place)
        elif symbol == "]":
            start = waiting.pop()
            jumps[start], jumps[place] = place, start
    return jumps


def tape_run(code: str, jumps: dict[int, int], place: int, head: int, cells: Cells, printed: str, limit: int) -> State:
    """Run until the end of the code, a ",", a proof of looping, or ``limit`` steps. Changes ``cells``."""
    output, try_proof = [printed], FIRST_PROOF
    for step in range(limit):
        # A program that runs out of code has halted, and what it has printed counts.
        if place == len(code):
            return State("".join(output), "", "halted", None)
        # Of some programs it can be proved that they never halt. A proof is dear: each waits eight times as long.
        if step == try_proof:
            if loops_forever(code, jumps, place, head, dict(cells)):
                return State("".join(output), "", "loops", None)
            try_proof *= 8
        # The tape has no ends: a cell that nobody has touched holds 0.
        symbol, value = code[place], cells.get(head, 0)
        if symbol in "><":
            head += 1 if symbol == ">" else -1
        # Cells hold natural numbers, so taking 1 from 0 leaves 0.
        elif symbol in "+-":
            cells[head] = max(0, value + (1 if symbol == "+" else -1))
        # Output is bits, as the programs are.
        elif symbol == ".":
            output.append("1" if value else "0")
        # The program's next bit has not been chosen: the machine hands back where it is, to go on with either.
        elif symbol == ",":
            return State("".join(output), "bit", "", (code, jumps, place, head, cells))
        # A loop is all the control that there is: past it when the cell is 0, back to its start when it is not.
        elif (symbol == "[") == (value == 0):
            place = jumps[place]
        place += 1

    # Neither halted nor proved to loop: of such a program nothing is known.
    return State("".join(output), "", "undecided", None)


def loops_forever(code: str, jumps: dict[int, int], place: int, head: int, cells: Cells) -> bool:
    """Whether running on for ``PROOF_STEPS`` steps proves that the machine never stops and never reads.

    Watches the jumps back of loops, and compares the tape at two of the same loop (``must_repeat``). The
    first of the two moves on after 1, 2, 4, ... jumps (Brent's way to find a cycle). Changes ``cells``.
    """
    anchor: tuple[int, int, Cells] | None = None
    touched: set[int] = set()
    zeros: set[int] = set()
    jumped, patience = 0, 1
    for _ in range(PROOF_STEPS):
        if place == len(code) or code[place] == ",":
            return False
        symbol = code[place]
        if symbol == ">":
            head += 1
        elif symbol == "<":
            head -= 1
        elif symbol in "+-":
            touched.add(head)
            cells[head] = max(0, cells.get(head, 0) + (1 if symbol == "+" else -1))
        elif symbol in "[]":
            touched.add(head)
            if not cells.get(head):
                zeros.add(head)
                place = jumps[place] if symbol == "[" else place
            elif symbol == "]":
                if anchor is not None and anchor[0] == place:
                    shift = head - anchor[1]
                    if must_repeat(anchor[2], cells, shift, touched, zeros):
                        return True
                jumped += 1
                if anchor is None or jumped == patience:
                    anchor, touched, zeros = (place, head, dict(cells)), set(), set()
                    jumped, patience = 0, 2 * patience
                place = jumps[place]
        place += 1
    return False


def must_repeat(before: Cells, after: Cells, shift: int, touched: set[int], zeros: set[int]) -> bool:
    """Whether what led from ``before`` to ``after`` must happen again, ``shift`` cells further on, for ever.

    A stretch of a run touched the cells ``touched`` and found 0 when it tested those in ``zeros``. It
    repeats if each cell that it will touch next holds what the matching cell held (where 0 was found) or at
    least that much (elsewhere: a test that found more than 0 then does so again, because + and - keep order).
    If the run moves on, the cells ahead must be untouched zeros, and equality must be asked of every cell
    that a cell in ``zeros`` will become.
    """
    if shift:
        edge = max(touched) if shift > 0 else min(touched)
        if any(value and (cell - edge) * shift > 0 for cell, value in before.items()):
            return False
        zeros = set(zeros)
        for cell in sorted(zeros, reverse=shift < 0):
            while cell + shift in touched and cell + shift not in zeros:
                cell += shift
                zeros.add(cell)
    for cell in touched:
        old, new = before.get(cell, 0), after.get(cell + shift, 0)
        if new < old or (cell in zeros and new != old):
            return False
    return True


TAPE = Machine("tape", TAPE_CODE, tape_start, tape_feed)
