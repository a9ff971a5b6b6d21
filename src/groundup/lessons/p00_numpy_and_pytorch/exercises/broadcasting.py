"""Exercises of the primer: the gradient of what broadcasting copies."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from groundup.lessons.p00_numpy_and_pytorch.model import add, multiply
from groundup.ops.broadcast import unbroadcast
from groundup.practice.exercise import Exercise, Right, Wrong


def unbroadcast_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((2,), (1,)),
        ((2, 2), (2,)),
        ((2, 3), (3,)),
        ((2, 3), (2, 1)),
        ((2, 3), (1, 3)),
        ((1, 3), (3,)),
        ((3, 3), (3, 1)),
        ((2, 3), (1, 1)),
        ((2, 3), (1,)),
        ((2, 3), ()),
        ((2, 3), (2, 3)),
        ((2, 3, 4), (3, 1)),
        ((2, 3, 4), (2, 1, 4)),
        ((4, 2, 3), (1, 3)),
        ((3, 1, 2), (1, 2)),
        ((2, 3, 2, 3), (3, 1, 3)),
    ]
    for large, small in pairs:
        yield {"gradient": rng.normal(size=large), "shape": small}


UNBROADCAST = Exercise(
    title="The gradient of broadcasting",
    functions=(unbroadcast,),
    task=r"""
An array $x$ of the given `shape` was broadcast to a larger shape by NumPy's rules: axes were added at the front, and
axes of length 1 were stretched. `gradient` is $\partial L/\partial y$ for the result $y$. Return
$\partial L/\partial x$, an array of shape `shape`:

$$\frac{\partial L}{\partial x_i} = \sum_{j\,:\; y_j \text{ is a copy of } x_i} \frac{\partial L}{\partial y_j}$$

Where nothing was broadcast, `gradient` itself may come back. No loops over elements; a loop over axes is fine.""",
    hints=(
        "Every copy of an element contributes to its gradient. Which axes of `gradient` run over copies?",
        r"Shapes are aligned at the back. With $a$ the number of added axes: the axes $0 \dots a-1$ are new, and axis "
        r"$a + k$ was stretched where `shape[k]` is 1. The chain rule says to sum over all of them.",
        "`added = gradient.ndim - len(shape)`; "
        "`axes = (*range(added), *(added + k for k, n in enumerate(shape) if n == 1))`; "
        "then `gradient.sum(axis=axes).reshape(shape)`.",
    ),
    why=r"""Broadcasting copies, and a copy is a linear map: $y_j = x_{i(j)}$. Its transpose adds up what belongs to the
same $i$. `reshape` at the end brings back the axes of length 1 that the sum has removed. Where nothing was broadcast
the sum is over no axes, and the gradient stays as it is (an axis of length 1 that stayed of length 1 is summed too,
which changes nothing). Common mistakes: to sum over the added axes alone, and to take a mean, as if the copies shared
the gradient between them.""",
    difficulty=2,
    minutes=12,
    cases=unbroadcast_cases,
    speed=lambda rng: {"gradient": rng.normal(size=(100, 100, 50)), "shape": (100, 1)},
    equivalent={
        "unbroadcast: if gradient.shape == shape: … → if False: …": (
            "Equal shapes have no axis to sum over: a sum over no axes is the array."
        ),
    },
    wrong=(
        Wrong(
            "added axes only",
            """
            import numpy as np

            def unbroadcast(gradient, shape):
                return gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
            """,
            "that sums over the axes that were added, but not over those that were stretched",
        ),
        Wrong(
            "stretched axes only",
            """
            import numpy as np

            def unbroadcast(gradient, shape):
                added = gradient.ndim - len(shape)
                return gradient.sum(axis=tuple(added + k for k, n in enumerate(shape) if n == 1), keepdims=True)
            """,
            "that sums over the axes that were stretched, but not over those that were added",
        ),
        Wrong(
            "axes of length 1 lost",
            {".reshape(shape)": ""},
            "that loses the axes of length 1: the shape must be the one that is asked for",
        ),
        Wrong("mean", {"gradient.sum(": "gradient.mean("}, "that takes the mean over the copies: it is their sum"),
        Wrong(
            "first copy",
            """
            import numpy as np

            def unbroadcast(gradient, shape):
                added = gradient.ndim - len(shape)
                index = (0,) * added + tuple(slice(0, n) for n in shape)
                return gradient[index]
            """,
            "that takes the gradient of the first copy only",
        ),
        Wrong(
            "aligned at the front",
            """
            import numpy as np

            def unbroadcast(gradient, shape):
                for k, n in enumerate(shape):
                    if n == 1:
                        gradient = gradient.sum(axis=k, keepdims=True)
                while gradient.ndim > len(shape):
                    gradient = gradient.sum(axis=0)
                return gradient
            """,
            "that looks for stretched axes before it has summed the added ones: shapes are aligned at the back",
        ),
        Wrong(
            "as many axes as are missing",
            """
            import numpy as np

            def unbroadcast(gradient, shape):
                while gradient.ndim > len(shape):
                    gradient = gradient.sum(axis=-1)
                return gradient
            """,
            "that sums over the last axes: axes are added at the front",
        ),
        Wrong(
            "reshape alone",
            """
            import numpy as np

            def unbroadcast(gradient, shape):
                return np.resize(gradient, shape)
            """,
            "that only changes the shape, and drops what does not fit",
        ),
    ),
    right=(
        Right(
            "axis by axis",
            """
            import numpy as np

            def unbroadcast(g, shape):
                while g.ndim > len(shape):
                    g = g.sum(0)
                for axis in range(g.ndim):
                    if shape[axis] != g.shape[axis]:
                        g = g.sum(axis, keepdims=True)
                return g
            """,
        ),
        Right(
            "counting where copies came from",
            """
            import math

            import numpy as np

            def unbroadcast(gradient, shape):
                places = np.arange(math.prod(shape)).reshape(shape)
                source = np.broadcast_to(places, gradient.shape).ravel()
                sums = np.bincount(source, weights=gradient.ravel(), minlength=places.size)
                return sums.astype(gradient.dtype).reshape(shape)
            """,
        ),
    ),
)


def use_operation(
    add: Callable[..., Any], multiply: Callable[..., Any], operation: str, a: np.ndarray, b: np.ndarray
) -> Any:
    return {"add": add, "multiply": multiply}[operation](a, b)


def add_multiply_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((1,), (1,)),
        ((2,), (2,)),
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((2,), (3, 2)),
        ((2, 1), (3,)),
        ((3, 1), (1, 3)),
        ((2, 3), ()),
        ((2, 1, 3), (4, 1)),
        ((3, 2), (2, 3, 2)),
    ]
    for left, right in pairs:
        for operation in ("add", "multiply"):
            a, b = np.asarray(rng.normal(size=left)), np.asarray(rng.normal(size=right))
            yield {"operation": operation, "a": a, "b": b}


ADD_MULTIPLY = Exercise(
    name="add_multiply",
    title="Sum and product with broadcasting, and their backward",
    functions=(add, multiply),
    use=use_operation,
    given=(unbroadcast,),
    gives=("a", "b"),
    task=r"""
