"""The way back through the open block of blocked RTRL, for credits and for rows of Ψ.

Rows go back through the newest steps one by one, and through older steps ``SPAN`` at once: for each
span of ``SPAN`` steps all products of Jacobians are kept side by side, so that one product sends a
row through the whole span.

    slot t of some rows: the credit of the state after t steps        v_t = v_{t+1} J_t
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lightning_modules.algorithms._lifts import Lifts, band, lift
from lightning_modules.algorithms._reach import LARGE, Reach
from lightning_modules.algorithms._room import SPAN, Room, Slots, product
from lightning_modules.interfaces import Trajectory


class Descent:
    """The Jacobians of the open block and their products, and how far back it is worth going.

    Attributes:
        room: scratch, which outlives the block.
        reach: the bounds on what rows can still add (``_reach``); None where not asked for.
    """

    def __init__(self):
        self.room, self._room_for = Room(), 2 * SPAN
        self.begin()

    def begin(self) -> None:
        """Forget the block before."""
        self.reach: Reach | None = None
        self._spans, self._known = 0, 0
        self._lifted: dict[int, tuple[Tensor, Tensor]] = {}

    def clear(self, gone_B: Tensor) -> None:
        """Zero the stored products of the samples where ``gone_B`` is true, even inf and NaN."""
        self.room.clear(gone_B)
        for half_TB11 in (half for halves in self._lifted.values() for half in halves):
            half_TB11.masked_fill_(gone_B.view(1, -1, 1, 1), 1)

    def look(
        self, record: Trajectory, like_BS: Tensor, m_BSP: Tensor | None, sizes: Sequence[int]
    ) -> Reach | None:
        """Return the block's bounds, where they are worth computing.

        On a GPU they are not: waiting for the answer takes longer than reading the influence.
        """
        large = like_BS.numel() * record.parameters >= LARGE
        if self.reach is None and large and like_BS.is_cpu:
            self.reach = Reach(record, like_BS, m_BSP, sizes)
        return self.reach

    def jacobians(self, record: Trajectory, upto: int, like_BS: Tensor) -> tuple[list[Tensor], int]:
        """Return the Jacobians of steps before ``upto`` in no span, and count the steps in one."""
        spanned, (B, S) = SPAN * self._spans, like_BS.shape
        if upto - spanned > self._room_for:
            self._room_for, self._known = upto - spanned + SPAN, 0
        j_T, all_TBSS = self.room.steps("jacobians", like_BS, self._room_for, B, S, S)
        first = max(self._known, spanned)
        if first < upto:
            record.jacobians(first, all_TBSS[first - spanned : upto - spanned])
            self._known = upto
        return j_T, spanned

    def close_spans(self, record: Trajectory, upto: int, like_BS: Tensor) -> None:
        """Make the products of every whole span before ``upto``."""
        B, S = like_BS.shape
        while (first := SPAN * self._spans) + SPAN <= upto:
            j_T, _ = self.jacobians(record, first + SPAN, like_BS)
            span = self.room.slots(f"span {self._spans}", like_BS, SPAN, B, S, S)
            log_TB = self._multiply(span, j_T[:SPAN])
            if self.reach is not None:
                self.reach.extend(record, first, span.all_TBRS, log_TB)
            self._spans += 1
            self._known = 0  # later steps are stored from another place on now, so made again

    def _multiply(self, span: Slots, j_T: list[Tensor]) -> Tensor:
        """Make a span's products, scaled where they leave the band; return logs of the inverses."""
        span.each_T[-1].copy_(j_T[-1])
        exponents, of_one = [], span.all_TBRS.new_zeros(span.all_TBRS.shape[1], 1, 1)
        for t in range(SPAN - 1, -1, -1):
            if t < SPAN - 1:
                product(span.each_T[t + 1], j_T[t], span.each_T[t])
            if span.all_TBRS.is_cpu and (more := lift(span.each_T[t], 2)) is not None:
                of_one = of_one - more
            exponents.append(of_one)
        exponent_TB11 = torch.stack(exponents[::-1])
        if span.all_TBRS.is_cpu:
            torch.hardshrink(span.all_TBRS, band(of_one.dtype).tiny, out=span.all_TBRS)
            if exponent_TB11.any():  # by halves, as 2^exponent may be none of the type
                half_TB11 = (exponent_TB11 / 2).floor()
                halves = torch.exp2(half_TB11), torch.exp2(exponent_TB11 - half_TB11)
                self._lifted[self._spans] = halves
        return exponent_TB11[..., 0, 0].double() * math.log(2)

    def go(
        self,
        rows: Slots,
        j_T: list[Tensor],
        first: int,
        last: int,
        lifts: Lifts,
        added: int,
        ask: int,
        skipped: int = 0,
        least: float = -math.inf,
    ) -> tuple[int, bool]:
        """Send rows back from slot ``last`` down to ``first``, which is slot 0 of ``rows``.

        Slots that are not above ``added`` are overwritten; those above hold credits of their own,
        to which the rows are added. ``j_T`` begins with the Jacobian of step ``skipped``. Return
        the slot that was reached, and whether the rows may stop there: it is not above ``ask``,
        and the log of all that they could still add is at most ``least``.
        """
        t, v_T, reach = last, rows.each_T, self.reach
        while True:
            if t <= added and t % SPAN == 0 and rows.all_TBRS.is_cpu:
                asked = reach is not None and t <= ask
                lifts.keep(v_T[t - first], t, asked)
                if reach is not None and asked and reach.may_end(lifts.size, t, least):
                    return t, True
            if t == first:
                return t, False
            if t <= SPAN * self._spans:
                t -= SPAN
                products = self.room.found[f"span {t // SPAN}"].spans[0]
                product(v_T[t + SPAN - first], products, rows.spans[(t - first) // SPAN])
                for half_TB11 in self._lifted.get(t // SPAN, ()):
                    rows.all_TBRS[t - first : t - first + SPAN] *= half_TB11
                continue
            t -= 1
            v, J = v_T[t + 1 - first], j_T[t - skipped]
            if t > added:
                v_T[t - first] += v @ J
            else:
                product(v, J, v_T[t - first])
