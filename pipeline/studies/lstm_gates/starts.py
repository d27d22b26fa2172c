"""How the study's networks start: as their cells draw them, or with forget gates of a bias."""

import abc
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from lightning_modules.starts import STARTS
from pipeline.study import Count, Trial, named

if TYPE_CHECKING:
    from lightning_modules.interfaces import Cell

TAKES = {"forget_bias": "bias", "chrono": "longest"}
"""The starts that set forget gates, and what each is given."""


class Started(Trial, abc.ABC):
    """What says how a cell's weights start."""

    start: Annotated[str, named(TAKES)] | None = None
    """None leaves them as they are drawn."""
    bias: float | None = None
    """Of the forget gate; of a GRU it is the update gate's."""
    longest: Annotated[Count, Field(ge=3)] | None = None
    """Steps over which chrono initialisation spreads memories."""

    @model_validator(mode="after")
    def _given_its_own(self) -> "Started":
        for start, option in TAKES.items():
            if (self.start == start) != (getattr(self, option) is not None):
                raise ValueError(f"start {start} and {option} go together: give both or none")
        return self

    def started(self, cell: "Cell") -> "Cell":
        """Return the cell with its weights where they start."""
        if self.start is not None:
            option = TAKES[self.start]
            STARTS[self.start](**{option: getattr(self, option)}).apply(cell)
        return cell
