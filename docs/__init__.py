"""The documentation site: pages written by hand, in `pages/`, and pages generated from the project.

May import everything; nothing imports it. `python -m docs` builds it.
"""
