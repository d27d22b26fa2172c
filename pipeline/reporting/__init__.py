"""Journal + declaration -> page, figures, index. Only figures/ draws; ``press`` builds beside.

May import running (what is recorded), studies and what lies below; nothing imports it.
"""
