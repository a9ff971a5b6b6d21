"""What the experiments found, as it is kept in results/: lessons draw rivals from there and need not train them again.

Like ``groundup.data.files`` this reads the package's own files, so a builder of notebooks replaces it.
"""

import fnmatch
import json
from pathlib import Path
from typing import Any

from groundup.errors import UserError


def results_folder() -> Path | None:
    """results/ of the checkout that this package runs from, or None for an installed package."""
    folder = Path(__file__).resolve().parents[3] / "results"
    return folder if folder.is_dir() else None


def kept_folder() -> Path:
    """Where results are read: results/, or the copy of it that a wheel carries as groundup/measured."""
    return results_folder() or Path(__file__).parents[1] / "measured"


def measured(lesson: str, *names: str) -> dict[str, Any]:
    """Curves, arrays and numbers that a lesson's experiment found with seed 0, by name.

    lesson: the lesson's folder, "p02_char_rnn". names: "curves/adagrad", "arrays/ngrams", "metrics/known words*",
    "findings/bits". With a star a name stands for all that fit, in their order. A curve is a dict of lists, an array
    nested lists, a finding its value. "seeds/1 head" has one value for each seed: what the runs put under the metric
    "every seed".
    Raises UserError for what is not kept.
    """
    path = kept_folder() / f"{lesson}.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    drawn = record.get("drawn", {})
    kept = {f"{part}/{name}": value for part, entries in drawn.items() for name, value in entries.items()}
    kept |= {f"findings/{one['name']}": one["values"][0] for one in record.get("findings", ())}
    found: dict[str, Any] = {}
    for name in names:
        fitting = fnmatch.filter(kept, name) if "*" in name else [name] if name in kept else []
        if not fitting:
            raise UserError(f"results/{lesson}.json does not keep {name}: measure it with `groundup claims --write`.")
        found |= {one: kept[one] for one in fitting}
    return found
