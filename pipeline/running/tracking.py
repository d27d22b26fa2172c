"""Records -> runs of MLflow; since journals are the record, these can be made again at any time.

A study is an experiment; each execution of a trial is a run without children, logged in three
calls. A run's tag ``record`` names its record, so nothing is logged twice; a run that a kill left
incomplete is closed as KILLED and logged again. Beside parameters and metrics, each run keeps its
whole record as an artifact, so that other machines can collect it.

Above 300 lines because this is the one file that knows MLflow.
"""

import contextlib
import functools
import gzip
import hashlib
import json
import math
import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from pipeline.errors import UserError
from pipeline.running.journal import FINISHED, Facts, Held, Record
from pipeline.study import Row

if TYPE_CHECKING:
    from mlflow.entities import Metric

BATCH = 1000
"""The most metrics and parameters that a server accepts in one call."""
PROBED = 1000
"""The most values of probes that a run shows as metrics; if there are more, it shows none."""
SECONDS = 10
"""Seconds that a server may take for one answer."""
PAGE = 500
"""Runs in one answer."""
ENDED = ("FINISHED", "FAILED")
"""The states of a run that was logged completely."""
DATABASE, ARTIFACTS, ARTIFACT = Path("mlflow.db"), Path("mlartifacts"), "record.json.gz"
LINE = 400
"""The most characters of an error's line."""


def address() -> str:
    """Return MLFLOW_TRACKING_URI, or the database in this folder by its absolute path."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{DATABASE.resolve()}"


def hold_local(uri: str) -> str:
    """Return the address of a local store; UserError if it is a server's, or cannot be opened.

    A server has its own user interface.
    """
    if uri.startswith(("http://", "https://")):
        raise UserError(f"the runs are on a server: open {without_secrets(uri, uri)} in a browser")
    try:
        _ask(uri)
    except (OSError, sqlite3.Error) as error:
        raise UserError(_line(uri, error)) from None
    return uri


def without_secrets(text: str, uri: str = "") -> str:
    """Return the text without user names, passwords and tokens, those in ``uri`` included."""
    said, at, _ = uri.partition("://")[2].rpartition("@")
    if at and not said.startswith("/"):  # which would be a file's path
        password = said.partition(":")[2] or said
        text = text.replace(f"{said}@", "").replace(unquote(password), "…").replace(password, "…")
    for name in ("PASSWORD", "TOKEN"):
        if secret := os.environ.get(f"MLFLOW_TRACKING_{name}"):
            text = text.replace(secret, "…")
    text = re.sub(r"(\w://)[^\s/]*@", r"\1", text)
    return re.sub(r"(?i)((?:password|passwd|pwd|token|secret)=)[^\s&;]+", r"\1…", text)


def metric_of(row: Row) -> str:
    """Return the name of a metric for the value of a probe's row.

    Columns of words and whole numbers are part of the name; floats are measurements, so are not.
    """
    named = {"probe", "quantity", "step", "value"}
    rest = [f"{k} {v}" for k, v in row.items() if k not in named and isinstance(v, str | int)]
    return "/".join([str(row["probe"]), str(row["quantity"]), *rest])


class Kept(NamedTuple):
    """A record's run in a store."""

    run: str
    """The run's name in the store."""
    tags: Mapping[str, str]
    """``record``, ``entries`` and ``digest`` among them; a run of before 2026-11 has no digest."""
    ended: float
    """Seconds since 1970, to a thousandth."""
    read: Callable[[], bytes]
    """Return the artifact as it is there; UserError if it can't be had."""


