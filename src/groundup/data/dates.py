"""Dates as people write them, and the same dates in ISO 8601: an endless conversion task (lesson 13).

Every written form fixes one date under one convention: a number in front of a month is its day (day before
month wherever both are digits), four digits are the year, and a form that begins with the year goes on with
the month. A weekday is always the right one and adds nothing. Capitals and spaces vary and mean nothing. So
the best possible exact match is 1, and a guess that ignores the text is right once in DAYS = 73,049 tries.
"""

import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# {d}, {m}: the shortest digits; {dd}, {mm}: two digits; {th}: 1st, 2nd, 3rd; {mon}, {wkd}: three letters.
FORMATS = (
    "{d} {month} {year}",
    "{month} {d}, {year}",
    "{d} {mon} {year}",
    "{mon} {d}, {year}",
    "{mon}. {dd}, {year}",
    "{th} {month} {year}",
    "{month} {th}, {year}",
    "{th} of {month} {year}",
    "the {th} of {month}, {year}",
    "{weekday}, {d} {month} {year}",
    "{weekday}, {month} {th}, {year}",
    "{weekday} the {th} of {month} {year}",
    "{wkd} {mon} {d} {year}",
    "{wkd}, {dd} {mon} {year}",
    "{wkd}, {dd}.{mm}.{year}",
    "{year} {month} {d}",
    "{year}, {mon} {dd}",
    "{dd}-{mon}-{year}",
    "{dd}.{mm}.{year}",
    "{d}.{m}.{year}",
    "{dd}/{mm}/{year}",
    "{d}/{m}/{year}",
    "{dd}-{mm}-{year}",
    "{year}/{mm}/{dd}",
    "{year}.{m}.{d}",
    "{year}-{m}-{d}",
    "{year}{mm}{dd}",
)

FIRST_DAY = datetime.date(1900, 1, 1)
DAYS = (datetime.date(2099, 12, 31) - FIRST_DAY).days + 1

PAD, START, END = 0, 1, 2
# Index i stands for CHARACTERS[i]; the first three are marks, not characters. Source and target share them.
CHARACTERS = (
    *("<pad>", "<start>", "<end>"),
    *" ,-./0123456789",
    *sorted({c for word in (*MONTHS, *WEEKDAYS, "thestndrdof") for c in word.lower() + word.upper()}),
)

LONGEST = 41  # characters: "Wednesday  the  23rd  of  September  1998", each space doubled
TARGET_LENGTH = 12  # START, ten characters of ISO 8601, END

DatePair = tuple[str, str]


class DateParts(NamedTuple):
    train: list[DatePair]
    validation: list[DatePair]
    test: list[DatePair]


def write_date(date: datetime.date, form: str) -> str:
    """Write a date in one of FORMATS."""
    suffix = "th" if date.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(date.day % 10, "th")
    month, weekday = MONTHS[date.month - 1], WEEKDAYS[date.weekday()]
    return form.format(
        d=date.day, dd=f"{date.day:02}", th=f"{date.day}{suffix}", m=date.month, mm=f"{date.month:02}",
        month=month, mon=month[:3], year=date.year, weekday=weekday, wkd=weekday[:3],
    )  # fmt: skip


def date_pair(rng: np.random.Generator, day: int | None = None) -> DatePair:
    """Draw a written date and its ISO 8601 form, such as ("wed, 03  March 1999", "1999-03-03").

    day: which day, counted from 1 January 1900; drawn evenly from all DAYS when left out.
    """
    if day is None:
        day = int(rng.integers(DAYS))
    date = FIRST_DAY + datetime.timedelta(days=day)
    text = write_date(date, FORMATS[rng.integers(len(FORMATS))])
    style = rng.random()
    text = text.lower() if style < 0.3 else text.upper() if style < 0.4 else text
    if rng.random() < 0.2:  # a careless typist: some spaces doubled, some left out after a comma
        words = text.split(" ")
        gaps = rng.choice(["  ", " ", ""], size=len(words) - 1, p=[0.3, 0.5, 0.2])
        for position, gap in enumerate(gaps):
            # Only a comma keeps two words apart without a space.
            words[position] += gap if gap or words[position].endswith(",") else " "
        text = "".join(words)
    return text, date.isoformat()


def date_pairs(rng: np.random.Generator, count: int) -> list[DatePair]:
    """Draw `count` pairs; the same date may come again, in the same or in another form."""
    return [date_pair(rng) for _ in range(count)]


def split_date_pairs(rng: np.random.Generator, train: int, validation: int, test: int) -> DateParts:
    """Draw that many pairs for each part, no date in two parts.

    A tenth of all days is set aside for validation and a tenth for testing, at random, so that held-out pairs
    come from the same distribution as those trained on.
    """
    days = rng.permutation(DAYS)
    tenth = DAYS // 10
    pools = (days[2 * tenth :], days[tenth : 2 * tenth], days[:tenth])
    return DateParts(
        *(
            [date_pair(rng, int(day)) for day in rng.choice(pool, size=count)]
            for pool, count in zip(pools, (train, validation, test), strict=True)
        )
    )


def encode_source(texts: list[str], length: int | None = None) -> NDArray[np.int64]:
    """Return (len(texts), length) indices padded with PAD on the right; length: the longest text's, or given.

    Raises ValueError for a character that no written date contains, or a text longer than `length`.
    """
    index_of = {character: index for index, character in enumerate(CHARACTERS)}
    width = max(map(len, texts)) if length is None else length
    result = np.full((len(texts), width), PAD, dtype=np.int64)
    for row, text in enumerate(texts):
        unknown = sorted(set(text) - set(index_of))
        if unknown:
            raise ValueError(f"{text!r} contains {unknown[0]!r}, which no written date contains")
        if len(text) > width:
            raise ValueError(f"{text!r} has {len(text)} characters, more than {width}")
        result[row, : len(text)] = [index_of[character] for character in text]
    return result


def encode_pairs(pairs: list[DatePair], length: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return source (B, S) padded with PAD, and target (B, 12): START, ten characters, END.

    S is the longest text's length, or `length` (LONGEST is always enough).
    """
    target = np.full((len(pairs), TARGET_LENGTH), END, dtype=np.int64)
    target[:, 0] = START
    target[:, 1:-1] = encode_source([iso for _, iso in pairs], TARGET_LENGTH - 2)
    return encode_source([text for text, _ in pairs], length), target


def decode_date(indices: NDArray[np.int64]) -> str:
    """Return the characters of one row of indices up to its first END, without START and PAD."""
    characters = []
    for index in np.asarray(indices).tolist():
        if index == END:
            break
        if index not in (PAD, START):
            characters.append(CHARACTERS[index])
    return "".join(characters)
