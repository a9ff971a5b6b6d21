"""Lesson 25: independent enumerations and simulators, literal trees, round trips, and planted mistakes."""

import ast
import contextlib
import io
import itertools
import math
import re
import zlib

import numpy as np
import pytest

from groundup.data.languages import FAMILIES, language_texts
from groundup.lessons.p25_kolmogorov_complexity import LESSON, codes, model, ncd, prediction, tape, texts
from groundup.lessons.p25_kolmogorov_complexity.facts import ALTERNATING, LOOPS, imitates
from groundup.lessons.p25_kolmogorov_complexity.interpreters import (
    TAPE_INTERPRETER,
    TAPE_INTERPRETER_CODE,
    compile_lambda,
    rewriting_interpreter,
)
from groundup.lessons.p25_kolmogorov_complexity.model import (
    Census,
    assemble,
    census,
    certain,
    complexities,
    every_program,
    run_program,
)
from groundup.lessons.p25_kolmogorov_complexity.rewriting import REWRITING, write_term
from groundup.lessons.p25_kolmogorov_complexity.tape import TAPE
from kept import kept_record


def tree_weight(words, prefix="", depth=0):
    """The share of the full binary tree that lies at or below the words, by walking the tree."""
    if prefix in words:
        return 1.0
    if depth > max(map(len, words)):
        return 0.0
    return sum(tree_weight(words, prefix + bit, depth + 1) for bit in "01") / 2


def plain_tape(code, data, steps):
    """A second tape machine: no proofs, brackets matched by walking. Returns (halted, output, bits used)."""
    cells: dict[int, int] = {}
    head, place, used, output = 0, 0, 0, ""

    def partner(place, step):
        depth = 0
        while True:
            depth += {"[": 1, "]": -1}.get(code[place], 0)
            if depth == 0:
                return place
            place += step

    for _ in range(steps):
        if place == len(code):
            return True, output, used
        symbol, value = code[place], cells.get(head, 0)
        if symbol in "<>":
            head += 1 if symbol == ">" else -1
        elif symbol in "+-":
            cells[head] = max(0, value + (1 if symbol == "+" else -1))
        elif symbol == ".":
            output += "1" if value else "0"
        elif symbol == ",":
            if used == len(data):
                return False, output, used
            cells[head], used = int(data[used]), used + 1
        elif symbol == "[" and not value:
            place = partner(place, 1)
        elif symbol == "]" and value:
            place = partner(place, -1)
        place += 1
    return False, output, used


def plain_rewriting(bits, steps=2000):
    """A second rewriting machine, on symbols as text: cuts terms off the front and joins what the rules say."""
    words = {word: symbol for symbol, word in REWRITING.code.items()}
    place, string, output = 0, "", ""

    class Short(Exception):
        pass

    def read(count):
        nonlocal place
        if place + count > len(bits):
            raise Short
        place += count
        return bits[place - count : place]

    def symbol():
        word = read(2)
        while word not in words:
            word += read(1)
        return words[word]

    def cut():
        nonlocal string
        term, lacking = "", 1
        while lacking:
            if not string:
                string = symbol()
            term, string = term + string[0], string[1:]
            lacking += 1 if term[-1] == "@" else -1
        return term

    try:
        for _ in range(steps):
            if not string:
                string = symbol()
            front, string = string[0], string[1:]
            if front == ".":
                return True, output, place
            if front in "01":
                output += front
            elif front == "R":
                string = "KD"[int(read(1))] + string
            elif front == "D":
                cut()
            elif front in "KT":
                x, y = cut(), cut()
                string = (x if front == "K" else f"{x}@{x}{y}") + string
            elif front == "S":
                x, y, z = cut(), cut(), cut()
                string = f"{x}{z}@{y}{z}{string}"
    except Short:
        pass
    return False, output, place


