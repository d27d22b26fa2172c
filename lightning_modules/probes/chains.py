"""Whether the Gibbs chains that sample a model keep up with its changing weights.

    gap = ⟨F⟩_chains - ⟨F⟩_data        opened = gap after the update - gap before it

in nats. An update lowers the free energy F of the data and raises that of the chains' states, so it
opens the gap, to first order by η ‖g‖²; until the next update the chains have k sweeps to move
away. Where updates open more than ``limit`` nats, the chains no longer sample the model but are
driven by the updates (they are "outrun"), and the likelihood stalls or falls. The probe then warns
in one line; a smaller rate, more sweeps or more chains help. (On MNIST with 16 hidden units the
best rate opens 2.4 nats; three times that rate opens 6, and the likelihood is lost. We chose the
limit between.)

References:
    Tieleman & Hinton (2009), Using fast weights to improve persistent contrastive divergence, ICML:
        how learning drives chains.
    Hinton (2012), A practical guide to training restricted Boltzmann machines, section 6: free
        energies beside each other.
"""

from collections.abc import Iterator
from typing import final

from torch import Tensor

from lightning_modules.checks import above
from lightning_modules.energies._energy import Distribution
from lightning_modules.instruments import Estimated, Row, Update
from lightning_modules.probes._base import Probe


@final
class Chains(Probe):
    """The gap of free energies between chains and data, and what updates do to it."""

    sees = frozenset({"estimates", "updates"})
    needs = frozenset({"estimates"})

    def __init__(self, every: int = 1, limit: float = 4.0):
        """Warn of outrun chains where updates open more than ``limit`` nats on average."""
        super().__init__(every)
        above(0, limit=limit)
        self.limit = limit
        self._open: tuple[Estimated, Tensor] | None = None

    def passed(self, seen: Estimated) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take the gap before the update."""
        if seen.learned.chain_CV is None:
            self.remark("sees no chains: the gradient is not estimated by samples")
            return
        self._open = seen, _gap(seen)

    def updated(self, seen: Update) -> None:
        """Keep it, and what the update opened."""
        del seen
        if self._open is None:
            return
        (estimated, before), self._open = self._open, None
        self.keep(gap=before, opened=_gap(estimated) - before)

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return rows of both means; warn where updates open too much."""
        for quantity, mean in means.items():
            yield {"quantity": quantity, "value": float(mean)}
        opened = float(means["opened"])
        if opened > self.limit:
            self.remark(
                f"finds chains outrun: an update opens {opened:.1f} nats between them and the "
                "data; lower the rate, or take more sweeps or chains"
            )


def _gap(seen: Estimated) -> Tensor:
    """Return the gap under the present weights."""
    net = seen.energy
    if not isinstance(net, Distribution):
        raise TypeError(f"{type(net).__name__} gives its states no probabilities")
    chains_C = net.free_energy(seen.learned.chain_CV).detach().double()
    return chains_C.mean() - net.free_energy(net.seen(seen.x_BI, seen.t_BO)).detach().mean()
