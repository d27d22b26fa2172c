"""Training a generator against a discriminator: the fields that trials share, and the run."""

import abc
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic
from pydantic import NonNegativeFloat, PositiveFloat

from lightning_modules.adversaries import ADVERSARIES
from lightning_modules.adversaries.losses import LOSSES
from lightning_modules.adversaries.regularisers import REGULARISERS
from lightning_modules.registry import nearest
from pipeline.measuring.training import Learned, Training
from pipeline.study import AS_TEXT, Given, Options, named

if TYPE_CHECKING:
    from lightning_modules.adversaries._adversary import Adversary
    from lightning_modules.training.adversarial import AdversarialLearner

ORDERS = IN_TURN, AT_ONCE = "in turn", "at once"
"""In turn: a step of D, then one of G against the new D. At once: both from the same weights."""
Order = Literal["in turn", "at once"]


def _known(named_ones: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the field; ValueError for the name of no regulariser."""
    for name in named_ones:
        if name not in REGULARISERS:
            raise ValueError(f"{name!r} is unknown: {nearest(name, REGULARISERS)}")
    return named_ones


Regularisers = Annotated[dict[str, dict[str, float]], pydantic.AfterValidator(_known), *AS_TEXT]
"""The type of a field that maps names of regularisers to their options."""


def build(regularisers: Mapping[str, Mapping[str, Any]] | None) -> list[Any]:
    """Return new regularisers; ValueError for an option or value that one does not accept."""
    built = []
    for name, options in (regularisers or {}).items():
        allowed = inspect.signature(REGULARISERS[name]).parameters
        for option in options:
            if option not in allowed:
                known = nearest(option, allowed)
                raise ValueError(f"regulariser {name}: {option!r} is unknown: {known}")
        try:
            built.append(REGULARISERS[name](**options))
        except (TypeError, ValueError) as mistake:
            raise ValueError(f"regulariser {name}: {mistake}") from None
    return built


class Playing(Training, abc.ABC):
    """A generator and a discriminator that learn against each other."""

    adversary: Annotated[str, named(ADVERSARIES)] | None = None
    """The pair of players; None for a baseline without any."""
    options: Options | None = None
    """The players' constructor arguments beside the size of a sample."""
    loss: Annotated[str, named(LOSSES)] | None = None
    regularisers: Regularisers | None = None
    order: Order | None = None
    generator_rate: PositiveFloat | None = None
    """The generator's learning rate, if it differs from the discriminator's."""
    momentum: NonNegativeFloat | None = None
    """Adam's β1."""
    averaging: NonNegativeFloat | None = None
    """The decay of the moving average of the generator's weights, from which samples are drawn."""

    @pydantic.model_validator(mode="after")
    def _whole(self) -> "Playing":
        given = [getattr(self, name) is not None for name in ("adversary", "loss", "order")]
        if any(given) != all(given):
            raise ValueError("adversary, loss and order go together: give all or none")
        return self

    def learner_of(self, adversary: "Adversary") -> "AdversarialLearner":
        """Return the learner of both players."""
        from lightning_modules.training.adversarial import AdversarialLearner

        return AdversarialLearner(
            adversary,
            LOSSES[str(self.loss)](),
            self.optimizer,
            self.learning_rate,
            build(self.regularisers),
            self.generator_rate,
            self.order == IN_TURN,
            self.momentum,
            self.averaging,
        )

    def play(self, adversary: "Adversary", source: Any, given: Given) -> Learned:
        """Train the players on a task's samples."""
        learner = self.learner_of(adversary)
        return Learned(learner, source, self.fit(learner, source, given))
