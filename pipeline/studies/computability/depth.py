"""How many symbols does a state keep, by the type of its numbers?

A machine reads a word in rationals and in floats. What is kept is the longest beginning of the word
after each symbol of which all states are, as rationals, the exact ones. What is predicted follows
from the digits of the float and of the word, without a network. Then the machine is asked about
what it read: at that depth and one symbol deeper.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from lightning_modules.machines import MACHINES
from lightning_modules.machines._numbers import NUMBERS
from pipeline.measuring.evidence import identity
from pipeline.study import Claim, Count, Given, Part, Rows, Table, Trial, named

if TYPE_CHECKING:
    from lightning_modules.machines._machine import Machine

FINITE = "parity", "binary_counter"
"""The control: finite automata."""
DEPTHS = {
    "unary_stack": (2, {"float64": (53, 53), "float32": (24, 24)}),
    "palindromes": (3, {"float64": (26, 27), "float32": (12, 12)}),
    "turing": (3, {"float64": (26, 26), "float32": (12, 12)}),
    "halving_counter": (4, {"float64": (1074, 1074), "float32": (149, 149)}),
    "binary_digits": (5, {"float64": (53, 67)}),
}
"""The expectation that a machine is of, and the least and the most that each type keeps."""


class Depth(Trial):
    """One machine, one type of number, one word, which the seed draws where content matters."""

    machine: Annotated[str, named(MACHINES)]
    number: Annotated[str, named(NUMBERS)]
    limit: Count
    """Symbols that are tried."""

    def measure(self, given: Given) -> Rows:
        """Return how many symbols are kept beside what is predicted, and whether answers are right.

        ``predicted`` is empty where nothing is to be lost, as far as tried.
        """
        import numpy as np

        machine, number = MACHINES[self.machine](), NUMBERS[self.number]
        word = machine.word(np.random.default_rng(self.seed), self.limit)
        kept, reach = self._kept(machine, word), machine.reach(word, number)
        deepest = word[:kept]
        return {
            "units": len(machine.units),
            "kept": len(deepest),
            "lost": kept is not None,
            "predicted": None if reach is None or reach >= self.limit else reach,
            "right": self._right(machine, deepest),
            "right_beyond": None if kept is None else self._right(machine, word[: kept + 1]),
        }

    def _kept(self, machine: "Machine", word: list[str]) -> int | None:
        """Return after how many symbols the states last were the exact ones; None if they are."""
        from lightning_modules.machines._numbers import exactly

        runs = machine.run(word, NUMBERS["rational"]), machine.run(word, NUMBERS[self.number])
        for n, (exact, seen) in enumerate(zip(*runs, strict=True)):
            if any(exact[unit] != exactly(seen[unit]) for unit in exact):
                return n
        return None

    def _right(self, machine: "Machine", word: list[str]) -> bool | None:
        """Return whether all that it is asked of a word it answers right; None if it is nothing."""
        of = [
            machine.answer([*machine.run([*word, *rest], NUMBERS[self.number])][-1]) == answer
            for rest, answer in machine.questions(word)
        ]
        return all(of) if of else None


def kept_in_words(seen: pd.DataFrame) -> str:
    """Return how many symbols some runs kept: one number, two, or that nothing was lost."""
    lost = seen[seen["lost"].astype(bool)]
    if lost.empty:
        return f"all of {int(seen['limit'].max()):,}"
    least, most = int(lost["kept"].min()), int(lost["kept"].max())
    said = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return said if len(lost) == len(seen) else f"{said}, or all"


def depths(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each machine keeps in each type of number."""
    return pd.DataFrame(
        {"machine": str(machine).replace("_", " "), "units": int(of["units"].iloc[0])}
        | {str(number): kept_in_words(seen) for number, seen in of.groupby("number", sort=False)}
        for machine, of in rows.groupby("machine", sort=False)
    )


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold every run to its digits, and the floats to the depths known beforehand."""
    finite = rows[rows["machine"].isin(FINITE)]
    if len(finite):
        yield _all("finite automata lose nothing, in any type", ~finite["lost"].astype(bool), 1)
    for machine, (expected, by_number) in DEPTHS.items():
        of = rows[rows["machine"] == machine]
        called = machine.replace("_", " ")
        for number, (least, most) in by_number.items():
            seen = of[of["number"] == number]
            if seen.empty:
                continue
            meant = str(least) if least == most else f"{least} to {most}"
            holds = seen["lost"].astype(bool) & seen["kept"].between(least, most)
            yield identity(
                f"{called}, {number}: {meant} symbols",
                bool(holds.all()),
                kept_in_words(seen),
                expected=expected,
            )
        floats = of[of["number"] != "rational"]
        if len(floats):
            same = floats["predicted"].isna() != floats["lost"].astype(bool)
            same &= floats["predicted"].isna() | (floats["predicted"] == floats["kept"])
            yield _all(f"{called}: as many as the digits say, in each float", same, expected)
    exact = rows[rows["number"] == "rational"]
    if len(exact):
        yield _all("in rationals nothing is lost", ~exact["lost"].astype(bool), 6)
    for column, wanted, said in (
        ("right", True, "asked where nothing is lost yet, every machine is right"),
        ("right_beyond", False, "asked one symbol deeper, every machine is wrong somewhere"),
    ):
        asked = rows[column].dropna() if column in rows else pd.Series(dtype=bool)
        if len(asked):
            yield _all(said, asked.astype(bool) == wanted, 7)


def _all(text: str, holds: pd.Series, expected: int) -> Claim:
    """Claim that something holds of every run."""
    return identity(
        text, bool(holds.all()), f"{int(holds.sum())} of {len(holds)} runs", expected=expected
    )


PART = Part(
    __doc__,
    Depth,
    expects,
    speaks_of={"machine": (*FINITE, *DEPTHS)},
    figures=(
        Table(
            name="depth",
            title="Symbols that a machine keeps",
            caption="From one set of weights in each type of number; least and most over words, "
            "where content matters. All of how many: nothing was lost as far as was tried.",
            build=depths,
        ),
    ),
)
