"""Networks x -> y, one a file: from x_TBI to outputs, (T, B, O).

A feed-forward network sees each step by itself; its input may have any leading axes.
"""

from lightning_modules.registry import discover

NETWORKS = discover(__name__, __path__, "torch.nn:Module")
