"""The kinds of small mistakes that mutants have, each made at one node of the code."""

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Changed = Iterator[tuple[str, ast.AST | None]]
#: Names that are taken for each other, both ways.
MISTAKEN = [
    ("mean", "sum"), ("max", "min"), ("argmax", "argmin"), ("maximum", "minimum"), ("zeros", "ones"),
    ("zeros_like", "ones_like"), ("any", "all"), ("floor", "ceil"), ("tril", "triu"), ("sin", "cos"),
    ("cumsum", "cumprod"), ("exp", "exp2"), ("log", "log2"), ("vstack", "hstack"), ("append", "extend"),
    ("eval", "train"),
]  # fmt: skip
TWINS = {a: b for pair in MISTAKEN for a, b in (pair, pair[::-1])}
#: Functions of one argument that may be forgotten: f(x) → x.
UNARY = {
    "exp", "log", "sqrt", "tanh", "abs", "square", "sigmoid", "log2", "log1p", "expm1", "reversed", "sorted", "copy",
    "len", "set", "ceil", "floor", "conj", "flip", "detach", "contiguous", "cumsum", "unbroadcast", "fsum",
}  # fmt: skip
VIEWS = {"swapaxes", "transpose", "T", "mT", "reshape", "copy", "clone", "flip", "squeeze", "ravel", "astype"}
TWO_WAYS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mod,
    ast.Mod: ast.FloorDiv, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip
COMPARED = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
ORDERED = (ast.Sub, ast.Div, ast.MatMult, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.Add)

#: What mutants that keep state need, appended to their source.
HELPERS = {
    "_summed": """
_SUMS = {}


def _summed(value, place):
    if place in _SUMS and np.shape(_SUMS[place]) == np.shape(value):
        value = value + _SUMS[place]
    _SUMS[place] = value
    return value
""",
    "_reused": """
_BUFFERS = {}


def _reused(value, place):
    buffer = _BUFFERS.setdefault(place, value)
    if getattr(buffer, "shape", ()) == () or buffer.shape != value.shape or buffer.dtype != value.dtype:
        _BUFFERS[place] = buffer = value
    buffer[...] = value
    return buffer
""",
    "_spoiling": """
def _spoiling(value, *given):
    for array in given:
        if isinstance(array, np.ndarray) and array.dtype.kind == "f":
            array *= 2
    return value
""",
}


@dataclass(frozen=True)
class Options:
    """What kinds of mistakes make sense.

    checks   mutate argument checks too: where the task promises an exception
    floats   promote results to float64: where float32 in, float32 out is asked for
    arrays   keep results between calls and overwrite these arguments: where the function returns arrays and a backward
    names    the functions asked for; others are helpers
    """

    checks: bool = False
    floats: bool = False
    arrays: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def changes(node: Any, parent: ast.AST, scope: tuple[Any, ...], options: Options) -> Changed:
    """The mistakes that can be made at this node; None for a statement left out."""
    if isinstance(node, ast.stmt):
        yield from statement(node, scope, options)
    elif isinstance(node, ast.BinOp):
        yield from operation(node)
    elif isinstance(node, ast.UnaryOp):
        whole = isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, int)
        if isinstance(node.op, ast.USub) and whole and not any_length(parent):
            yield "off by one", ast.UnaryOp(ast.USub(), ast.Constant(node.operand.value + 1))  # type: ignore[attr-defined]
        if isinstance(node.op, ast.USub | ast.Not | ast.Invert):
            yield ("sign" if isinstance(node.op, ast.USub) else "condition"), node.operand
    elif isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            for other in COMPARED[type(op)]:
                yield "comparison", copy_with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])
    elif isinstance(node, ast.BoolOp):
        yield "condition", copy_with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for place in range(len(node.values)):
            kept = [value for index, value in enumerate(node.values) if index != place]
            yield "condition", kept[0] if len(kept) == 1 else copy_with(node, values=kept)
    elif isinstance(node, ast.IfExp):
        yield "condition", node.body
        yield "condition", node.orelse
    elif isinstance(node, ast.Call):
        yield from call(node)
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        if node.attr in TWINS and not (isinstance(parent, ast.Call) and parent.func is node):
            yield "mistaken", copy_with(node, attr=TWINS[node.attr])
        if node.attr in ("T", "mT"):
            yield "transpose", node.value
    elif isinstance(node, ast.Constant):
        yield from constant(node, parent)
    elif isinstance(node, ast.Slice):
        for name in ("lower", "upper"):
            if (bound := getattr(node, name)) is not None and not isinstance(bound, ast.Constant):
                yield "off by one", copy_with(node, **{name: plus_one(bound)})
            if bound is not None and not (name == "lower" and ast.unparse(bound) == "0"):
                yield "slice", copy_with(node, **{name: None})
        if node.step is not None:
            yield "slice", copy_with(node, step=None)
    elif isinstance(node, ast.Tuple) and isinstance(parent, ast.Subscript) and parent.slice is node:
        for place, item in enumerate(node.elts):
            others = [*node.elts[:place], *node.elts[place + 1 :]]
            if isinstance(item, ast.Constant) and item.value is None:
                yield "axis", copy_with(node, elts=others)
            if place and ast.dump(node.elts[place - 1]) != ast.dump(item):
                elts = [*others[: place - 1], item, *others[place - 1 :]]
                yield "swapped", copy_with(node, elts=elts)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "condition", copy_with(node, ifs=[])


