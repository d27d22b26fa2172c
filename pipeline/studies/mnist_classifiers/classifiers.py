"""Which network reads digits best, and what error comes back to its layers?

``at_most`` says what is expected of each at this scale, in percent of the test pictures, which are
looked at once, at the end; the literature's figures are meant for all of MNIST and long training.
"""

from collections.abc import Iterator

import pandas as pd
from pydantic import PositiveFloat

from pipeline.measuring import classifying
from pipeline.measuring.classifying import PictureTraining
from pipeline.measuring.evidence import below
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Given, Part, Published, Rows, Table

RUN = "classifier", "seed"


class Classifier(PictureTraining):
    """A classifier, by what it is called, and what is expected of it."""

    classifier: str
    at_most: PositiveFloat
    """Percent of the test pictures that are wrong."""

    def measure(self, given: Given) -> Rows:
        """Train; return evaluations and the norms of the layers' errors."""
        return self.learn(given).rows


LENET5 = Published(
    row="lenet5-wrong",
    source="LeCun, Bottou, Bengio & Haffner (1998), section III: LeNet-5 on MNIST, undistorted",
    value="0.95 % wrong",
    tolerance="at most 1.2 % wrong, by Adam, 12.5 times through the training part",
)


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold each classifier's mean to what is expected of it."""
    most = rows.groupby("classifier")["at_most"].first()
    for name, wrong in wrong_by_name(rows).items():
        claim = f"{name}: at most {most[name]:g} % wrong"
        found = below(claim, wrong, most[name], expected=1)
        yield found.stands_for(LENET5) if name == "LeNet-5" else found


def wrong_by_name(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return how many of a hundred digits each classifier has wrong at the end, by seed."""
    ends = classifying.ends(rows, RUN).set_index("seed")
    return {str(name): runs["wrong"] for name, runs in ends.groupby("classifier", sort=False)}


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each classifier's size and how it ended."""
    return pd.DataFrame(
        {
            "classifier": name,
            "parameters": f"{int(runs['parameters'].iloc[0]):,}",
            "batches": int(runs["step"].iloc[0]),
            "wrong, %": with_interval(runs["wrong"], 2),
            "best, %": f"{runs['wrong'].min():.2f}",
            "seeds": len(runs),
        }
        for name, runs in classifying.ends(rows, RUN).groupby("classifier", sort=False)
    )


PART = Part(
    __doc__,
    Classifier,
    expects,
    speaks_of={"classifier": ("LeNet-5",)},
    figures=(
        classifying.curves("classifier", x="examples"),
        Table(
            name="wrong-final",
            title="Wrong at the end",
            caption="Mean ± 95 % interval over seeds.",
            build=_table,
        ),
        classifying.errors("classifier", x="layer"),
    ),
)
