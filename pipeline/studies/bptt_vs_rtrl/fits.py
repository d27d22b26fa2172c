"""What the rows of the part ``cost`` say: exponents, and where memories meet."""

import pandas as pd

from pipeline.measuring.measures import exponent, line

THEORY = {
    "microseconds": {"rtrl": 4, "blocked_rtrl": 3, "bptt": 2, "tbptt": 2},
    "megabytes": {"rtrl": 3, "blocked_rtrl": 3, "bptt": 2},
}
"""Exponents of n: of one step's operations, and of the memory of T = 2n steps."""
ASYMPTOTIC = 128
"""Units from which a dense step is arithmetic rather than the interpreter's work."""


def exponents(rows: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Fit quantity ~ n^k over the largest sizes, from ASYMPTOTIC on if there are two."""
    fits = []
    for (form, algorithm), group in rows[rows["sweep"] == "n"].groupby(["form", "algorithm"]):
        least = min(ASYMPTOTIC, sorted(group["hidden_size"])[-2])
        upper = group[group["hidden_size"] >= least]
        k, _ = exponent(upper["hidden_size"].tolist(), upper[quantity].tolist())
        fits.append(
            {
                "form": form,
                "exponent": k,
                "theory": THEORY[quantity].get(str(algorithm)),
                "from": upper["hidden_size"].min(),
                "sizes": f"{upper['hidden_size'].min()}–{upper['hidden_size'].max()}",
            }
        )
    return pd.DataFrame(fits)


def memories(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the sweep of T for BPTT, and for dense RTRL read at each step."""
    lengths = rows[rows["sweep"] == "T"]
    rtrl = lengths[(lengths["algorithm"] == "rtrl") & (lengths["read"] == "step")]
    return lengths[lengths["algorithm"] == "bptt"], rtrl


def crossing(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the T beyond which dense RTRL needs less memory than BPTT."""
    bptt, rtrl = memories(rows)
    slope, intercept, _ = line(bptt["length"].tolist(), bptt["megabytes"].tolist())
    meets = round((rtrl["megabytes"].mean() - intercept) / slope)
    return pd.DataFrame({"n": bptt["hidden_size"].head(1), "T beyond which RTRL needs less": meets})
