"""Random numbers: an independent stream for every purpose of a run."""

import hashlib
import json

import numpy as np


def random_stream(seed: int, *names: str) -> np.random.Generator:
    """A Generator for one purpose of a run: the same seed and names give the same numbers, any others other numbers."""
    digest = hashlib.sha256(json.dumps(names).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, "<u4").tolist()])
