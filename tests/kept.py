"""What results/ keeps of a lesson, for tests of what its text says."""

from typing import Any

from groundup.data.measured import kept_folder
from groundup.lessons import find_lesson
from groundup.proof import results


def kept_record(name: str) -> dict[str, Any]:
    """The whole record of a lesson: its findings, and under "drawn" what figures need."""
    record = results.read(find_lesson(name), kept_folder())
    assert record is not None
    return record
