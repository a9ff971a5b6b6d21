"""Which cells must run before a cell can: read off their source, without running any.

This file is also loaded by the browser's Python, as it is: the standard library only, no import of groundup.
"""

# ruff: noqa: N815 (ast.NodeVisitor calls methods by the names of nodes)
import ast
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef, *COMPREHENSIONS)
#: What makes a statement do more than define something.
DOING = (ast.Call, ast.ClassDef, ast.AugAssign, ast.Delete)
#: Functions that show what they are given by their names, and the names that pictures go by.
SHOWING = re.compile(r"print|display|show|draw|plot|tick|picture|figure|^assert")
DRAWING = re.compile(r"(axes|axis|ax|panel|fig|figure|plt)(_?\w{0,2}|_\w+)$")
#: What a cell that cannot be parsed means to bind: so cells that need it run it, and its SyntaxError is seen.
BINDING_LINES = re.compile(r"^(?:(?:async +)?def +|class +)?(\w+) *[(:=]", re.MULTILINE)


@dataclass
class Made:
    """What went into a name's value: names read while it was made, and those its functions read when called."""

    uses: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)


@dataclass
class Cell:
    """What a cell does to names."""

    uses: set[str] = field(default_factory=set)  # read, in functions' bodies too, and not bound by the cell before
    binds: set[str] = field(default_factory=set)  # bound for certain, whatever they were before
    alters: set[str] = field(default_factory=set)  # changed by `x[0] =`, `x.y =`, `x +=`, `del x`, or bound in an `if`
    calls: set[str] = field(default_factory=set)  # perhaps changed: `x.append(1)` or `update(x)` as a statement
    made: dict[str, Made] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)  # functions, and what is matplotlib's: no call changes them
    still: bool = True  # only imports, functions and values without calls: a second run makes no difference


@functools.lru_cache(maxsize=512)
def read_cell(source: str) -> Cell:
    """What a cell does to names. One that cannot be parsed uses none."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Cell(binds={name for name in BINDING_LINES.findall(source) if name.isidentifier()})
    reader = _Reader()
    for statement in tree.body:
        reader.statement(statement)
    return reader.done()


class _Reader(ast.NodeVisitor):
    """Walks the statements of a cell in the order in which they run."""

    def __init__(self) -> None:
        self.cell = Cell()
        self.bound: set[str] = set()  # for certain, so far
        self.late: set[str] = set()  # read by functions' bodies
        # Of the statement at the top level: what went into it, the cell's own names among that, names changed.
        self.now, self.own, self.touched = Made(), set[str](), set[str]()

    def statement(self, node: ast.stmt) -> None:
        self.now, self.own, self.touched = Made(), set(), set()
        self.visit(node)
        made = self.cell.made
        for name in self.own & made.keys():  # they were made from other names
            self.now.uses |= made[name].uses
            self.now.late |= made[name].late
        for name in self.touched:
            made.setdefault(name, Made())
            made[name].uses |= self.now.uses
            made[name].late |= self.now.late
        if not isinstance(node, FUNCTIONS) and any(isinstance(inner, DOING) for inner in ast.walk(node)):
            self.cell.still = False

    def done(self) -> Cell:
        self.cell.uses |= self.late - self.bound
        self.cell.binds = self.bound
        self.cell.alters -= self.bound
        self.cell.calls -= self.bound
        return self.cell

    def use(self, names: set[str]) -> None:
        self.own |= names & self.bound
        self.now.uses |= names - self.bound
        self.cell.uses |= names - self.bound

    def use_later(self, names: set[str]) -> None:
        self.now.late |= names
        self.late |= names

    def bind(self, name: str) -> None:
        self.touched.add(name)
        self.bound.add(name)
        self.cell.alters.add(name)  # done() takes away what is bound for certain

    def change(self, name: str, kind: set[str]) -> None:
        self.touched.add(name)
        self.use({name})
        kind.add(name)

    def visit_all(self, *nodes: ast.AST | Sequence[ast.AST] | None) -> None:
        for node in nodes:
            if isinstance(node, ast.AST):
                self.visit(node)
            elif node:
                self.visit_all(*node)

    def visit_either(self, *branches: Sequence[ast.AST]) -> None:
        """One of the branches runs: bound for certain is what each of them binds."""
        before, after = self.bound, []
        for branch in branches:
            self.bound = set(before)
            self.visit_all(branch)
            after.append(self.bound)
        self.bound = set.intersection(*after)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.use({node.id})
        elif isinstance(node.ctx, ast.Store):
            self.bind(node.id)
        else:
            self.change(node.id, self.cell.alters)

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load) and (name := root(node)):
            self.change(name, self.cell.alters)
        self.generic_visit(node)

    visit_Subscript = visit_Attribute

    def visit_Expr(self, node: ast.Expr) -> None:
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call):
            if isinstance(call.func, ast.Attribute) and (name := root(call.func)):
                self.change(name, self.cell.calls)
            for name in given(call):
                self.change(name, self.cell.calls)
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit_all(node.value, node.targets)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit_all(node.annotation, node.value, node.target if node.value else None)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit_all(node.value, node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.change(node.target.id, self.cell.alters)
        else:
            self.visit(node.target)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef) -> None:
        self.visit_all(outside(node))
        self.use_later(free(node))
        if not isinstance(node, ast.Lambda):
            self.bind(node.name)
            if not isinstance(node, ast.ClassDef):
                self.cell.fixed.add(node.name)

    visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = visit_FunctionDef

    def visit_ListComp(self, node: ast.expr) -> None:
        self.visit_all(outside(node))
        names = free(node)
        self.use(names)
        if any(isinstance(inner, ast.Lambda) for inner in ast.walk(node)):
            self.use_later(names)
        for name in walrus(node):
            self.bind(name)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit_all(node.iter, node.target, node.body, node.orelse)  # a body is taken to run at least once

    visit_AsyncFor = visit_For

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.visit_either(node.body, node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self.visit_either([node.body], [node.orelse])

    def visit_Try(self, node: ast.Try) -> None:
        self.visit_either([*node.body, *node.orelse], *([handler] for handler in node.handlers))
        self.visit_all(node.finalbody)

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self.visit_either([*node.body, *node.orelse], *([handler] for handler in node.handlers))
        self.visit_all(node.finalbody)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.visit_all(node.type)
        for name in binders(node):
            self.bind(name)
        self.visit_all(node.body)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self.visit_either(*([case] for case in node.cases), [])

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            module = node.module if isinstance(node, ast.ImportFrom) else alias.name
            for name in binders(alias):
                self.bind(name)
                if (module or "").partition(".")[0] == "matplotlib":
                    self.cell.fixed.add(name)

    visit_ImportFrom = visit_Import

    def generic_visit(self, node: ast.AST) -> None:
        super().generic_visit(node)
        for name in binders(node):
            self.bind(name)


def root(node: ast.expr) -> str:
    """The name that `name.attribute[index]…` begins with, or nothing."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def given(call: ast.Call) -> list[str]:
    """The names that a call whose result is thrown away may change, as `optimiser.update(params, …)` does.

    What prints or draws changes nothing that it is given: `print(x)`, `axes.plot(x)`, `heatmap(axes, x)`.
    """
    names = [one.id for one in call.args if isinstance(one, ast.Name)]
    function = call.func.attr if isinstance(call.func, ast.Attribute) else root(call.func)
    if SHOWING.search(function) or any(DRAWING.match(name) for name in (root(call.func), *names)):
        return []
    return names


