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
        said = [
            f"{self.identities:,} {'identity holds' if self.identities == 1 else 'identities hold'}",
            f"{self.findings:,} {'finding holds' if self.findings == 1 else 'findings hold'}",
            f"{self.missed:,} missed",
            f"{self.undecided:,} undecided",
        ]
        return (
            ", ".join(part for part, n in zip(said, self, strict=True) if n) or "no claim is made"
        )
