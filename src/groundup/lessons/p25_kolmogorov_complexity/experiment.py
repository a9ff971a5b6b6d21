"""All short programs of two machines; ``texts`` measures with compressors."""

import math
from typing import Any

import numpy as np

from groundup.lesson import Measured, Result
from groundup.lessons.p25_kolmogorov_complexity.codes import (
    compressible_share,
    counting_code_length,
    is_prefix_free,
)
from groundup.lessons.p25_kolmogorov_complexity.model import (
    Census,
    Machine,
    census,
    certain,
    complexities,
)
from groundup.lessons.p25_kolmogorov_complexity.prediction import (
    ORDERS,
    bits_lost,
    bits_lost_by_counting,
    predictor,
    strings_by_coins,
)
from groundup.lessons.p25_kolmogorov_complexity.rewriting import REWRITING
from groundup.lessons.p25_kolmogorov_complexity.tape import TAPE
from groundup.lessons.p25_kolmogorov_complexity.texts import compressor_ratios, languages
from groundup.ops.types import Array
from groundup.training.run import Run

LIMITS = {"tape": 2000, "rewriting": 1000}  # steps
MARGIN = 4  # m(x) is compared with K(x) where programs up to MARGIN bits longer than the shortest were run
FORESEEN = 16  # bits of the strings that are predicted
BLOCK = 64  # length of the strings in the counting bound of the counting code


def run(run: Run) -> Result:
    """The experiment of the lesson. The seed draws the random bytes, generators and excerpts, not the machines."""
    longest = run.pick(14, 22)
    found = {machine.name: take_census(run, machine, longest) for machine in (TAPE, REWRITING)}
    gaps = {machine.name: gap_by_length(run, machine, found[machine.name]) for machine in (TAPE, REWRITING)}
    counts = counting(found)
    theorem = {name: coding_theorem(one) for name, one in found.items()}
    foreseen = prediction(run, found)
    sizes = compressor_ratios(run)
    families = languages(run)

    measured = {
        "coding": Measured(max(float(np.polyfit(list(gap), list(gap.values()), 1)[0]) for gap in gaps.values())),
        "prediction": Measured(foreseen["all programs"], foreseen["counting"]),
        "generator": Measured(min(sizes["generator's output"].values()), sizes["generator"]["program"]),
        "languages": compared(families["same language, right"]),
        "families": compared(families["family, right"]),
    }
    return Result(
        measured=measured,
        metrics={
            "machines": {name: describe_census(one) for name, one in found.items()},
            "counting": {key: counts[key] for key in ("largest", "where")},
            "coding theorem": theorem,
            "largest gap by longest program": gaps,
            "largest gap": max(one["largest gap"] for one in theorem.values()),
            "bits lost": foreseen,
            "bits lost by all programs": foreseen["all programs"],
            "bits lost by counting": foreseen["counting"],
            "same language, by letter frequencies": families["same language, by letter frequencies"],
            "compressed size / size": sizes,
            "languages": {
                key: value
                for key, value in families.items()
                if key not in ("matrix", "names") and not key.endswith("right")
            },
        },
        curves={
            f"{name} machine": {
                "step": [float(k) for k in range(longest + 1)],  # the bits of a program
                "strings with K <= step": [float(number) for number in counts["below"][name]],
            }
            for name in found
        },
        arrays={"census": found, "counts": counts, "sizes": sizes, "families": families, "margin": MARGIN},
    )


def take_census(run: Run, machine: Machine, longest: int) -> Census:
    """Every program of a machine, with a progress bar over the share of all bit strings that is done."""
    bar = run.progress.add_task(f"programs of the {machine.name} machine", total=100, loss="")
    return census(
        machine,
        longest,
        LIMITS[machine.name],
        lambda share: run.progress.update(bar, completed=round(100 * share)),
    )


def describe_census(found: Census) -> dict[str, Any]:
    """What became of the programs, and for how many strings K is exact."""
    k = complexities(found)
    return {
        "longest program": found.longest,
        "halting programs": len(found.programs),
        "strings": len(k),
        "strings with exact K": len(certain(found)),
        "strings shorter to describe than to write": sum(bits < len(x) for x, bits in k.items()),
        "weights": found.weights,
        "weights together": sum(found.weights.values()),
        "prefix-free": is_prefix_free(found.programs),
    }


