"""25 kolmogorov_complexity: the length of the shortest program."""

from pathlib import Path

from groundup.lesson import Claim, Lesson, Paper
from groundup.lessons.p25_kolmogorov_complexity import experiment, figures

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
    claims=(
        Claim(
            "counting",
            "Every measured count of short descriptions stays below its bound: strings with K <= k below 2^k,"
            " strings that save c bits below a share of 2^-c",
            "<",
            bar=1,
            unit="largest share of a bound",
        ),
        Claim("kraft", "The sum of 2^-length over all halting programs is at most 1 on both machines", "<=", bar=1),
        Claim(
            "coding",
            "K(x) follows -log2 m(x), the weight of all programs that print x, on both machines",
            ">=",
            bar=0.9,
            baseline="correlation of K(x) with the length of x, the better machine",
            unit="correlation, the worse machine",
        ),
        Claim(
            "coding_gap",
            "K(x) is nowhere far above -log2 m(x)",
            "<",
            baseline="largest difference between K(x) and the length of x",
            unit="bits",
        ),
        Claim(
            "interpreters",
            "Behind its interpreter each machine prints what the other prints, from the same bits",
            ">=",
            bar=1,
            unit="share of the other's programs",
        ),
        Claim(
            "invariance",
            "The complexities of the two machines differ by no more than the longer interpreter",
            "<=",
            baseline="length of the longer interpreter",
            unit="bits",
        ),
        Claim(
            "bound_at_work",
            "For 01 repeated 256 times, interpreter and short program beat the tape machine's printing bit by bit",
            "<",
            baseline="the tape machine's shortest program without loops",
            unit="bits",
        ),
        Claim("random", "No compressor shortens random bytes", ">=", bar=1, unit="compressed size / size"),
        Claim(
            "text",
            "Every compressor shortens English text",
            "<",
            bar=0.6,
            baseline="random bytes, the best compressor",
            unit="compressed size / size",
        ),
        Claim(
            "generator",
            "No compressor shortens the output of a generator whose whole program is much smaller",
            ">=",
            bar=1,
            baseline="the program itself",
            unit="size / size of the output",
        ),
        Claim(
            "digits",
            "Random bits written as the characters 0 and 1 look compressible",
            "<",
            bar=0.2,
            baseline="random bytes, the best compressor",
            unit="compressed size / size",
        ),
        Claim(
            "digits_floor",
            "But no compressor gets them below the one bit in eight that carries information",
            ">=",
            bar=0.125,
            unit="compressed size / size",
        ),
        Claim(
            "languages",
            "By compression distance the nearest of 31 other excerpts is in the same language",
            ">=",
            bar=0.95,
            baseline="chance",
            unit="share of excerpts",
        ),
        Claim(
            "families",
            "By compression distance the nearest other language is of the same family, with each compressor",
            ">=",
            bar=0.75,
            baseline="shuffled labels, 99 of 100 times below",
            unit="share of languages, the worst compressor",
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
