"""The Dirac-GAN near its fixed point: eigenvalues, and how much a step grows or shrinks.

D(x) = ψx tells data, all at 0, from samples, all at θ. Weights start at ``radius`` from zero, in a
direction that the seed draws. Growth is e^s, s the slope of log ‖(ψ, θ)‖ over steps. Theory is that
of the matrix of two rows that Mescheder, Geiger & Nowozin give.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from pydantic import PositiveFloat, model_validator

from lightning_modules.adversaries.losses import LOSSES
from lightning_modules.adversaries.regularisers import REGULARISERS
from pipeline.measuring.evidence import below, exact, identity
from pipeline.measuring.playing import AT_ONCE, Order, build
from pipeline.study import (
    Claim,
    Count,
    Figure,
    Given,
    Part,
    Published,
    Rows,
    Table,
    Trial,
    named,
)

if TYPE_CHECKING:
    from lightning_modules.adversaries._round import Game

NOISE = "instance_noise"
PLAIN = "none"
SLOPES = {"saturating": (0.5, -0.25), "non_saturating": (0.5, -0.25), "wasserstein": (1.0, 0.0)}
"""f'(0) and f''(0) of each loss."""
NEAR, DRAWN = 1e-3, 0.02
"""How near growth a step is expected to come to theory, and eigenvalues where noise is drawn."""


class NearZero(Trial):
    """One game, one order of play, one size of step."""

    loss: Annotated[str, named(LOSSES)]
    regulariser: Annotated[str, named((PLAIN, *REGULARISERS))]
    strength: PositiveFloat | None = None
    """γ, or σ of noise."""
    order: Order
    step: PositiveFloat
    steps: Count
    radius: PositiveFloat
    samples: Count
    """Data, and samples, that noise is drawn for."""

    @model_validator(mode="after")
    def _strong(self) -> "NearZero":
        if (self.strength is None) != (self.regulariser == PLAIN):
            raise ValueError(f"strength goes with every regulariser but {PLAIN!r}")
        return self

    def measure(self, given: Given) -> Rows:
        """Return eigenvalues and growth, beside theory's; noise has no growth of its own draw."""
        import torch

        from lightning_modules.adversaries._field import jacobian
        from lightning_modules.adversaries._round import Round

        torch.manual_seed(self.seed)
        game, B = dirac(self.loss, self.regulariser, self.strength), 1
        if self.regulariser == NOISE:
            B = self.samples
        batch = torch.zeros(B, 1).double(), torch.zeros(B).long(), torch.zeros(B, 0).double()
        values = torch.linalg.eigvals(jacobian(Round(game, *batch)))
        J_22 = theory(self.loss, self.regulariser, self.strength or 0.0)
        wanted = np.linalg.eigvals(J_22)
        row: dict[str, Any] = {
            "real": float(values.real.max()),
            "imaginary": float(values.imag.abs().max()),
            "real_theory": float(wanted.real.max()),
            "imaginary_theory": float(np.abs(wanted.imag).max()),
            "threshold": self.step / 4,
            "growth_theory": grown(J_22, self.step, self.order),
        }
        if self.regulariser == NOISE:
            return row
        angle = float(torch.rand(())) * math.tau
        place(game, self.radius * math.cos(angle), self.radius * math.sin(angle))
        lengths = [
            math.log(math.hypot(*at)) for at in orbit(game, self.step, self.steps, self.order)
        ]
        slope = np.polyfit(np.arange(len(lengths)), lengths, 1)[0]
        return row | {"growth": math.exp(slope)}


def dirac(loss: str, regulariser: str = PLAIN, strength: float | None = None) -> "Game":
    """Return the game in float64, both weights at 0."""
    from lightning_modules.adversaries._round import Game
    from lightning_modules.adversaries.gan import GAN

    named_so = {"spread" if regulariser == NOISE else "weight": strength}
    steady = [] if regulariser == PLAIN else build({regulariser: named_so})
    game = Game(GAN(1, 0, biases=False).double(), LOSSES[loss](), steady)
    place(game, 0.0, 0.0)
    return game


def place(game: "Game", of_D: float, of_G: float) -> None:
    """Set ψ and θ."""
    import torch

    with torch.no_grad():
        for player, at in ((game.adversary.discriminator, of_D), (game.adversary.generator, of_G)):
            for w in player.parameters():
                w.fill_(at)


def at(game: "Game") -> tuple[float, float]:
    """Return ψ and θ."""
    players = game.adversary.discriminator, game.adversary.generator
    of_D, of_G = (float(w.detach()) for of in players for w in of.parameters() if w.numel())
    return of_D, of_G


def orbit(game: "Game", step: float, steps: int, order: str) -> Iterator[tuple[float, float]]:
    """Iterate over ψ and θ from where they are, after each step."""
    import torch

    from lightning_modules.adversaries._field import move

    batch = torch.zeros(1, 1).double(), torch.zeros(1).long(), torch.zeros(1, 0).double()
    yield at(game)
    for _ in range(steps):
        move(game, batch, step, order != AT_ONCE)
        yield at(game)


def theory(loss: str, regulariser: str, strength: float) -> np.ndarray:
    """Return the Jacobian at zero: of ψ's speed and of θ's by ψ and θ."""
    slope, bend = SLOPES[loss]
    J_22 = np.array([[0.0, -slope], [slope, 0.0]])
    added = {
        PLAIN: np.zeros((2, 2)),
        "r1": np.diag([-strength, 0.0]),
        "consensus": -strength * J_22.T @ J_22,
        NOISE: np.diag([2 * bend * strength**2, 0.0]),
    }
    return J_22 + added[regulariser]


