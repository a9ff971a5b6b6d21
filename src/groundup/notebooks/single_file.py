"""A lesson as one script: its ``script.py`` with the source of all that it imports, which needs NumPy alone.

``script.py`` is a docstring, imports, constants and ``main(steps)``. What it imports of groundup is written out
between the imports and ``main``; data files go to the end, so that nobody has to scroll past them.
"""

import ast
from dataclasses import replace

from groundup.errors import UserError
from groundup.lesson import Lesson
from groundup.notebooks.build import data_files, data_text
from groundup.notebooks.source import collect
from groundup.notebooks.source_modules import Library

#: Stands for ``groundup.data.files`` in a script, which carries its data at the end.
DATA_MODULE = '''
import base64
import gzip

PACKAGE_DATA: dict[str, str] = {}  # filled at the end of this file


def package_data(name: str) -> bytes:
    """Return the unpacked bytes of a gzip-compressed data file that this script carries."""
    return gzip.decompress(base64.b64decode(PACKAGE_DATA[name]))
'''
START = """if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))"""


def single_file(lesson: Lesson, library: Library | None = None) -> str:
    """The text of the script.

    Raises UserError if the lesson has none, SourceError for code that cannot stand alone.
    """
    path = lesson.folder / "script.py"
    if not path.is_file():
        raise UserError(f"Lesson {lesson.name} has no model that a single file could train.")
    library = library or Library()
    library = replace(library, overrides={f"{library.package}.data.files": DATA_MODULE, **library.overrides})
    text = path.read_text(encoding="utf-8")
    body = ast.parse(text).body
    places = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = text.splitlines()
    imports = "\n".join(["import sys", *("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in places)])
    main = "\n".join(lines[places[-1].end_lineno :]).strip("\n")
    source, _ = collect(imports, library=library, where=str(path))
    data = [data_text(file, library, str(path)) for file in data_files(source, str(path))]
    return f"{_opening(lesson, text)}\n\n" + "\n\n\n".join([source, main, *data, START]) + "\n"


def _opening(lesson: Lesson, text: str) -> str:
    about = (ast.get_docstring(ast.parse(text)) or "").removeprefix("The lesson in one file: ")
    return (
        f'"""{lesson.title}: {about}\n\nBy hand in NumPy, which is all it needs: `python FILE`, or `python FILE STEPS`'
        f' for fewer or more steps.\nOne file made of lesson {lesson.name} of groundup, MIT licence.\n"""'
    )
