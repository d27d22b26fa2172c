"""One way of forecasting one series, at every horizon, from every origin.

Origins roll: at each step of the series all values up to it are seen, and the ``horizon`` values
after it are forecast. An interval is judged on the same values at each horizon. What is fitted,
trained or scaled is so by the training part alone. A network sees the last ``length`` values. One
of one output forecasts further ahead from its own forecasts; one of several outputs answers so many
horizons at once; a NARX network that runs free after ``known`` steps does so here as in training.
"""

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import NonNegativeFloat, model_validator

from lightning_modules.cells import CELLS
from lightning_modules.networks import NETWORKS
from pipeline.measuring.training import DataSet, Training
from pipeline.studies.forecasting.counted import FITTED, RULES, Seen, counted
from pipeline.study import AS_TEXT, Count, Given, Options, Row, Rows, Whole, named
from pipeline.tasks import TASKS

if TYPE_CHECKING:
    from lightning_modules.training.learner import Learner
    from pipeline.measuring.autoregression import Numbers


class Forecasting(Training):
    """A rule that counts, or a network and how it is trained."""

    # A trial is frozen, so that a field may be narrowed.
    task: Literal["next_value"]  # pyright: ignore[reportIncompatibleVariableOverride]
    dataset: DataSet  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    method: str
    """What it is called."""
    rule: Annotated[str, named(RULES)] | None = None
    order: Count | None = None
    """Of an autoregression."""
    network: Annotated[str, named(NETWORKS)] | None = None
    cell: Annotated[str, named(CELLS)] | None = None
    """One of rule, network and cell; a cell is trained by BPTT."""
    options: Options | None = None
    """What a network or cell is built with beside the sizes of input and output."""
    length: Count
    """Steps of a stretch that is trained on, and of what is seen of the past."""
    warm_up: Whole
    """Steps of it that are not counted in training."""
    horizon: Count
    """Steps ahead that are forecast."""
    outputs: Count
    """Horizons that a network answers at once."""
    anomalies: bool
    season: bool
    """Whether a network sees the month."""
    intervals: Annotated[dict[str, list[Whole]], *AS_TEXT]
    """First and last year of what forecasts are judged on, by name."""
    decay: Literal["l1", "l2"] | None = None
    strength: NonNegativeFloat | None = None
    """Of the decay."""

    @model_validator(mode="after")
    def _one_way(self) -> "Forecasting":
        if sum(way is not None for way in (self.rule, self.network, self.cell)) != 1:
            raise ValueError("give one of rule, network and cell")
        if (self.rule in FITTED) == (self.order is None):
            raise ValueError(f"order goes with the rules {' and '.join(FITTED)}, and no other")
        if (self.decay is None) != (self.strength is None):
            raise ValueError("decay and strength go together: give both or none")
        for name, years in self.intervals.items():
            if len(years) != 2 or years[0] > years[1]:
                raise ValueError(f"interval {name} is {years}: give its first and its last year")
        if self.outputs not in (1, self.horizon):
            raise ValueError(f"outputs is {self.outputs}: 1, or {self.horizon} as horizon is")
        if self.known is not None and self.known + self.horizon - 1 != self.length:
            raise ValueError(
                f"length is {self.length}: a network that runs free takes {self.known} known "
                f"steps and goes {self.horizon} ahead, {self.known + self.horizon - 1} in all"
            )
        return self

    @property
    def known(self) -> int | None:
        """Steps after which a network runs free; None where it never does."""
        return (self.options or {}).get("known")

    @property
    def past(self) -> int:
        """Values that a forecast sees."""
        return self.order or self.known or (1 if self.rule else self.length)

    def measure(self, given: Given) -> Rows:
        """Return the mean squared error by interval and horizon; of a network its curve, too."""
        (series,) = self.read(given)
        rows: list[Row] = []
        if self.rule is not None:
            values_N, seen = _seen(series, self.past, self.horizon)
            if self.rule == "period":
                seen = seen._replace(origins_B=seen.origins_B[seen.origins_B >= 11])
            forecasts_BH = counted(self.rule, self.order or 0, seen, self.anomalies)
            facts: Row = {"parameters": None}
        else:
            task, learner, rows = self._train(series, given)
            facts = {"parameters": sum(weights.numel() for weights in learner.parameters())}
            values_N, seen = _seen(series, self.past, self.horizon)
            forecasts_BH = self.forecasts(task, learner, seen)
            rows = [{**row, "record": "curve"} for row in rows if "probe" not in row]
        errors = self._errors(series, values_N, seen, forecasts_BH)
        return [*rows, *(row | facts for row in errors)]

    def _errors(
        self, series: Any, values_N: "Numbers", seen: Seen, forecasts_BH: "Numbers"
    ) -> list[Row]:
        """Return the mean squared error of each interval and horizon, and of how many forecasts.

        It is None where a network that diverged answers no number.
        """
        rows: list[Row] = []
        for name, (first, last) in self.intervals.items():
            for h in range(1, seen.steps + 1):
                at_B = seen.origins_B + h
                year_B = series.first + at_B // series.per_year
                judged_B = (at_B < len(values_N)) & (year_B >= first) & (year_B <= last)
                off_N = forecasts_BH[judged_B, h - 1] - values_N[at_B[judged_B]]
                error = float((off_N**2).mean()) if len(off_N) else math.nan
                found = {"squared_error": error if math.isfinite(error) else None}
                where = {"record": "forecast", "interval": name, "horizon": h}
                rows.append({**where, **found, "forecasts": len(off_N)})
        return rows

    def _train(self, series: Any, given: Given) -> tuple[Any, "Learner", list[Row]]:
        """Return the task, what learned it, and its evaluations."""
        import torch

        sizes = {"batch_size": self.batch_size, "held_out_size": self.held_out_size}
        of = {"anomalies": self.anomalies, "season": self.season, "warm_up": self.warm_up}
        task = TASKS[self.task](
            series, seed=self.seed, length=self.length, horizon=self.outputs, **sizes, **of
        )
        torch.manual_seed(self.seed)
        learner = self._learner(task)
        return task, learner, self.fit(learner, task, given)

    def _learner(self, task: Any) -> "Learner":
        """Return the learner of the network or cell."""
        from lightning_modules.algorithms.bptt import BPTT
        from lightning_modules.training.backprop import BackpropLearner
        from lightning_modules.training.decay import Decay
        from lightning_modules.training.sequence import SequenceLearner

        of: dict[str, Any] = {"optimizer": self.optimizer, "learning_rate": self.learning_rate}
        of |= {"clip": self.clipped()}
        of["decay"] = None if self.decay is None else Decay(self.decay, self.strength or 0.0)
        options, sizes = self.options or {}, (task.input_size, task.output_size)
        if self.cell is not None:
            cell = CELLS[self.cell](task.input_size, **options)
            return SequenceLearner(cell, task.output_size, task.loss, BPTT(), None, **of)
        return BackpropLearner(NETWORKS[str(self.network)](*sizes, **options), task.loss, **of)

    def forecasts(self, task: Any, learner: "Learner", seen: Seen) -> "Numbers":
        """Return a network's forecasts, (origins, steps ahead), in the series' own unit."""
        import torch

        origin_B = torch.from_numpy(seen.origins_B)
        at_TB = origin_B + torch.arange(1 - self.past, 1)[:, None]
        value_TB, ahead = task.scaled_N[at_TB], []
        if self.known is not None:  # what comes after the known steps is its own
            at_TB = origin_B + torch.arange(1 - self.past, seen.steps)[:, None]
            own_TB = value_TB.new_zeros(seen.steps - 1, value_TB.shape[1])
            z_TBO = _outputs(learner, task.inputs(torch.cat([value_TB, own_TB]), at_TB))
            ahead = [z_TBO[self.known - 1 :, :, 0].T]
        elif self.outputs > 1:
            ahead = [_outputs(learner, task.inputs(value_TB, at_TB))[-1]]
        else:
            for _ in range(seen.steps):
                ahead.append(_outputs(learner, task.inputs(value_TB, at_TB))[-1])
                value_TB, at_TB = torch.cat([value_TB[1:], ahead[-1].T]), at_TB + 1
        return task.unscaled(torch.cat(ahead, dim=1), torch.from_numpy(seen.places)).numpy()


