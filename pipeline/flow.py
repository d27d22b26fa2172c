"""Error on its way back through a path: how its length changes step by step."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lightning_modules.interfaces import Trajectory


def log_kept(path: Trajectory, hidden: int) -> Tensor:
    """Return the logarithm of what is left of an error of length 1 on the last h, (T + 1, B).

    Its direction is random; time runs forwards, so the last entry is 0.
    """
    last_1BS = path.states_TBS[-1:]
    c_1BS = torch.zeros_like(last_1BS)
    c_1BS[..., :hidden] = normalize(torch.randn_like(last_1BS[..., :hidden]), dim=-1)
    _, v_TBS = path.sweep(c_1BS)
    return torch.linalg.vector_norm(v_TBS[..., :hidden], dim=-1).log()
