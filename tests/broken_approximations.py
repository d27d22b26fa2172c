"""Approximate algorithms that are broken on purpose, one way each."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from lightning_modules.algorithms import _noise, _traces, kf_rtrl, snap1, uoro
from lightning_modules.algorithms.kf_rtrl import KFRTRL
from lightning_modules.algorithms.rflo import RFLO
from lightning_modules.algorithms.snap1 import SnAp1
from lightning_modules.algorithms.snap_n import SnApN
from lightning_modules.algorithms.tbptt import TBPTT
from lightning_modules.algorithms.uoro import UORO
from lightning_modules.cells._trajectory import UnitwiseTrajectory
from lightning_modules.interfaces import Algorithm, Trajectory
from tests.broken import Altered, Patch


def traces_forgotten(patch: Patch) -> Algorithm:
    return Altered(SnAp1(), memory=None)


def leak_not_reset(patch: Patch) -> Algorithm:
    """Traces are carried through a reset."""
    whole = UnitwiseTrajectory.within

    def within(self: Any) -> tuple[Tensor, Tensor]:
        given, kept = self._given, self._storage
        self._given = kept._replace(reset_TB1=None)
        parts = whole(self)
        self._given = given
        return parts

    patch.setattr(UnitwiseTrajectory, "within", within)
    patch.setattr(_traces, "stretches", lambda path: iter([(0, path)]))
    patch.setattr(_traces, "forget", lambda path, t, memory: None)
    return RFLO()


def blocks_of_a_unit_apart(patch: Patch) -> Algorithm:
    """What one state block of a unit does to another is dropped."""
    whole = snap1.own_jacobians

    def own(*given: Any) -> Tensor:
        own_TBKKH = whole(*given)
        return own_TBKKH * torch.eye(own_TBKKH.shape[2]).to(own_TBKKH)[..., None]

    patch.setattr(snap1, "own_jacobians", own)
    return SnAp1()


def blocks_of_a_unit_swapped(patch: Patch) -> Algorithm:
    whole = snap1.own_jacobians
    patch.setattr(snap1, "own_jacobians", lambda *given: whole(*given).transpose(2, 3))
    return SnAp1()


def wrong_owner(patch: Patch) -> Algorithm:
    whole = _traces.units_of

    def units_of(*given: Any) -> Any:
        units = whole(*given)
        return units._replace(owner_P=units.owner_P.roll(1))

    patch.setattr(_traces, "units_of", units_of)
    return SnAp1()


def leak_with_recurrent_weights(patch: Patch) -> Algorithm:
    patch.setattr(RFLO, "carried", SnAp1.carried)
    return RFLO()


def one_step_further(patch: Patch) -> Algorithm:
    return SnApN(2)


def signs_all_alike(patch: Patch) -> Algorithm:
    patch.setattr(_noise.Signs, "draw", lambda self, like: torch.ones_like(like))
    return UORO()


def signs_all_alike_of_factors(patch: Patch) -> Algorithm:
    patch.setattr(_noise.Signs, "draw", lambda self, like: torch.ones_like(like))
    return KFRTRL()


def _lopsided(patch: Patch, where: Any) -> None:
    def balance(over_B1: Tensor, under_B1: Tensor) -> tuple[Tensor, Tensor]:
        r_B1, of_B1 = _noise.balance(over_B1, under_B1)
        return r_B1, 0.9 * of_B1

    patch.setattr(where, "balance", balance)


def factors_that_do_not_cancel(patch: Patch) -> Algorithm:
    _lopsided(patch, uoro)
    return UORO()


def kronecker_factors_that_do_not_cancel(patch: Patch) -> Algorithm:
    _lopsided(patch, kf_rtrl)
    return KFRTRL()


def every_loss_on_its_own(patch: Patch) -> Algorithm:
    return TBPTT(5)


def groups_without_memory(patch: Patch) -> Algorithm:
    return Altered(TBPTT(5, 3), memory=None)


def groups_counted_from_the_memory(patch: Patch) -> Algorithm:
    """Groups start where the record does, instead of where the run does."""
    whole = TBPTT._by_group

    def by_group(self: TBPTT, path: Trajectory, c_TBS: Tensor) -> Tensor:
        before_TBS = c_TBS.new_zeros(len(path) - len(c_TBS), *c_TBS.shape[1:])
        return whole(self, path, torch.cat([before_TBS, c_TBS]))

    patch.setattr(TBPTT, "_by_group", by_group)
    return TBPTT(5, 3)


def window_counted_from_the_first_loss(patch: Patch) -> Algorithm:
    """A group's window covers ``horizon`` steps up to its first loss, so more in all."""
    whole = TBPTT._by_group

    def by_group(self: TBPTT, path: Trajectory, c_TBS: Tensor) -> Tensor:
        return whole(TBPTT(self.horizon + self.stride - 1, self.stride), path, c_TBS)

    patch.setattr(TBPTT, "_by_group", by_group)
    return TBPTT(5, 3)


def estimate_forgotten(patch: Patch) -> Algorithm:
    return Altered(UORO(), memory=None)


def kronecker_without_resets(patch: Patch) -> Algorithm:
    whole = kf_rtrl._entries

    def entries(x_TBI: Tensor, s_BS: Tensor, path: Any, H: int) -> Tensor:
        seen: Any = SimpleNamespace(states_TBS=path.states_TBS, resets_TB=None)
        return whole(x_TBI, s_BS, seen, H)

    patch.setattr(kf_rtrl, "_entries", entries)
    return KFRTRL()


def source_not_restored(patch: Patch) -> Algorithm:
    whole = _noise.Signs.__init__

    def begin(self: Any, state: dict[str, Any]) -> None:
        whole(self, state["device"])

    patch.setattr(_noise.Signs, "__setstate__", begin)
    return UORO()
