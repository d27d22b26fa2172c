"""How models of a text scored: by name and seed, as claims and tables ask for it."""

from collections.abc import Iterator, Mapping

import pandas as pd

from pipeline.measuring.evidence import every, exact, identity, ordered
from pipeline.measuring.statistics import with_interval
from pipeline.study import Claim, Figure

TEST, CURVE, SAMPLE = "test", "curve", "sample"
"""The records of a trial."""
MODIFIED = ", modified"
"""How the name of a counted model with three discounts ends."""


def scores(rows: pd.DataFrame, column: str = "nats") -> dict[str, pd.Series]:
    """Return each model's score on the test part by seed; of one that diverged, infinity."""
    found = rows[rows["record"] == TEST]
    values = pd.to_numeric(found[column]).fillna(float("inf"))
    found = found.assign(**{column: values}).set_index("seed")
    return {str(name): of[column] for name, of in found.groupby("model", sort=False)}


def kinds(rows: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the names of the counted models and of the learned ones."""
    found = rows[rows["record"] == TEST].drop_duplicates("model")
    counted = found["kind"] == "counted"
    return [*map(str, found[counted]["model"])], [*map(str, found[~counted]["model"])]


def scored(rows: pd.DataFrame) -> int:
    """Return how many tokens the least of the models was scored on."""
    return int(rows[rows["record"] == TEST]["scored"].min())


def best_counted(rows: pd.DataFrame) -> tuple[str, float] | None:
    """Return the best of the counted models and its nats; None where there is none."""
    found, (counted, _) = scores(rows), kinds(rows)
    nats = {name: float(found[name].iloc[0]) for name in counted}
    best = min(nats, key=nats.__getitem__, default=None)
    return None if best is None else (best, nats[best])


def counted_claims(
    rows: pd.DataFrame, known: Mapping[str, float], column: str, digit: float, expected: int
) -> Iterator[Claim]:
    """Hold counted models to figures known beforehand, to the digit printed."""
    found = scores(rows, column)
    for name, value in known.items():
        if name in found:
            off = abs(float(found[name].iloc[0]) - value)
            yield exact(f"{name}: {value:g}", off, digit / 2 * (1 + 1e-9), expected=expected)


def modified_claim(rows: pd.DataFrame, expected: int) -> Iterator[Claim]:
    """Hold counting with three discounts to being better than with one, order by order."""
    found = scores(rows)
    both = [name for name in found if f"{name}{MODIFIED}" in found]
    if both:
        pairs = {name: [float(found[n].iloc[0]) for n in (name, name + MODIFIED)] for name in both}
        seen = ", ".join(f"{name} {one:.4f} to {three:.4f}" for name, (one, three) in pairs.items())
        holds = all(three < one for one, three in pairs.values())
        yield identity("three discounts do better than one", holds, seen, expected=expected)


def scored_claim(rows: pd.DataFrame, tokens: int, expected: int) -> Claim:
    """Hold every model to having been scored on all tokens of the test part."""
    counts = rows[rows["record"] == TEST]["scored"].astype(int)
    seen = ", ".join(f"{count:,}" for count in sorted(set(counts)))
    claim = f"every model is scored on all {tokens:,} tokens"
    return identity(claim, bool((counts == tokens).all()), seen, expected=expected)


def entropy_claim(rows: pd.DataFrame, expected: int) -> Iterator[Claim]:
    """Hold the entropy of every learned model to rising with temperature."""
    found = rows[rows["record"] == SAMPLE]
    claims = []
    for name, of in found.groupby("model", sort=False):
        levels = of.pivot_table(index="seed", columns="temperature", values="entropy")
        for low, high in zip(levels.columns, levels.columns[1:], strict=False):
            claims.append(
                ordered(
                    f"{name}, {low:g} to {high:g}", levels[low], levels[high], expected=expected
                )
            )
    if claims:
        yield every("entropy rises with temperature, in every model", claims)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each model scored, what it holds and what it took, the best first."""
    nats = scores(rows)
    parameters, seconds = scores(rows, "parameters"), scores(rows, "seconds")
    counted, _ = kinds(rows)
    perplexity = scores(rows, "perplexity")
    return pd.DataFrame(
        {
            "model": name,
            "by": "counting" if name in counted else "gradient",
            "parameters": int(parameters[name].iloc[0]),
            "nats": with_interval(of, 4),
            "perplexity": with_interval(perplexity[name], 2),
            "seeds": len(of),
            "seconds": float(seconds[name].mean()),
        }
        for name, of in sorted(nats.items(), key=lambda item: item[1].mean())
    )


def samples(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what the best learned model of seed 0 went on with, by temperature."""
    found = rows[(rows["record"] == SAMPLE) & (rows["seed"] == 0)]
    nats, (_, learned) = scores(rows), kinds(rows)
    there = [name for name in learned if name in set(found["model"])]
    best = min(there, key=lambda name: nats[name].mean(), default=None)
    found = found[found["model"] == best].sort_values("temperature")
    return pd.DataFrame(
        {
            "temperature": found["temperature"].map("{:g}".format),
            "entropy (nats)": found["entropy"].map("{:.2f}".format),
            "text": found["text"].str.replace("\n", " ⏎ "),
        }
    )


def curves(name: str, title: str, tokens: str) -> Figure:
    """Return the picture of the validation loss along training."""
    return Figure(
        name=name,
        title=title,
        caption="Mean loss on the validation part, in nats; mean and range over seeds.",
        x="step",
        y="held_out_loss",
        where={"record": CURVE},
        hue="model",
        labels={"step": f"batches of {tokens}", "held_out_loss": "nats"},
    )


SIZES = Figure(
    name="sizes",
    title="Loss against parameters",
    caption="Nats a token of the test part; an n-gram model's parameters are the n-grams it keeps.",
    kind="scatter",
    x="parameters",
    y="nats",
    where={"record": TEST},
    hue="model",
    log_x=True,
)
TIMES = Figure(
    name="times",
    title="Loss against time",
    caption="Nats a token of the test part by the seconds that counting or training, and scoring, "
    "took on one thread.",
    kind="scatter",
    x="seconds",
    y="nats",
    where={"record": TEST},
    hue="model",
    log_x=True,
)
SAMPLES_CAPTION = (
    "How the best learned model, seed 0, goes on from the first tokens of the test part; ⏎ ends a "
    "line. Entropy: of what may follow, mean along the test part's first thousand tokens."
)