def statement(node: Any, scope: tuple[Any, ...], options: Options) -> Changed:
    """Assignments, conditions, loops, what is returned."""
    if isinstance(node, ast.AugAssign):
        yield "= for +=", ast.Assign(targets=[node.target], value=node.value)
        if type(node.op) in TWO_WAYS and not isinstance(node.op, ast.Pow):
            yield "operator", copy_with(node, op=TWO_WAYS[type(node.op)]())
        yield "left out", None
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        yield "+= for =", ast.AugAssign(target=node.targets[0], op=ast.Add(), value=node.value)
        yield "left out", None
    elif isinstance(node, ast.Expr):
        yield "left out", None
    elif isinstance(node, ast.If):
        yield "condition", copy_with(node, test=ast.Constant(True))
        yield "condition", copy_with(node, test=ast.Constant(False))
    elif isinstance(node, ast.Continue | ast.Break):
        yield "left out", None
    elif isinstance(node, ast.Return) and node.value and scope and options.arrays and scope[0].name in options.names:
        yield from returned(node, scope, options)


def returned(node: ast.Return, scope: tuple[Any, ...], options: Options) -> Changed:
    """Results with another sign or dtype, kept between calls, or bought with the arguments."""
    value = node.value
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    inner = len(scope) > 1
    inside = {one.name for one in ast.walk(scope[0]) if isinstance(one, ast.FunctionDef)}
    for place, part in enumerate(parts):
        if part is None or (isinstance(part, ast.Name) and part.id in inside) or isinstance(part, ast.Lambda):
            continue

        def with_part(new: ast.expr, place: int = place) -> ast.AST:
            if not isinstance(value, ast.Tuple):
                return ast.Return(new)
            return ast.Return(copy_with(value, elts=[*value.elts[:place], new, *value.elts[place + 1 :]]))

        if inner:
            yield "sign", with_part(ast.UnaryOp(ast.USub(), part))
        if options.floats:
            yield "float64", with_part(ast.BinOp(expression("np.float64(1)"), ast.Mult(), part))
        helper = "_summed" if inner else "_reused"
        yield "state", with_part(helped(helper, part, ast.Constant(f"{scope[-1].name} {place}")))
        if place == 0:
            own = [argument.arg for argument in scope[-1].args.args] if inner else []
            for names in filter(None, (own, options.arrays)):
                yield "argument", with_part(helped("_spoiling", part, *(ast.Name(name, ast.Load()) for name in names)))


def operation(node: ast.BinOp) -> Changed:
    """Operands swapped or dropped, another operator, ε moved."""
    kind = type(node.op)
    if kind in TWO_WAYS:
        yield "operator", copy_with(node, op=TWO_WAYS[kind]())
    if isinstance(node.op, ORDERED):
        yield "swapped", copy_with(node, left=node.right, right=node.left)
    yield "dropped", node.left
    if kind in (ast.Add, ast.Mult, ast.MatMult, ast.BitAnd, ast.BitOr):
        yield "dropped", node.right
    if kind is ast.Sub:
        yield "dropped", ast.UnaryOp(ast.USub(), node.right)
    if kind is ast.MatMult:
        for side in ("left", "right"):
            operand = getattr(node, side)
            if isinstance(operand, ast.Name):
                yield "transpose", copy_with(node, **{side: ast.Attribute(operand, "T", ast.Load())})
    if kind is ast.Pow and isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Add):
        yield "ε moved", ast.BinOp(copy_with(node, left=node.left.left), ast.Add(), node.left.right)
    if kind is ast.Add and name_of(node.left) in ("sqrt", "maximum") and isinstance(node.left, ast.Call):
        inner = copy_with(node, left=node.left.args[0])
        yield "ε moved", copy_with(node.left, args=[inner, *node.left.args[1:]])


