"""Data sets: present, replaced by a stand-in, absent, or damaged."""

from collections.abc import Iterator

from pipeline.data import provenance
from pipeline.data.sources import SOURCES, noted
from pipeline.errors import UserError
from pipeline.health._finding import Finding
from pipeline.health._settings import settings
from pipeline.running.jobs import DATA


def examine() -> Iterator[Finding]:
    """Compare the files of each data set that params.yaml names with what was fetched."""
    asked = settings()
    for name in asked.data.sets:
        fetch = f"python -m pipeline fetch {name}"
        if provenance.recorded(provenance.folder_of(name, DATA)) is None:
            why = noted(name, DATA)
            yield Finding(f"{name}: absent{f': {why}' if why else ''}", fetch)
            continue
        try:
            _, held = provenance.verified(name, DATA)
        except UserError as error:
            yield Finding(f"{name}: damaged: {str(error).partition(';')[0]}", fetch)
            continue
        if held.embedded:
            said = f"{name}: {held.served} in the place of {SOURCES[name].title}"
            yield Finding(said, "" if asked.offline == "embedded" else fetch)
        else:
            yield Finding(f"{name}: {held.served}, {held.count:,} {held.unit}")
