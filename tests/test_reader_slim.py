"""Figures on a page are lighter than matplotlib's, and look the same."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from groundup.plots import figure, heatmap
from groundup.reader.slim import slim

PICTURE = re.compile(r"data:image/png;base64,([^\"]+)")


def drawn(matrix: np.ndarray) -> str:
    fig, axes = figure(3, 3)
    heatmap(axes, matrix, low=0, high=1)
    whole = io.StringIO()
    fig.savefig(whole, format="svg")
    plt.close(fig)
    return whole.getvalue()


def pixels(svg: str) -> np.ndarray:
    (encoded,) = PICTURE.findall(svg)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"))


def test_a_picture_with_few_colours_gets_a_palette_and_keeps_every_pixel() -> None:
    matrix = np.random.default_rng(0).integers(0, 40, size=(28, 28)) / 39
    matrix[3, 4] = np.nan  # transparent
    svg = drawn(matrix)
    light = slim(svg)
    assert np.array_equal(pixels(light), pixels(svg))
    assert len(PICTURE.findall(light)[0]) < 0.8 * len(PICTURE.findall(svg)[0])
    assert len(light) < len(svg)
    assert ("linejoin: round" in svg, light.count("linejoin")) == (True, 1)
    assert not re.search(r' d="[^"]*\.\d\d', light)


def test_a_picture_with_many_colours_stays_as_it_is() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, size=(40, 40, 3), dtype=np.uint8))
    whole = io.BytesIO()
    noise.save(whole, "PNG")
    encoded = base64.b64encode(whole.getvalue()).decode()
    assert PICTURE.findall(slim(f'<svg><image href="data:image/png;base64,{encoded}"/></svg>')) == [encoded]