def _seen(series: Any, past: int, steps: int) -> tuple["Numbers", Seen]:
    """Return the series, and every origin that has so many values behind it and one before it."""
    values_N = np.concatenate([series.train_N.numpy(), series.held_out_N.numpy()])
    origins_B = np.arange(past - 1, len(values_N) - 1)
    return values_N, Seen(values_N, len(series.train_N), series.per_year, origins_B, steps)


def _outputs(learner: "Learner", x_TBI: Any) -> Any:
    """Return a network's outputs for inputs that no target belongs to, (T, B, O)."""
    import torch

    from lightning_modules.interfaces import Batch
    from pipeline.tasks._common import first_step

    none_TB = torch.zeros(x_TBI.shape[:2])
    batch = Batch(x_TBI, none_TB, none_TB.bool(), first_step(*none_TB.shape))
    with torch.no_grad():
        ((_, z_TBO),) = learner.outputs([batch])
    return z_TBO


def errors_of(rows: pd.DataFrame, interval: str, horizon: int) -> dict[str, pd.Series]:
    """Return each method's mean squared error at one horizon of an interval, by seed."""
    own = rows[(rows["interval"] == interval) & (rows["horizon"] == horizon)]
    errors = pd.to_numeric(own.set_index("seed")["squared_error"]).fillna(math.inf)
    by = own.set_index("seed").assign(error=errors).groupby("method", sort=False)
    return {str(method): of["error"] for method, of in by}
