"""What a process does with memory that it has given back."""

import contextlib
import ctypes

_TRIM, _MAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
_KEPT, _LARGEST = 2**28, 2**25  # bytes; glibc takes no more for the second


def keep_freed() -> None:
    """Let this process keep up to 256 MB that it has freed, where the C library is glibc.

    By default blocks of some megabytes go back to the system at once, and whoever allocates the
    next is given each of its pages anew: up to a third of an LSTM's training step.
    """
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_MAP, _LARGEST)
        library.mallopt(_TRIM, _KEPT)