def binders(node: ast.AST) -> list[str]:
    """The names that this very node binds, where it says them as text."""
    if isinstance(node, ast.alias):
        return [node.asname or node.name.partition(".")[0]]
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        return [node.name]
    return [node.rest] if isinstance(node, ast.MatchMapping) and node.rest else []


def walrus(node: ast.AST) -> list[str]:
    """The names that `:=` binds around a comprehension."""
    return [inner.target.id for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr)]


def outside(node: ast.AST) -> list[ast.AST]:
    """What is evaluated around a scope: decorators, defaults, annotations, bases; a comprehension's first iterable."""
    if isinstance(node, COMPREHENSIONS):
        return [node.generators[0].iter]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        arguments = [inner.annotation for inner in ast.walk(node.args) if isinstance(inner, ast.arg)]
        found = [*getattr(node, "decorator_list", []), *node.args.defaults, *node.args.kw_defaults, *arguments]
        return [part for part in (*found, getattr(node, "returns", None)) if part is not None]
    return []


def free(scope: ast.AST) -> set[str]:
    """The names that a function, class or comprehension reads from around it."""
    reads: set[str] = set()
    inner: set[str] = set()
    binds: set[str] = set()
    declared: set[str] = set()

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            (reads if isinstance(node.ctx, ast.Load) else binds).add(node.id)
        elif isinstance(node, ast.Global):
            declared.update(node.names)
        elif isinstance(node, SCOPES):
            for part in outside(node):
                walk(part)
            inner.update(free(node))
            binds.update(walrus(node) if isinstance(node, COMPREHENSIONS) else [getattr(node, "name", "")])
        else:
            binds.update(binders(node))
            for child in ast.iter_child_nodes(node):
                walk(child)

    if isinstance(scope, (*FUNCTIONS, ast.Lambda)):
        binds.update(inside.arg for inside in ast.walk(scope.args) if isinstance(inside, ast.arg))
    parts = getattr(scope, "body", None) or list(ast.iter_child_nodes(scope))
    for part in parts if isinstance(parts, list) else [parts]:
        walk(part)
    if isinstance(scope, ast.ClassDef):
        return (reads - binds) | inner  # a class's names are not seen in its methods
    return ((reads | inner) - (binds - declared)) | declared


