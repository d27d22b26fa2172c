"""How far is CD-k's gradient from the exact one, on average and from one time to the next?

A machine of few units learns bars and stripes by the exact gradient. On its way its gradient is
held to what CD-k's would be: on average, by the matrix of a sweep's transitions between all visible
states to the power of k, and in its variance, from the same matrix. No chain is run.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, PositiveFloat

from pipeline.measuring.evidence import above, below, monotone, ordered
from pipeline.study import (
    AS_TEXT,
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Published,
    Rows,
    Table,
    Trial,
)

WRONG = 0.25
"""The share of wrong signs that is expected to be kept below."""


class Bias(Trial):
    """A machine on its way."""

    side: Count
    hidden_size: Count
    spread: PositiveFloat
    learning_rate: PositiveFloat
    levels: Annotated[list[PositiveFloat], Field(min_length=1), *AS_TEXT]
    """It is looked at before all steps, and where its divergence first falls to each of these."""
    steps: Count
    """That are gone at most."""
    tried: Annotated[list[Count], Field(min_length=1), *AS_TEXT]
    """The numbers of sweeps, k, that are tried."""

    def measure(self, given: Given) -> Rows:
        """Return, look by look and k by k, how near the gradients are."""
        import torch

        from lightning_modules.energies.estimators.exact import Exact
        from lightning_modules.energies.rbm import RBM
        from pipeline.tasks.bars_and_stripes import BarsAndStripes

        torch.manual_seed(self.seed)
        side = 2 ** (self.side + 1) - 2
        v_BV = BarsAndStripes(0, side, 1, self.side).examples_NI.double()
        net = RBM(v_BV.shape[1], self.hidden_size, Exact(), spread=self.spread).double()
        left = [math.inf, *sorted(self.levels, reverse=True)]
        with torch.no_grad():
            for step in range(self.steps):
                kl = -math.log(side) - float(net.log_probability(v_BV).mean())
                if kl <= left[0]:
                    look = {"step": step, "level": left.pop(0), "kl": kl}
                    look["level"] = kl if step == 0 else look["level"]
                    yield from ({**look, **seen} for seen in self._seen(net, v_BV))
                if not left:
                    return
                gradient = net.learn(v_BV, v_BV).gradient
                for w, g in zip(net.parameters(), gradient, strict=True):
                    w.sub_(g, alpha=self.learning_rate)

    def _seen(self, net: Any, v_BV: Any) -> Iterator[dict[str, Any]]:
        """Return a row for each k."""
        import torch

        from pipeline.measuring.gradients import compare

        with torch.no_grad():
            s_NP, T_NN, at_B = transitions(net, v_BV)
            data_P = s_NP[at_B].mean(dim=0)
            p_N = net.log_probability(states_of(v_BV.shape[1])).exp()
            exact_P = data_P - p_N @ s_NP
            size = float(exact_P.square().sum())
            end_BN, done = torch.eye(len(T_NN), dtype=T_NN.dtype)[at_B], 0
            for k in sorted(self.tried):
                end_BN = end_BN @ torch.linalg.matrix_power(T_NN, k - done)
                done = k
                mean_BP = end_BN @ s_NP
                g_P = data_P - mean_BP.mean(dim=0)
                square_B = end_BN @ s_NP.square().sum(dim=1)
                spread = (square_B - mean_BP.square().sum(dim=1)).sum() / len(v_BV) ** 2
                met = compare(g_P, exact_P)
                yield {
                    "k": k,
                    "cosine": met["cosine"],
                    "norm_ratio": met["norm_ratio"],
                    "wrong_sign": float((g_P * exact_P < 0).double().mean()),
                    "bias": float((g_P - exact_P).square().sum()) / size,
                    "variance": float(spread) / size,
                    "both": float((g_P - exact_P).square().sum() + spread) / size,
                }


def states_of(units: int) -> Any:
    """Return all states of 0 and 1, the first unit changing slowest, in float64."""
    import torch

    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * units)


def transitions(net: Any, v_BV: Any) -> tuple[Any, Any, Any]:
    """Return ∂F/∂θ at all visible states, a sweep's p(v' | v), and which states data are."""
    import torch

    v_NV, h_MH = states_of(v_BV.shape[1]), states_of(net.hidden_size)

    def given(p_NU: Any, s_MU: Any) -> Any:
        """Return the probability of each state, unit by unit, given each row of means."""
        return (p_NU.log() @ s_MU.t() + (1 - p_NU).log() @ (1 - s_MU).t()).exp()

    T_NN = given(net.hidden(v_NV), h_MH) @ given(net.visible(h_MH), v_NV)
    one = torch.ones(1, dtype=v_NV.dtype)
    parts = [torch.cat([g.flatten() for g in net.slopes(v_V[None], one)]) for v_V in v_NV]
    places_V = 2.0 ** torch.arange(v_BV.shape[1] - 1, -1, -1, dtype=v_BV.dtype)
    return torch.stack(parts), T_NN, (v_BV @ places_V).long()


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold the bias to its orders in k and along learning, and to its bounds, over machines."""
    last, first = ends(rows), rows[rows["step"] == rows["step"].min()]
    yield monotone(
        "where it has learned the cosine to the exact gradient rises with k",
        _by_k(last, "cosine"),
        expected=1,
    ).stands_for(BENGIO)
    least = rows.groupby("seed")["cosine"].min()
    yield above("a machine's least cosine, at any look and k, is above 0", least, 0, expected=1)
    claim = "before anything is learned all k are within .01 of the exact direction"
    yield above(claim, first.groupby("seed")["cosine"].min(), 0.99, expected=1, digits=5)
    yield below(
        f"fewer than {WRONG:.0%} of the weights are told the wrong way, at any look and k",
        rows.groupby("seed")["wrong_sign"].max(),
        WRONG,
        expected=2,
    ).if_missed(FAINT)
    sweeps = rows["k"].min()
    yield ordered(
        "more are where it has learned than at the start, for the least k",
        *(_by_k(of, "wrong_sign")[sweeps] for of in (first, last)),
        expected=2,
    )
    yield monotone(
        "bias² falls with k where it has learned", _by_k(last, "bias"), expected=3, falls=True
    ).if_missed(LONG)
    claim = "its variance rises with k where it has learned"
    yield monotone(claim, _by_k(last, "variance"), expected=3)


