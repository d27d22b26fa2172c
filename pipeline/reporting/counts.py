"""How many of a study's claims got which verdict, for people."""

from typing import NamedTuple


class Counts(NamedTuple):
    """How many claims got which verdict."""

    identities: int
    """Exact claims that hold."""
    findings: int
    """Claims with chance in them that hold."""
    missed: int
    undecided: int

    def words(self) -> str:
        """Return them as a sentence has them."""
        kinds = (
            ("identity holds", "identities hold"),
            ("finding holds", "findings hold"),
            ("missed", "missed"),
            ("undecided", "undecided"),
        )
        said = [f"{n:,} {kind[n != 1]}" for n, kind in zip(self, kinds, strict=True) if n]
        return ", ".join(said) or "no claim is made"
