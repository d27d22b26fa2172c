"""How small disturbances of the state grow: Lyapunov exponents and Jacobians over several steps.

    Q_t R_t = J_t Q_{t-1}        J_t = ds_t/ds_{t-1}        exponent i: the mean of log |R_t,ii|
    ∂h_t/∂h_k        its singular values, for k fixed and t = k + lag

Exponents are the ``count`` largest, in nats a step. The first quarter of the steps aligns Q with
the leading directions and does not count; Q is made orthonormal every ``APART`` steps. k is chosen
so that the longest lag ends at the passage's last step; lags that do not fit are left out. For each
lag the ``count`` largest singular values are told. Steps before which a sample is reset count for
neither: Q stays as it is there, and a Jacobian across a reset is zero.

Both are means over the first ``samples`` samples. With dense Jacobians the singular values cost
O(S³) a step and sample, and O(T S²) memory.

References:
    Benettin, Galgani, Giorgilli & Strelcyn (1980), Lyapunov characteristic exponents for smooth
        dynamical systems and for Hamiltonian systems, Meccanica 15.
    Engelken, Wolf & Abbott (2023), Lyapunov spectra of chaotic recurrent neural networks, Physical
        Review Research 5, arXiv:2006.02427.
    Vogt, Puelma Touzel, Shlizerman & Lajoie (2022), On Lyapunov exponents for RNNs, Frontiers in
        Applied Mathematics and Statistics 8, arXiv:2006.14123.
"""

from collections.abc import Iterator, Sequence
from typing import final

import torch
from torch import Tensor

from lightning_modules.instruments import Row
from lightning_modules.probes._base import Probe
from lightning_modules.probes._seen import Few, Passage

APART = 5


@final
class Spectrum(Probe):
    """Leading Lyapunov exponents, and singular values at a few lags."""

    sees = frozenset({"passages"})

    def __init__(
        self,
        every: int = 50,
        count: int = 4,
        lags: Sequence[int] | str = "1 5 20",
        samples: int = 1,
    ):
        """Tell ``count`` exponents, and as many singular values at each lag."""
        super().__init__(every)
        lags = [int(lag) for lag in lags.split()] if isinstance(lags, str) else lags
        for name, value in (("count", count), ("samples", samples), ("lags", min(lags, default=1))):
            if value < 1:
                raise ValueError(f"{name} is {value}: it must be at least 1")
        self.count, self.lags, self.samples = count, sorted(lags), samples

    def passed(self, seen: Passage) -> None:
        """Keep exponents and singular values, both the largest first."""
        few = seen.few(self.samples)
        keep_TB = None if few.keep_TB.all() else few.keep_TB
        values = {"exponent": lyapunov(few.jacobians_TBSS, self.count, keep_TB)}
        for lag, j_BHH in _across(few, self.lags, seen.cell.hidden_size):
            values[f"singular_value {lag}"] = _singular(j_BHH)[:, : self.count].mean(0)
        self.keep(**values)

    def tell(self, means: dict[str, Tensor]) -> Iterator[Row]:
        """Return a row for each rank."""
        for name, values in means.items():
            quantity, _, lag = name.partition(" ")
            at: Row = {"lag": int(lag)} if lag else {}
            for rank, value in enumerate(values.tolist()):
                yield {"quantity": quantity, **at, "rank": rank, "value": value}


def lyapunov(j_TBSS: Tensor, count: int, keep_TB: Tensor | None = None) -> Tensor:
    """Return the ``count`` largest exponents along the Jacobians, the mean over samples.

    ``keep_TB`` is false at steps before which a sample is reset; None if there are no resets.
    """
    T, B, S, _ = j_TBSS.shape
    j_TBSS = _full(j_TBSS)
    start = torch.Generator().manual_seed(0)
    q_BSN = torch.randn(S, min(count, S), generator=start).to(j_TBSS).expand(B, -1, -1)
    q_BSN, _ = torch.linalg.qr(q_BSN)
    logs_BN, first = torch.zeros_like(q_BSN[:, 0]), T // 4
    tiny = torch.finfo(q_BSN.dtype).tiny
    for t, j_BSS in enumerate(j_TBSS.unbind()):
        moved_BSN = j_BSS @ q_BSN
        if keep_TB is not None:
            moved_BSN = torch.where(keep_TB[t, :, None, None], moved_BSN, q_BSN)
        q_BSN = moved_BSN
        if (t - first) % APART == APART - 1 or t == T - 1:
            q_BSN, r_BNN = torch.linalg.qr(q_BSN)
            if t >= first:
                diagonal_BN = r_BNN.diagonal(dim1=1, dim2=2).abs()
                logs_BN = logs_BN + diagonal_BN.clamp_min(tiny).log()
    steps = T - first if keep_TB is None else keep_TB[first:].sum(0).unsqueeze(1)
    return (logs_BN / steps).mean(0)


def _singular(j_BHH: Tensor) -> Tensor:
    """Return the singular values, the largest first; NaN for a Jacobian that overflowed."""
    finite_B11 = j_BHH.isfinite().all(-1, keepdim=True).all(-2, keepdim=True)
    of_BH = torch.linalg.svdvals(j_BHH.where(finite_B11, 0))
    return of_BH.where(finite_B11[..., 0], torch.nan)


def _across(few: Few, lags: Sequence[int], H: int) -> Iterator[tuple[int, Tensor]]:
    """Iterate over the lags that fit with ∂h_t/∂h_k, (B, H, H)."""
    T = len(few.states_TBS)
    fitting = [lag for lag in lags if lag < T]
    if not fitting:
        return
    j_TBSS = _full(few.jacobians_TBSS[T - max(fitting) :])
    m_BSH = j_TBSS[0, :, :, :H]
    for lag in range(1, max(fitting) + 1):
        m_BSH = m_BSH if lag == 1 else j_TBSS[lag - 1] @ m_BSH
        if lag in fitting:
            yield lag, m_BSH[:, :H]


def _full(v: Tensor) -> Tensor:
    """Return v, in float32 if it is of lower precision, for which there is no linear algebra."""
    return v.to(torch.promote_types(v.dtype, torch.float32))