@pytest.mark.parametrize("machine", [TAPE, REWRITING], ids=lambda machine: machine.name)
def test_census_finds_the_programs_that_running_every_bit_string_finds(machine):
    by_force = {}
    for length in range(1, 12):
        for bits in map("".join, itertools.product("01", repeat=length)):
            state, used = run_program(machine, bits, 300)
            if state.verdict == "halted" and used == length:
                by_force[bits] = state.output
    found = census(machine, 11, 300)
    assert sorted(found.programs) == sorted(by_force)
    assert complexities(found) == {
        x: min(len(bits) for bits, printed in by_force.items() if printed == x) for x in set(by_force.values())
    }
    assert found.mass["0"] == sum(2.0 ** -len(bits) for bits, printed in by_force.items() if printed == "0")
    assert codes.is_prefix_free(found.programs)
    assert found.weights["undecided"] == 0
    assert found.weights["halts"] == codes.kraft_sum(map(len, found.programs))
    assert sum(found.weights.values()) == sum(found.printed.values()) == 1
    assert sum(found.begun.values()) == found.weights["wants more"]
    assert not found.doubtful


def test_tape_machine_agrees_with_a_second_one_and_proven_loops_never_halt():
    codes_seen = 0
    for bits, state in every_program(TAPE, 16, 2000):
        if state.wants:
            continue
        symbols, place = "", 0
        words = {word: symbol for symbol, word in TAPE.code.items()}
        depth = 0
        while depth >= 0:
            end = next(end for end in range(place + 2, place + 5) if bits[place:end] in words)
            symbols, place = symbols + words[bits[place:end]], end
            depth += {"[": 1, "]": -1}.get(symbols[-1], 0)
        halted, output, used = plain_tape(symbols[:-1], bits[place:], 3000)
        assert halted == (state.verdict == "halted")
        if halted:
            assert (output, used) == (state.output, len(bits) - place)
        codes_seen += 1
    assert codes_seen > 1000


@pytest.mark.parametrize("code", ["+[]", "+[>+]", "+[+]", "+[<+>+]", "+[>+>+<]", "+[-+]", "++[>+<-+]"])
def test_loops_are_proven(code):
    assert run_program(TAPE, assemble(TAPE, code + "]"))[0].verdict == "loops"


@pytest.mark.parametrize("code", ["+" * 40 + "[>+<-]", "++++++[>++++++[>++++<-]<-]>>[.-]", "+" * 9 + "[[>]+[<]>-]"])
def test_long_runs_that_halt_are_not_called_loops(code):
    halted, output, _ = plain_tape(code, "", 50_000)
    state, _ = run_program(TAPE, assemble(TAPE, code + "]"), 50_000)
    assert (halted, output) == (state.verdict == "halted", state.output)


def test_proof_needs_the_zeros():
    before, after = {0: 1, 1: 0}, {0: 1, 1: 1}
    assert not tape.must_repeat(before, after, 0, {0, 1}, {1})
    assert tape.must_repeat(before, after, 0, {0, 1}, set())  # the planted mistake: a forgotten zero test
    assert not tape.must_repeat({0: 2}, {0: 1}, 0, {0}, set())
    assert not tape.must_repeat({0: 1, 5: 1}, {1: 1, 5: 1}, 1, {0, 1}, set())  # something lies ahead


def test_rewriting_machine_agrees_with_rewriting_text():
    rng = np.random.default_rng(0)
    halted = 0
    for _ in range(1500):
        bits = "".join(map(str, rng.integers(2, size=60)))
        state, used = run_program(REWRITING, bits, 1000)
        if state.verdict == "halted":
            assert plain_rewriting(bits) == (True, state.output, used)
            halted += 1
        elif state.wants:
            assert plain_rewriting(bits)[0] is False
    assert halted > 500


