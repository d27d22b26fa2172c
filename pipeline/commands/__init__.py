"""The command line, one command a file, called as the file is: `test_method` is `test-method`.

A file has a function `command`, whose docstring is its help, and `EXAMPLES`, which end it. What is
large is imported inside. May import everything else of the pipeline; no other command.
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
)
"""In the order in which one meets them."""
