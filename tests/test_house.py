"""The house: which room may use which, and no circles."""

import ast
from pathlib import Path

import groundup

SRC = Path(groundup.__file__).parent
#: A room uses its own modules and what stands before it; the record and the primitives come first.
ORDER = ("errors", "files", "ops", "lesson", "plots", "diagrams", "data", "training", "notebooks", "proof")
LATER = ("lessons", "practice", "reader")
COMMANDS = {"cli", "show", "tables", "__main__"}
#: The commands of practice and reader may print through ``show``.
SPEAKING = {
    "practice.commands", "practice.desk", "practice.watch", "practice.render", "reader.commands", "reader.remake",
}  # fmt: skip
#: What a lesson's exercises know of practice: the record and its ready-made checks.
FOR_EXERCISES = ("practice.exercise", "practice.properties")


def modules():
    return {
        ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
        for path in SRC.rglob("*.py")
        if path.name != "lesson.py" or path.parent == SRC
    }


def imports(path):
    """The groundup modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "groundup":
            package = str(node.module).removeprefix("groundup").lstrip(".")
            for alias in node.names:
                inner = f"{package}.{alias.name}".lstrip(".")
                yield inner if inner in MODULES else package
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("groundup."):
                    yield alias.name.removeprefix("groundup.")


MODULES = modules()
USES = {name: {used for used in imports(path) if used} for name, path in MODULES.items()}


def room(module):
    return module.split(".")[0]


def test_at_most_ten_modules_at_the_top():
    assert len(list(SRC.glob("*.py"))) <= 10


def test_a_room_uses_only_what_stands_before_it():
    ranks = {name: rank for rank, name in enumerate((*ORDER, *LATER))}
    wrong = []
    for name, used in USES.items():
        here = room(name)
        if here in COMMANDS or not name:
            continue
        for other in used:
            there = room(other)
            if there in COMMANDS:
                if there != "show" or name not in SPEAKING:
                    wrong.append((name, other))
            elif ranks[there] > ranks[here]:
                if ".exercises." in name and other in FOR_EXERCISES:
                    continue
                wrong.append((name, other))
    assert not wrong


def test_no_circle_of_imports():
    done: set[str] = set()
    path: list[str] = []

    def walk(name):
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name in done:
            return
        path.append(name)
        for used in sorted(USES.get(name, ())):
            walk(used)
        path.pop()
        done.add(name)

    for name in MODULES:
        walk(name)
