"""Random numbers: an independent stream for every purpose of a run."""

import numpy as np


def learner_rng(seed: int, *names: str) -> np.random.Generator:
    """An independent stream for every purpose of a run: the same seed and names, the same numbers."""
    words = [int.from_bytes(name.encode()[:8].ljust(8, b"\0"), "little") for name in names]
    tail = [len(name) for name in names]
    return np.random.default_rng([seed, *words, *tail])
