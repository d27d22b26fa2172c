"""What a trial frees, its process keeps for the next."""

import platform
import resource
import subprocess
import sys

import pytest

PAGES = """
import ctypes, resource, torch
from pipeline.running.memory import keep_freed
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        blocks = [torch.empty(5 * 2**20).fill_(1.0) for _ in range(4)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
ctypes.CDLL(None).mallopt(-3, 2**17)  # M_MMAP_THRESHOLD: large blocks always go back
if {keep}:
    keep_freed()
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_what_was_freed_is_used_again_without_new_pages() -> None:
    taken = {}
    for keep in (False, True):
        command = [sys.executable, "-c", PAGES.format(keep=keep)]
        taken[keep] = int(subprocess.run(command, capture_output=True, check=True).stdout)
    pages = 80 * 2**20 // resource.getpagesize()
    assert taken[False] > 10 * pages
    assert taken[True] < pages
