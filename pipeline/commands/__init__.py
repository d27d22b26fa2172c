"""The command line, one command a file, named after the file: `test_method` is `test-method`.

A file has a function `command`, whose docstring is its help, and `EXAMPLES`, the lines at the end
of the help. Large modules are imported inside functions. A command may import all else of the
pipeline, but no other command.
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
"""The commands, in the order of the help and of their first use."""
