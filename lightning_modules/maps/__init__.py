"""Competitive maps: for each input one unit wins, and learns; a map a file, found by file name.

May import interfaces, norms, checks and registry; ``training/map.py`` trains them.
"""

from lightning_modules.registry import discover

MAPS = discover(__name__, __path__, "lightning_modules.maps._map:Map")
