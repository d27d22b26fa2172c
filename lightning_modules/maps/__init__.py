"""Maps: units of which one wins for each input, and learns; one kind a file, found by file name.

May import interfaces' helpers alone; training goes through ``training/map.py``.
"""

from lightning_modules.registry import discover

MAPS = discover(__name__, __path__, "lightning_modules.maps._map:Map")
