"""How many of a study's claims got which verdict, as numbers and in words."""

from typing import NamedTuple


class Counts(NamedTuple):
    """How many claims got which verdict."""

    identities: int
    """Exact claims that hold."""
    findings: int
    """Claims with intervals that hold."""
    missed: int
    undecided: int

    def words(self) -> str:
        """Return the counts in words."""
        kinds = (
            ("identity holds", "identities hold"),
            ("finding holds", "findings hold"),
            ("missed", "missed"),
            ("undecided", "undecided"),
        )
        said = [f"{n:,} {kind[n != 1]}" for n, kind in zip(self, kinds, strict=True) if n]
        return ", ".join(said) or "no claim is made"
