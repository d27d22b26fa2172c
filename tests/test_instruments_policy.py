"""What holds of every probe that meets what it cannot see, or fails."""

import warnings
from typing import Any

import pytest
import torch

from lightning_modules.contracts._recall import Recall
from lightning_modules.instruments import InstrumentWarning
from lightning_modules.probes import PROBES
from lightning_modules.probes._base import Probe
from lightning_modules.training.fit import fit
from tests.probing_learners import perceptron
from tests.test_training import sequence_learner
from tests.test_training_runs import RUN


class Broken(Probe):
    """A probe that fails at its third look, or when it tells."""

    sees = frozenset({"updates"})

    def __init__(self, tells: bool = True):
        super().__init__()
        self.tells, self.looks = tells, 0

    def updated(self, seen: Any) -> None:
        self.looks += 1
        if self.looks == 3:
            raise StopIteration("nothing\n there")
        self.keep(value=torch.ones(()))

    def tell(self, means: Any) -> Any:
        yield {"quantity": "value", "value": float(means["value" if self.tells else "velue"])}


def test_a_probe_that_fails_says_so_once_stands_aside_and_training_goes_on() -> None:
    bare = fit(perceptron(), Recall(), **RUN)
    for tells, says in ((True, "StopIteration: nothing there"), (False, "KeyError: 'velue'")):
        probe = Broken(tells)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            rows = fit(perceptron(), Recall(), **RUN, probes=[probe])
        lines = [str(w.message) for w in said if w.category is InstrumentWarning]
        assert lines[0] == f"{probe.name} stands aside: {says}" if tells else says in lines[-1]
        assert len(lines) == 2 - tells  # the one that cannot tell failed at its third look, too
        assert [row for row in rows if "probe" not in row] == bare
        assert probe.looks == 3


@pytest.mark.parametrize("every", [2.5, True, "2"])
def test_every_is_a_whole_number(every: Any) -> None:
    with pytest.raises(ValueError, match="it must be a whole number"):
        PROBES["horizon"](every=every)


def test_a_probe_that_would_never_give_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="smoothness sees losses and updates, but BackpropLearner"):
        fit(perceptron(), Recall(), **RUN, probes=[PROBES["smoothness"]()])
    probe = PROBES["smoothness"](every=1)
    assert any(
        row.get("probe") == "smoothness"
        for row in fit(sequence_learner(Recall()), Recall(), **RUN, probes=[probe])
    )
