"""The influence by panels of columns: on a processor products with it are faster so than whole."""

from collections.abc import Iterator

from torch import Tensor

WIDTH = 1024
"""Columns of which a hundred or some hundreds of rows fit into a processor's cache."""


def panels(*of_RP: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Iterate over the panels of matrices with the same columns; on a GPU there is but one."""
    width = WIDTH if of_RP[0].is_cpu else of_RP[0].shape[1]
    return zip(*(m_RP.split(width, dim=1) for m_RP in of_RP), strict=True)
