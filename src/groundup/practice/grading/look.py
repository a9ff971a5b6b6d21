"""A first look at the text of an answer, before it runs: what can be said with a line number."""

import ast
import sys
import warnings

from groundup.practice.exercise import Exercise
from groundup.practice.grading.verdict import Verdict
from groundup.practice.starter import starter

LONGEST = 200_000  # characters


def as_text(exercise: Exercise, source: str | bytes) -> str | Verdict:
    """The answer's text, or a verdict that it is none."""
    try:
        text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Verdict(exercise.name, "error", f"Line {line} is not UTF-8 text: save the file as UTF-8.")
    if len(text) > LONGEST:
        return Verdict(exercise.name, "error", f"An answer has at most {LONGEST} characters, not {len(text)}.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def look(exercise: Exercise, source: str) -> Verdict | None:
    """A verdict where none of the code has to run: no Python, nothing written yet, a forbidden import or call."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(source)
            compile(source, "<answer>", "exec", dont_inherit=True)  # sees what the grammar does not: `return` outside
        plain = bare(tree)
    except SyntaxError as error:
        lines = source.splitlines()
        number = error.lineno or 1
        shown = ((number, lines[number - 1].strip()[:200]),) if 0 < number <= len(lines) else ()
        return Verdict(exercise.name, "error", f"Not Python yet, line {number}: {error.msg}.", lines=shown)
    except (ValueError, RecursionError, MemoryError) as error:
        words = str(error) or "it is nested too deeply"
        return Verdict(exercise.name, "error", f"Not Python: {words}.")
    if not tree.body or plain == bare(ast.parse(starter(exercise))):
        return Verdict(exercise.name, "unwritten", f"{title(exercise)} not written yet.")
    return forbidden(exercise, tree, source)


def title(exercise: Exercise) -> str:
    """ "`relu` is", "`encode` and `decode` are"."""
    names = [f"`{function.__qualname__}`" for function in exercise.functions]
    part = "The backward of " if exercise.keep == "forward" else ""
    return part + " and ".join(names) + (" are" if len(names) > 1 and not part else " is")


def bare(tree: ast.AST) -> str:
    """The code less docstrings, comments and layout."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def forbidden(exercise: Exercise, tree: ast.AST, source: str) -> Verdict | None:
    """Imports and calls that the exercise does not allow."""
    packages = {"numpy", "torch"} if exercise.track == "torch" else {"numpy"}
    own = "NumPy and PyTorch" if exercise.track == "torch" else "NumPy"
    known = imported(tree)
    last = {dotted.rpartition(".")[2]: dotted for dotted in exercise.forbids}
    for node in ast.walk(tree):
        message = ""
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or "."]
            if isinstance(node, ast.ImportFrom) and node.level:
                modules = ["groundup"]
            for module in modules:
                root = module.partition(".")[0]
                if root not in packages | sys.stdlib_module_names or root in ("ctypes", "subprocess"):
                    message = f"Not allowed here: import {module}. Python's own library and {own} are enough."
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.name in last and f"{node.module}.{alias.name}" == last[alias.name]:
                        message = f"Not allowed here: {last[alias.name]}. Write it yourself."
        elif isinstance(node, ast.Attribute) and node.attr in last and isinstance(node.ctx, ast.Load):
            owner: ast.expr = node.value
            while isinstance(owner, ast.Attribute):
                owner = owner.value
            if isinstance(owner, ast.Name) and owner.id in known:  # others are the learner's own
                message = f"Not allowed here: {last[node.attr]}. Write it yourself."
        if message and isinstance(node, ast.stmt | ast.expr):
            line = source.splitlines()[node.lineno - 1].strip()[:200]
            return Verdict(exercise.name, "refused", message, lines=((node.lineno, line),))
    return None


def imported(tree: ast.AST) -> set[str]:
    """Names that stand for modules, or for things in them."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name.partition(".")[0] for node in nodes for alias in node.names}
