"""25 kolmogorov_complexity: the length of the shortest program."""

from pathlib import Path

from groundup.lesson import Claim, Lesson, Paper
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
    claims=(
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
)