def test_numbers_worked_by_hand():
    assert run_program(REWRITING, assemble(REWRITING, "TT0."))[0].output == "0000"
    assert run_program(REWRITING, assemble(REWRITING, "TTT@01."))[0].output == "01" * 16
    assert run_program(REWRITING, assemble(REWRITING, ALTERNATING), 10**5)[0].output == "01" * 256
    assert plain_tape(LOOPS[:-1], "", 10**5) == (True, "01" * 256, 0)
    assert len(assemble(TAPE, LOOPS)) == 125
    assert plain_tape("+[.-.].", "", 100) == (True, "100", 0)  # the program of the drawing
    assert run_program(REWRITING, assemble(REWRITING, "R0") + "0")[0].wants == "symbol"
    for bit, before in itertools.product("01", ("R", "@@R")):  # "`R` does not wait for terms"
        program = assemble(REWRITING, before) + bit + assemble(REWRITING, "01.")
        assert run_program(REWRITING, program)[0].output == bit
        kept = (
            assemble(REWRITING, "K@@R010") + bit + assemble(REWRITING, ".")
        )  # "if another rule has read the two terms already"
        assert run_program(REWRITING, kept)[0].output == bit
    assert assemble(REWRITING, "R") + "1" + assemble(REWRITING, "01.") == "111010001101"  # of the text
    for code, zeros in (("T0.", 2), ("TT0.", 4), ("TTT0.", 16), ("TTTT0.", 2**16), ("TT@TT0.", 256), ("ST0T0.", 31)):
        assert run_program(REWRITING, assemble(REWRITING, code), 10**6)[0].output == "0" * zeros
    assert len(assemble(REWRITING, "ST0T0.")) == 17
    assert complexities(census(TAPE, 8, 100)) == {"": 3, "0": 5, "00": 7, "1": 8}


@pytest.mark.parametrize(
    ("host", "guest", "header"),
    [(TAPE, REWRITING, TAPE_INTERPRETER), (REWRITING, TAPE, rewriting_interpreter())],
    ids=["tape", "rewriting"],
)
def test_interpreters_imitate_every_short_program(host, guest, header):
    ready, used = run_program(host, header)
    assert used == len(header)
    assert ready.wants == "bit"
    programs = census(guest, 12, 300).programs
    assert len(programs) > 150
    assert all(imitates(host, ready, guest, program) for program in programs)


def test_broken_interpreters_are_noticed():
    programs = census(REWRITING, 12, 300).programs
    for old, new in (("<+++<[->->", "<++<[->->"), ("[>>>]<<<--[", "[>>>]<<<---[")):
        assert TAPE_INTERPRETER_CODE.count(old) == 1
        ready, _ = run_program(TAPE, assemble(TAPE, TAPE_INTERPRETER_CODE.replace(old, new)))

        def right(program, ready=ready):
            expected = run_program(REWRITING, program)[0].output
            state, used = run_program(TAPE, program, 5000, ready)
            return (state.output, used) == (expected, len(program))

        assert not all(right(program) for program in programs)


def test_interpreter_that_is_not_read_whole_takes_itself_for_data():
    from groundup.lessons.p25_kolmogorov_complexity.interpreters import DEFINITIONS

    unwrapped = assemble(REWRITING, write_term(compile_lambda(DEFINITIONS)["main"]))
    state, used = run_program(REWRITING, unwrapped + assemble(TAPE, ".]"))
    assert (state.verdict, state.output) != ("halted", "0")
    state, used = run_program(REWRITING, rewriting_interpreter() + assemble(TAPE, ".]"))
    assert (state.verdict, state.output, used) == ("halted", "0", len(rewriting_interpreter()) + 5)


def test_certain_leaves_out_what_an_undecided_program_might_still_print():
    shortest = {"01": "0" * 7, "011": "0" * 9, "1": "0" * 9}
    found = Census(9, [], shortest, {}, [(8, "01"), (9, "1")], {}, {}, {})
    assert certain(found) == {"01", "1"}  # 011 begins with what a program of 8 bits has printed


