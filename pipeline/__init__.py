"""How we ask: data, tasks, studies, and what runs and reports them."""

import os

# Nothing here reports to anyone, in the driver or in its workers.
os.environ.update(RAY_USAGE_STATS_ENABLED="0", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
# torch's profiler, which counts memory, would announce itself in every trial.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")
# A missing MLflow server is noticed in seconds; `track` logs the journals once it is back.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
# A lost worker is reported with its trial's outcome, the death of Ray by the run itself.
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
