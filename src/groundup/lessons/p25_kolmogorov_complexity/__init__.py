"""25 kolmogorov_complexity: the length of the shortest program."""

from pathlib import Path

from groundup.lesson import Finding, Lesson, Paper
from groundup.lessons.p25_kolmogorov_complexity import experiment, figures
from groundup.lessons.p25_kolmogorov_complexity.facts import FACTS

LESSON = Lesson(
    number="25",
    slug="kolmogorov_complexity",
    title="Kolmogorov complexity and algorithmic randomness",
    summary="Two tiny universal machines, all their short programs, and what they say about randomness and prediction",
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
            miss="It grows through all lengths that were run, to {largest gap} bits: a constant bounds it, and "
            "programs as short as these do not reach it.",
        ),
        Finding(
            "prediction",
            "Do all programs of one machine foresee what the other one prints?",
            "On the first 16 bits of what the other prints they lose fewer bits per bit than the best rule that counts "
            "which bit comes after which",
            "<",
            rival="counting bits, with the best context of 0 to 3 bits",
            unit="bits lost per bit",
            paper="Solomonoff 1978: on no string are more than K bits lost",
            miss="All programs lose {bits lost by all programs} bits per bit, counting {bits lost by counting}; a coin "
            "loses 1. Counting knows beforehand what to look for.",
        ),
        Finding(
            "generator",
            "Can a short program print what three compressors take for random?",
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
            "By zlib the nearest of 31 other excerpts is in the same language more often than by letter frequencies",
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
            miss="Letters and accents tell families apart as well, and with sixteen languages a small "
            "difference cannot be seen.",
        ),
    ),
)
