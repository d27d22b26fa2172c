"""MLflow: whether the store answers and has the schema of the installed version."""

from collections.abc import Iterator

from pipeline.errors import UserError
from pipeline.health._finding import Finding
from pipeline.running.tracking import DATABASE, Tracker, address, without_secrets


def examine() -> Iterator[Finding]:
    """Open the store; a local database that does not exist yet is not created."""
    uri = address()
    shown = without_secrets(uri, uri)
    if uri == f"sqlite:///{DATABASE.resolve()}" and not DATABASE.exists():
        yield Finding(f"{shown}: none yet; the first run makes it")
        return
    try:
        Tracker(uri)
    except UserError as error:
        remedy = "upgrade it (mlflow db upgrade), start it, or unset MLFLOW_TRACKING_URI"
        yield Finding(str(error), f"{remedy}; runs go on without")
    else:
        yield Finding(f"{shown}: answers, with the schema of this version")
