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
from pipeline.running import browsing
from pipeline.running.browsing import NOTHING, About
from pipeline.running.journal import FINISHED, Facts, Held, Record

if TYPE_CHECKING:
    from mlflow.entities import Metric

BATCH = 1000
"""Metrics and parameters in one call: a server takes no more."""
SECONDS = 10
"""Seconds that a server may take for one answer."""
PAGE = 500
"""Runs in one answer."""
ENDED = ("FINISHED", "FAILED")
"""The states of a run that was logged completely."""
DATABASE, ARTIFACTS, ARTIFACT = Path("mlflow.db"), Path("mlartifacts"), "record.json.gz"
NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a description, in Markdown."""
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

    def sync(
        self,
        study: str,
        scale: str,
        records: Iterable[Record],
        facts: Facts,
        told: About = NOTHING,
    ) -> int:
        """Log the records that are not logged yet; return how many these were.

        ``told`` names and describes what is logged now; a run is known by its record, whatever it
        is called.
        """
        count = 0
        with self._answering(), tempfile.TemporaryDirectory() as draft:
            experiment, records = self._experiment(study, told), list(records)
            since = min((record.started for record in records), default=math.inf)
            logged = self._known(experiment, scale, since)
            for record in records:
                if record.id not in logged:
                    held = Held({record.key: record}, facts)
                    self._log(experiment, study, scale, held, told, draft)
                    logged.add(record.id)
                    count += 1
        return count

    def attach(
        self, study: str, scale: str, folder: Path, told: About = NOTHING, answer: str = ""
    ) -> None:
        """Keep a report's folder in one run of its own, and describe the experiment by its answer.

        Its numbers are not logged as metrics, which would crowd the charts of the trials.
        """
        tags = {"study": study, "scale": scale, "kind": "report", "driver": _driver()}
        tags |= {"page": told.page, NOTE: browsing.answered(scale, told, answer)}
        with self._answering():
            experiment = self._experiment(study, told)
            former = list(self._runs(experiment, scale, "report"))
            run = self._client.create_run(experiment, tags=tags, run_name=f"report {scale}")
            self._client.log_artifacts(run.info.run_id, str(folder))
            self._client.set_terminated(run.info.run_id, "FINISHED")
            for old in former:
                self._files(old).delete_artifacts()
                self._client.delete_run(old.info.run_id)
            known = self._client.get_experiment(experiment).tags.get(NOTE, "")
            if known.startswith(browsing.heading(told)):  # else it is somebody's own words
                answers = [_with_link(report) for report in self._runs(experiment, "", "report")]
                note = browsing.introduction(told, answers)
                self._client.set_experiment_tag(experiment, NOTE, note)

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

    def _experiment(self, study: str, told: About = NOTHING) -> str:
        """Return the study's experiment, made and described if it is not.

        Raises:
            UserError: it was deleted.
        """
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
            if told.question and not found.tags.get(NOTE):
                note = browsing.introduction(told)
                self._client.set_experiment_tag(found.experiment_id, NOTE, note)
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
        """Iterate over all runs of a kind, at a scale if one is given."""
        at = f"tags.scale = '{scale}'" if scale else ""
        chosen = [f"tags.kind = '{kind}'", *filter(None, [at, only])]
        token = None
        while token != "":
            page = self._client.search_runs(
                [experiment], " and ".join(chosen), max_results=PAGE, page_token=token
            )
            self._answered()
            yield from page
            token = page.token or ""

    def _log(
        self, experiment: str, study: str, scale: str, held: Held, told: About, draft: str
    ) -> None:
        """Log the one record that is held as a run that has ended."""
        from mlflow.entities import Param

        (record,) = held.records.values()
        content = packed(study, scale, record, held.facts)
        own = {"study": study, "scale": scale, "kind": "trial", "driver": _driver()}
        own |= _tags(held, record) | {"digest": hashlib.sha256(content).hexdigest()}
        if told.page:
            own |= {"page": told.page, NOTE: browsing.description_of(record, told)}
        started, ended = (round(t * 1000) for t in (record.started, record.ended))
        name = browsing.name_of(record, told)
        run = self._client.create_run(experiment, started, own, run_name=name)
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


def _with_link(report: Any) -> str:
    """Return a report's description with a link to its page, which its run keeps."""
    info = report.info
    place = f"#/experiments/{info.experiment_id}/runs/{info.run_id}/artifacts/index.html"
    return f"{report.data.tags.get(NOTE, '')}\n\n[The page, in this store]({place})"


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
        "part": str(record.trial.get("part", "")),
        "trial": record.hash,
        "record": record.id,
        "entries": entries_digest(record),
        "code": record.code[:8],
        "status": record.status,
        "data": ", ".join(record.data),
        "data.served": ", ".join(served),
        "data.embedded": str(held.stand_in(record)).lower(),
        "seed": str(record.trial.get("seed", "")),
        "diverged": str(browsing.has_diverged(record)).lower(),
    }
    tags |= {f"version.{name}": version for name, version in record.versions.items()}
    return tags | ({"error": record.error} if record.error else {})


def entries_digest(record: Record) -> str:
    """Return a run's tag ``entries``: a hash of its trial's key."""
    return hashlib.sha256(record.key.encode()).hexdigest()[:16]


def _metrics(record: Record, when: int) -> "list[Metric]":
    """Return the finite values as metrics; of equal name and step, the last."""
    from mlflow.entities import Metric

    curves = ((browsing.allowed(name), step, v) for name, step, v in browsing.curves(record))
    last = {(name, step): v for name, step, v in curves if math.isfinite(v)}
    return [Metric(name, value, when, step) for (name, step), value in last.items()]


def _driver() -> str:
    """Return the name of this checkout on this machine, which closes its own open runs alone."""
    return f"{os.uname().nodename}:{Path.cwd()}"
