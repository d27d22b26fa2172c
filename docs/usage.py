"""Which studies use which method, and which published figures concern it.

A study uses the modules that its trials import, directly or not, by the same analysis that tells
whether a trial is stale. A published figure concerns a method if trials of the figure's part use
the method, and either use no other method of the same room, or the figure's claim names it.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from docs.members import Member, Room
from pipeline import params
from pipeline.reporting import imprint
from pipeline.running.fingerprint import Fingerprints
from pipeline.studies import STUDIES

SCALE = "standard"
"""The scale of the pages that are in git."""


class Place(NamedTuple):
    """A part of a study; a study without parts has one whose name is empty."""

    study: str
    part: str


@functools.cache
def reached() -> Mapping[Place, set[str]]:
    """Return the modules that each part's trials reach, at all scales."""
    found: dict[Place, set[str]] = {}
    for name in STUDIES:
        study = STUDIES[name]
        prints = Fingerprints(study)
        for scale in params.scales_of(name):
            for trial in params.trials(name, study, scale).values():
                place = Place(name, str(trial.get("part", "")))
                found.setdefault(place, set()).update(prints.modules(trial))
    return found


class Usage:
    """The modules that studies' trials use, and the records of the studies' pages."""

    def __init__(self, root: Path):
        """Read both; ``root`` is the folder that holds ``reports``."""
        self.reached = reached()
        folders = {name: imprint.folder_of(name, SCALE, root) for name in STUDIES}
        self.left = {name: imprint.left(folder) for name, folder in folders.items()}

    def studies_of(self, member: Member) -> list[str]:
        """Return the studies that use a method."""
        return sorted({p.study for p, modules in self.reached.items() if member.module in modules})

    def members_of(self, study: str, rooms: list[Room]) -> dict[str, list[Member]]:
        """Return the methods that a study uses, by room."""
        modules = set[str]().union(*(m for p, m in self.reached.items() if p.study == study))
        found = {room.name: [m for m in room.members if m.module in modules] for room in rooms}
        return {room: members for room, members in found.items() if members}

    def published(self, member: Member, room: Room) -> Iterator[Mapping[str, str]]:
        """Iterate over the published figures that concern a method."""
        names = {member.name, member.class_name, member.first_line.rstrip(".")}
        said = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
        beside = {other.module for other in room.members} - {member.module}
        for left in self.left.values():
            for row in left.reproduced if left else ():
                reached = self.reached.get(Place(row["study"], row["part"]), set())
                if member.module not in reached:
                    continue
                if not beside & reached or said.search(f"{row['claim']} {row['row']}"):
                    yield row
