"""How we ask: data, tasks, studies, and what runs and reports them."""

import os

# Nothing here reports to anyone, in the driver or in its workers.
os.environ.update(RAY_USAGE_STATS_ENABLED="0", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
# torch's profiler, which counts memory, would announce itself in every trial.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")
# A server that is gone is noticed in seconds: the journal is logged when it is back.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
# What becomes of a worker is told with its trial's outcome, what becomes of Ray by the run.
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
