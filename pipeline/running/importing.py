"""Importing much at once."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Collect no garbage while the block imports: it would be a third of the time.

    What is there afterwards stays, and is not looked at again by any later collection.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
