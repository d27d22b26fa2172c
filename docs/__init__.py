"""The documentation site: pages written by hand, in `pages/`, and pages made of what there is.

May import everything; nothing imports it. `python -m docs` builds it.
"""
