"""Which way round is a derivative cheaper, by how many outputs there are for an input?

A network's inputs are here its weights, P of them, and its outputs are units of its states, those
of the last step first. Backwards, each output takes a sweep of its own, whatever P is; forwards,
the influence of each weight is carried along, and read wherever it is asked for. A step of n units
under m inputs takes, in products of matrices,

    backwards    n² + n (n + m)                  of each output: v W, and u ⊗ [x, h]
    forwards     n (n + 1) P + n² + n (n + m)    of all: J M and a row below, P = n (n + m + 1)

so that as many outputs as there are weights are cheaper forwards, and few are cheaper backwards;
both take as much where there are about n² P / (n² + P) outputs. Times are another matter: a sweep
for one output is too little work to fill a processor.

References:
    Griewank & Walther (2008), Evaluating derivatives, 2nd ed., SIAM: forward mode costs
        as many evaluations as there are inputs, reverse mode as many as there are outputs.
    Williams & Zipser (1995), Gradient-based learning algorithms for recurrent networks and their
        computational complexity, in Back-propagation: theory, architectures and applications.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import model_validator

from lightning_modules.algorithms import ALGORITHMS
from lightning_modules.cells import CELLS
from pipeline.measuring.evidence import exact, identity
from pipeline.study import Claim, Count, Figure, Given, Part, Rows, Table, Trial, named

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.interfaces import Algorithm, Cell, Trajectory

BACKWARDS, FORWARDS = "backwards", "forwards"
SAME, NEAR = 1e-12, 0.4
"""How far two Jacobians may be apart, and how near theory the border lies."""


class Outputs(Trial):
    """A network of one sample, and the Jacobian of so many outputs by its weights."""

    cell: Annotated[str, named(CELLS)]
    algorithm: Annotated[str, named(ALGORITHMS)]
    """That carries the influence forwards, (B, S + 1, P), the state's in front."""
    hidden_size: Count
    input_size: Count
    length: Count
    outputs: Count

    @model_validator(mode="after")
    def _there(self) -> "Outputs":
        if self.outputs > (most := self.length * self.hidden_size):
            raise ValueError(f"outputs is {self.outputs}: there are {most} units in all steps")
        return self

    def measure(self, given: Given) -> Rows:
        """Return a row for each way round: how much is multiplied, and in theory."""
        import torch

        from pipeline.measuring.costs import multiplications
        from pipeline.measuring.gradients import relative_error

        torch.manual_seed(self.seed)
        n, m, T, asked = self.hidden_size, self.input_size, self.length, self.outputs
        network, rule = CELLS[self.cell](m, n).double(), ALGORITHMS[self.algorithm]()
        x_TBI = torch.randn(T, 1, m, dtype=torch.float64)
        P = sum(weights.numel() for weights in network.parameters())
        path = network.follow(x_TBI, x_TBI.new_zeros(1, network.state_size))
        back_OP = torch.stack([_swept(path, *divmod(k, n), n) for k in range(asked)])
        to_the_end = multiplications(lambda: network.follow(x_TBI, path.states_TBS[0] * 0))
        # All outputs of one step take as much: one of each is counted.
        each = [multiplications(lambda k=k: _swept(path, k, 0, n)) for k in range(-(-asked // n))]
        counted = {
            BACKWARDS: to_the_end + sum(each[k // n] for k in range(asked)),
            FORWARDS: multiplications(lambda: _influence(rule, network, x_TBI, asked)),
        }
        apart = relative_error(_influence(rule, network, x_TBI, asked), back_OP)
        states, sweep = T * n * (n + m), n**2 + n * (n + m)
        theory = {
            BACKWARDS: states + sum(T - k // n for k in range(asked)) * sweep,
            FORWARDS: states + T * (n * (n + 1) * P + sweep),
        }
        for way, count in counted.items():
            yield {
                "way": way,
                "multiplications": count,
                "theory": theory[way],
                "weights": P,
                "outputs_a_weight": asked / P,
                "apart": apart,
            }


def _swept(path: "Trajectory", back: int, unit: int, units: int) -> "Tensor":
    """Return the derivative of one unit's state, so many steps before the last, (P,)."""
    upto = path.part(0, len(path) - back)
    c_1BS = upto.states_TBS.new_zeros(1, 1, units)
    c_1BS[..., unit] = 1
    u_TBZ, _ = upto.sweep(c_1BS)
    return upto.gradient(u_TBZ)


def _influence(rule: "Algorithm", network: "Cell", x_TBI: "Tensor", outputs: int) -> "Tensor":
    """Return the Jacobian, (O, P), by every weight's influence, carried from step to step."""
    import torch

    state_BS, memory, kept = x_TBI.new_zeros(1, network.state_size), None, []
    for t, x_1BI in enumerate(x_TBI.unsqueeze(1)):
        _, state_BS, memory, *_ = rule.run(
            network, x_1BI, state_BS, lambda _, s_BS: torch.zeros_like(s_BS), memory
        )
        if (len(x_TBI) - 1 - t) * network.hidden_size < outputs:
            kept.append(memory[0][0, : network.hidden_size].clone())
    return torch.cat(kept[::-1])[:outputs]


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold what is multiplied to what follows from the two ways round."""
    yield exact("outputs: both ways give one Jacobian", rows["apart"].max(), SAME, expected=10)
    rows = rows[rows["seed"] == rows["seed"].min()]  # nothing that is counted hangs on the draw
    same = rows["multiplications"] == rows["theory"]
    yield identity(
        "outputs: as much is multiplied as is counted by hand",
        bool(same.all()),
        f"{same.sum()} of {len(same)} are the same",
        expected=10,
    )
    ways = {str(way): seen for way, seen in rows.groupby("way")}
    spread = (
        ways[FORWARDS].groupby("hidden_size")["multiplications"].agg(lambda of: of.max() / of.min())
    )
    yield identity(
        "outputs: forwards costs as much whatever their number",
        bool((spread == 1).all()),
        f"× {spread.max():.3f}",
        expected=10,
    )
    for units, of in rows.groupby("hidden_size"):
        cost = of.pivot_table(index="outputs", columns="way", values="multiplications")
        ratio = cost[FORWARDS] / cost[BACKWARDS]
        where = f"outputs: of {units:g} units and {of['weights'].iloc[0]:,.0f} weights"
        few, many = (f"{k:,.0f}: × {ratio[k]:.3g}" for k in (ratio.index[0], ratio.index[-1]))
        yield identity(
            f"{where}, backwards is cheaper for one output, forwards for one a weight",
            bool(ratio.iloc[0] > 1 > ratio.iloc[-1]),
            f"forwards over backwards, {few}; {many}",
            expected=10,
        )
        at, theory = border(of), border_in_theory(of)
        yield identity(
            f"{where}, the border lies within {NEAR:.0%} of n² P / (n² + P)",
            bool(abs(at / theory - 1) <= NEAR),
            f"{at:.0f} and {theory:.0f} outputs",
            expected=10,
        )


def border(of: pd.DataFrame) -> float:
    """Return how many outputs take as much backwards as forwards, of the rows of one network."""
    import numpy as np

    cost = of.pivot_table(index="outputs", columns="way", values="multiplications")
    apart = np.log(cost[BACKWARDS] / cost[FORWARDS])
    return float(np.exp(np.interp(0.0, apart, np.log(cost.index.to_numpy(float)))))


def border_in_theory(of: pd.DataFrame) -> float:
    """Return n² P / (n² + P)."""
    n, P = int(of["hidden_size"].iloc[0]), int(of["weights"].iloc[0])
    return n**2 * P / (n**2 + P)


def _borders(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the border of each network."""
    lines = [
        {
            "n": units,
            "m": int(of["input_size"].iloc[0]),
            "weights": int(of["weights"].iloc[0]),
            "border, outputs": round(border(of)),
            "in theory": round(border_in_theory(of)),
            "a weight": round(border(of) / of["weights"].iloc[0], 3),
        }
        for units, of in rows.groupby("hidden_size")
    ]
    return pd.DataFrame(lines)


PART = Part(
    __doc__,
    Outputs,
    expects,
    figures=(
        Figure(
            name="outputs",
            title="What a derivative costs, backwards and forwards",
            caption="Numbers multiplied in products of matrices, for the Jacobian of so many "
            "outputs by all weights; dashed: counted by hand. Left of where the lines cross, where "
            "outputs are fewer than weights by far, going backwards is cheaper.",
            x="outputs_a_weight",
            y="multiplications",
            hue="way",
            column="hidden_size",
            theory="theory",
            log_x=True,
            log_y=True,
            labels={"outputs_a_weight": "outputs a weight", "way": "going", "hidden_size": "units"},
        ),
        Table(
            name="borders",
            title="How many outputs take as much backwards as forwards",
            caption="Between the numbers that were counted, by straight lines of logarithms.",
            build=_borders,
        ),
    ),
)
