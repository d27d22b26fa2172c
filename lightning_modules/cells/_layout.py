"""How a unit-wise cell's state, pre-activations and parameters are laid out."""

from typing import NamedTuple


class Map(NamedTuple):
    """One of the affine maps that make z."""

    of: slice
    """Where its weights lie in the flat parameters."""
    shape: tuple[int, int]
    rows: slice
    """The rows of z that it enters; ``blocks`` are the same in blocks."""
    blocks: slice


class Layout:
    """K blocks of the state, G blocks of z, each with one entry a unit; U, W and b flattened.

    Attributes:
        held: the blocks j of the state that s' depends on other than through z.
        input_rows, recurrent_rows: the rows of z that U x and W h enter.
        all_rows: all rows of z.
        recurrent: the shape of W by blocks, (G, H, H).
        maps: those of U and of W.
        of_b: where b lies in the flat parameters.
        sizes: how many entries U, W and b have.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        state_blocks: int,
        blocks: int,
        input_blocks: slice,
        recurrent_blocks: slice,
        held: slice,
    ):
        """Compute the layout; the arguments become attributes of the same names."""
        self.inputs, self.hidden = inputs, hidden
        self.state_blocks, self.blocks = state_blocks, blocks
        self.input_blocks, self.recurrent_blocks, self.held = input_blocks, recurrent_blocks, held
        self.state_size, self.pre_activations = state_blocks * hidden, blocks * hidden
        self.input_rows, self.recurrent_rows = (
            slice(of.start * hidden, of.stop * hidden) for of in (input_blocks, recurrent_blocks)
        )
        rows_x, rows_h = (rows.stop - rows.start for rows in (self.input_rows, self.recurrent_rows))
        self.all_rows = slice(0, self.pre_activations)
        self.recurrent = recurrent_blocks.stop - recurrent_blocks.start, hidden, hidden
        self.shapes = (rows_x, inputs), (rows_h, hidden), (self.pre_activations,)
        first, second = rows_x * inputs, rows_x * inputs + rows_h * hidden
        self.parameters = second + self.pre_activations
        self.sizes = first, second - first, self.pre_activations
        of_U, of_W = slice(0, first), slice(first, second)
        self.of_b = slice(second, self.parameters)
        self.maps = (
            Map(of_U, self.shapes[0], self.input_rows, input_blocks),
            Map(of_W, self.shapes[1], self.recurrent_rows, recurrent_blocks),
        )