def call(node: ast.Call) -> Changed:
    """Another function, arguments swapped or left out, another axis, a transpose or an outer function dropped."""
    name = name_of(node)
    if name in TWINS:
        other = copy_with(node.func, **{"id" if isinstance(node.func, ast.Name) else "attr": TWINS[name]})
        yield "mistaken", copy_with(node, func=other)
    if len(node.args) >= 2 and name not in ("isinstance", "getattr", "zip"):
        for place in range(len(node.args) - 1):
            if ast.dump(node.args[place]) != ast.dump(node.args[place + 1]):
                args = list(node.args)
                args[place : place + 2] = args[place + 1], args[place]
                yield "swapped", copy_with(node, args=args)
    if name == "range":
        for place, bound in enumerate(node.args[:2]):
            if not isinstance(bound, ast.Constant):
                args = [*node.args[:place], plus_one(bound), *node.args[place + 1 :]]
                yield "off by one", copy_with(node, args=args)
                yield "off by one", copy_with(node, args=[*args[:place], plus_one(bound, ast.Sub), *args[place + 1 :]])
    for place, keyword in enumerate(node.keywords):
        others = [one for one in node.keywords if one is not keyword]
        if keyword.arg != "strict":
            yield ("axis" if keyword.arg == "axis" else "left out"), copy_with(node, keywords=others)
        if keyword.arg == "axis":
            for axis in other_axes(keyword.value):
                changed = [*node.keywords[:place], ast.keyword("axis", axis), *node.keywords[place + 1 :]]
                yield "axis", copy_with(node, keywords=changed)
    method = isinstance(node.func, ast.Attribute)
    if method and name in ("sum", "mean", "max", "min", "argmax", "cumsum") and len(node.args) == 1:
        for axis in other_axes(node.args[0]):
            yield "axis", copy_with(node, args=[axis])
    if len(node.args) == 1 and name in UNARY:
        yield "dropped", node.args[0]
    if isinstance(node.func, ast.Attribute) and name in VIEWS and not owner_is_module(node.func):
        yield ("transpose" if name in ("swapaxes", "transpose") else "dropped"), node.func.value


def other_axes(axis: ast.expr) -> Iterator[ast.expr]:
    """The first or the last in place of this one, or a neighbour."""
    number = ast.unparse(axis)
    if number in ("0", "-1", "1", "-2"):
        yield expression({"0": "-1", "-1": "0", "1": "0", "-2": "-1"}[number])
    if number in ("-1", "1", "0"):
        yield expression({"-1": "-2", "1": "-1", "0": "1"}[number])
    elif not isinstance(axis, ast.UnaryOp | ast.Constant):
        yield expression("-1")


def constant(node: ast.Constant, parent: ast.AST) -> Changed:
    """Numbers that are off by one or a factor, and the other truth value."""
    value = node.value
    counted = isinstance(parent, ast.UnaryOp) and isinstance(value, int)  # -1 as a whole is changed
    if counted or (isinstance(parent, ast.keyword) and parent.arg in ("axis", "strict")):
        return
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int):
        yield "off by one", ast.Constant(value + 1)
        if value > 0:
            yield "off by one", ast.Constant(value - 1)
    elif isinstance(value, float):
        yield "constant", ast.Constant(2 * value if value else 1.0)
        if 0 < value < 1e-2:
            yield "ε removed", ast.Constant(0.0)


def any_length(node: ast.AST) -> bool:
    """Whether -1 stands for whatever is left: any negative number does."""
    return name_of(node) in ("reshape", "view") or isinstance(node, ast.Tuple)


def copy_with(node: Any, **fields: Any) -> Any:
    """The node with some fields replaced; the original stays as it is."""
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def plus_one(node: ast.expr, op: type[ast.operator] = ast.Add) -> ast.expr:
    """One more, or less."""
    return ast.BinOp(node, op(), ast.Constant(1))


def helped(name: str, *arguments: ast.expr) -> ast.expr:
    """A call of one of the helpers."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def expression(text: str) -> ast.expr:
    """Code from text."""
    return deepcopy(ast.parse(text, mode="eval").body)


def name_of(node: ast.AST) -> str:
    """The last name of what is called."""
    function = node.func if isinstance(node, ast.Call) else node
    return getattr(function, "attr", getattr(function, "id", ""))


def owner_is_module(node: ast.Attribute) -> bool:
    """Whether a function of a module is called, not a method: np.transpose(x)."""
    return isinstance(node.value, ast.Name) and node.value.id in ("np", "torch", "functional", "F", "math")
