"""How many patterns does a symmetric network hold, by what rule, and how does it come to rest?

Hopfield networks store patterns at random and are started at them, or at what is left of them. A
theory of infinitely many units says what overlap is left, and where Hebb's rule breaks down; no
network is needed for that. Other rules store the same patterns.

Expected:
    1. Up to .12 patterns a unit, overlaps of networks of 1,000 units and more are those of Amit,
       Gutfreund and Sompolinsky to .003.
    2. The load at which half of the patterns are recalled falls as networks grow, towards their
       limit of .138 from above.
    3. One step turns over ½ erfc(1/√(2α)) of a pattern's bits, to three standard errors. All units
       at once, -s(t+1)'W s(t) never rises, and orbits end at rest or swing between two states; one
       at a time, energy never rises.
    4. The projection rule keeps every pattern up to .95 a unit; from a tenth of wrong bits, it
       recalls half of them at .4 ± .1 where its diagonal is kept, at .5 ± .1 where it is zero (as
       measured beforehand).
    5. Storkey's rule and the perceptron rule recall more than Hebb's between .2 and .3 a unit.
    6. Of ten digits, which have much in common, the projection recalls more than Hebb's rule.

References:
    Hopfield (1982), Neural networks and physical systems with emergent collective computational
        abilities, PNAS 79.
    Amit, Gutfreund & Sompolinsky (1985), Storing infinite numbers of patterns in a spin-glass model
        of neural networks, Physical Review Letters 55.
    Goles & Olivos (1981), Comportement périodique des fonctions à seuil binaires, Discrete Applied
        Mathematics 3.
    Personnaz, Guyon & Dreyfus (1985), Information storage and retrieval in spin-glass like neural
        networks, Journal de Physique Lettres 46.
    Storkey (1997), Increasing the capacity of a Hopfield network without sacrificing functionality,
        ICANN.
    Gardner (1988), The space of interactions in neural network models, J. Physics A 21.
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.hopfield_capacity.digits import PART as DIGITS
from pipeline.studies.hopfield_capacity.limit import PART as LIMIT
from pipeline.studies.hopfield_capacity.limit import crossings
from pipeline.studies.hopfield_capacity.patterns import lost_at
from pipeline.studies.hopfield_capacity.rules import PART as RULES
from pipeline.studies.hopfield_capacity.steps import PART as STEPS
from pipeline.studies.hopfield_capacity.theory import LIMIT as KNOWN
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say where recall is lost, by Hebb's rule as networks grow, and by others."""
    at = crossings(rows_of(rows, "limit"))
    told = [f"{with_interval(at[units].dropna())} with {units:,} units" for units in at]
    said = (
        "Of patterns stored by Hebb's rule, each recalled from itself, half are lost at this many "
        f"patterns a unit: {', '.join(told)}, and by theory {KNOWN:.3f} with infinitely many. "
    )
    lost = {
        str(rule): lost_at(of)
        for rule, of in rows_of(rows, "rules").groupby("rule", sort=False)
        if len(lost_at(of))
    }
    words = [f"{with_interval(of, 2)} by {rule}" for rule, of in lost.items()]
    return said + f"Recall from a tenth of wrong bits ends at {', '.join(words)}."


STUDY = join(__doc__, answer, "energy", limit=LIMIT, rules=RULES, steps=STEPS, digits=DIGITS)
