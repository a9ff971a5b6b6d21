"""Learn deep learning by building it: every lesson by hand in NumPy, and again in PyTorch."""


def __getattr__(name: str) -> str:
    """``__version__``, looked up when it is asked for: that takes a tenth of a second in which nobody hears Ctrl-C."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("groundup")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
