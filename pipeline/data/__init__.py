"""Where data sets come from, how they get into their folders, and what is recorded of them.

sets/ reads them, one a file. May import lightning_modules.registry.
"""
