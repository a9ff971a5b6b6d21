"""Parameter trees: nested dicts and lists whose leaves are arrays.

Flattened with dots, a tree's names are those of the PyTorch twin's ``state_dict``:
``{"layers": [{"weight": w}]}`` is ``{"layers.0.weight": w}``.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors import numpy as safetensors_numpy

from groundup.errors import UserError
from groundup.files import write_whole
from groundup.ops.types import Tree


def map_tree(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """Apply ``function`` to corresponding leaves of trees of the same shape; returns a tree of the results."""
    if isinstance(tree, dict):
        return {key: map_tree(function, tree[key], *(other[key] for other in others)) for key in tree}
    if isinstance(tree, list):
        return [map_tree(function, *branches) for branches in zip(tree, *others, strict=True)]
    return function(tree, *others)


def leaves(tree: Tree) -> Iterator[np.ndarray]:
    """The arrays of a tree, in the order of ``flatten``."""
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from leaves(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from leaves(branch)
    else:
        yield tree


def flatten(tree: Tree, prefix: str = "") -> dict[str, Any]:
    """Dotted names to leaves: ``{"a": [x, y]}`` becomes ``{"a.0": x, "a.1": y}``."""
    if isinstance(tree, dict):
        items = [(str(key), branch) for key, branch in tree.items()]
    elif isinstance(tree, list):
        items = [(str(index), branch) for index, branch in enumerate(tree)]
    else:
        return {prefix: tree}
    flat: dict[str, Any] = {}
    for key, branch in items:
        flat |= flatten(branch, f"{prefix}.{key}" if prefix else key)
    return flat


def unflatten(flat: dict[str, Any]) -> Tree:
    """The inverse of ``flatten``: a level whose keys are 0, 1, 2, … becomes a list."""
    if set(flat) == {""}:
        return flat[""]
    branches: dict[str, dict[str, Any]] = {}
    for name, leaf in flat.items():
        head, _, rest = name.partition(".")
        branches.setdefault(head, {})[rest] = leaf
    tree = {key: unflatten(branch) for key, branch in branches.items()}
    if tree and set(tree) == {str(index) for index in range(len(tree))}:
        return [tree[str(index)] for index in range(len(tree))]
    return tree


def count(tree: Tree) -> int:
    """How many numbers a tree holds."""
    return sum(leaf.size for leaf in leaves(tree))


def add_trees(a: Tree, b: Tree) -> Tree:
    """Leaf-wise sum: the gradients of parameters that are used twice add up."""
    return map_tree(np.add, a, b)


def save(path: Path, tree: Tree, metadata: dict[str, Any] | None = None) -> None:
    """Write a tree as safetensors, whole or not at all: a file already there survives any failure.

    Raises UserError if the folder cannot be written or the disk is full.
    """
    flat = {name: np.asarray(leaf, order="C") for name, leaf in flatten(tree).items()}
    text = {key: json.dumps(value) for key, value in (metadata or {}).items()}
    write_whole(path, safetensors_numpy.save(flat, metadata=text))


def load(path: Path) -> tuple[Tree, dict[str, Any]]:
    """Read a tree and its metadata. Raises UserError if the file is missing, cut short or not safetensors."""
    if not path.is_file():
        raise UserError(f"There is no checkpoint at {path}.")
    try:
        with safe_open(path, framework="numpy") as file:
            flat = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            metadata = {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
    except (SafetensorError, ValueError, TypeError, AttributeError, OSError) as error:  # bfloat16 has no NumPy type
        raise UserError(f"{path} is not a whole safetensors checkpoint of groundup ({error}).") from error
    return unflatten(flat), metadata
