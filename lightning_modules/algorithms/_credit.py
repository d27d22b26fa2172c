"""Calling the caller's ``Credit`` for several steps, whatever it does.

It may use autograd, which ``run`` has switched off and which is switched on for it, and may return
the same buffer each time. Writing into the states is refused, since the steps' derivatives are
computed from them.
"""

import torch
from torch import Tensor

from lightning_modules.interfaces import Credit


def credits_of(credit: Credit, states_TBS: Tensor) -> Tensor:
    """Return the credit at every step, (T, B, S), in one call where it offers ``sequence``.

    ValueError where it has another shape than the states, or the states were written to.
    """
    together = getattr(credit, "sequence", None)
    shown_TBS = states_TBS.detach()  # the caller may set requires_grad on this one, not on ours
    before = _version(shown_TBS)
    with torch.enable_grad():
        if together is not None:
            c_TBS = _like(together(shown_TBS), shown_TBS)
        else:
            c_TBS = torch.empty_like(shown_TBS)
            for t, (s_BS, c_BS) in enumerate(zip(shown_TBS.unbind(), c_TBS.unbind(), strict=True)):
                c_BS.copy_(_like(credit(t, s_BS), c_BS))
    if _version(shown_TBS) != before:
        raise ValueError("the credit wrote into the states that it was given: have it write a copy")
    return c_TBS


def _like(c: Tensor, s: Tensor) -> Tensor:
    """Return the credit without its graph; ValueError if it is not of the states' shape."""
    if c.shape != s.shape:
        raise ValueError(
            f"the credit is {(*c.shape,)} for states of {(*s.shape,)}: make them alike"
        )
    return c.detach().to(s.dtype)


def _version(states: Tensor) -> int:
    """Return how often they were written to; 0 where torch does not count."""
    return 0 if states.is_inference() else states._version
