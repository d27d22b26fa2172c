"""Every member of every folder held to its contract."""
