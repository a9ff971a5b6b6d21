"""What becomes of the memory that arrays give back."""

import ctypes
import sys
from collections.abc import Callable

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # as in malloc.h
BLOCK = 1 << 25  # bytes: from here on blocks still go back at once; glibc accepts no more
KEPT = 1 << 28  # bytes that may lie unused at the end of the heap


def keep_freed_memory() -> bool:
    """Keep what arrays give back for the arrays of the next step, from here to the end of the process.

    glibc returns large blocks to the system, and the next step pays for the same pages again: a fifth of the time
    that `tiny_decoder` trains. PyTorch's arrays come from the same heap and gain too. The peak stays as it is.
    Returns False, having changed nothing, where the C library has no such setting (macOS, Windows, musl).
    """
    mallopt = of_the_c_library("mallopt")
    return mallopt is not None and bool(mallopt(M_MMAP_THRESHOLD, BLOCK) and mallopt(M_TRIM_THRESHOLD, KEPT))


def give_back_freed_memory() -> None:
    """Give to the system what is free on the heap, where the C library can: a peak then counts from what is in use."""
    trim = of_the_c_library("malloc_trim")
    if trim is not None:
        trim(0)


def of_the_c_library(name: str) -> Callable[..., int] | None:
    """A function of glibc; None on other systems, and where the C library has none of this name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
