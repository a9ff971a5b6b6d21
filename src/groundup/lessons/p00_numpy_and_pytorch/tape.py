"""Reverse-mode automatic differentiation: the closures of these lessons, kept on a tape as they are made."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from groundup.lessons.p00_numpy_and_pytorch.model import add, divide, multiply, power, subtract, take, total, transpose
from groundup.ops.linear import matmul
from groundup.ops.types import Array, Backward


class Record(NamedTuple):
    """One line of a tape: what was computed, from what, and how a gradient goes back."""

    name: str
    inputs: tuple["Variable", ...]
    outputs: tuple["Variable", ...]
    backward: Backward


class Tape:
    """A list of records in the order of computation. Nothing is global: two tapes know nothing of each other."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def variable(self, value: Any, name: str = "") -> "Variable":
        """A value to start from: data, a parameter or a constant."""
        return Variable(self, np.asarray(value), name)

    def apply(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call any ``value, backward = function(...)`` and write it down.

        The Variables among the arguments must be all those that ``backward`` has gradients for.
        Returns a Variable, or a tuple of them if the value is a tuple.
        """
        inputs = tuple(argument for argument in arguments if isinstance(argument, Variable))
        if any(variable.tape is not self for variable in inputs):
            raise ValueError(f"{function.__name__}: a variable belongs to another tape")
        plain = [argument.value if isinstance(argument, Variable) else argument for argument in arguments]
        value, backward = function(*plain, **options)
        parts = value if isinstance(value, tuple) else (value,)
        outputs = tuple(self.variable(part, function.__name__) for part in parts)
        self.records.append(Record(function.__name__, inputs, outputs, backward))
        return outputs if isinstance(value, tuple) else outputs[0]

    def gradients(self, output: "Variable", upstream: Array | None = None) -> dict["Variable", Array]:
        """The gradient of ``output`` for every variable that it depends on.

        ``upstream`` weights the elements of ``output``; without it, raises ValueError unless there is only one.
        """
        if upstream is None and output.value.size != 1:
            raise ValueError(f"a gradient starts from one number, not from an array of shape {output.value.shape}")
        found = {output: np.ones_like(output.value) if upstream is None else upstream}
        # In reverse, whoever used a value comes before whoever made it: its gradient is complete when it is needed.
        for record in reversed(self.records):
            if found.keys().isdisjoint(record.outputs):
                continue  # the output does not depend on it
            # The chain rule is here: the record's own closure turns gradients of outputs into gradients of inputs.
            pulled = record.backward(*[found.get(part, np.zeros_like(part.value)) for part in record.outputs])
            pulled = pulled if isinstance(pulled, tuple) else (pulled,)
            if len(pulled) != len(record.inputs):
                raise ValueError(f"{record.name}: {len(pulled)} gradients for {len(record.inputs)} variables")
            for variable, gradient in zip(record.inputs, pulled, strict=True):  # used twice: gradients add up
                found[variable] = found[variable] + gradient if variable in found else gradient
        return found


def binary(function: Callable[..., Any], swapped: bool = False) -> Any:
    """An operator of two operands; one that is no variable joins the tape as a constant."""

    def operator(self: "Variable", other: Any) -> "Variable":
        if not isinstance(other, Variable):
            other = self.tape.variable(np.asarray(other, self.value.dtype), "constant")
        return self.tape.apply(function, *((other, self) if swapped else (self, other)))

    return operator


def unary(function: Callable[..., Any]) -> Any:
    """A method of one variable; its other arguments are options."""
    return lambda self, *options, **named: self.tape.apply(function, self, *options, **named)


class Variable:
    """A value on a tape, whose operators write themselves down. ``name`` is for pictures."""

    __array_ufunc__ = None  # leaves `array + variable` to the variable

    def __init__(self, tape: Tape, value: Array, name: str) -> None:
        self.tape, self.value, self.name = tape, value, name

    __add__ = __radd__ = binary(add)
    __sub__, __rsub__ = binary(subtract), binary(subtract, swapped=True)
    __mul__ = __rmul__ = binary(multiply)
    __truediv__, __rtruediv__ = binary(divide), binary(divide, swapped=True)
    __matmul__, __rmatmul__ = binary(matmul), binary(matmul, swapped=True)
    __pow__, __getitem__, sum, T = unary(power), unary(take), unary(total), property(unary(transpose))
