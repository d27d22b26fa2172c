"""What order do units find by themselves: in a plane that data are folded into, and in categories?

Kohonen's maps keep neighbours neighbours at some cost in how near units come to the data. ART makes
categories in one pass, as fine as vigilance asks, which never widen what they demand: templates
shrink and come to rest. Both are beside what has no order at all.

Expected:
    1. A chain of units with a bubble of half-width n has a density that follows the data's to the
       power 2/3 - 1/(3n² + 3(n+1)²): .6000, .6410, .6533 for n = 1, 2, 3, within .005; 1/3 without
       neighbours, which is k-means. Our map, put where theory is at rest, stays.
    2. No map of the unit square has a quantisation error below .3772 / √M, nor has k-means.
    3. Scrambled units have a topographic error of 1 - mean neighbours / (M - 1), maps one that is
       lower by .5 at least, by any kind of neighbours.
    4. Fuzzy ART with α → 0: nothing changes from the second pass on; with α = .1 some does.
    5. Templates only shrink.
    6. Circle in the square, fuzzy ARTMAP, one pass, baseline vigilance 0: right on .887, .926, .957
       of points after 100, 1,000, 10,000, within .03.
    7. A vote of five orders is right on .953 after 1,000 points, within .03, and more often than
       one order is.
    8. Digits: the quantisation error falls, in batches and digit by digit.
    9. A wider last radius σ raises the quantisation error (4.87, 5.19, 5.42 at .5, 1, 1.5 on all of
       MNIST, within .1) and lowers the topographic one: without σ neither says anything.
    10. At the widest σ topographic errors are below 10 %, by 4 and by 8 neighbours, and by 6.
    11. Maps are nearer to digits than the plane of two principal components, and less near than
        k-means of as many centres.
    12. Higher vigilance makes more categories of digits, on average over orders.
    13. A vote of orders is right on more digits than an order is; the nearest neighbour, which
        keeps all digits, on more still.

References:
    Kohonen (1982), Self-organized formation of topologically correct feature maps, Biological
        Cybernetics 43.
    Ritter (1991), Asymptotic level density for a class of vector quantization processes, IEEE
        Transactions on Neural Networks 2(1).
    Fejes Tóth (1972), Lagerungen in der Ebene, auf der Kugel und im Raum, Springer.
    Carpenter & Grossberg (1987), A massively parallel architecture for a self-organizing neural
        pattern recognition machine, Computer Vision, Graphics, and Image Processing 37.
    Carpenter, Grossberg & Rosen (1991), Fuzzy ART, Neural Networks 4(6).
    Carpenter, Grossberg, Markuzon, Reynolds & Rosen (1992), Fuzzy ARTMAP, IEEE Transactions on
        Neural Networks 3(5).
"""

import pandas as pd

from pipeline.measuring.statistics import with_interval
from pipeline.studies.self_organisation.categories import PART as CATEGORIES
from pipeline.studies.self_organisation.categories import votes_of
from pipeline.studies.self_organisation.circle import PART as CIRCLE
from pipeline.studies.self_organisation.digits import PART as DIGITS
from pipeline.studies.self_organisation.magnification import PART as MAGNIFICATION
from pipeline.studies.self_organisation.predictions import BATCH, K_MEANS, ends_of
from pipeline.studies.self_organisation.square import PART as SQUARE
from pipeline.studies.self_organisation.stability import PART as STABILITY
from pipeline.study import join, rows_of


def answer(rows: pd.DataFrame) -> str:
    """Say what a plane costs and gives, and what one pass of ART is worth."""
    said = []
    digits = rows_of(rows, "digits")
    own = ends_of(digits, BATCH)
    own = own[own["grid"] == "rectangular"]
    if len(own):
        widest = own[own["last_radius"] == own["last_radius"].max()]
        four, eight = (widest[widest["neighbours"] == many] for many in (4, 8))
        said.append(
            f"Units that are neighbours on a map become alike: of {len_of(widest)} units, the two "
            "nearest to a digit are not adjacent for "
            f"{with_interval(100 * four['topographic'], 1)} % of digits, counting 4 neighbours, "
            f"and for {with_interval(100 * eight['topographic'], 1)} % counting 8, "
            f"where the neighbourhood shrinks to σ = {own['last_radius'].max():g}; the nearest "
            f"unit is {with_interval(four['error'], 2)} from a digit on average."
        )
        means = ends_of(digits, K_MEANS)
        if len(means):
            said.append(f"K-means, which keeps no order, is at {with_interval(means['error'], 2)}.")
    stable = rows_of(rows, "stability")
    tiny = stable[(stable["choice"] == stable["choice"].min()) & (stable["pass"] > 1)]
    said.append(
        f"At its least α, ART's categories had {tiny['changes'].sum():.0f} changes in {len(tiny)} "
        "passes after the first."
    )
    votes = votes_of(rows_of(rows, "categories"))
    if votes:
        vigilance = max(votes)
        of = votes[vigilance]
        said.append(
            f"After one pass over {of['digits'].iloc[0]:,.0f} digits ARTMAP is right on "
            f"{with_interval(of['mean'])} of others in one order, on {with_interval(of['right'])} "
            f"by a vote of {of['orders'].iloc[0]:.0f}."
        )
    return " ".join(said)


def len_of(ends: pd.DataFrame) -> str:
    """Return the size of a map in words."""
    return f"{ends['rows'].iloc[0]:.0f}×{ends['columns'].iloc[0]:.0f}"


STUDY = join(
    __doc__,
    answer,
    "energy",
    magnification=MAGNIFICATION,
    square=SQUARE,
    stability=STABILITY,
    circle=CIRCLE,
    digits=DIGITS,
    categories=CATEGORIES,
)
