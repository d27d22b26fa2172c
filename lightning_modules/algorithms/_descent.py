"""The way back through the open block of blocked RTRL, for credits and for the influence's rows.

Rows go back through the steps of the open block one by one, but through steps that were there a
while ago a span at once: of ``SPAN`` steps all products of Jacobians are kept side by side, so
that a row is sent through them by one product instead of ``SPAN``.

    slot t of some rows: what is credited to the state after t steps        v_t = v_{t+1} J_t
"""

from torch import Tensor

from lightning_modules.algorithms._reach import LARGE, Reach
from lightning_modules.algorithms._room import SPAN, Room, Slots, flush, product
from lightning_modules.interfaces import Trajectory


class Descent:
    """The Jacobians of the open block and their products, and how far back it is worth to go.

    Attributes:
        room: scratch, which outlives the block.
        reach: the bounds on what is still to be met; None where they are not asked for.
    """

    def __init__(self):
        self.room, self._room_for = Room(), 2 * SPAN
        self.begin()

    def begin(self) -> None:
        """Forget the block before."""
        self.reach: Reach | None = None
        self._spans, self._known = 0, 0

    def look(self, record: Trajectory, like_BS: Tensor, m_BSP: Tensor | None) -> Reach | None:
        """Return the block's bounds, where it is worth while to ask for them.

        On a GPU it is not: an answer is awaited longer than the influence is read.
        """
        large = like_BS.numel() * record.parameters >= LARGE
        if self.reach is None and large and like_BS.is_cpu:
            self.reach = Reach(record, like_BS, m_BSP)
        return self.reach

    def jacobians(self, record: Trajectory, upto: int, like_BS: Tensor) -> tuple[list[Tensor], int]:
        """Return those of the steps before ``upto`` that are in no span, and how many are."""
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
            span.each_T[-1].copy_(j_T[SPAN - 1])
            for t in range(SPAN - 2, -1, -1):
                product(span.each_T[t + 1], j_T[t], span.each_T[t])
            flush(span.all_TBRS)
            if self.reach is not None:
                self.reach.extend(record, first, span)
            self._spans += 1
            self._known = 0  # those behind the span lie elsewhere now, and are made again

    def go(
        self,
        rows: Slots,
        j_T: list[Tensor],
        first: int,
        last: int,
        given: int = 1,
        skipped: int = 0,
        least: float = -1.0,
    ) -> tuple[int, bool]:
        """Fill the slots from ``last`` down to ``first``, which is slot 0 of ``rows``.

        The last ``given`` slots hold what is added there; the list lacks ``skipped`` Jacobians.
        Return the slot that was reached, and whether what is left to meet is at most ``least``.
        """
        t, v_T, added, reach = last, rows.each_T, last - given, self.reach
        while True:
            if reach is not None and t <= added and reach.ends(v_T[t - first], t, least):
                return t, True
            if t == first:
                return t, False
            if t <= SPAN * self._spans:
                t -= SPAN
                products = self.room.found[f"span {t // SPAN}"].spans[0]
                product(v_T[t + SPAN - first], products, rows.spans[(t - first) // SPAN])
                flush(v_T[t - first])
                continue
            t -= 1
            v, J = v_T[t + 1 - first], j_T[t - skipped]
            if t > added:
                v_T[t - first] += v @ J
            else:
                product(v, J, v_T[t - first])
            if t % SPAN == 0:
                flush(v_T[t - first])
