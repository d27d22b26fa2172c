"""ARTMAP: ART categories labelled with classes; a wrong label makes finer categories.

    category J resonates at vigilance ρ; where its class is not y, match tracking:
    ρ <- |I ∧ w_J| / |I| + ε, and the search goes on until a category of class y, or a new one
    ρ <- ρ̄ for the next input

An input's class is that of the category of greatest choice. This is the form that Carpenter et al.
call simplified: a class is a number, not a category of a second ART. The result of one pass depends
on the order of the data; maps trained in several orders vote better than any one of them.

Cost: that of the ART below, several times over where classes are wrong.

Where we differ from the paper: see above, and ``_art.py``.

References:
    Carpenter, Grossberg, Markuzon, Reynolds & Rosen (1992), Fuzzy ARTMAP: a neural network
        architecture for incremental supervised learning of analog multidimensional maps, IEEE
        Transactions on Neural Networks 3(5): match tracking, voting, circle in the square.
    Kasuba (1993), Simplified fuzzy ARTMAP, AI Expert 8(11).
"""

from typing import final

import torch
from torch import Tensor

from lightning_modules.checks import above
from lightning_modules.maps._art import ART
from lightning_modules.maps._map import Map, Seen

NONE = -1
"""The class of a category that is not in use."""


@final
class ARTMAP(Map):
    """Classes on top of an ART, whose vigilance is ρ̄, the baseline.

    Attributes:
        art: makes the categories.
        class_M: the class of each.
    """

    class_M: Tensor

    def __init__(self, art: ART, epsilon: float = 1e-6):
        """``epsilon`` is ε: match tracking raises ρ to the wrong category's match plus ε."""
        super().__init__()
        above(0, most=1, epsilon=epsilon)
        self.art, self.epsilon = art, epsilon
        self.register_buffer("class_M", torch.full((len(art.w_MI),), NONE))

    @property
    def w_MI(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride] # noqa: N802
        """The weights of the ART below."""
        return self.art.w_MI

    @torch.no_grad()
    def learn(self, x_NI: Tensor, y_N: Tensor | None = None) -> Seen:
        """Learn inputs and classes; ``loss`` counts inputs whose first category was wrong.

        An input for which no category resonates counts as wrong, too. ValueError without classes.
        """
        x_NI, y_N = self.art.taken(x_NI), _classes(y_N, len(x_NI))
        changes, wrong = 0, 0
        for x_I, y in zip(x_NI.unbind(), y_N.tolist(), strict=True):
            category, right = self._search(x_I, y)
            wrong += not right
            category, changed = self.art.recode(x_I, category)
            self.class_M[category] = y
            changes += changed
        return Seen(len(x_NI), changes, float(wrong))

    def _search(self, x_I: Tensor, y: int) -> tuple[int | None, bool]:
        """Return the category of class y to learn (None: a new one), and if it was tried first."""
        t_K, match_K = (of_1K[0] for of_1K in self.art.compare(x_I.unsqueeze(0)))
        vigilance, right = self.art.vigilance, True
        while True:
            category = self.art.resonant(t_K, match_K, vigilance)
            if category is None:
                return None, False
            if int(self.class_M[category]) == y:
                return category, right
            right = False
            vigilance = float(match_K[category]) + self.epsilon
            t_K[category] = -torch.inf  # ends the search even if rounding swallows ε

    def winner(self, x_NI: Tensor) -> Tensor:
        """Return the category of the greatest choice, (N,); 0 where there is none yet."""
        return self.art.winner(x_NI)

    def classes(self, x_NI: Tensor) -> Tensor:
        """Return the class of each input's winner, (N,); -1 where there is none yet."""
        return self.class_M[self.winner(x_NI)]

    def loss(self, x_NI: Tensor) -> Tensor:
        """Return 1 - match of the winner, (N,)."""
        return self.art.loss(x_NI)

    def facts(self, x_NI: Tensor) -> dict[str, Tensor]:
        """Return the ART's facts about its categories."""
        return self.art.facts(x_NI)


def _classes(y_N: Tensor | None, inputs: int) -> Tensor:
    """Return the classes; ValueError unless there is a whole number for each input."""
    if y_N is None or y_N.shape != (inputs,) or y_N.is_floating_point():
        given = "none" if y_N is None else f"{(*y_N.shape,)} of {y_N.dtype}"
        raise ValueError(f"classes are {given}: ARTMAP takes a whole number for each input")
    return y_N
