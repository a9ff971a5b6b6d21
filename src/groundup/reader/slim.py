"""Figures as light as a page wants them."""

import base64
import functools
import io
import re

import numpy as np
from PIL import Image

#: What matplotlib says to every element; said once, all of them inherit it.
STYLE = '<defs><style type="text/css">*{stroke-linejoin: round; stroke-linecap: butt}</style></defs>'


@functools.lru_cache(256)
def slim(svg: str) -> str:
    """Matplotlib's SVG for a page: without comments, metadata, line ends and the names of groups, which nothing refers
    to, with places to a tenth of a pixel and pictures with a palette."""

    def short(found: re.Match[str]) -> str:
        return re.sub(r" ?([MLQCz]) ?", r"\1", re.sub(r"(\.\d)\d+", r"\1", found[0]))

    svg = re.sub(r"^.*?(?=<svg)|\s*<!--.*?-->|\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s+", " ", re.sub(r">\s+<", "><", svg))
    svg = svg.replace(STYLE, "", 1).replace(' version="1.1">', ' stroke-linejoin="round">', 1)
    svg = re.sub(r'<g id="(?!heat|curve)[^"]*"', "<g", svg)  # those that tell values stay
    svg = re.sub(r"(?<=data:image/png;base64,)[^\"]+", lambda found: _with_palette(found[0]), svg)
    return re.sub(r'(?<= )(?:d|x|y)="[^"]*"|translate\([^)]*\)', short, svg)


def _with_palette(encoded: str) -> str:
    """A PNG in base64 with a palette, if it has few colours, as heat maps have; not a pixel changes."""
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"))
    palette, places = np.unique(pixels.reshape(-1, 4), axis=0, return_inverse=True)
    if len(palette) > 256:
        return encoded
    picture = Image.fromarray(places.reshape(pixels.shape[:2]).astype(np.uint8))
    picture.putpalette(palette[:, :3].tobytes())
    whole = io.BytesIO()
    picture.save(whole, "PNG", optimize=True, transparency=palette[:, 3].tobytes())
    return min(encoded, base64.b64encode(whole.getvalue()).decode(), key=len)
