"""A Turing machine, step by step: its configurations in floats beside the exact ones.

A configuration is the state and both halves of the tape, which three steps of the network lead to
the next (see the machine's file). It is compared with that of the same rules followed on lists of
symbols. The first to be wrong is predicted to be the first whose halves, as fractions, are no
numbers of the type.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import pandas as pd

from lightning_modules.machines._numbers import NUMBERS
from pipeline.measuring.evidence import identity
from pipeline.study import Claim, Figure, Given, Part, Rows, Table, Trial, Whole, named

if TYPE_CHECKING:
    from lightning_modules.machines._numbers import Number
    from lightning_modules.machines.turing import Configuration

BEAVER, STEPS, ONES = "busy_beaver_4", 107, 13
"""Brady (1983): the most ones that four states write before they halt, and in how many steps."""
HELD = "rational", "float64"
"""Types that its tape fits."""


class Steps(Trial):
    """One program on a tape that holds some 1s, in one type of number."""

    program: Literal["increment", "busy_beaver_4"]
    ones: Whole
    number: Annotated[str, named(NUMBERS)]

    def measure(self, given: Given) -> Rows:
        """Return each configuration's error, and how many in a row from the first were exact."""
        from lightning_modules.machines._machine import SILENCE
        from lightning_modules.machines.turing import STEPS, Turing

        machine, number, word = Turing(self.program), NUMBERS[self.number], ["1"] * self.ones
        plain = list(machine.plainly(word))
        read = [*word, "go", *[SILENCE] * STEPS * (len(plain) - 1)]
        *_, end = states = list(machine.run(read, number))
        seen = [machine.configuration(of) for of in states[len(word) :: STEPS]]
        errors = [_error(one, exact) for one, exact in zip(seen, plain, strict=True)]
        same = [one == exact for one, exact in zip(seen, plain, strict=True)]
        fits = [_fits(exact, number) for exact in plain]
        yield {
            "record": "whole",
            "configurations": len(plain),
            "exact": _leading(same),
            "predicted": _leading(fits),
            "written": machine.answer(end),
        }
        for step, error in enumerate(errors):
            yield {"record": "step", "step": step, "error": error}


def _error(seen: "Configuration", exact: "Configuration") -> float:
    """Return the larger error of both halves of the tape, 1 where the state is another."""
    if seen.state != exact.state:
        return 1.0
    return float(max(abs(seen.left - exact.left), abs(seen.right - exact.right)))


def _fits(exact: "Configuration", number: "Number") -> bool:
    return number.fits(exact.left) and number.fits(exact.right)


def _leading(holds: list[bool]) -> int:
    """Count those that are true before the first that is not."""
    return holds.index(False) if False in holds else len(holds)


def wholes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how far each run was exact, and what stood on the tape at its end."""
    whole = rows[rows["record"] == "whole"]
    return pd.DataFrame(
        {
            "program": whole["program"].str.replace("_", " "),
            "ones on the tape": whole["ones"].astype(int),
            "number": whole["number"],
            "configurations": whole["configurations"].astype(int),
            "exact": whole["exact"].astype(int),
            "ones at the end": whole["written"].astype(int).where(whole["written"] >= 0, "none"),
        }
    )


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold every run to where its tape ceases to fit, and the busy beaver to what is known."""
    whole = rows[rows["record"] == "whole"]
    same = whole["exact"] == whole["predicted"]
    yield identity(
        "every run is exact until its tape does not fit, and no longer",
        bool(same.all()),
        f"{int(same.sum())} of {len(same)} runs",
        expected=8,
    )
    beavers = whole[(whole["program"] == BEAVER) & (whole["ones"] == 0)]
    for number, runs in beavers.groupby("number", sort=False):
        if number not in HELD:
            continue
        right = (runs["exact"] == STEPS + 1) & (runs["configurations"] == STEPS + 1)
        right &= runs["written"] == ONES
        steps, written = int(runs["exact"].min()) - 1, int(runs["written"].min())
        yield identity(
            f"{number}: the busy beaver writes {ONES} ones in {STEPS} steps, each exact",
            bool(right.all()),
            f"{written} ones, {steps} exact steps",
            expected=8,
        )


PART = Part(
    __doc__,
    Steps,
    expects,
    figures=(
        Table(
            name="steps",
            title="Turing machines, step by step",
            caption="Configurations from the first on that are exact, of all until it halts. None "
            "at the end: it did not halt in time, or what it left is no tape.",
            build=wholes,
        ),
        Figure(
            name="tape",
            title="How a tape is lost",
            caption="The larger error of the two halves of the tape as fractions; 1 where the "
            "state is wrong. Where a line is missing nothing is lost.",
            x="step",
            y="error",
            where={"record": "step"},
            hue="number",
            column="program",
            log_y=True,
            labels={"step": "steps of the Turing machine", "error": "error of the tape"},
        ),
    ),
)
