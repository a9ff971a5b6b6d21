import itertools
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from groundup.errors import UserError
from groundup.plots import (
    COLOURS,
    DASHES,
    FRAMES,
    MARKERS,
    SHADES,
    band,
    curves,
    describe,
    figure,
    frames,
    heatmap,
    printable,
    readable,
    save,
)


@pytest.fixture(autouse=True)
def headless():
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


def lightness(colour) -> float:
    """CIE L* of a colour: how light it is in grey, on an even scale from 0 to 100."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return float(116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance)


def draw() -> plt.Figure:
    x = np.arange(5)
    fig, axes = figure(8, 6, rows=2, columns=2)
    curves(axes[0, 0], x, {"train": x**2 + 1, "held out": x + 2}, "step", "loss", "Loss", log="y")
    spread = {"LSTM": (x, x - 1, x + 1), "GRU": (x + 1, x, x + 2)}
    band(axes[0, 1], x, spread, "step", "accuracy", "Seeds")
    labels = list("a$ "), ["the", "cat", "漢字 x"]
    heatmap(axes[1, 0], np.eye(3), *labels, "Weights", values=".1f", bar="weight")
    axes[1, 1].bar(x, x)
    describe(axes[1, 1], "x", "count", "Bars")
    return fig


def test_every_pair_of_colours_stays_apart_in_grey() -> None:
    assert len(COLOURS) <= 7
    for first, second in itertools.combinations(COLOURS, 2):
        assert abs(lightness(first) - lightness(second)) > 10
    assert all(lightness(colour) < 80 for colour in COLOURS)  # visible on white
    assert len(set(map(str, DASHES))) == len(set(MARKERS)) == len(COLOURS)


def test_shades_of_the_heat_map_are_even_steps_of_lightness() -> None:
    shades = LinearSegmentedColormap.from_list("test", SHADES)
    steps = np.diff([lightness(shades(share)[:3]) for share in np.linspace(0, 1, 11)])
    assert (steps < 0).all()
    assert steps.min() / steps.max() < 1.3


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    save(draw(), tmp_path / "all.png")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", ["all.png", "all.svg"])
def test_the_same_figure_is_the_same_bytes_without_a_date(tmp_path: Path, name: str) -> None:
    contents = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        save(draw(), tmp_path / folder / name)
        contents.append((tmp_path / folder / name).read_bytes())
    assert contents[0] == contents[1]
    assert not re.search(rb"20\d\d-\d\d-\d\d|tEXtSoftware", contents[0])


def test_a_png_has_144_dots_an_inch(tmp_path: Path) -> None:
    fig, _ = figure(5, 3)
    save(fig, tmp_path / "plain.png")
    header = (tmp_path / "plain.png").read_bytes()[16:24]
    assert np.frombuffer(header, dtype=">u4").tolist() == [720, 432]


def test_save_closes_the_figure_even_if_it_fails(tmp_path: Path) -> None:
    for _ in range(30):  # matplotlib warns, and here fails, above 20 open figures
        fig, _ = figure()
        save(fig, tmp_path / "again.png")
    fig, _ = figure()
    with pytest.raises(ValueError, match=r"\.png or \.svg"):
        save(fig, tmp_path / "figure.jpg")
    fig, _ = figure()
    with pytest.raises(UserError, match="Cannot write"):
        save(fig, tmp_path / "again.png" / "figure.png")
    assert plt.get_fignums() == []


def test_no_text_is_smaller_than_nine_points(tmp_path: Path) -> None:
    fig = draw()
    fig.canvas.draw()
    texts = [text for text in fig.findobj(mpl.text.Text) if text.get_text()]
    assert len(texts) > 30
    assert min(float(text.get_fontsize()) for text in texts) >= 9


def test_curves_differ_in_colour_dashes_and_marker() -> None:
    _, axes = figure()
    curves(axes, [1, 2, 3], {str(i): [i, i, i] for i in range(6)}, "x", "y")
    lines = axes.get_lines()
    assert len({line.get_color() for line in lines}) == 6
    assert len({line.get_marker() for line in lines}) == 6
    assert axes.get_legend() is not None
    _, axes = figure()
    curves(axes, range(100), {"only": range(100)}, "x", "y")
    assert axes.get_legend() is None
    assert axes.get_lines()[0].get_marker() == "None"


def test_curves_sets_scales_and_labels() -> None:
    _, axes = figure()
    curves(axes, [1, 10], {"a": [1, 10]}, "step", "loss", "Title", log="xy")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("step", "loss", "Title")


def test_heatmap_puts_numbers_where_they_belong() -> None:
    _, axes = figure()
    image = heatmap(axes, [[0.0, 0.25], [0.5, 1.0]], values=".2f", low=0, high=1)
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "0.00", (1, 0): "0.25", (0, 1): "0.50", (1, 1): "1.00"}
    assert image.get_clim() == (0, 1)
    for text, share in zip(axes.texts, (0.0, 0.25, 0.5, 1.0), strict=True):
        assert abs(lightness(text.get_color()) - lightness(image.cmap(share)[:3])) > 35


def test_labels_can_be_any_text() -> None:
    assert [printable(label) for label in (" ", "\n", "\t", "a b", "$x$", "漢", "\0")] == [
        *("␣", "↵", "⇥", "a b", r"\$x\$", "□", "□")
    ]


def test_signed_numbers_are_orange_below_zero_and_blue_above() -> None:
    _, axes = figure()
    image = heatmap(axes, [[-1.0, 0.0, 1.0]], values=".0f", low=-1, high=1)
    below, zero, above = (image.cmap((value + 1) / 2)[:3] for value in (-0.6, 0.0, 0.6))
    assert below[0] > below[2] + 0.2
    assert above[2] > above[0] + 0.2
    assert zero == (1, 1, 1)
    assert abs(lightness(below) - lightness(above)) < 12
    for text, value in zip(axes.texts, (-1.0, 0.0, 1.0), strict=True):
        assert abs(lightness(text.get_color()) - lightness(image.cmap((value + 1) / 2)[:3])) > 35
    one_way = heatmap(axes, [[-1.0, 1.0]], low=-1, high=2)
    assert one_way.cmap(0.5)[:3] == pytest.approx(LinearSegmentedColormap.from_list("test", SHADES)(0.5)[:3], abs=0.01)


def test_an_svg_says_the_values_that_it_shows(tmp_path: Path) -> None:
    fig, (left, right) = figure(8, 3, columns=2)
    curves(left, [1, 10], {'the "best" < <rest>': [0.5, 2]}, "step", "loss", log="x")
    heatmap(right, [[0.123456, 1.0]], ["a"], ["b", "c"])
    save(fig, tmp_path / "figure.svg")
    ids = [node.get("id", "") for node in ElementTree.parse(tmp_path / "figure.svg").iter()]
    told = {
        one.split(" ", 1)[0]: json.loads(one.split(" ", 1)[1]) for one in ids if one.startswith(("curve ", "heat "))
    }
    assert told["curve"] == {
        "name": 'the "best" < <rest>', "x": "step", "log": True, "numbers": [[1, 10], [0.5, 2]],
    }  # fmt: skip
    assert told["heat"] == {"shape": [1, 2], "rows": ["a"], "columns": ["b", "c"], "numbers": [[0.123, 1.0]]}
    assert readable("curve", {}, [np.nan]) is None
    assert readable("heat", {}, np.zeros(5000)) is None


def test_frames_are_a_few_side_by_side_and_all_for_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw_one(axes: Axes, height: float) -> None:
        curves(axes, [0, 1], {"a": [0, height]}, "x", "y")

    fig = frames("height", [0.5, 1.0, 2.0, 1e-9], draw_one, start=2)
    assert [axes.get_title(loc="left") for axes in fig.axes] == ["height = 0.5", "height = 2", "height = 1e-09"]
    assert plt.get_fignums() == [fig.number]
    assert vars(fig)["_repr_mimebundle_"]() == {}
    monkeypatch.setenv("GROUNDUP_FRAMES", "1")
    found = vars(fig)["_repr_mimebundle_"]()[FRAMES]
    assert (found["label"], found["values"], found["start"]) == ("height", ["0.5", "1", "2", "1e-09"], 2)
    assert len({*found["svg"]}) == 4
    assert found == vars(fig)["frames"]()
    assert plt.get_fignums() == [fig.number]
