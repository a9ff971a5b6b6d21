"""Freed memory stays with the process that trains, where the C library can be told so."""

import subprocess
import sys

import pytest

from groundup.training import memory

STEPS = """
import resource
import numpy as np
from groundup.training.memory import keep_freed_memory

kept = keep_freed_memory() if {keep} else None
for step in range(21):
    if step == 1:
        first = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(200_000) for _ in range(8)]  # 1.6 MB each
    del arrays
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - first)
"""


def faults(keep):
    command = [sys.executable, "-c", STEPS.format(keep=keep)]
    kept, count = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return kept, int(count)


def test_pages_are_paid_for_once():
    kept, count = faults(keep=True)
    _, usual = faults(keep=False)
    assert kept in ("True", "False")
    if kept == "True":
        assert count < usual / 10
        assert count < 3000  # one step's arrays, not twenty steps'


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_nothing_is_touched(monkeypatch, platform):
    monkeypatch.setattr(memory.sys, "platform", platform)
    monkeypatch.setattr(memory.ctypes, "CDLL", pytest.fail)
    assert memory.keep_freed_memory() is False


def test_a_c_library_without_the_setting_is_left_alone(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "linux")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert memory.keep_freed_memory() is False
    memory.give_back_freed_memory()


COUNTED = """
import numpy as np
from groundup.proof.bench import resident_growth
from groundup.training.memory import keep_freed_memory

keep_freed_memory()
left_over = [np.ones(1 << 15, np.float32) for _ in range(80)]  # 10 MiB that the heap keeps
del left_over
with resident_growth() as growth:
    used = [np.ones(1 << 15, np.float32) for _ in range(80)]
print(growth[0])
"""


def test_a_peak_counts_memory_that_the_process_had_once_and_freed():
    done = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(10, rel=0.15)