def _by_k(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a column of a look, a row a machine, from the least k to the most."""
    return rows.pivot_table(index="seed", columns="k", values=column)


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each machine's last look."""
    return rows[rows["step"] == rows.groupby("seed")["step"].transform("max")]


LONG = "late, more sweeps point better, and the gradient gets longer than the exact one"
"""Why its bias would not fall."""
FAINT = "near the data's distribution the exact gradient of many weights is next to nothing"
"""Why more signs would be wrong."""
BENGIO = Published(
    row="cd-bias-orders",
    source="Bengio & Delalleau (2009), section 5: exact bias of CD-k on small machines",
    value="more sweeps, less bias; larger weights, more; signs mostly right",
    tolerance="orders exact, wrong signs below a quarter",
)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what is left at the last look, by k."""
    last = ends(rows)
    return pd.DataFrame(
        {
            "k": int(float(str(k))),
            "KL": of["kl"].mean(),
            "cosine": of["cosine"].mean(),
            "norm ratio": of["norm_ratio"].mean(),
            "wrong signs, %": 100 * of["wrong_sign"].mean(),
            "bias²": of["bias"].mean(),
            "variance": of["variance"].mean(),
            "both": of["both"].mean(),
        }
        for k, of in last.groupby("k")
    )


LABELS = {
    "kl": "KL to the data (nats)",
    "wrong_sign": "share of wrong signs",
    "cosine": "cosine to the exact gradient",
    "both": "bias² + variance",
}
PART = Part(
    __doc__,
    Bias,
    expects,
    figures=(
        Figure(
            name="cosine",
            title="CD-k's direction beside the exact one",
            caption="Of the mean gradient, by transition matrices, as the machine learns: from "
            "right to left.",
            x="kl",
            y="cosine",
            hue="k",
            kind="scatter",
            log_x=True,
            labels=LABELS,
        ),
        Figure(
            name="wrong",
            title="Weights that are told the wrong way",
            caption="Share of weights of which the mean gradient has another sign.",
            x="kl",
            y="wrong_sign",
            hue="k",
            kind="scatter",
            log_x=True,
            labels=LABELS,
        ),
        Figure(
            name="spread",
            title="Bias² and variance together",
            caption="Over the exact gradient's own square, of one chain from each of the patterns.",
            x="kl",
            y="both",
            hue="k",
            kind="scatter",
            log_x=True,
            log_y=True,
            labels=LABELS,
        ),
        Table(
            name="bias",
            title="Bias and variance at the end",
            caption="Over the exact gradient's own square; the variance is of one chain from each "
            "of the patterns. Means over seeds.",
            build=table,
        ),
    ),
)
