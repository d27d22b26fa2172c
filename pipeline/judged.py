"""What pages show of classifiers: how they ended, their curves, the error in their layers."""

from collections.abc import Sequence

import pandas as pd

from pipeline import finals
from pipeline.study import Figure

LABELS = {
    "step": "batches",
    "examples": "pictures seen",
    "wrong": "wrong, %",
    "value": "‖∂L/∂h‖",
    "train_size": "digits",
    "module": "layer",
}


def ends(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return how each run ended; ``by`` names the columns that tell runs apart."""
    return finals.ends(rows[rows["record"] == "curve"], by)


def spread(values: pd.Series, digits: int = 2) -> str:
    """Return mean and standard deviation as words; the mean alone of a single value."""
    mean = f"{values.mean():.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {values.std():.{digits}f}"


def curves(hue: str, column: str | None = None, x: str = "step") -> Figure:
    """Return the picture of what is wrong along training."""
    return Figure(
        name="wrong",
        title="Held-out digits that are wrong",
        caption="Percent of the test pictures, mean and range over seeds.",
        x=x,
        y="wrong",
        where={"record": "curve"},
        hue=hue,
        column=column,
        log_y=True,
        labels=LABELS,
    )


def errors(
    hue: str, x: str = "step", column: str | None = None, where: dict[str, int] | None = None
) -> Figure:
    """Return the picture of the error that came back to each layer."""
    return Figure(
        name="error",
        title="Error that comes back to each layer",
        caption="‖∂L/∂h‖ of a layer's outputs over a batch, mean since the evaluation before; "
        "layers are counted in the order in which pictures go through them.",
        x=x,
        y="value",
        where={"probe": "error_flow", **(where or {})},
        hue=hue,
        column=column,
        log_y=True,
        labels=LABELS,
    )
