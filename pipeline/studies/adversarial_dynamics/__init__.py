"""Do two players who learn against each other come to rest, and is what one makes any good?

A generator makes samples, a discriminator tells them from data, and each goes down a loss that the
other moves. That is no descent: near a fixed point the field may turn, and steps that turn grow.
From the game of two weights, where all is known, over one dimension and the plane to digits that
are asked for.

Expected:
    1. The Dirac-GAN's eigenvalues are ± f'(0) i; -γ/2 ± √(γ²/4 - f'(0)²) under R1, with consensus
       -γ f'(0)² ± f'(0) i; f'(0) is ½, and 1 without the logarithms.
    2. So simultaneous steps of size h grow by √(1 + h²/4), and one player after the other neither
       grows nor shrinks: to 1e-3 a step.
    3. Under R1, up to γ = 1, simultaneous steps converge where γ > h/4 and nowhere else.
    4. Without saturation simultaneous steps end on a cycle of radius √(2h), the flow comes in as
       1/r² = 1/r₀² + t/8, both to 1 %.
    5. V(D*, G) = -log 4 + 2 JSD for every G; no D is above; and a lazy D = ½ has -log 4, too.
    6. In one dimension both V(D) and V(D*) end within .02 of -log 4.
    7. With R1 at least 7 of a ring's 8 modes and 20 of a square's 25 are found, and more samples
       are good than of one Gaussian.
    8. A kernel density, which remembers what it saw, has more good samples than any game.
    9. With R1 less of the field turns in the end than without.
    10. Of asked-for digits a judge that learned from other ones recognises at least 95 %, of the
        weakest class 90 %; within classes they vary .7 to 1.3 times as much as real ones.
    11. A discriminator that is told another class thinks less of a real digit.
    12. LeNet-5 that learned from generated digits alone is right less often than from real ones.

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville & Bengio (2014),
        Generative adversarial nets, NeurIPS, arXiv:1406.2661.
    Mescheder, Nowozin & Geiger (2017), The numerics of GANs, NeurIPS, arXiv:1705.10461.
    Mescheder, Geiger & Nowozin (2018), Which training methods for GANs do actually converge?, ICML,
        arXiv:1801.04406.
    Metz, Poole, Pfau & Sohl-Dickstein (2017), Unrolled generative adversarial networks, ICLR,
        arXiv:1611.02163.
    Miyato & Koyama (2018), cGANs with projection discriminator, ICLR, arXiv:1802.05637.
    Ravuri & Vinyals (2019), Classification accuracy score for conditional generative models,
        NeurIPS, arXiv:1905.10887.
    Berard, Gidel, Almahairi, Vincent & Lacoste-Julien (2020), A closer look at the optimization
        landscapes of generative adversarial networks, ICLR, arXiv:1906.04848.
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.adversarial_dynamics.cycle import PART as CYCLE
from pipeline.studies.adversarial_dynamics.digits import GAME
from pipeline.studies.adversarial_dynamics.dirac import NEAR, PLAIN
from pipeline.studies.adversarial_dynamics.dirac import PART as DIRAC
from pipeline.studies.adversarial_dynamics.found import PART as MODES
from pipeline.studies.adversarial_dynamics.found import ends as of_modes
from pipeline.studies.adversarial_dynamics.gaussian import PART as GAUSSIAN
from pipeline.studies.adversarial_dynamics.judged import PART as DIGITS
from pipeline.studies.adversarial_dynamics.judged import ends as of_digits
from pipeline.studies.adversarial_dynamics.modes import R1
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say how the two weights' game turns, how many modes are found, and what digits are worth."""
    dirac = rows_of(rows, "dirac")
    bare = dirac[(dirac["regulariser"] == PLAIN) & (dirac["loss"] == "saturating")]
    said = []
    if len(bare):
        growth = bare.groupby("order", sort=False)["growth"].max()
        told = " and ".join(f"{of:.4f} if they move {order}" for order, of in growth.items())
        rest = "They may" if growth.min() < 1 - NEAR else "Not by themselves"
        said.append(
            f"{rest}: a step multiplies two weights' distance from the point where both could rest "
            f"by up to {told}."
        )
    played = rows_of(rows, "modes")
    modes, there = (of_modes(played, "ring", column) for column in ("modes", "of"))
    if R1 in modes:
        said.append(
            f"With R1 a generator finds {with_interval(modes[R1], 1)} of a ring's "
            f"{there[R1].max():.0f} modes."
        )
    digits = of_digits(rows_of(rows, "digits"))
    if GAME in digits:
        of = digits[GAME]
        said.append(
            f"Of digits made on request {with_interval(100 * of['recognised'], 1)} % are recognised"
            f" as what was asked for, {with_interval(100 * of['weakest'], 1)} % in the weakest "
            "class; a network that learned from them alone reads "
            f"{with_interval(100 * of['score'], 1)} % of real ones."
        )
    return " ".join(said)


STUDY = join(
    __doc__,
    answer,
    "energy and games",
    dirac=DIRAC,
    cycle=CYCLE,
    gaussian=GAUSSIAN,
    modes=MODES,
    digits=DIGITS,
)
