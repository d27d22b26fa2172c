"""The command line, one command a file, called as its file is: `test_method` is `test-method`.

A file has a function `command`, whose docstring is its help, and `EXAMPLES`, lines that end the
help. What is large is imported inside. May import all else of the pipeline; no other command.
"""

COMMANDS = (
    "list",
    "fetch",
    "run",
    "report",
    "status",
    "replicate",
    "sample",
    "track",
    "ui",
    "collect",
    "adopt",
    "doctor",
    "new",
    "test_method",
)
"""In the order in which one meets them."""