Write two functions, `add(a, b)` for $y = a + b$ and `multiply(a, b)` for $y = a \odot b$, element by element. The
shapes of $a$ and $b$ may differ as far as NumPy can broadcast them. Each function returns `(y, backward)`;
`backward(dy)` returns `(da, db)`, where `da` has the shape of `a` and `db` that of `b`. `unbroadcast(gradient, shape)`
is given: it sums a gradient over the copies that broadcasting made of an array of that shape. No loops.""",
    hints=(
        "First the derivative of one element, as if all shapes were equal; then the sum over the copies.",
        r"$\partial(a+b)/\partial a = \partial(a+b)/\partial b = 1$; $\partial(ab)/\partial a = b$ and "
        r"$\partial(ab)/\partial b = a$. By the chain rule each is multiplied by the upstream gradient.",
        "`add`: `unbroadcast(dy, a.shape), unbroadcast(dy, b.shape)`; "
        "`multiply`: `unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)`.",
    ),
    why=r"""A sum passes the gradient on to both sides; a product gives each side the gradient times the other side's
value. `dy` has the shape of the result, so what is computed from it has too, and if $a$ was copied to get there, the
gradients of the copies add up. The product with $b$ must come before the sum: different copies of an element of $a$
met different elements of $b$. To leave the sum out shows at once as a wrong shape; to sum first shows in the numbers
only.""",
    difficulty=1,
    minutes=8,
    cases=add_multiply_cases,
    speed=lambda rng: {"operation": "multiply", "a": rng.normal(size=(500, 200)), "b": rng.normal(size=200)},
    wrong=(
        Wrong(
            "not summed",
            {"return unbroadcast(dy, a.shape), unbroadcast(dy, b.shape)": "return dy, dy"},
            "whose `add` passes dy on to both sides as it is: what was copied must be summed",
        ),
        Wrong(
            "product not summed",
            {"return unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)": "return dy * b, dy * a"},
            "whose `multiply` does not sum over what was copied",
        ),
        Wrong(
            "factors exchanged",
            {
                "return unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)": "return "
                "unbroadcast(dy * a, a.shape), unbroadcast(dy * b, b.shape)"
            },
            "whose `multiply` gives each side its own value, not the other's",
        ),
        Wrong(
            "gradients exchanged",
            {
                "return unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)": "return "
                "unbroadcast(dy * a, b.shape), unbroadcast(dy * b, a.shape)"
            },
            "whose `multiply` returns (db, da)",
        ),
        Wrong(
            "summed before the product",
            {
                "unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)": "unbroadcast(unbroadcast(dy, a.shape) * "
                "unbroadcast(b + 0 * dy, a.shape), a.shape), unbroadcast(dy * a, b.shape)"
            },
            "whose `multiply` sums the upstream gradient and the other factor over the copies and multiplies then: "
            "the product comes first",
        ),
        Wrong(
            "the sum as a product",
            {
                "return unbroadcast(dy, a.shape), unbroadcast(dy, b.shape)": "return "
                "unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)"
            },
            "whose `add` has the backward of a product",
        ),
        Wrong(
            "no upstream",
            {
                "unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)": "unbroadcast(0 * dy + b, a.shape), "
                "unbroadcast(0 * dy + a, b.shape)"
            },
            "whose `multiply` leaves the upstream gradient out",
        ),
    ),
    right=(
        Right(
            "one class for both, its own sum",
            """
            import numpy as np

            class Binary:
                def __init__(self, a, b, slopes):
                    self.shapes, self.slopes = (a.shape, b.shape), slopes

                def __call__(self, dy):
                    return [self.fold(dy * slope, shape) for slope, shape in zip(self.slopes, self.shapes)]

                @staticmethod
                def fold(g, shape):
                    wide = (1,) * (g.ndim - len(shape)) + tuple(shape)
                    axes = tuple(k for k in range(g.ndim) if wide[k] < g.shape[k])
                    return np.sum(g, axis=axes, keepdims=True).reshape(shape)

            add = lambda a, b: (np.add(a, b), Binary(a, b, (1, 1)))
            multiply = lambda a, b: (np.multiply(a, b), Binary(a, b, (b, a)))
            """,
        ),
    ),
)
