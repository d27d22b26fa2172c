"""Trials as they were described before November 2026 -> as they are now, for ``adopt``.

To be deleted when no committed row is of the old shape any more.
"""

import json

from pipeline.study import Entries


def probes(entries: Entries) -> Entries:
    """Return the entries with the probes, once an entry each and one an option, as one text."""
    numbered = {k: v for k, v in entries.items() if k.startswith("probe_")}
    said = {}
    for place, name in numbered.items():
        if place.removeprefix("probe_").isdecimal():
            cut = len(place) + 1
            said[name] = {k[cut:]: v for k, v in numbered.items() if k.startswith(f"{place}_")}
    rest = {k: v for k, v in entries.items() if k not in numbered}
    return rest | ({"probes": json.dumps(said)} if said else {})


def clipped(entries: Entries) -> Entries:
    """Return the entries with a clip by norm, once its threshold alone, in two."""
    limit = entries.get("clip")
    two = {"clip": "norm", "threshold": limit} if isinstance(limit, float) else {}
    return {k: v for k, v in entries.items() if k != "clip"} | two


def pictures(entries: Entries) -> Entries:
    """Return the entries of a network of pictures, which name their data set now."""
    now = {"dataset": "mnist", **clipped(probes(entries))}
    unset = {"options": "{}", "anneal": False}
    return {k: v for k, v in now.items() if k not in unset or v != unset[k]}
