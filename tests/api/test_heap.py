"""What a request frees stays with the process: counted by page faults, in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource
from threading import Thread

from mnist_api.heap import keep_freed_memory

if {keep}:
    keep_freed_memory()

def work():
    for _ in range(5):
        [bytearray(300_000) for _ in range(4)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        [bytearray(300_000) for _ in range(4)]
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

thread = Thread(target=work)
thread.start()
thread.join()
"""


def page_faults(keep: bool) -> int:
    command = [sys.executable, "-c", COUNT.format(keep=keep)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_a_thread_s_next_work_finds_the_memory_of_the_last_one() -> None:
    assert page_faults(keep=True) < 50 < page_faults(keep=False)
