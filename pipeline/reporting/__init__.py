"""A study's journal and declaration -> its page and figures, and the page over all studies.

Only figures/ draws; ``press`` builds pages in processes of their own. May import running, studies
and what lies below; only commands and the documentation import it.
"""