def makers(cells: Sequence[Cell], name: str, place: int) -> list[int]:
    """The cells before ``place`` that make the name's value: the last that binds it, and those that change it then."""
    found: list[int] = []
    for index in reversed(range(place)):
        cell = cells[index]
        if name in cell.binds:
            if name in cell.fixed:
                found = [later for later in found if name in cells[later].alters]
            return [index, *found]
        if name in cell.alters or name in cell.calls:
            found.insert(0, index)
    return found if any(name in cells[index].alters for index in found) else []


def inputs(cells: Sequence[Cell], place: int) -> dict[str, list[int]]:
    """For each name that a cell reads, or a function that it may call, the cells that make its value."""
    found: dict[str, list[int]] = {}
    own = cells[place].binds - cells[place].uses
    seen: set[tuple[str, int]] = set()
    todo = [(name, place) for name in cells[place].uses]
    while todo:
        name, where = todo.pop()
        if (name, where) in seen:
            continue
        seen.add((name, where))
        chain = makers(cells, name, where)
        if where == place and chain:
            found[name] = chain
        for index in chain:
            made = cells[index].made.get(name, Made())
            # A function looks its names up when it is called, so perhaps only here.
            todo += [(later, place) for later in made.late - own]
            todo += [(used, index) for used in made.uses]
    return found


def needs(cells: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """For each cell all cells that it depends on, in order. ``cells`` are (id, source)."""
    read = [read_cell(source) for _, source in cells]
    found: list[set[int]] = []
    for place in range(len(read)):
        direct = {index for chain in inputs(read, place).values() for index in chain}
        found.append(direct.union(*(found[index] for index in direct)))
    return {name: [cells[index][0] for index in sorted(found[place])] for place, (name, _) in enumerate(cells)}


@dataclass
class _Run:
    """A cell that has run: from what, and a number that changes when what it made may have changed."""

    source: str
    inputs: dict[str, int]  # the cells it depended on, with their numbers then
    number: int = 0


class Planner:
    """What has run in a session, and so what must run before a cell gives what the whole notebook would give."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing has run."""
        self._runs: dict[str, _Run] = {}
        self._holders: dict[str, str] = {}  # for each name the cell that bound or altered it last
        self._planned: dict[str, tuple[Cell, _Run]] = {}  # of the last plan, what has not yet run
        self._number = 0

    def plan(self, cells: Sequence[tuple[str, str]], target: str) -> list[str]:
        """The cells to run, in order: what ``target`` depends on and must run (again), then ``target``.

        Raises ValueError if there is no such cell.
        """
        self._give_up()
        ids = [name for name, _ in cells]
        read = [read_cell(source) for _, source in cells]
        into = [inputs(read, place) for place in range(ids.index(target) + 1)]
        direct = [sorted({index for chain in names.values() for index in chain}) for names in into]

        def fresh(place: int) -> bool:
            """Whether what the cell made is there, and will still be what it is after this plan."""
            run = self._runs.get(ids[place])
            return (
                run is not None
                and run.source == cells[place][1]
                and (place not in chosen or read[place].still)
                and run.inputs.keys() == {ids[index] for index in direct[place]}
                and all(
                    known[index] and self._runs[ids[index]].number == run.inputs[ids[index]] for index in direct[place]
                )
            )

        def overwritten(name: str, chain: list[int], place: int) -> bool:
            """Whether another cell has bound the name since."""
            writers = [index for index in chain if name in read[index].binds | read[index].alters]
            now = [
                ids[index]
                for index in sorted(chosen)
                if index < place and name in read[index].binds | read[index].alters
            ]
            return bool(writers) and (now[-1] if now else self._holders.get(name)) != ids[writers[-1]]

        chosen, size = {ids.index(target)}, 0
        while size < len(chosen):
            size, known = len(chosen), list[bool]()
            for place in range(len(into)):
                known.append(fresh(place))
            for place in sorted(chosen):
                chosen |= {index for index in direct[place] if not known[index]}
                for name, chain in into[place].items():
                    if overwritten(name, chain, place):
                        chosen |= set(chain)
        for place in sorted(chosen):
            run = _Run(cells[place][1], dict.fromkeys((ids[index] for index in direct[place]), 0))
            self._planned[ids[place]] = (read[place], run)
        return list(self._planned)

    def ran(self, cell_id: str) -> None:
        """The cell, as last planned, has now run without error."""
        cell, run = self._planned.pop(cell_id)
        before = self._runs.get(cell_id)
        run.inputs = {name: self._runs[name].number for name in run.inputs}
        if before and cell.still and (before.source, before.inputs) == (run.source, run.inputs):
            run.number = before.number
        else:
            self._number += 1
            run.number = self._number
        self._runs[cell_id] = run
        self._holders |= dict.fromkeys(cell.binds | cell.alters, cell_id)

    def _give_up(self) -> None:
        """Of what was planned and has not run, the first cell may have failed halfway."""
        for name, (cell, _) in list(self._planned.items())[:1]:
            self._runs.pop(name, None)
            self._holders |= dict.fromkeys(cell.binds | cell.alters, name)
        self._planned.clear()