def counting(found: dict[str, Census]) -> dict[str, Any]:
    """The counting bounds: strings with K <= k against 2^k, and shares shortened by c bits against 2^-c.

    ``largest`` is the largest of all measured numbers divided by their bounds, and ``where`` says which it is.
    """
    below: dict[str, list[int]] = {}
    shares: dict[str, list[tuple[int, float]]] = {}
    relative: dict[str, float] = {}
    for name, one in found.items():
        k = complexities(one)
        below[name] = [sum(bits <= limit for bits in k.values()) for limit in range(one.longest + 1)]
        for limit, number in enumerate(below[name]):
            relative[f"{name} machine, K <= {limit}"] = number / 2**limit
        lengths = sorted({len(x) for x, bits in k.items() if bits < len(x) <= 1000})
        shares[name] = []
        for n in lengths:
            for saved in range(1, n):
                number = sum(len(x) == n and bits <= n - saved for x, bits in k.items())
                if number:
                    shares[name].append((saved, number / 2**n))
                    relative[f"{name} machine, {n}-bit strings, {saved} bits saved"] = number / 2**n * 2**saved
    most = BLOCK - min(counting_code_length(BLOCK, ones) for ones in range(BLOCK + 1))
    shares["counting code"] = [(saved, compressible_share(BLOCK, saved)) for saved in range(1, most + 1)]
    for saved, share in shares["counting code"]:
        relative[f"counting code, {BLOCK}-bit strings, {saved} bits saved"] = share * 2**saved
    where = max(relative, key=lambda name: relative[name])
    return {"below": below, "shares": shares, "largest": relative[where], "where": where}


def coding_theorem(found: Census) -> dict[str, Any]:
    """K(x) against -log2 m(x) over the strings for which enough longer programs were run too."""
    k = {x: bits for x, bits in complexities(found).items() if bits <= found.longest - MARGIN}
    bits = np.array(list(k.values()), float)
    information = np.array([-math.log2(found.mass[x]) for x in k])
    lengths = np.array([len(x) for x in k], float)
    return {
        "strings": len(k),
        "exact": len(k.keys() & certain(found)),
        "correlation": correlation(bits, information),
        "correlation with length": correlation(bits, lengths),
        "largest gap": float((bits - information).max()),
        "mean gap by K": {int(k): float((bits - information)[bits == k].mean()) for k in np.unique(bits)},
        "largest gap to length": float(np.abs(bits - lengths).max()),
    }


def gap_by_length(run: Run, machine: Machine, found: Census) -> dict[int, float]:
    """For several lengths of the longest program: the largest gap between K and −log2 m that a census finds."""
    shorter = range(max(10, found.longest - 8), found.longest, 2)
    gaps = {longest: coding_theorem(take_census(run, machine, longest))["largest gap"] for longest in shorter}
    return gaps | {found.longest: coding_theorem(found)["largest gap"]}


def prediction(run: Run, found: dict[str, Census]) -> dict[str, Any]:
    """Bits lost for each bit, the mean over what either machine prints, when the other one's programs predict it.

    The rival counts bits, with the length of context that turns out best; ``counting by context`` has them all.
    """
    number = run.pick(10, 100)
    mine, rivals = [], dict.fromkeys(ORDERS, 0.0)
    for host, guest in (("tape", "rewriting"), ("rewriting", "tape")):
        share = predictor(found[host], FORESEEN)
        strings = strings_by_coins(found[guest], FORESEEN, number, run.rng(f"strings of the {guest} machine"))
        mine.append(sum(bits_lost(share, x) for x in strings) / number / FORESEEN)
        for order in rivals:
            rivals[order] += sum(bits_lost_by_counting(x, order) for x in strings) / number / FORESEEN / 2
    return {
        "all programs": sum(mine) / 2,
        "tape predicts rewriting": mine[0],
        "rewriting predicts tape": mine[1],
        "counting": min(rivals.values()),
        "counting by context": rivals,
    }


def compared(right: dict[str, Array]) -> Measured:
    """Compression distance beside letter frequencies, on the same texts."""
    mine, letters = right["compression"], right["letters"]
    return Measured(float(mine.mean()), float(letters.mean()), (mine, letters))


def correlation(x: Array, y: Array) -> float:
    """Pearson's r."""
    return float(np.corrcoef(x, y)[0, 1])
