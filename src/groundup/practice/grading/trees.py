"""Arguments and values of exercises as trees: dicts, tuples (named ones too) and lists, all else being leaves."""

from collections.abc import Callable, Mapping
from typing import Any


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """A tree of the same form with ``change`` of every leaf, in their order."""
    if isinstance(value, Mapping):
        return {key: mapped(change, item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        items = [mapped(change, item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return change(value)
