"""The simple recurrent network's gradients as the textbook writes them, sum by sum.

    h_t = tanh(U x_t + W h_{t-1} + b)        p_t = softmax(V h_t + c)        L = -Σ_t log p_t[y_t]

    δ_t     = p_t - onehot(y_t)
    dL/dV   = Σ_t δ_t ⊗ h_t
    ε_t     = (1 - h_t²) * (V' δ_t + W' ε_{t+1})
    dL/dU   = Σ_t ε_t ⊗ x_t        dL/dW = Σ_t ε_t ⊗ h_{t-1}        dL/db = Σ_t ε_t

References:
    Goodfellow, Bengio & Courville (2016), Deep Learning, section 10.2.2.
"""

import torch
from torch import Tensor

from lightning_modules.algorithms.bptt import BPTT
from lightning_modules.cells.srn import SRN

T, INPUTS, UNITS, CLASSES = 8, 3, 5, 4


def test_bptt_equals_the_textbook_s_gradients_of_U_V_and_W() -> None:  # noqa: N802
    torch.manual_seed(0)
    cell = SRN(INPUTS, UNITS).double()
    V_OH, c_O = (
        torch.randn(*shape, dtype=torch.float64) for shape in ((CLASSES, UNITS), (CLASSES,))
    )
    x_TI, y_T = torch.randn(T, INPUTS, dtype=torch.float64), torch.randint(CLASSES, (T,))
    of_V = torch.zeros_like(V_OH)

    def credit(t: int, s_BS: Tensor) -> Tensor:
        delta_BO = torch.softmax(s_BS @ V_OH.T + c_O, dim=-1)
        delta_BO[:, y_T[t]] -= 1
        of_V.add_(delta_BO.T @ s_BS)
        return delta_BO @ V_OH

    s_BS = torch.zeros(1, UNITS, dtype=torch.float64)
    g_P = BPTT().gradient(cell, x_TI.unsqueeze(1), s_BS, credit)
    expected = _textbook(cell, V_OH, c_O, x_TI, y_T)
    sizes = [w.numel() for w in cell.parameters()]
    for g, name in zip(g_P.split(sizes), "UWb", strict=True):
        torch.testing.assert_close(g, expected[name].flatten(), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(of_V, expected["V"], rtol=1e-12, atol=1e-14)


@torch.no_grad()
def _textbook(cell: SRN, V: Tensor, c: Tensor, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Return the gradients by the sums above, one outer product at a time."""
    h = [torch.zeros(UNITS, dtype=torch.float64)]
    for t in range(T):
        h.append(torch.tanh(cell.U @ x[t] + cell.W @ h[t] + cell.b))
    g = {"U": torch.zeros_like(cell.U), "W": torch.zeros_like(cell.W), "V": torch.zeros_like(V)}
    g["b"], epsilon = torch.zeros_like(cell.b), torch.zeros(UNITS, dtype=torch.float64)
    for t in reversed(range(T)):
        delta = torch.softmax(V @ h[t + 1] + c, dim=0)
        delta[y[t]] -= 1
        epsilon = (1 - h[t + 1] ** 2) * (V.T @ delta + cell.W.T @ epsilon)
        g["V"] += torch.outer(delta, h[t + 1])
        g["U"] += torch.outer(epsilon, x[t])
        g["W"] += torch.outer(epsilon, h[t])
        g["b"] += epsilon
    return g
