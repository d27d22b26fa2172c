"""The Hopfield network: units of -1 and 1 that take the sign of their input; no hidden units.

    E(s) = -½ s'W s        h = W s        s_i <- sign(h_i), which keeps s_i where h_i = 0

    asynchronous    one unit at a time, all in a new random order each sweep: E never rises, where
                    no weight of a unit to itself is negative, and the network comes to rest
    synchronous     all units at once: -s(t+1)'W s(t) never rises, and the network comes to rest or
                    swings between two states, never in a longer orbit

The storage rule sets W's diagonal, too; it is used only if ``diagonal`` is true. The overlap with a
pattern is m = x's / S; recalling its negative counts as recall, so |m| is taken.

Cost: O(S²) a sweep.

References:
    Hopfield (1982), Neural networks and physical systems with emergent collective computational
        abilities, PNAS 79.
    Goles & Olivos (1981), Comportement périodique des fonctions à seuil binaires, Discrete Applied
        Mathematics 3: period two.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn

from lightning_modules.checks import whole
from lightning_modules.energies._energy import Energy, Learned
from lightning_modules.energies.storage._storage import Storage
from lightning_modules.registry import UnknownNameError, nearest


class Settled(NamedTuple):
    """Where states settled."""

    states_NS: Tensor
    sweeps_N: Tensor
    """After how many sweeps each had settled."""
    period_N: Tensor
    """1 at rest, 2 where it swings between two states, 0 where it had not settled."""


@final
class Hopfield(Energy):
    """S units, in which ``storage`` stores patterns.

    Attributes:
        W: the weights, (S, S), symmetric, with the diagonal that storage made.
    """

    def __init__(
        self,
        input_size: int,
        storage: Storage,
        diagonal: bool = False,
        updates: str = "asynchronous",
        sweeps: int = 100,
    ):
        """Recall in at most ``sweeps`` sweeps of asynchronous or synchronous ``updates``.

        ValueError for numbers out of range, UnknownNameError for other updates.
        """
        super().__init__()
        whole(1, input_size=input_size, sweeps=sweeps)
        if updates not in UPDATES:
            raise UnknownNameError(
                f"{updates!r} is not one of the updates: {nearest(updates, UPDATES)}"
            )
        self.input_size = self.output_size = self.state_size = input_size
        self.storage, self.diagonal, self.updates = storage, diagonal, updates
        self.sweeps = sweeps
        self.W = nn.Parameter(torch.zeros(input_size, input_size))

    @torch.no_grad()
    def store(self, x_MS: Tensor) -> None:
        """Store patterns of -1 and 1; ValueError for others."""
        if not bool((x_MS.abs() == 1).all()):
            raise ValueError("a pattern holds something other than -1 and 1: give signs")
        self.storage.store(self.W, x_MS, self.diagonal)

    def learn(self, x_BI: Tensor, t_BO: Tensor, memory: Any = None) -> Learned:
        """Return the negative of the storage rule's move: plain descent at rate 1 makes it."""
        del t_BO
        before_SS = self.W.detach().clone()
        self.store(x_BI)
        after_SS = self.W.detach().clone()
        self.W.data.copy_(before_SS)
        return Learned([before_SS - after_SS], memory)

    def field(self, s_NS: Tensor) -> Tensor:
        """Return h, (N, S)."""
        h_NS = s_NS @ self.W
        return h_NS if self.diagonal else h_NS - s_NS * self.W.diagonal()

    def energy(self, s_NS: Tensor) -> Tensor:
        """Return E, (N,)."""
        return -(s_NS * self.field(s_NS)).sum(dim=1) / 2

    @torch.no_grad()
    def update(self, s_NS: Tensor) -> Tensor:
        """Return the states after a sweep."""
        return UPDATES[self.updates](self, s_NS)

    @torch.no_grad()
    def settle(self, s_NS: Tensor) -> Settled:
        """Return where the states settle; of two that alternate, one."""
        sweeps_N = torch.full((len(s_NS),), self.sweeps, device=s_NS.device)
        period_N = torch.zeros_like(sweeps_N)
        s_NS, before_NS = s_NS.clone(), torch.zeros_like(s_NS)
        open_N = torch.arange(len(s_NS), device=s_NS.device)
        for sweep in range(self.sweeps):
            now_NS = s_NS[open_N]
            then_NS = self.update(now_NS)
            rests_N = (then_NS == now_NS).all(dim=1)
            swings_N = (then_NS == before_NS[open_N]).all(dim=1) & ~rests_N
            swings_N &= self.updates == SYNCHRONOUS  # else a state that comes back may go on
            sweeps_N[open_N[rests_N]], period_N[open_N[rests_N]] = sweep, 1
            sweeps_N[open_N[swings_N]], period_N[open_N[swings_N]] = sweep, 2
            before_NS[open_N], s_NS[open_N] = now_NS, then_NS
            open_N = open_N[~(rests_N | swings_N)]
            if not len(open_N):
                break
        return Settled(s_NS, sweeps_N, period_N)

    def outputs(self, x_NI: Tensor) -> Tensor:
        """Return what is recalled."""
        return self.settle(x_NI).states_NS


def overlap(s_NS: Tensor, x_NS: Tensor) -> Tensor:
    """Return |m| of states with patterns, (N,): the negative counts as the pattern."""
    return (s_NS * x_NS).mean(dim=1).abs()


def _sided(h: Tensor, s: Tensor) -> Tensor:
    """Return the sign of each field, and the old state where the field is zero."""
    return torch.where(h == 0, s, h.sign())


def _together(net: Hopfield, s_NS: Tensor) -> Tensor:
    return _sided(net.field(s_NS), s_NS)


def _one_by_one(net: Hopfield, s_NS: Tensor) -> Tensor:
    s_SN = s_NS.t().contiguous()  # a unit of all states lies side by side
    W_SS = net.W.detach()
    own_S: list[float] = W_SS.diagonal().tolist()
    for i in torch.randperm(len(W_SS)).tolist():
        h_N = W_SS[i] @ s_SN
        if not net.diagonal:
            h_N = h_N - own_S[i] * s_SN[i]
        s_SN[i] = _sided(h_N, s_SN[i])
    return s_SN.t().contiguous()


SYNCHRONOUS = "synchronous"
UPDATES: dict[str, Callable[[Hopfield, Tensor], Tensor]] = {
    "asynchronous": _one_by_one,
    SYNCHRONOUS: _together,
}
