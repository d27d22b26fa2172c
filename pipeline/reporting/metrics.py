"""A study's page -> the few numbers of it that DVC compares, named in words.

All numbers stay in ``summary.json``: hundreds, which nobody compares by eye.
"""

from pipeline.reporting.counts import Counts
from pipeline.reporting.imprint import Imprint

MAIN = 5
"""Estimates of a study, at most."""
DIGITS = 4
"""Of an estimate; what lies below is of no interest."""


def of_page(left: Imprint) -> dict[str, float]:
    """Return how many claims got which verdict, how much was run, and the main estimates.

    Main are those of claims that stand for published figures, then those that come first.
    """
    counts, trials = Counts(**left.summary["claims"]), left.summary["trials"]
    estimates = left.summary["estimates"]
    published = [row["claim"] for row in left.reproduced if row["claim"] in estimates]
    main = list(dict.fromkeys([*published, *estimates]))[:MAIN]
    return {
        "claims that hold": counts.identities + counts.findings,
        "claims missed": counts.missed,
        "claims undecided": counts.undecided,
        "trials finished": trials["finished"],
        "seeds": left.summary["seeds"],
        **{f"estimate: {claim}": float(f"{estimates[claim]:.{DIGITS}g}") for claim in main},
    }
