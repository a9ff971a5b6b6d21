"""Text as data: the default text, the reader's own file, and characters as integers."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundup.data.files import package_data
from groundup.errors import UserError

HELD_OUT = 60_000  # characters of each held-out part that ``parts`` keeps, the same number from every text
UNKNOWN = "\ufffd"  # the replacement character stands for every character outside a vocabulary

Integers = NDArray[np.int64]


def default_text() -> str:
    """Return about 327,000 characters of English prose and code: Python 3.11.7's help topics (PSF licence).

    It is shipped, not read from the running Python, because the topics differ between versions. What the
    topics quote from one another and their tables are left out, and their sections come in a random, fixed
    order, so the last tenth is neither a repetition of the rest nor another kind of text.
    """
    return package_data("topics.txt.gz").decode("utf-8")


def novels() -> list[str]:
    """Return Jane Austen's six novels, 4,025,000 characters in all, from *Emma* to *Sense and Sensibility*."""
    titles = "MANSFIELD PARK|NORTHANGER ABBEY|Persuasion|PRIDE AND PREJUDICE|SENSE AND SENSIBILITY"
    return re.split(rf"\n\n\n\n(?=(?:{titles})\n\n)", package_data("austen.txt.gz").decode("utf-8"))


def read_text(path: str | Path, limit_bytes: int = 50_000_000, minimum: int = 1000) -> str:
    """Return the text of a UTF-8 file, without its byte-order mark and with every line end as `\\n`.

    path: a regular file. limit_bytes: a bigger file is refused by its size, before it is read. minimum: the
    least number of characters that the caller can work with. Raises UserError for what is missing,
    unreadable, not a file, empty, too big, too short, or not UTF-8 text.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder, but a text file is needed.")
        if not path.exists():
            raise UserError(f"There is no file {path}.")
        if not path.is_file():
            raise UserError(f"{path} is not a regular file: save the text in a file first.")
        size = path.stat().st_size
        if size > limit_bytes:
            megabytes, limit = size / 1e6, limit_bytes / 1e6
            raise UserError(f"{path} has {megabytes:.1f} MB, but at most {limit:.1f} MB can be used: cut it down.")
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)  # bounded even if the file grows meanwhile
    except (OSError, ValueError) as error:  # ValueError: a path that no system call accepts
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(content) > limit_bytes:
        raise UserError(f"{path} grew beyond the limit of {limit_bytes / 1e6:.1f} MB while it was read.")

    if not content:
        raise UserError(f"{path} is empty.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{path} is UTF-16 or UTF-32, but UTF-8 is needed: save it again as UTF-8.")
    if b"\0" in content:
        raise UserError(f"{path} is not text: byte {content.index(0):,} is zero, as in binary files.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        offset = len(content) - len(error.object)  # the codec has cut off the byte-order mark
        raise UserError(
            f"{path} is not UTF-8: byte {error.start + offset:,} is 0x{wrong:02x}; save it again as UTF-8."
        ) from None
    controls = sum(content.count(code) for code in range(32) if code not in b"\t\n\f\r")
    if controls > 0.01 * len(content):
        raise UserError(f"{path} is not text: {controls:,} of its {len(content):,} bytes are control characters.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise UserError(f"{path} holds nothing but white space.")
    if len(text) < minimum:
        raise UserError(f"{path} is too short: it has {len(text):,} characters, and {minimum:,} are needed.")
    return text


def split_text(text: str, validation: float = 0.05, test: float = 0.1) -> tuple[str, str, str]:
    """Cut a text into contiguous training, validation and test parts, in this order; joined, they are it.

    validation, test: shares of the characters. Raises UserError if a part that was asked for would be empty.
    """
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise ValueError(f"shares must be >= 0 and leave something to train on: {validation=}, {test=}")
    count_validation, count_test = round(len(text) * validation), round(len(text) * test)
    train_end = len(text) - count_validation - count_test
    if train_end < 1 or count_validation < (validation > 0) or count_test < (test > 0):
        raise UserError(f"A text of {len(text):,} characters is too short to hold some of it out for testing.")
    return text[:train_end], text[train_end : len(text) - count_test], text[len(text) - count_test :]


def split_texts(texts: Iterable[str], validation: float = 0.05, test: float = 0.05) -> list[list[str]]:
    """The training, validation and test parts of several texts, each cut by itself as ``split_text`` does."""
    return [list(part) for part in zip(*(split_text(text, validation, test) for text in texts), strict=True)]


def parts(texts: Sequence[str]) -> tuple[str, str, str]:
    """Text to train on, to watch and to test with: the last tenth of each text is held out, some of it is read."""
    train, validation, test = split_texts(texts)
    most = HELD_OUT // len(texts)
    return "\n\n\n".join(train), "".join(part[:most] for part in validation), "".join(part[:most] for part in test)


def words(text: str) -> list[str]:
    """Runs of at least three letters, in lower case."""
    return re.findall(r"[^\W\d_]{3,}", text.lower())


def build_vocabulary(text: str, most: int | None = None) -> str:
    """Return the characters of a text, sorted, behind UNKNOWN: index i stands for vocabulary[i].

    Build it from the training part only. most: keep that many entries, UNKNOWN included; the rarest
    characters go first (of equally rare ones the later code points), which bounds the model for, say,
    Chinese.
    """
    if most is not None and most < 2:
        raise ValueError(f"a vocabulary needs room for UNKNOWN and one character, got {most=}")
    counts = Counter(text)
    del counts[UNKNOWN]
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    return UNKNOWN + "".join(sorted(ranked[: most - 1 if most is not None else None]))


def encode(text: str, vocabulary: str) -> Integers:
    """Return the index of each character, shape (len(text),); 0 for those outside the vocabulary."""
    points = _code_points(vocabulary)
    index_of = np.zeros(int(points.max()) + 2, dtype=np.int64)  # by code point; the last entry: any higher one
    index_of[points] = np.arange(len(points))
    result = np.empty(len(text), dtype=np.int64)
    step = 1 << 20  # in pieces, so that the temporary arrays stay small beside the result
    for start in range(0, len(text), step):
        piece = np.minimum(_code_points(text[start : start + step]), len(index_of) - 1)
        result[start : start + step] = index_of[piece]
    return result


def decode(indices: Integers, vocabulary: str) -> str:
    """Return the characters that a flat array of indices stands for; UNKNOWN comes out as U+FFFD."""
    indices = np.asarray(indices, dtype=np.int64).reshape(-1)
    if indices.size and (indices.min() < 0 or indices.max() >= len(vocabulary)):
        raise ValueError(f"indices must lie in 0..{len(vocabulary) - 1}, got {indices.min()}..{indices.max()}")
    return _code_points(vocabulary)[indices].tobytes().decode("utf-32-le", "surrogatepass")


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
