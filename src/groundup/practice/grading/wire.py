"""What passes between the grader and a learner's process: trees of arrays and plain values, as bytes.

Neither side trusts the bytes of the other with more than data: nothing is pickled, and only the learner's side
builds functions from text. This file stands alone (standard library and NumPy), for it runs on both sides.
"""

import inspect
import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

KINDS = "biufc"  # arrays that travel: booleans, integers, floats, complex numbers
DTYPE = re.compile(r"[<|=][biufc](1|2|4|8|16)")


class Code:
    """A function among the arguments of an exercise: an expression, and the arrays or numbers that it uses by name.

    ``Code("lambda x: float((weights * x).sum())", weights=w)``; ``np`` and ``math`` are known. Both sides build it.
    """

    def __init__(self, source: str, **names: Any) -> None:
        self.source, self.names = source, names

    def build(self) -> Any:
        """The function itself."""
        return eval(self.source, {"np": np, "math": math, **self.names})

    def __repr__(self) -> str:
        return self.source


class Function:
    """A function that stayed in the learner's process, by its number there."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return "a function"


class Other:
    """A value that does not travel, in words: "an array of objects"."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return self.words


def pack(value: Any, keep: Callable[[Any], int] | None = None) -> bytes:
    """A tree of plain values, tuples, lists, dicts and arrays as bytes. ``keep`` stores a function and numbers it.

    Raises RecursionError for what contains itself.
    """
    blocks: list[bytes] = []

    def array(value: np.ndarray) -> list[Any]:
        plain = np.ascontiguousarray(value)
        if plain.dtype.byteorder == ">":
            plain = plain.astype(plain.dtype.newbyteorder("<"))
        blocks.append(plain.tobytes())
        layout = layout_of(value)
        return [plain.dtype.str, list(np.shape(value)), *([layout] if layout else [])]

    def walk(value: Any) -> Any:
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, dict):
            return {"dict": [[walk(key), walk(item)] for key, item in dict.items(value)]}
        if isinstance(value, list):
            return {"list": [walk(item) for item in list.__iter__(value)]}
        if isinstance(value, tuple):
            return {"tuple": [walk(item) for item in tuple.__iter__(value)]}
        if isinstance(value, np.ndarray | np.generic):
            if value.dtype.kind not in KINDS or value.dtype.itemsize > 16:
                return {"other": f"an array of dtype {value.dtype}"}
            if isinstance(value, np.ndarray) and kind is not np.ndarray:
                return {"other": f"a {kind.__name__}, which is not a plain array"}
            return {"array" if kind is np.ndarray else "scalar": array(np.asarray(value))}
        if kind is bytes:
            return {"bytes": value.hex()}
        if kind is Code:
            return {"code": [value.source, walk(value.names)]}
        if isinstance(value, np.random.Generator):
            return {"generator": plain_state(value.bit_generator.state)}
        if callable(value) and not isinstance(value, type) and keep is not None:
            return {"function": keep(value)}
        return {"other": f"a {kind.__name__}"}

    tree = json.dumps(walk(value)).encode()
    return b"".join([len(tree).to_bytes(8, "big"), tree, *blocks])


def unpack(data: bytes, trusted: bool = False) -> Any:
    """The value again; arrays are fresh and writable. Functions and Generators are made only from ``trusted`` bytes.

    Raises ValueError for bytes that are no such value.
    """
    start = 8 + int.from_bytes(data[:8], "big")

    def array(dtype: str, shape: list[int], layout: str = "") -> np.ndarray:
        nonlocal start
        if not DTYPE.fullmatch(dtype) or any(type(size) is not int or size < 0 for size in shape):
            raise ValueError("no such array")
        end = start + math.prod(shape) * np.dtype(dtype).itemsize
        block, start = data[start:end], end
        plain = np.frombuffer(block, dtype).reshape(shape).copy()
        return laid_out(plain, layout) if trusted else plain

    def build(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        ((kind, inner),) = node.items()
        if kind in ("list", "tuple"):
            items = [build(item) for item in inner]
            return items if kind == "list" else tuple(items)
        if kind == "dict":
            return {build(key): build(item) for key, item in inner}
        if kind in ("array", "scalar"):
            found = array(*inner)
            return found if kind == "array" else found[()]
        if kind == "bytes":
            return bytes.fromhex(inner)
        if kind == "function":
            return Function(int(inner))
        if kind == "code" and trusted:
            return Code(inner[0], **build(inner[1])).build()
        if kind == "generator" and trusted:
            return generator_of(inner)
        return Other(str(inner)[:200] if kind == "other" else f"a {kind}")

    try:
        return build(json.loads(data[8:start]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(f"not a value: {error}") from None


def layout_of(value: np.ndarray) -> str:
    """How an array lies in memory: "" for row after row, else "Fortran", "reversed" or "strided"."""
    if value.flags.c_contiguous:
        return ""
    if value.flags.f_contiguous:
        return "Fortran"
    return "reversed" if min(value.strides) < 0 else "strided"


def laid_out(value: np.ndarray, layout: str) -> np.ndarray:
    """A fresh array of the same numbers, otherwise in memory."""
    if layout == "Fortran":
        return np.array(value, order="F")
    if layout == "reversed" and value.ndim:
        backwards = (slice(None, None, -1),) * value.ndim
        return np.array(value[backwards], order="C")[backwards]
    if layout == "strided" and value.ndim:
        wide = np.zeros((*value.shape, 2), value.dtype)
        wide[..., 0] = value
        return wide[..., 0]
    return value


def plain_state(state: Any) -> Any:
    """A bit generator's state with arrays as lists, for JSON."""
    if isinstance(state, dict):
        return {key: plain_state(item) for key, item in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def generator_of(state: dict[str, Any]) -> np.random.Generator:
    """A new Generator that will draw what the one with this state would have drawn."""
    bits = getattr(np.random, state["bit_generator"])()
    bits.state = state
    return np.random.Generator(bits)


def text_of(function: Callable[..., Any]) -> str:
    """The source of a function of ours that is to run beside the learner's."""
    return inspect.cleandoc("\n" + inspect.getsource(function))
