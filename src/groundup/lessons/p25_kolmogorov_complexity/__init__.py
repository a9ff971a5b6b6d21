"""25 kolmogorov_complexity: the length of the shortest program."""

from pathlib import Path

from groundup.lesson import Finding, Lesson, Paper
from groundup.lessons.p25_kolmogorov_complexity import experiment, figures
from groundup.lessons.p25_kolmogorov_complexity.facts import FACTS

LESSON = Lesson(
    number="25",
    slug="kolmogorov_complexity",
    title="Kolmogorov complexity and algorithmic randomness",
    summary="Two tiny universal machines, every short program of both, and compressors in the place of K",
    part="Theory and modern",
    level="advanced",
    minutes=120,
    folder=Path(__file__).parent,
    paper=Paper(
        "A. Shen, V. A. Uspensky & N. Vereshchagin",
        "Kolmogorov Complexity and Algorithmic Randomness",
        2017,
        "https://www.lirmm.fr/~ashen/kolmbook-eng-scan.pdf",
    ),
    experiment=experiment.run,
    figures=figures.draw,
    tracks=("numpy",),
    facts=FACTS,
    findings=(
        Finding(
            "coding",
            "Do K(x) and −log₂ m(x) stay within a constant of each other?",
            "As longer programs are run, their largest difference grows by less than a tenth of a bit per bit",
            "<",
            bar=0.1,
            unit="bits per bit, the machine where it grows faster",
            paper="The coding theorem: equal up to a constant that depends on the machine alone",
            miss="It grows through all lengths that were run, to {largest gap} bits: if a constant bounds it, programs "
            "as short as these do not show it.",
        ),
        Finding(
            "generator",
            "Do compressors find a short program where there is one?",
            "None of three shortens the output of a generator whose whole program is far smaller",
            ">=",
            bar=1.0,
            rival="the generator's program",
            unit="size / size of the output",
            paper="K is not computable: no algorithm finds all regularities",
        ),
        Finding(
            "languages",
            "Does compression distance know two texts of one language?",
            "The nearest of 31 other excerpts is in the same language more often than by letter frequencies",
            ">",
            rival="nearest by letter frequencies",
            unit="share of excerpts",
            paper="Cilibrasi & Vitányi 2005 cluster languages by compression and report no rival",
            miss="Sixteen languages differ in their letters and accents already: by letter frequencies the share is "
            "{same language, by letter frequencies}.",
        ),
        Finding(
            "families",
            "Does it know the families of languages?",
            "By the best of three compressors the nearest other language is of its family more often than by letters",
            ">",
            rival="nearest by letter frequencies",
            unit="share of languages",
            paper="Cilibrasi & Vitányi 2005 show trees of languages and report no share",
            miss="Letters and accents tell families apart as well, and sixteen languages are too few for a smaller "
            "difference.",
        ),
    ),
    equations={
        "1": {
            "census": ("if x not in shortest or ", "shortest[x] = bits"),
            "complexities": ("{x: len(bits) for x, bits in found.shortest.items()}",),
        },
        "2": {
            "kraft_sum": ("math.fsum(2.0**-length for length in lengths)",),
            "code_with_lengths": ("if sum(2 ** (longest - length) for length in lengths) > 2**longest:",),
        },
        "3": {
            "compressible_share": ("short = sum(", "short / 2**n"),
            "cell:counting-figure": ('"bound 2⁻ᶜ": 2.0**-saved',),
        },
        "4": {"census": ("weight = 2.0 ** -len(bits)", "mass[x] = mass.get(x, 0.0) + weight")},
        "5": {"coding_theorem": ("-math.log2(found.mass[x])", "(bits - information).max()")},
        "6": {
            "cell:invariance-run": (
                "difference = {x: tape_k[x] - rewriting_k[x]",
                "constant = max(map(len, headers.values()))",
                "if largest <= constant",
            ),
            "cell:bound-at-work-run": ("run_program(TAPE, TAPE_INTERPRETER + short",),
        },
        "7": {
            "normalised_compression_distance": (
                "size_x, size_y, both = ",
                "(both - min(size_x, size_y)) / max(size_x, size_y)",
            ),
            "distance_matrix": ("least, most = sorted(", "(len(compress(x + y)) - least) / most"),
        },
        "8": {"average_linkage": ("between[other, new] = ",)},
    },
)
