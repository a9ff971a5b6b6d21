"""The lesson's pictures, from what the experiment measured."""

from matplotlib.figure import Figure

from groundup.lesson import Result
from groundup.plots import curves, figure


def draw(result: Result) -> dict[str, Figure]:
    """Learning curves of all networks, and the gradient against the lag."""
    return {"learning": learning(result), "reach": reach(result)}


def learning(result: Result) -> Figure:
    """The squared error on held-out sequences against the step."""
    fig, axes = figure(6.8, 3.6)
    first = next(iter(result.curves.values()))
    errors = {name: curve["held out"] for name, curve in result.curves.items() if not name.startswith("bias")}
    curves(axes, first["step"], errors, "step", "squared error", "Learning to add two numbers")
    axes.axhline(1 / 6, color="#8b939e", linewidth=1, linestyle=":")
    axes.set_yscale("log")
    return fig


def reach(result: Result) -> Figure:
    """How much of the gradient is left so many steps back."""
    fig, axes = figure(6.8, 3.6)
    shares = {name: result.arrays["reach"][name] for name in ("LSTM", "untrained", "tanh", "ReLU, identity")}
    curves(
        axes, range(len(shares["LSTM"])), shares, "steps back", "share of the gradient", "What is left of a gradient"
    )
    axes.set_yscale("log")
    return fig
