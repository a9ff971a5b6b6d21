"""Gradient cases of every building block: each module here exports its own ``CASES``."""

import importlib
import pkgutil

from groundup.ops.types import Case

CASES: list[Case] = [
    case
    for module in pkgutil.iter_modules(__path__, prefix=f"{__name__}.")
    for case in importlib.import_module(module.name).CASES
]
