"""Learn deep learning by building it: every lesson by hand in NumPy, and again in PyTorch."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("groundup")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0"
