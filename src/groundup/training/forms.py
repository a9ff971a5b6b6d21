"""The fast forms of building blocks in place of the readable ones, while a lesson's experiment runs."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from groundup.ops import fast


@contextmanager
def fast_forms() -> Iterator[None]:
    """Inside the block every module of groundup that has imported a function with a fast form calls the fast one.

    A name is looked up when it is called, so it does not matter whether a learner was built before or inside.
    """
    rebind(fast.FAST)
    try:
        yield
    finally:
        rebind({quick: readable for readable, quick in fast.FAST.items()})


def rebind(forms: Mapping[Callable[..., Any], Callable[..., Any]]) -> None:
    """Give every name of a loaded module of groundup that stands for a key its value instead."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "groundup" and module is not fast:
            for key, value in list(vars(module).items()):
                if isinstance(value, FunctionType) and value in forms:
                    setattr(module, key, forms[value])
