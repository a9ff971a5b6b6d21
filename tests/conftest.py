"""Shared by all tests: no window ever opens, and every figure is closed."""

import matplotlib
import pytest

pytest_plugins = ["reader_site"]

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch, tmp_path):
    """No test touches the progress of whoever runs it."""
    monkeypatch.setenv("GROUNDUP_DATA", str(tmp_path / "progress"))


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