def test_kraft_sum_is_the_share_of_the_tree():
    rng = np.random.default_rng(1)
    for _ in range(50):
        lengths = [int(length) for length in rng.integers(1, 8, size=rng.integers(1, 12))]
        if codes.kraft_sum(lengths) > 1:
            with pytest.raises(ValueError, match="no prefix code"):
                codes.code_with_lengths(lengths)
            continue
        words = codes.code_with_lengths(lengths)
        assert [len(word) for word in words] == lengths
        assert not any(a.startswith(b) for a, b in itertools.permutations(words, 2))
        assert tree_weight(words) == codes.kraft_sum(lengths)
    assert not codes.is_prefix_free(["0", "01"])
    assert not codes.is_prefix_free(["1", "1"])
    assert codes.is_prefix_free(["0", "10", "11"])
    assert tree_weight(list(TAPE.code.values())) == tree_weight(list(REWRITING.code.values())) == 1


def test_self_delimiting_codes_round_trip_in_a_stream():
    assert [codes.elias_encode(number) for number in (1, 2, 5, 100)] == ["1", "0100", "01101", "00111100100"]
    rng = np.random.default_rng(2)
    numbers = [int(number) for number in np.exp(rng.uniform(0, 40, size=300))]
    stream = "".join(map(codes.elias_encode, numbers))
    place = 0
    for number in numbers:
        read, place = codes.elias_decode(stream, place)
        assert read == number
    assert place == len(stream)
    for _ in range(100):
        x, y = ("".join(map(str, rng.integers(2, size=rng.integers(40)))) for _ in range(2))
        first, end = codes.read_self_delimiting(codes.self_delimiting(x) + codes.self_delimiting(y))
        assert (first, codes.read_self_delimiting(codes.self_delimiting(x) + codes.self_delimiting(y), end)[0]) == (
            x,
            y,
        )
    assert codes.is_prefix_free(codes.elias_encode(number) for number in range(1, 500))
    with pytest.raises(ValueError, match="cut off"):
        codes.elias_decode("0010")
    with pytest.raises(ValueError, match="cut off"):
        codes.read_self_delimiting(codes.self_delimiting("10110")[:-1])
    with pytest.raises(ValueError, match="starts at 1"):
        codes.elias_encode(0)


def test_counting_code_obeys_kraft_and_its_shares_are_counts():
    lengths = [codes.counting_code_length(10, bin(number).count("1")) for number in range(1024)]
    assert codes.kraft_sum(lengths) <= 1
    for saved in range(1, 10):
        assert (
            codes.compressible_share(10, saved) == sum(length <= 10 - saved for length in lengths) / 1024 <= 2**-saved
        )


def test_distances_and_neighbours_against_plain_loops():
    rng = np.random.default_rng(3)
    parts = [rng.bytes(300) + bytes(40 * i) for i in range(5)] + [b"ab" * 200]
    matrix = ncd.distance_matrix(parts, ncd.zlib_compress)
    for i, j in itertools.combinations(range(len(parts)), 2):
        both = [ncd.normalised_compression_distance(parts[a], parts[b], ncd.zlib_compress) for a, b in ((i, j), (j, i))]
        assert matrix[i, j] == matrix[j, i] == pytest.approx(sum(both) / 2)
    sizes = [len(zlib.compress(part, 9)) for part in (parts[0], parts[5], parts[0] + parts[5])]
    assert ncd.normalised_compression_distance(parts[0], parts[5], ncd.zlib_compress) == (
        sizes[2] - min(sizes[:2])
    ) / max(sizes[:2])
    labels = list("aabbcc")
    hits = sum(labels[min((matrix[i, j], j) for j in range(6) if j != i)[1]] == labels[i] for i in range(6))
    assert ncd.neighbour_share(matrix, labels) == hits / 6


