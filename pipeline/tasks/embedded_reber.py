"""The embedded Reber grammar: the next symbol of strings whose end repeats their beginning.

    string   B T (inner) T E   or   B P (inner) P E
    inner    0 -B-> 1    1 -T-> 2, -P-> 3    2 -S-> 2, -X-> 4    3 -T-> 3, -V-> 5
             4 -X-> 3, -S-> 6    5 -P-> 4, -V-> 6    6 -E-> end

Where there are two ways they have even odds. Symbol t is the input, symbol t + 1 the target. All
legal symbols follow from the last few ones, but for the last symbol but one: it repeats the second
symbol of the string. Who knows the grammar but not that symbol gets it right every other time.
Strings have 9 symbols or more, without bound; a batch is as long as its longest, and what lies
behind a string's end does not count. A string has 11 symbols to be predicted on average, 7 of them
choices: B T P S X V E come 1, 2½, 2, 1, 1, 1½ and 2 times.

References:
    Reber (1967), Implicit learning of artificial grammars, Journal of Verbal Learning and Verbal
        Behavior 6.
    Smith & Zipser (1989), Learning sequential structure with the real-time recurrent learning
        algorithm, International Journal of Neural Systems 1.
    Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8), experiment 1.
"""

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from lightning_modules.interfaces import Batch
from pipeline.tasks._common import Generated, first_step

SYMBOLS = "BTPSXVE"
_INNER = (
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
)


def _grammar() -> list[dict[str, int]]:
    """Return where each symbol leads from each state; the last state is the string's end."""
    size = len(_INNER) + 2
    ways: list[dict[str, int]] = [{"B": 1}, {"T": 2, "P": 2 + size}]
    for outer, first in ways[1].items():
        ways += [{symbol: first + to for symbol, to in of.items()} for of in _INNER]
        ways += [{outer: first + size - 1}, {"E": 2 + 2 * size}]
    return [*ways, {}]


_WAYS = _grammar()
_END = len(_WAYS) - 1
_NEXT_QO = torch.tensor([[of.get(symbol, _END) for symbol in SYMBOLS] for of in _WAYS])
_LEGAL_QO = torch.tensor([[symbol in of for symbol in SYMBOLS] for of in _WAYS])
"""Of the Q states of the grammar: where each symbol leads, and whether it may come at all."""


class EmbeddedReber(Generated):
    """Inputs are one-hot symbols; every step up to a string's end counts.

    Attributes:
        chance_loss: nats a symbol of who knows how frequent the symbols are.
        forgetful_loss: of who knows the grammar but not the second symbol.
        floor_loss: of the grammar itself.
    """

    input_size, output_size, loss = len(SYMBOLS), len(SYMBOLS), "cross_entropy"

    forgetful_loss = 8 / 11 * math.log(2)
    floor_loss = 7 / 11 * math.log(2)
    chance_loss = -sum(n / 22 * math.log(n / 22) for n in (2, 5, 4, 2, 2, 3, 4))

    def _draw(self, random: np.random.Generator, size: int) -> Batch:
        """Return symbols and, as targets, those that follow; zeros behind a string's end."""
        symbols, state_B = [], torch.zeros(size, dtype=torch.int64)
        while (state_B != _END).any():
            score_BO = torch.from_numpy(random.random((size, len(SYMBOLS))))
            symbol_B = score_BO.masked_fill_(~_LEGAL_QO[state_B], -1).argmax(dim=-1)
            symbols.append(symbol_B.where(state_B != _END, -1))
            state_B = _NEXT_QO[state_B, symbol_B]
        symbol_NB = torch.stack(symbols)
        there_NB, symbol_NB = symbol_NB >= 0, symbol_NB.clamp(min=0)
        x_NBI = one_hot(symbol_NB, self.input_size).float() * there_NB.unsqueeze(-1)
        resets_TB = first_step(len(symbols) - 1, size)
        return Batch(x_NBI[:-1], symbol_NB[1:], there_NB[1:], resets_TB)

    @staticmethod
    def legal(x_TBI: Tensor) -> Tensor:
        """Return which symbols may follow each step of the strings, (T, B, O)."""
        state_B, after = torch.zeros(x_TBI.shape[1], dtype=torch.int64), []
        for symbol_B in x_TBI.argmax(dim=-1):
            state_B = _NEXT_QO[state_B, symbol_B]
            after.append(_LEGAL_QO[state_B])
        return torch.stack(after)

    @classmethod
    def legality(cls, outputs: Iterable[tuple[Batch, Tensor]]) -> dict[str, float]:
        """Hold outputs, (T, B, O), to the grammar.

        A step is right if every legal symbol's output is above every illegal one's.

        Returns:
            The share of strings that are right at every step, that of strings that are right at
            the last symbol but one, and that of steps.
        """
        strings = last_but_one = steps = size = counted = 0
        for batch, z_TBO in outputs:
            legal_TBO, mask_TB = cls.legal(batch.x_TBI), batch.mask_TB
            least_TB = z_TBO.masked_fill(~legal_TBO, math.inf).amin(dim=-1)
            right_TB = least_TB > z_TBO.masked_fill(legal_TBO, -math.inf).amax(dim=-1)
            count_B = mask_TB.sum(dim=0)
            strings += int((right_TB | ~mask_TB).all(dim=0).sum())
            last_but_one += int(right_TB[count_B - 2, torch.arange(len(count_B))].sum())
            steps += int((right_TB & mask_TB).sum())
            size, counted = size + len(count_B), counted + int(count_B.sum())
        return {
            "strings_right": strings / size,
            "last_but_one_right": last_but_one / size,
            "steps_right": steps / counted,
        }
