"""Answers questions about one commit's code: run by its path, in the folder that holds that code.

Reads a request in JSON from each line of its input, and writes a reply in a line, until the input
ends. It imports the project of the folder that it is started in, not its own. So it supports two
layouts: today's, and the one before November 2026, until no committed row is that old.
"""

import functools
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, os.getcwd())


def codes(study: str, trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each trial's code hash (None if its part is unknown), and the modules of each hash."""
    modules: dict[str, Any] = {}
    hashes = []
    for trial in trials:
        try:
            code, reached = _fingerprint(study, trial)
        except KeyError:
            code = None
        else:
            modules[code] = reached
        hashes.append(code)
    return {"hashes": hashes, "modules": modules}


def measure(study: str, trial: dict[str, Any], sets: list[str], data: str) -> list[dict[str, Any]]:
    """Run one trial in a folder of its own and return its rows."""
    loaded = {name: _loaded(name, data) for name in sets}
    with tempfile.TemporaryDirectory() as scratch:
        return _run(study, trial, loaded, Path(scratch))


if Path("pipeline", "running").is_dir():
    from pipeline.data.sets import DATASETS
    from pipeline.running.fingerprint import Fingerprints
    from pipeline.studies import STUDIES
    from pipeline.study import Given

    @functools.cache
    def _prints(study: str) -> Any:
        return Fingerprints(STUDIES[study])

    def _fingerprint(study: str, trial: dict[str, Any]) -> tuple[str, Any]:
        return _prints(study).code(trial), _prints(study).modules(trial)

    def _run(study: str, trial: dict[str, Any], data: Any, scratch: Path) -> list[Any]:
        return STUDIES[study].run(trial, Given(data, scratch))

else:
    import pipeline.fingerprint as former  # pyright: ignore[reportMissingImports]
    from pipeline.datasets import DATASETS  # pyright: ignore[reportMissingImports]
    from pipeline.studies import STUDIES

    @functools.cache
    def _prints(study: str) -> Any:
        return former.Fingerprints(STUDIES[study], {})

    def _fingerprint(study: str, trial: dict[str, Any]) -> tuple[str, Any]:
        entry, reached = _prints(study)._closure(trial)
        measured = STUDIES[study].of(trial).measure  # pyright: ignore[reportAttributeAccessIssue]
        modules = {f"{measured.__module__}:{measured.__name__}": entry}
        modules |= {name: former._source(name) for name in sorted(reached)}
        return _prints(study).code(trial), modules

    def _run(study: str, trial: dict[str, Any], data: Any, scratch: Path) -> list[Any]:
        run: Any = STUDIES[study].run
        return run(trial, data, scratch)


_kept: dict[str, Any] = {}


def _loaded(name: str, data: str) -> Any:
    if name not in _kept:
        _kept[name] = DATASETS[name]().load(Path(data))
    return _kept[name]


ANSWERS: dict[str, Callable[..., Any]] = {"codes": codes, "measure": measure}


def main() -> None:
    """Answer until there are no more requests."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a trial prints is no reply
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = json.dumps({"reply": ANSWERS[request.pop("ask")](**request)})
        except Exception as error:  # noqa: BLE001 - whatever a trial raises is what became of it
            said = " ".join(str(error).split())[:300]
            reply = json.dumps({"error": f"{type(error).__name__}: {said}"})
        print(reply, file=replies, flush=True)


if __name__ == "__main__":
    main()
