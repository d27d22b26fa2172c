"""The next character of a text: ``character_ids`` with one-hot inputs, as cells need them.

The test part is not used here, because the curves of this task serve to choose settings, and a
figure used for choosing is not a test.
"""

from collections.abc import Iterator

from torch.nn.functional import one_hot

from lightning_modules.interfaces import Batch, Task
from pipeline.data.sets._base import Text
from pipeline.tasks.character_ids import CharacterIds


class NextCharacter(Task):
    """Inputs are one-hot characters; every step counts."""

    loss = "cross_entropy"

    def __init__(
        self,
        text: Text,
        seed: int,
        batch_size: int,
        length: int,
        held_out_size: int,
        streams: bool = True,
    ):
        """Cut the text; without ``streams`` every batch is read from a zero state.

        ``held_out_size`` counts characters.
        """
        self.streams = streams
        self._ids = CharacterIds(text, seed, batch_size, length, held_out_size)
        self.input_size = self.output_size = self._ids.output_size

    def batch(self, index: int) -> Batch:
        """Return the next ``length`` characters of every stream."""
        return self._shown(self._ids.batch(index))

    def held_out(self) -> Iterator[Batch]:
        """Iterate along the validation text; the last batch may have fewer steps."""
        return map(self._shown, self._ids.held_out())

    def _shown(self, batch: Batch) -> Batch:
        """Return the batch with one-hot characters."""
        return batch._replace(x_TBI=one_hot(batch.x_TBI[..., 0], self.input_size).float())