def test_average_linkage_is_the_mean_over_all_pairs():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(12, 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    merges = ncd.average_linkage(distances)
    clusters = {i: [i] for i in range(12)}
    for number, merge in enumerate(merges):
        means = {
            (a, b): distances[np.ix_(clusters[a], clusters[b])].mean()
            for a, b in itertools.combinations(sorted(clusters), 2)
        }
        nearest = min(means, key=means.__getitem__)
        assert {merge.left, merge.right} == set(nearest)
        assert merge.height == pytest.approx(means[nearest])
        clusters[12 + number] = clusters.pop(merge.left) + clusters.pop(merge.right)
    assert ncd.members(merges, 22) == clusters[22]
    labels = ["x" if i in ncd.members(merges, 20) else "y" for i in range(12)]
    assert "x" in ncd.pure_families(merges, labels)
    labels[ncd.members(merges, 20)[0]] = "y"
    assert ncd.pure_families(merges, labels) != ["x", "y"]


def test_generator_is_small_and_writes_what_it_says():
    state, expected = 12345, []
    for _ in range(200):
        state = (state * 6364136223846793005 + 1) % 2**64
        expected.append(state // 2**56)
    assert texts.generated(200, 12345) == bytes(expected)
    assert texts.generator_size(65536, 65535) <= 100


def test_digits_carry_the_same_bits():
    data = bytes([0b10110001, 255])
    assert ncd.bits_as_digits(data) == b"1011000111111111"
    assert math.isclose(ncd.ratio(bytes(1000), ncd.zlib_compress), len(zlib.compress(bytes(1000), 9)) / 1000)


def test_a_census_that_loses_a_branch_is_noticed(monkeypatch):
    whole = every_program

    def without_reading(machine, longest, limit):
        return (end for end in whole(machine, longest, limit) if not end[0].startswith(machine.code["T"]))

    monkeypatch.setattr(model, "every_program", without_reading)
    assert sum(census(REWRITING, 10, 300).weights.values()) == 1 - 2.0**-3


def test_prediction_is_what_coin_flips_print():
    share = prediction.predictor(census(REWRITING, 11, 300), 8)
    runs = [run_program(REWRITING, "".join(bits), 300)[0] for bits in itertools.product("01", repeat=11)]
    for x in ("", "0", "1", "01", "000", "0101", "11111111"):
        sure = sum(state.output.startswith(x) for state in runs)
        open_ends = (state.output for state in runs if state.wants and x.startswith(state.output) and state.output != x)
        assert share(x) == pytest.approx((sure + sum(2.0 ** (len(out) - len(x)) for out in open_ends)) / 2**11)
        assert share(x + "0") + share(x + "1") <= share(x)  # what adds up to less has stopped, or may print neither


def test_what_a_predictor_loses():
    assert prediction.bits_lost_by_counting("00", 0) == pytest.approx(1 + math.log2(4 / 3))  # 1/2, then (1 + 1/2)/2
    assert prediction.bits_lost_by_counting("0101", 1) == pytest.approx(3 + math.log2(4 / 3))
    fair = census(TAPE, 8, 100)._replace(printed={"": 1.0}, begun={"": 1.0})
    assert prediction.bits_lost(prediction.predictor(fair, 4), "0110") == 4
    found = census(REWRITING, 12, 300)
    share = prediction.predictor(found, 12)
    for x, k in complexities(found).items():
        assert prediction.bits_lost(share, x) <= -math.log2(share(x)) + 1e-9 <= k + 1e-9


def test_strings_by_coins_come_as_often_as_their_programs():
    found = census(TAPE, 8, 100)._replace(printed={"0110": 0.3, "0111": 0.1, "1": 0.6})
    drawn = prediction.strings_by_coins(found, 3, 50, np.random.default_rng(0))
    assert set(drawn) == {"011"}
    drawn = prediction.strings_by_coins(found, 4, 4000, np.random.default_rng(0))
    assert drawn.count("0110") / 4000 == pytest.approx(0.75, abs=0.03)


def test_what_the_text_says_of_single_strings():
    found = census(REWRITING, 20, 1000)
    share = prediction.predictor(found, 25)

    def given(x):
        ones = [prediction.chance_of_one(share, x[:n]) for n in range(len(x))]
        return [one if bit == "1" else 1 - one for one, bit in zip(ones, x, strict=True)]

    pattern, zeros = given("01" * 12), given("0" * 24)
    assert all(abs(p - 0.5) < 0.1 for p in pattern[:12])  # "for twelve bits nothing happens"
    assert pattern[22] > 0.98
    assert zeros[15] > 0.95 > 0.85 > zeros[16]  # "a moment of doubt after 16 zeros"
    counted = "".join(format(number, "b") for number in range(20))[:24]
    for x in ("0011" * 6, counted):
        assert prediction.bits_lost(share, x) == pytest.approx(24, abs=0.5)  # "it knows nothing"
    drawn = "".join(map(str, np.random.default_rng(25).integers(2, size=32)))[:24]
    assert round(prediction.bits_lost_by_counting(drawn, 2)) == 28  # "it loses 28 bits on 24"
    assert prediction.bits_lost(share, drawn) == pytest.approx(24, abs=0.5)  # "hardly more than a coin"
    for x in ("01" * 12, "0" * 24):  # "counting is faster"
        assert prediction.bits_lost_by_counting(x, 2) < prediction.bits_lost(share, x)
    k, sure = complexities(found), certain(found)
    assert (len(k) - len(sure), len(k)) == (138, 749)  # "for 138 of the 749 strings, all with the bound 20"
    assert {k[x] for x in k.keys() - sure} == {20}
    assert (19, "") in found.doubtful  # "one of them has printed nothing, and may still print any of the 138"
    assert run_program(REWRITING, assemble(REWRITING, "TTT@01."))[0].output == "01" * 16  # "20 bits for string A"


@pytest.mark.parametrize(("machine", "grows"), [(REWRITING, (1.4, 2.1)), (TAPE, (1.6, 2.5))], ids=["rewriting", "tape"])
def test_what_the_text_says_of_the_gap_of_fixed_strings(machine, grows):
    fewer, more = (census(machine, longest, 1000) for longest in (14, 20))
    fixed = [x for x, bits in complexities(fewer).items() if bits <= 10]
    gaps = [max(len(one.shortest[x]) + math.log2(one.mass[x]) for x in fixed) for one in (fewer, more)]
    assert tuple(round(gap, 1) for gap in gaps) == grows
    newer = max(len(bits) + math.log2(more.mass[x]) for x, bits in more.shortest.items() if len(bits) <= 16)
    assert newer > gaps[1]  # "the rest comes from the longer strings"


def test_what_the_text_says_of_two_steps_between_readings():
    found = census(REWRITING, 16, 2)
    assert set(found.shortest) == {"".join(bits) for n in range(7) for bits in itertools.product("01", repeat=n)}
    assert len(found.shortest) == 127


def test_what_the_text_says_of_the_costs_of_compressors():
    assert [len(compress(b"0")) for compress in ncd.COMPRESSORS.values()] == [9, 37, 5]
    rng = np.random.default_rng(0)
    costs = [len(ncd.bz2_compress(rng.bytes(size))) - size for size in (8192, 65536)]
    assert 400 < costs[0] < costs[1] < 700  # "half a kilobyte to 8 KiB and hardly more to 64 KiB"


def test_what_the_text_says_of_counting():
    text = (LESSON.folder / "lesson.py").read_text()
    (program,) = re.findall(r"^program = ('n=200000.*')$", text, re.MULTILINE)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(ast.literal_eval(program), {})
    counted = "".join(format(number, "b") for number in range(20_000))[:200_000]
    assert printed.getvalue() == counted + "\n"
    assert round(counted.count("1") / 200_000, 2) == 0.53
    packed = int(counted, 2).to_bytes(25_000, "big")
    best = min(ncd.ratio(packed, compress) for compress in ncd.COMPRESSORS.values())
    assert best == pytest.approx(6 / 7, abs=0.01)  # "the best of them saves a seventh"
    # "A decoder that gives each its own string of 8 bits": the descriptions in order of length
    short = [format(i, f"0{size}b") if size else "" for size in range(6) for i in range(2**size)]
    strings = {format(2 ** len(one) - 1 + int(one or "0", 2), "08b") for one in short}
    assert len(short) == len(strings) == 63
    assert 2**-3 < len(strings) / 2**8 < 2**-2  # (3)


@pytest.mark.parametrize(("machine", "spelling"), [(TAPE, 5), (REWRITING, 2)], ids=["tape", "rewriting"])
def test_edge_of_what_is_printed_moves_as_bits_are_spelt(machine, spelling):
    k = complexities(census(machine, 18, 1000))
    for longest in range(9, 19):
        edge = (longest - 3) // spelling  # "by half a bit and by a fifth of a bit for each bit of program"
        reached = [sum(len(x) == n and bits <= longest for x, bits in k.items()) for n in range(edge + 2)]
        assert reached[: edge + 1] == [2**n for n in range(edge + 1)]
        assert reached[edge + 1] < 2 ** (edge + 1)


def test_what_the_text_says_of_its_excerpts():
    rng = np.random.default_rng(0)
    parts = {name: texts.excerpt(text, 6000, rng) for name, text in language_texts().items()}
    names, labels = list(parts), [FAMILIES[name] for name in parts]
    matrix = ncd.distance_matrix(list(parts.values()), ncd.zlib_compress)
    letters = ncd.neighbour_share(texts.letter_distances(list(parts.values())), labels)
    assert ncd.neighbour_share(matrix, labels) == letters == 15 / 16  # "Counting letters does as well"
    assert names[ncd.nearest(matrix)[names.index("English")]] == "French"  # "Its neighbour is French"


def test_what_the_text_says_of_the_measurements():
    record = kept_record("kolmogorov_complexity")
    found = {one["name"]: one for one in record["findings"]}
    verdicts = {name: one["verdict"] for name, one in found.items()}
    assert [name for name, verdict in verdicts.items() if verdict == "holds"] == ["generator"]  # "one answer of five"
    assert len(verdicts) == 5
    for name in ("languages", "families"):  # "counting letters does as well"
        assert all(rival >= value for value, rival in zip(found[name]["values"], found[name]["rivals"], strict=True))
    assert set(found["languages"]["rivals"]) == {1.0}  # "right every time, in all five runs"
    missed = sorted(one["only_rival"] for one in found["languages"]["pairs"])
    assert missed == [0, 1, 1, 1, 1]  # "compression misses one of the 32 in four of the five"
    assert all(one["of"] == 32 for one in found["languages"]["pairs"])
    growth = record["drawn"]["metrics"]["largest gap by longest program"]
    for gaps in growth.values():
        assert (np.diff(list(gaps.values())) > 0).all()  # "it grows, on both machines"
        assert 0.25 < (gaps["22"] - gaps["14"]) / 8 < 0.5  # "by a quarter to half a bit for each bit"
    assert record["drawn"]["metrics"]["bits lost"]["counting"] < record["drawn"]["metrics"]["bits lost"]["all programs"]
    machines = record["drawn"]["metrics"]["machines"]
    assert machines["tape"]["strings shorter to describe than to write"] == 0
    assert machines["rewriting"]["weights"]["halts"] > 0.5  # "its first binary digit is a 1"
    assert machines["tape"]["weights"]["halts"] < 0.5 < 1 - machines["tape"]["weights"]["loops"]
    assert machines["tape"]["weights"]["undecided"] == 0 == machines["rewriting"]["weights"]["loops"]
    sizes = record["drawn"]["metrics"]["compressed size / size"]["generator"]
    assert sizes["bytes"] == texts.generator_size(65536, 12345) == 97  # the lesson's generator is as large
    assert sizes["program"] == pytest.approx(97 / 65536, rel=1e-3)
