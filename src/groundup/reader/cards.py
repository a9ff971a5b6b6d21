"""What a site whose address is known tells those who pass its links on: each page's own address, and a picture."""

import base64
import html
import json
import shutil
from pathlib import Path

from groundup.files import write_whole

CARD = "card.png"


def write(out: Path, address: str, picture: Path) -> None:
    """Add to every page below ``out`` its canonical address and the picture that stands beside links to it.

    ``address`` is that of the site and ends with "/". A lesson's picture is its first figure, as its notebook has it;
    the others have ``picture``, if there is one.
    """
    if picture.is_file():
        shutil.copyfile(picture, out / CARD)
    for page in sorted(out.rglob("index.html")):
        place = page.parent.relative_to(out).as_posix()
        url = address if place == "." else f"{address}{place}/"
        if place.startswith("lessons/") and (figure := first_figure(out / "notebooks" / f"{page.parent.name}.ipynb")):
            (page.parent / CARD).write_bytes(figure)
            image = f"{url}{CARD}"
        else:
            image = f"{address}{CARD}" if picture.is_file() else ""
        text = page.read_text(encoding="utf-8").replace("</head>", f"{tags(url, image)}</head>", 1)
        if image:
            text = text.replace(
                'name="twitter:card" content="summary"', 'name="twitter:card" content="summary_large_image"'
            )
        write_whole(page, text)


def tags(url: str, image: str) -> str:
    """The elements for a page's head."""
    url, image = html.escape(url), html.escape(image)
    found = f'<link rel="canonical" href="{url}"/><meta property="og:url" content="{url}"/>'
    if image:
        found += f'<meta property="og:image" content="{image}"/><meta name="twitter:image" content="{image}"/>'
    return found


def first_figure(notebook: Path) -> bytes | None:
    """The first PNG among the outputs of a notebook."""
    if not notebook.is_file():
        return None
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if found := output.get("data", {}).get("image/png"):
                return base64.b64decode("".join(found))
    return None
