"""Exercises are found, not listed: every ``Exercise`` in the modules of a lesson's folder ``exercises``."""

import importlib
import importlib.util
import pkgutil

from groundup.practice.exercise import Exercise


def exercises_in(package: str) -> tuple[Exercise, ...]:
    """The exercises of a package such as "groundup.lessons.p02_char_rnn.exercises", the easy ones first.

    A folder that is missing or empty has none.
    """
    if importlib.util.find_spec(package) is None:
        return ()
    modules = [
        importlib.import_module(f"{package}.{found.name}")
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__)
    ]
    found = dict.fromkeys(value for module in modules for value in vars(module).values() if isinstance(value, Exercise))
    return tuple(sorted(found, key=lambda one: (one.difficulty, one.minutes, one.name)))
