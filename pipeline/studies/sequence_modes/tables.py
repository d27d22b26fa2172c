"""Tables of what translations score, what validation chose, and some of them to read."""

import pandas as pd

from pipeline.studies.sequence_modes.positions import ATTENTION, PLAIN
from pipeline.studies.sequence_modes.scoring import ALL

DICTIONARY, NEAREST = "word by word", "nearest sentence"
GREEDY, BEAM = "greedy", "beam"


def scored_by(rows: pd.DataFrame, group: str, search: str = BEAM) -> pd.DataFrame:
    """Return a group's scores on the test part."""
    tests = rows[rows["record"] == "test"]
    return tests[(tests["group"] == group) & (tests["search"] == search)]


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return scores by method, search and group, means over seeds."""
    tests = rows[rows["record"] == "test"]
    counted = tests["method"].isin([DICTIONARY, NEAREST])
    tests = tests.assign(search=tests["search"].where(~counted, "counting"))
    by = tests.groupby(["method", "search", "group"], sort=False)
    shown = by[["pairs", "bleu", "chrf", "exact"]].mean().round(1).reset_index()
    shown["pairs"] = shown["pairs"].astype(int)
    shown.columns = [
        "translated",
        "search",
        "words of the source",
        "pairs",
        "BLEU",
        "chrF",
        "exact, %",
    ]
    return shown


def chosen(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what validation chose, and its own figure beside the test part's."""
    tests = scored_by(rows[rows["method"].isin([PLAIN, ATTENTION])], ALL)
    held = rows[rows["record"] == "validation"]
    best = held.groupby(["method", "seed"])["bleu"].max()
    shown = tests[["method", "seed", "step", "penalty", "teacher_forced_accuracy", "bleu"]].copy()
    keys = zip(shown["method"], shown["seed"], strict=True)
    shown.insert(5, "validation", [round(float(best[key]), 1) for key in keys])
    shown["bleu"] = shown["bleu"].round(1)
    shown["teacher_forced_accuracy"] = (100 * shown["teacher_forced_accuracy"]).round(1)
    shown.columns = [
        *("translated", "seed", "batches", "penalty", "teacher-forced, %"),
        *("validation BLEU", "test BLEU"),
    ]
    return shown


def signatures(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how scores were computed."""
    tests = rows[rows["record"] == "test"]
    return pd.DataFrame({"signature": sorted(tests["signature"].unique())})


def sampled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each way of translating says of some sentences, from the smallest seed."""
    of = rows[rows["record"] == "sample"]
    of = of[of["seed"] == of["seed"].min()]
    said_by = of.pivot_table(
        index=["source", "target"], columns="method", values="said", aggfunc="first", sort=False
    )
    return said_by.reset_index().rename_axis(columns=None)