def grown(J_22: np.ndarray, step: float, order: str) -> float:
    """Return by how much the slower of both directions grows a step."""
    whole = np.eye(2) + step * J_22
    if order != AT_ONCE:
        of_D, of_G = np.eye(2), np.eye(2)
        of_D[0] += step * J_22[0]
        of_G[1] += step * J_22[1]
        whole = of_G @ of_D
    return float(np.abs(np.linalg.eigvals(whole)).max())


def expects(rows: pd.DataFrame) -> Iterator[Claim]:
    """Hold eigenvalues and growth to theory, and R1 to its threshold."""
    parts = [("real", "real_theory"), ("imaginary", "imaginary_theory")]
    off = pd.concat([(rows[a] - rows[b]).abs() for a, b in parts], axis=1).max(axis=1)
    drawn = rows["regulariser"] == NOISE
    for regulariser, said in (
        (PLAIN, "nothing added: ± f'(0) i"),
        ("r1", "R1: -γ/2 ± √(γ²/4 - f'(0)²)"),
        ("consensus", "consensus: -γ f'(0)² ± f'(0) i"),
    ):
        of = rows["regulariser"] == regulariser
        if of.any():
            claim = exact(f"eigenvalues, {said}", float(off[of].max()), 1e-9, expected=1)
            yield claim.stands_for(EIGENVALUES[regulariser])
    if drawn.any():
        claim = "eigenvalues, instance noise: f''(0) σ² ± √(f''(0)² σ⁴ - f'(0)²), over many draws"
        worst = off[drawn].groupby(rows.loc[drawn, "seed"]).max()
        yield below(claim, worst, DRAWN, expected=1)
    still = rows[~drawn]
    for order, of in still.groupby("order", sort=False):
        error = float((of["growth"] - of["growth_theory"]).abs().max())
        yield exact(f"steps {order}: growth a step is theory's", error, NEAR, expected=2)
    bare = still[(still["regulariser"] == PLAIN) & (still["order"] != AT_ONCE)]
    if len(bare):
        error = float((bare["growth"] - 1).abs().max())
        said = "one player after the other, nothing added: neither growth nor decay"
        yield exact(said, error, NEAR, expected=2).stands_for(IN_TURN_STAYS)
    r1 = still[(still["regulariser"] == "r1") & (still["order"] == AT_ONCE)]
    r1 = r1[r1["loss"] != "wasserstein"]
    if len(r1):
        right = (r1["growth"] < 1) == (r1["strength"] > r1["threshold"])
        seen = f"{int(right.sum())} of {len(r1)} runs"
        yield identity(
            "R1, both at once: converges where γ > h/4 and nowhere else",
            bool(right.all()),
            seen,
            expected=3,
        )


_PAPER = "Mescheder, Geiger & Nowozin (2018), which training methods for GANs do actually converge"
EIGENVALUES = {
    PLAIN: Published("dirac-gan", f"{_PAPER}, section 2", "± f'(0) i", "1e-9"),
    "r1": Published("dirac-r1", f"{_PAPER}, section 3", "-γ/2 ± √(γ²/4 - f'(0)²)", "1e-9"),
    "consensus": Published(
        "dirac-consensus", f"{_PAPER}, supplement", "-γ f'(0)² ± f'(0) i", "1e-9"
    ),
}
IN_TURN_STAYS = Published(
    "dirac-in-turn",
    f"{_PAPER}, section 2",
    "eigenvalues of the update on the unit circle for small steps",
    "growth a step 1 ± 1e-3",
)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return eigenvalues and growth of each game, measured and by theory."""
    first = rows[rows["seed"] == rows["seed"].min()]
    lines = []
    for row in first.to_dict("records"):
        strength = row.get("strength")
        lines.append(
            {
                "loss": str(row["loss"]).replace("_", "-"),
                "regulariser": str(row["regulariser"]).replace("_", " "),
                "γ or σ": strength,
                "steps": row["order"],
                "h": row["step"],
                "λ": _complex(row["real"], row["imaginary"]),
                "theory": _complex(row["real_theory"], row["imaginary_theory"]),
                "growth": row.get("growth"),
                "growth by theory": row["growth_theory"],
            }
        )
    return pd.DataFrame(lines)


def _complex(real: float, imaginary: float) -> str:
    """Return a pair of eigenvalues as words."""
    real, imaginary = round(real, 4) + 0.0, round(imaginary, 4)
    said = f"{real:g}".replace("-", "−")
    if not imaginary:
        return said
    turning = f"± {imaginary:g} i"
    return turning if not real else f"{said} {turning}"


PART = Part(
    __doc__,
    NearZero,
    expects,
    figures=(
        Table(
            name="eigenvalues",
            title="The Dirac-GAN's eigenvalues, and growth a step",
            caption="The eigenvalue whose real part is the largest; growth of the distance to the "
            "fixed point over steps of size h, of the first seed.",
            build=table,
        ),
        Figure(
            name="growth",
            title="Growth a step under R1",
            caption="Below 1 steps converge; dashed: theory.",
            x="strength",
            y="growth",
            where={"regulariser": "r1", "loss": "saturating"},
            hue="order",
            column="step",
            theory="growth_theory",
            log_x=True,
            labels={"strength": "γ", "step": "h"},
        ),
    ),
)