class Tracker:
    """A connection to an MLflow store; all access goes through this class."""

    def __init__(self, uri: str | None = None, answered: Callable[[], object] = lambda: None):
        """Open the store, making its schema if it is new; UserError if it can't be used.

        ``answered`` is called after each page of a long list of runs.
        """
        self._uri, self._answered = uri or address(), answered
        with self._answering():
            _ask(self._uri)
            _prepare()
            from mlflow import MlflowClient

            self._client = MlflowClient(self._uri)
        self._experiments: dict[str, str] = {}
        self._logged: dict[tuple[str, str], tuple[float, set[str]]] = {}

    def sync(self, study: str, scale: str, records: Iterable[Record], facts: Facts) -> int:
        """Log the records that are not logged yet; return how many these were."""
        count = 0
        with self._answering(), tempfile.TemporaryDirectory() as draft:
            experiment, records = self._experiment(study), list(records)
            since = min((record.started for record in records), default=math.inf)
            logged = self._known(experiment, scale, since)
            for record in records:
                if record.id not in logged:
                    self._log(experiment, study, scale, Held({record.key: record}, facts), draft)
                    logged.add(record.id)
                    count += 1
        return count

    def attach(self, study: str, scale: str, folder: Path) -> None:
        """Keep a report's folder as the artifacts of a run of its own, in place of earlier ones.

        Its numbers are not logged as metrics, which would crowd the charts of the trials.
        """
        tags = {"study": study, "scale": scale, "kind": "report", "driver": _driver()}
        with self._answering():
            experiment = self._experiment(study)
            former = list(self._runs(experiment, scale, "report"))
            run = self._client.create_run(experiment, tags=tags, run_name=f"report {scale}")
            self._client.log_artifacts(run.info.run_id, str(folder))
            self._client.set_terminated(run.info.run_id, "FINISHED")
            for old in former:
                self._files(old).delete_artifacts()
                self._client.delete_run(old.info.run_id)

    def kept(self, study: str, scale: str) -> Iterator[Kept]:
        """Iterate over the store's completely logged runs of a study's trials."""
        with self._answering():
            if self._client.get_experiment_by_name(study) is None:
                return
            runs = self._runs(self._experiment(study), scale, "trial")
        while True:
            with self._answering():
                run = next(runs, None)
            if run is None:
                return
            if run.info.status in ENDED:
                ended = (run.info.end_time or 0) / 1000
                read = functools.partial(self._read, run)
                yield Kept(run.info.run_id, run.data.tags, ended, read)

    def _experiment(self, study: str) -> str:
        """Return the study's experiment, made if it is not there; UserError if it was deleted."""
        from mlflow.exceptions import MlflowException

        if study not in self._experiments:
            found = self._client.get_experiment_by_name(study)
            if found is None:
                local = self._uri.startswith("sqlite:")
                place = (ARTIFACTS / study).resolve().as_uri() if local else None
                tags = {"mlflow.experimentKind": "custom_model_development"}  # it opens on its runs
                with contextlib.suppress(MlflowException):  # another driver may be first
                    self._client.create_experiment(study, place, tags)
                found = self._client.get_experiment_by_name(study)
            if found is None or found.lifecycle_stage == "deleted":
                number = found.experiment_id if found else "?"
                again = f"mlflow experiments restore --experiment-id {number}"
                raise UserError(f"experiment {study!r} was deleted there; restore it: {again}")
            self._experiments[study] = found.experiment_id
        return self._experiments[study]

    def _known(self, experiment: str, scale: str, since: float) -> set[str]:
        """Return the ids of logged records, at least of all that started at ``since`` or later.

        Runs of this checkout that a kill left open are closed.
        """
        if (experiment, scale) not in self._logged:
            for run in self._runs(experiment, scale, "trial", "attributes.status = 'RUNNING'"):
                if run.data.tags.get("driver") == _driver():
                    self._client.set_terminated(run.info.run_id, "KILLED")
        listed, logged = self._logged.get((experiment, scale), (math.inf, set[str]()))
        if since < listed:
            recent = f"attributes.start_time >= {math.floor(since * 1000)}"
            for run in self._runs(experiment, scale, "trial", recent):
                if run.info.status in ENDED:
                    logged.add(run.data.tags.get("record", ""))
            self._logged[experiment, scale] = since, logged
        return logged

    def _runs(self, experiment: str, scale: str, kind: str, only: str = "") -> Iterator[Any]:
        """Iterate over all runs of a kind at a scale."""
        chosen = [f"tags.scale = '{scale}'", f"tags.kind = '{kind}'", *filter(None, [only])]
        token = None
        while token != "":
            page = self._client.search_runs(
                [experiment], " and ".join(chosen), max_results=PAGE, page_token=token
            )
            self._answered()
            yield from page
            token = page.token or ""

    def _log(self, experiment: str, study: str, scale: str, held: Held, draft: str) -> None:
        """Log the one record in ``held`` as a run that has ended."""
        from mlflow.entities import Param

        (record,) = held.records.values()
        content = packed(study, scale, record, held.facts)
        own = {"study": study, "scale": scale, "kind": "trial", "driver": _driver()}
        own |= _tags(held, record) | {"digest": hashlib.sha256(content).hexdigest()}
        started, ended = (round(t * 1000) for t in (record.started, record.ended))
        run = self._client.create_run(experiment, started, own, run_name=_name(record))
        file = Path(draft, ARTIFACT)
        file.write_bytes(gzip.compress(content, compresslevel=6, mtime=0))
        self._files(run).log_artifact(str(file))
        said = [Param(k, str(v)) for k, v in record.trial.items() if v is not None]
        metrics = _metrics(record, ended)
        first = BATCH - len(said)
        self._client.log_batch(run.info.run_id, metrics[:first], said)
        for start in range(first, len(metrics), BATCH):
            self._client.log_batch(run.info.run_id, metrics[start : start + BATCH])
        status = "FINISHED" if record.status == FINISHED else "FAILED"
        self._client.set_terminated(run.info.run_id, status, ended)

    def _files(self, run: Any) -> Any:
        """Return the repository of a run's artifacts, without asking the server."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        return get_artifact_repository(run.info.artifact_uri, self._uri)

    def _read(self, run: Any) -> bytes:
        """Return the run's artifact."""
        with self._answering(), tempfile.TemporaryDirectory() as folder:
            return Path(self._files(run).download_artifacts(ARTIFACT, folder)).read_bytes()

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn any error of the store into a UserError of one line."""
        try:
            yield
        except Exception as error:
            raise UserError(_line(self._uri, error)) from error


def _line(uri: str, error: Exception) -> str:
    """Return an error of a store as one line, without secrets."""
    what = " ".join((str(error) or type(error).__name__).split())
    return without_secrets(f"MLflow at {uri}: {what}", uri)[:LINE]


def packed(study: str, scale: str, record: Record, facts: Facts) -> bytes:
    """Return a record and the facts that it names, as in its artifact before compression."""
    named = {name: facts[name] for name in (record.code, *record.data.values()) if name in facts}
    whole = {"study": study, "scale": scale, "record": record.plain(), "facts": named}
    return json.dumps(whole, ensure_ascii=False).encode()


def _ask(uri: str) -> None:
    """Raise OSError or sqlite3.Error if nobody answers: MLflow itself would try for minutes."""
    if uri.startswith(("http://", "https://")):
        import requests

        with contextlib.suppress(
            requests.exceptions.SSLError
        ):  # a server answers; MLflow itself has the certificates
            health = f"{uri.rstrip('/')}/health"
            requests.get(health, timeout=SECONDS / 2, allow_redirects=False)  # nosec B113 - it has one
    if uri.startswith("sqlite:"):
        path = Path(uri.partition(":///")[2].partition("?")[0])
        if path.is_dir() and path != Path():
            raise IsADirectoryError("it is a folder, not a database")
        if path != Path():
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(path, timeout=SECONDS / 5)) as database:
                database.execute("BEGIN IMMEDIATE")
                empty = _is_empty(database)
            if empty:
                _found(path)


def _is_empty(database: sqlite3.Connection) -> bool:
    """Return whether a database holds no table."""
    return database.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _found(path: Path) -> None:
    """Make MLflow's tables in an empty database, all or none.

    MLflow makes them in dozens of commits, and can't continue if a kill came between two of them.
    """
    _prepare()
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder, DATABASE)
        MlflowClient(f"sqlite:///{draft}").search_experiments()
        with contextlib.closing(sqlite3.connect(draft)) as made:
            _, *statements, _ = made.iterdump()  # without its BEGIN and COMMIT
    with contextlib.closing(sqlite3.connect(path, timeout=SECONDS)) as database:
        database.execute("BEGIN IMMEDIATE")
        if _is_empty(database):  # another driver may be first
            for statement in statements:
                database.execute(statement)
            database.execute("COMMIT")


@functools.cache
def _prepare() -> None:
    """Set MLflow up for this process: few messages, short timeouts."""
    import logging

    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(SECONDS))
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow  # noqa: F401 - it sets up its own logging
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)

    @event.listens_for(Engine, "connect")
    def write_ahead(connection: Any, _: Any) -> None:
        """Spare sqlite two syncs to the disk at each commit; MLflow makes six commits a run.

        If the machine fails, the last runs may be lost and are logged again; none is damaged.
        """
        if isinstance(connection, sqlite3.Connection):
            with contextlib.suppress(sqlite3.OperationalError):  # another reads just now
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")


def _tags(held: Held, record: Record) -> dict[str, str]:
    """Return the tags by which a record's run is found."""
    served = [held.facts.get(digest, {}).get("served", "") for digest in record.data.values()]
    tags = {
        "trial": record.hash,
        "record": record.id,
        "entries": entries_digest(record),
        "code": record.code[:8],
        "status": record.status,
        "data": ", ".join(record.data),
        "data.served": ", ".join(served),
        "data.embedded": str(held.stand_in(record)).lower(),
        "seed": str(record.trial.get("seed", "")),
        "diverged": str(_diverged(record)).lower(),
    }
    tags |= {f"version.{name}": version for name, version in record.versions.items()}
    return tags | ({"error": record.error} if record.error else {})


