"""The questions that interviewers ask, taken out of a lesson's text: the page shows them as cards that hide the answer.

Two ways to write them are known. A list under the words **Asked in interviews**::

    - *Why is the mask applied before the softmax?* Zeroing weights after it leaves rows that do not sum to 1.

and a paragraph that begins with them, with the answers in brackets::

    **Asked in interviews**: Do more heads mean more parameters? (No: each is narrower.) What do they cost?
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OPENING = re.compile(r"\*\*(?:Asked in interviews|In interviews|Interviewers ask)\*\*[:.]?\s*")
ITEM = re.compile(r"\n(?=- )")
ASKED = re.compile(r"\*([^*]+\?)\*\s*")
#: Formulas and code, in which a question mark or a full stop ends nothing.
APART = re.compile(r"\$[^$]*\$|`[^`]*`")
END = re.compile(r"(?<=[?.])(?=\s|$)")


@dataclass(frozen=True)
class Question:
    """Both are Markdown; the answer is "" where the text gives none."""

    question: str
    answer: str


def take_out(markdown: str) -> tuple[str, list[Question]]:
    """The text without its interview questions, and these."""
    kept: list[str] = []
    found: list[Question] = []
    blocks = markdown.split("\n\n")
    while blocks:
        block = blocks.pop(0)
        opening = OPENING.match(block)
        if not opening:
            kept.append(block)
        elif rest := block[opening.end() :]:
            found += in_paragraph(rest)
        elif blocks and blocks[0].startswith("- "):
            others = []
            for item in ITEM.split(blocks.pop(0)):
                questions = list(in_item(item))
                found += questions
                others += [] if questions else [item]
            kept += ["\n".join(others)] if others else []
        else:
            kept.append(block)
    return "\n\n".join(kept), found


def in_item(item: str) -> Iterator[Question]:
    """The questions of one item of a list: what stands in italics and ends in a question mark."""
    _, *parts = ASKED.split(plain(item.removeprefix("- ")))
    for question, answer in zip(parts[::2], parts[1::2], strict=True):
        yield Question(question, answer.strip())


def in_paragraph(text: str) -> Iterator[Question]:
    """The sentences of a paragraph, each with the bracket that follows it as its answer."""
    spared: list[str] = []

    def spare(match: re.Match[str]) -> str:
        spared.append(match[0])
        return f"\0{len(spared) - 1}\0"

    def whole(piece: str) -> str:
        return re.sub("\0(\\d+)\0", lambda match: spared[int(match[1])], piece).strip()

    rest = APART.sub(spare, plain(text))
    while rest := rest.lstrip():
        end = END.search(rest)
        sentence, rest = (rest[: end.end()], rest[end.end() :].lstrip()) if end else (rest, "")
        answer = ""
        if rest.startswith("("):
            close = closing(rest)
            answer, rest = rest[1:close], rest[close + 1 :]
        question = whole(sentence)
        yield Question(question[:1].upper() + question[1:], whole(answer))


def closing(text: str) -> int:
    """Where the bracket that the text begins with closes."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place
    return len(text)


def plain(text: str) -> str:
    """On one line."""
    return " ".join(text.split())
