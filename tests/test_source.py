"""Collecting stand-alone source, on small packages written for the purpose."""

import importlib
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundup.notebooks.source import collect
from groundup.notebooks.source_modules import Library, SourceError

Package = Callable[..., Library]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Writes the modules of a package ``toy``: ``package(ops="...", sub___more="...")``."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(**modules: str) -> Library:
        for name, text in {"init": "", **modules}.items():
            path = tmp_path.joinpath("toy", *name.replace("init", "__init__").split("___")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        return Library("toy")

    return make


def run_source(source: str) -> dict[str, Any]:
    """Run collected source; functions and classes in it must not come from the package."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(source, space)
    return space


def test_brings_helpers_constants_and_comments_in_the_order_of_the_file(package: Package) -> None:
    library = package(
        ops='''
        """Docstring of the module."""
        import math

        #: A number.
        SCALE = 2.0  # twice
        UNUSED = 1


        def double(x):
            """Twice x."""
            # why: it is shown
            return _times(x, SCALE)


        # Stands directly above.
        def _times(x, y):
            return math.prod([x, y])
        '''
    )
    source, names = collect("from toy.ops import double", library=library)
    assert source == textwrap.dedent(
        '''\
        import math

        #: A number.
        SCALE = 2.0  # twice


        def double(x):
            """Twice x."""
            # why: it is shown
            return _times(x, SCALE)


        # Stands directly above.
        def _times(x, y):
            return math.prod([x, y])'''
    )
    assert names == {
        "math": "math",
        "SCALE": "toy.ops:SCALE",
        "double": "toy.ops:double",
        "_times": "toy.ops:_times",
    }
    assert run_source(source)["double"](3) == 6


def test_what_runs_at_definition_comes_first_even_in_a_cycle(package: Package) -> None:
    library = package(
        ops="""
        from dataclasses import dataclass, field
        from typing import Any

        Pair = tuple[float, float]

        def size() -> int:
            return len(TABLE) + other(0)

        def make(count: int) -> list[int]:
            return [number + OFFSET for number in range(count)]

        OFFSET = 1
        TABLE = make(3)
        TABLE += [size.__name__]

        class Base:
            pass

        def mark(cls: type) -> Any:
            cls.marked = True
            return cls

        @mark
        @dataclass(frozen=True)
        class Thing(Base):
            pair: Pair = (0.0, 0.0)
            sizes: list = field(default_factory=size)

        def other(n: int, thing: Thing = Thing(sizes=0)) -> int:
            return n and size()
        """
    )
    space = run_source(collect("from toy.ops import other", library=library)[0])
    assert space["TABLE"] == [1, 2, 3, "size"]
    assert space["Thing"]().sizes == 4
    assert space["Thing"].marked
    assert space["other"](1) == 4


def test_follows_other_modules_reexports_relative_imports_and_aliases(package: Package) -> None:
    library = package(
        ops___types="""
        import numpy as np
        Array = np.ndarray
        """,
        ops___linear="""
        from toy.ops.types import Array, np

        def linear(x: Array, w: Array) -> Array:
            return np.matmul(x, w)
        """,
        ops___init="from .linear import linear as dense",
        model="""
        from .ops import dense as layer
        from toy.ops.types import Array

        def model(x: Array) -> Array:
            return layer(x, x)
        """,
    )
    source, names = collect("from toy.model import model as network", library=library)
    assert source.count("Array = np.ndarray") == source.count("import numpy as np") == 1
    assert source.endswith("\n\n\nnetwork = model")
    assert names["layer"] == names["dense"] == "toy.ops.linear:linear"
    assert run_source(source)["network"](2 * run_source(source)["np"].eye(2)).tolist() == [[4, 0], [0, 4]]


def test_imports_are_merged_and_only_those_used(package: Package) -> None:
    library = package(
        a="""
        import json
        import os.path
        import numpy as np
        from collections.abc import Callable, Iterator
        from toy.b import g

        def f(x: Callable) -> Iterator:
            import string
            return g(np.asarray(x), os.path.sep, string.digits)
        """,
        b="""
        import numpy as np
        import os
        from collections.abc import Mapping as Map, Callable

        def g(*args: Map) -> Callable:
            return os.sep
        """,
    )
    source, names = collect("from toy.a import f", {"Iterator": "collections.abc.Iterator"}, library)
    standard = "import os\nimport os.path\nfrom collections.abc import Callable, Mapping as Map\n\n"
    assert source.startswith(standard + "import numpy as np\n\n\ndef g")
    assert names["os"] == names["os.path"] == "os"


def test_a_local_name_is_not_a_global_one(package: Package) -> None:
    library = package(
        ops="""
        scale = axis = item = other = error = "not needed"
        wanted = 5

        def f(scale, *, axis=wanted):
            item = [other for other in scale]
            def inner():
                nonlocal item
                item = wanted
            try:
                inner()
            except ValueError as error:
                return error
            return lambda scale: (scale, item, axis, sorted(scale, key=lambda other: other))
        """
    )
    source, names = collect("from toy.ops import f", library=library)
    assert source.startswith("wanted = 5\n\n\ndef f(")
    assert set(names) == {"wanted", "f"}


def test_nothing_twice_and_nothing_read_by_importing(package: Package) -> None:
    library = package(
        twin="""
        import torch_that_is_not_installed as torch
        from toy.ops import helper

        class Twin(torch.nn.Module):
            value = helper()
        """,
        ops="""
        first, second = 1, 2

        def helper():
            return first

        def both():
            return helper() + second
        """,
    )
    _, names = collect("from toy.ops import both", library=library)
    again, after = collect("from toy.ops import both, helper", names, library)
    assert (again, after) == ("", names)
    twin, _ = collect("from toy.twin import Twin", names, library)
    assert twin == (
        "import torch_that_is_not_installed as torch\n\n\nclass Twin(torch.nn.Module):\n    value = helper()"
    )
    assert not any(name.split(".")[0] == "toy" for name in sys.modules)


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        (
            "import toy.other as other\ndef f(): return other.g()",
            r"ops\.py:1: `import toy\.other as other`: import f",
        ),
        (
            "from toy import other\ndef f(): return other.g()",
            r"ops\.py:1: `from toy import other` is a module",
        ),
        (
            "def f():\n    from toy.other import g\n    return g()",
            r"ops\.py:2: an import of toy inside a definition",
        ),
        (
            "def f():\n    from . import other\n    return other",
            r"ops\.py:2: an import of toy inside a definition",
        ),
        ("from toy.other import h\ndef f(): return h()", r"ops\.py:1: `h` is not defined in .*other\.py"),
        ("from toy.missing import h\ndef f(): return h()", r"ops\.py:1: there is no module toy\.missing"),
        ("from math import *\ndef f(): return sqrt(2)", r"ops\.py:2: `sqrt` is not defined in .*star import"),
        ("def f(): return __file__", r"ops\.py:1: `__file__` is not defined in"),
        ("def f(): return 1\nprint(f())", r"ops\.py:2: runs at import and would be lost"),
        ("TABLE = {}\nTABLE['f'] = 1\ndef f(): return TABLE", r"ops\.py:2: runs at import and would be lost"),
        (
            "try:\n    import x\nexcept ImportError:\n    x = None\ndef f(): return x",
            r"ops\.py:1: runs at import",
        ),
        (
            "if TYPE_CHECKING:\n    import torch\ndef f(x: torch.Tensor): return x",
            r"ops\.py:1: `torch` is bound only under TYPE_CHECKING",
        ),
        ("def sum(x): return x\ndef f(): return sum(1)", r"`sum` .*would hide Python's own"),
        ("from toy.other import g\ndef f(): return g() + k()\nk = 1\nfrom toy.third import k2", None),
        (
            "from toy.other import g\nfrom toy.third import clash\ndef f(): return g() + clash()",
            r"`same` would stand",
        ),
        ("def f(:\n", r"ops\.py:1: not plain Python"),
    ],
)
def test_says_what_cannot_be_written_out(package: Package, ops: str, message: str | None) -> None:
    library = package(
        ops=ops,
        other="def g(): return same\nsame = 1",
        third="same = 2\ndef clash(): return same\ndef k2(): return 0",
    )
    if message is None:
        collect("from toy.ops import f", library=library)
    else:
        with pytest.raises(SourceError, match=message):
            collect("from toy.ops import f", library=library)


def test_entry_points_and_quoted_annotations_are_no_obstacle(package: Package) -> None:
    library = package(
        ops="""
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import torch

        def f(x: "torch.Tensor") -> None: ...

        if __name__ == "__main__":
            f(1)
        """
    )
    source, _ = collect("from toy.ops import f", library=library)
    assert source == 'def f(x: "torch.Tensor") -> None: ...'


def test_collects_itself() -> None:
    """The builder's own source stands alone, and that copy collects the same text."""
    source, names = collect("from groundup.notebooks.source import collect")
    copied, copied_names = run_source(source)["collect"]("from groundup.notebooks.source import collect")
    assert (copied, copied_names) == (source, names)
