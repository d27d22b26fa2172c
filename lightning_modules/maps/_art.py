"""What ART maps share: the best category similar enough to the input learns it, else a new one.

    T_j = |I ∧ w_j| / (α + |w_j|)        choice: categories are tried from the greatest T on
    |I ∧ w_j| / |I| >= ρ                 vigilance: the first for which it holds resonates
    w_J <- β (I ∧ w_J) + (1 - β) w_J     learning; a new category copies the input

∧ is the minimum and |.| the sum; w_j is the template of category j. Templates only shrink, so
learning comes to an end. The search finds the category of greatest T among those that pass
vigilance, so the code compares all of them at once.

Cost: O(K I) an input, K categories.

Where we differ from the papers: a new category is made only if no other resonates. In the papers
one that is still unused competes with the others, with its initial weights, all 1.
"""

import abc

import torch
from torch import Tensor

from lightning_modules.checks import above, whole
from lightning_modules.maps._map import Map, Seen, fitting, rest

AT_ONCE = 2**18
"""How many numbers (inputs × categories × entries) are compared at once: a bound on memory."""


class ART(Map, abc.ABC):
    """Up to ``capacity`` categories, made as inputs need them.

    Attributes:
        committed: K, how many are in use; the weights of the others are all 1.
        size_M: |w| of each category.
        vigilance, choice, rate: ρ, α and β.
    """

    committed: Tensor
    size_M: Tensor

    def __init__(
        self, input_size: int, capacity: int, vigilance: float, choice: float, rate: float
    ):
        """Allocate the weights; ValueError for numbers out of range."""
        super().__init__()
        whole(1, input_size=input_size, capacity=capacity)
        above(0, or_equal=True, most=1, vigilance=vigilance)
        above(0, choice=choice)
        above(0, most=1, rate=rate)
        self.vigilance, self.choice, self.rate = vigilance, choice, rate
        self.w_MI = rest(torch.ones(capacity, input_size))
        self.register_buffer("committed", torch.zeros((), dtype=torch.int64))
        self.register_buffer("size_M", torch.full((capacity,), float(input_size)))

    @abc.abstractmethod
    def taken(self, x_NI: Tensor) -> Tensor:
        """Return the inputs; ValueError, in one line, for inputs that this kind does not take."""

    @property
    def templates_KI(self) -> Tensor:  # noqa: N802
        """The weights of the categories in use."""
        return self.w_MI[: int(self.committed)]

    def compare(self, x_NI: Tensor) -> tuple[Tensor, Tensor]:
        """Return choice T and match |I ∧ w| / |I| of each category, (N, K) and (N, K)."""
        shared_NK = torch.minimum(x_NI.unsqueeze(1), self.templates_KI).sum(-1)
        t_NK = shared_NK / (self.choice + self.size_M[: shared_NK.shape[1]])
        return t_NK, shared_NK / x_NI.sum(-1, keepdim=True)

    def resonant(self, t_K: Tensor, match_K: Tensor, vigilance: float) -> int | None:
        """Return the category of the greatest choice among those that match; None if none does."""
        t_K = t_K.where(match_K >= vigilance, -torch.inf)
        if not len(t_K) or t_K.max() == -torch.inf:
            return None
        return int(t_K.argmax())

    def recode(self, x_I: Tensor, category: int | None) -> tuple[int, bool]:
        """Let a category learn the input (None: a new one); return it, and whether it changed.

        ValueError where all ``capacity`` categories are in use.
        """
        if category is None:
            category = int(self.committed)
            if category == len(self.w_MI):
                raise ValueError(
                    f"all {category} categories are taken: give more capacity, or less vigilance"
                )
            self.w_MI[category] = x_I
            self.committed += 1
            self.size_M[category] = x_I.sum()
            return category, True
        w_I = self.w_MI[category]
        less_I = torch.minimum(x_I, w_I)
        if torch.equal(less_I, w_I):
            return category, False
        w_I.copy_(less_I if self.rate == 1 else w_I + self.rate * (less_I - w_I))
        self.size_M[category] = w_I.sum()
        return category, True

    @torch.no_grad()
    def learn(self, x_NI: Tensor, y_N: Tensor | None = None) -> Seen:
        """Learn the inputs; ``loss`` sums 1 - match before learning, 0 for a new category."""
        del y_N
        changes, loss = 0, 0.0
        for x_1I in self.taken(x_NI).split(1):
            t_1K, match_1K = self.compare(x_1I)
            category = self.resonant(t_1K[0], match_1K[0], self.vigilance)
            loss += 0.0 if category is None else 1 - float(match_1K[0, category])
            changes += self.recode(x_1I[0], category)[1]
        return Seen(len(x_NI), changes, loss)

    @torch.no_grad()
    def winner(self, x_NI: Tensor) -> Tensor:
        """Return the category of greatest choice, (N,), whatever its match; 0 if there is none."""
        return self._chosen(x_NI)[0]

    @torch.no_grad()
    def loss(self, x_NI: Tensor) -> Tensor:
        """Return 1 - match of the winner, (N,); 1 where there is no category yet."""
        return 1 - self._chosen(x_NI)[1]

    def facts(self, x_NI: Tensor) -> dict[str, Tensor]:
        """Return the number of categories, and the mean over them of a template's sum |w|."""
        del x_NI
        K = int(self.committed)
        size = self.size_M[:K].double().sum() / max(1, K)
        return {"categories": self.committed.double(), "template": size}

    def _chosen(self, x_NI: Tensor) -> tuple[Tensor, Tensor]:
        """Return each input's winner and its match."""
        x_NI = self.taken(x_NI)
        if not self.committed or not len(x_NI):
            return x_NI.new_zeros(len(x_NI), dtype=torch.int64), x_NI.new_zeros(len(x_NI))
        found = []
        for part_NI in x_NI.split(max(1, AT_ONCE // self.templates_KI.numel())):
            t_NK, match_NK = self.compare(part_NI)
            winner_N = t_NK.argmax(1)
            found.append((winner_N, match_NK[torch.arange(len(winner_N)), winner_N]))
        winners, matches = zip(*found, strict=True)
        return torch.cat(winners), torch.cat(matches)


def within(x_NI: Tensor, inputs: int, kind: str) -> Tensor:
    """Return the inputs; ValueError where they are not numbers in [0, 1]."""
    fitting(x_NI, inputs)
    if len(x_NI) and not bool(((x_NI >= 0) & (x_NI <= 1)).all()):
        low, high = (float(v) for v in torch.aminmax(x_NI))
        raise ValueError(f"inputs go from {low:g} to {high:g}: {kind} takes 0 to 1: scale them")
    return x_NI
