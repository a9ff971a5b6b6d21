"""The one place where the package's own data files are read.

A notebook runs where groundup is not importable. Everything else in groundup.data is plain source that can be
copied into its cells; only this function needs the package, so a builder replaces this one.
"""

import gzip
from importlib import resources


def package_data(name: str) -> bytes:
    """Return the unpacked bytes of a gzip-compressed data file of this package, such as `digits.gz`."""
    return gzip.decompress(resources.files("groundup.data").joinpath(name).read_bytes())
