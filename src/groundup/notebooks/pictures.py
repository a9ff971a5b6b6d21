"""Diagrams in notebooks: the text that places one carries it, at its end, as a data URI that JupyterLab shows."""

import base64
import re
from collections.abc import Mapping

from groundup.diagrams import standalone

PLACED = re.compile(r"!\[([^\]]*)\]\(diagram:([\w-]*)\)")
CARRIED = re.compile(r"!\[([^\]]*)\]\[diagram:([\w-]+)\]")
CARRIER = re.compile(r"\n+\[diagram:[\w-]+\]: data:image/svg\+xml;base64,[A-Za-z0-9+/=]+")


def placed(text: str) -> list[tuple[str, str]]:
    """Name and alternative text of each diagram that a text places."""
    return [(name, " ".join(alt.split())) for alt, name in PLACED.findall(text)]


def carrying(text: str, drawings: Mapping[str, str]) -> str:
    """The text with the diagrams that it places below it. Raises ValueError for one without name or words."""
    for name, alt in placed(text):
        if name not in drawings:
            raise ValueError(f"there is no diagram {name!r}; diagrams.py has {', '.join(sorted(drawings)) or 'none'}")
        if not alt:
            raise ValueError(f"the diagram {name!r} has no words for those who do not see it: ![words](diagram:{name})")
    found = dict.fromkeys(name for name, _ in placed(text))
    if not found:
        return text
    lines = [
        f"[diagram:{name}]: data:image/svg+xml;base64,{base64.b64encode(standalone(drawings[name]).encode()).decode()}"
        for name in found
    ]
    return "\n\n".join([PLACED.sub(r"![\1][diagram:\2]", text), *lines])


def without_carried(text: str) -> str:
    """The lesson's own text behind one that carries its diagrams."""
    return CARRIED.sub(r"![\1](diagram:\2)", CARRIER.sub("", text))
