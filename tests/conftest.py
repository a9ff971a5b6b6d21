"""Shared by all tests: no window ever opens, and every figure is closed."""

import matplotlib
import pytest

pytest_plugins = ["reader_site"]

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