def entries_digest(record: Record) -> str:
    """Return a run's tag ``entries``: a hash of its trial's key."""
    return hashlib.sha256(record.key.encode()).hexdigest()[:16]


def _metrics(record: Record, when: int) -> "list[Metric]":
    """Return the finite values as metrics; of equal name and step, the last."""
    from mlflow.entities import Metric

    last = {(name, step): v for name, step, v in _curves(record) if math.isfinite(v)}
    return [Metric(_clean(name), value, when, step) for (name, step), value in last.items()]


def _curves(record: Record) -> Iterator[tuple[str, int, float]]:
    """Yield name, step and value of what was measured; without a step, the row's place is taken."""
    probed = sum(bool(row.get("probe")) for row in record.rows)
    for place, row in enumerate(record.rows):
        step = row.get("step")
        if row.get("probe"):
            row = {metric_of(row): row.get("value")} if probed <= PROBED else {}
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float):
                yield name, step if isinstance(step, int) else place, float(value)
    yield "seconds", 0, record.seconds


def _diverged(record: Record) -> bool:
    """Return whether the trial says so, or measured something that is not finite."""
    values = [v for row in record.rows for v in row.values() if isinstance(v, float)]
    return any(row.get("diverged") for row in record.rows) or not all(map(math.isfinite, values))


def _name(record: Record) -> str:
    """Return a run's name for charts: the trial's words, except those in JSON, and its seed."""
    words = [v for v in record.trial.values() if isinstance(v, str) and v[:1] not in ("{", "[")]
    seed = [f"seed {record.trial['seed']}"] if "seed" in record.trial else []
    return " ".join([*words, *seed]) or record.hash


def _clean(name: str) -> str:
    """Return the name in the characters that MLflow allows."""
    return re.sub(r"[^\w\-. /:]", "_", name)[:250]


def _driver() -> str:
    """Return the name of this checkout on this machine, which closes its own open runs alone."""
    return f"{os.uname().nodename}:{Path.cwd()}"
