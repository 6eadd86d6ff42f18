"""Probes in half precision, and by how much their products with a gallery may be off."""

from dataclasses import dataclass

import torch

from vfsearch.kernels.cuda.device_rows import DeviceRows, operands

TILE = 128


@dataclass(frozen=True, kw_only=True, eq=False)
class Probes:
    """A block of probes for one `DeviceRows`.

    The value of a row is what the kernels maximise: s q . x for "ip", and s^2 (q . x - |x|^2 / 2) for "l2", which is
    s^2 / 2 (|q|^2 - |q - x|^2): it grows with the score in both.

    Args:
        half: (m, D) float16, m a multiple of 128 above q; zeros where there is no probe.
        error: (q,) float64, the most by which a computed value differs from that of the exact score.
        square: (q,) float64 |s q|^2 for "l2", else 0.
        scale: () float64: the value's units to one of the score.
    """

    half: torch.Tensor
    error: torch.Tensor
    square: torch.Tensor
    scale: torch.Tensor

    def __len__(self) -> int:
        return len(self.error)

    def least_value(self, scores: torch.Tensor) -> torch.Tensor:
        """(q,) float64: every row with these scores or better has a computed value that is no smaller."""
        return self.scale * scores + self.square / 2 - self.error


def make_probes(queries: torch.Tensor, gallery: DeviceRows) -> Probes:
    """Probes for a gallery.

    Args:
        queries: (q, d) float32 on the gallery's device.
        gallery: the rows.
    """
    distances = gallery.metric == "l2"
    exact = operands(queries, gallery.metric)
    if distances:
        exact *= gallery.scale
    half = queries.new_zeros((-(-len(queries) // TILE) * TILE, gallery.half.shape[1]), dtype=torch.float16)
    half[: len(exact), : exact.shape[1]] = exact
    copy = half[: len(exact), : exact.shape[1]].double()
    length = exact.norm(dim=1)
    return Probes(
        half=half,
        error=_error(length, (exact - copy).norm(dim=1), copy.norm(dim=1), gallery, exact.shape[1]),
        square=length.square() if distances else torch.zeros_like(length),
        scale=gallery.scale.square() / 2 if distances else gallery.scale,
    )


def _error(
    length: torch.Tensor, lost: torch.Tensor, halved: torch.Tensor, gallery: DeviceRows, dimension: int
) -> torch.Tensor:
    """The proven bound of `Probes.error`.

    With p the scaled probe, y the scaled row and h what is left of them in half precision,
    p . y - h(p) . h(y) = p . (y - h(y)) + (p - h(p)) . h(y), each part at most the product of the lengths
    (Cauchy-Schwarz); the lengths of what was lost are measured, not assumed. Products of halves are exact in float32.
    Tensor cores cut off what they add rather than round it, below the last place of the greatest of up to 16 summands:
    at most 2^-23 of the product of the lengths a summand and a few more a step, so that twice that covers them. The
    bias, its addition and the bounds are float32 numbers: 2^-22 of their size. The last term is the rounding of the
    exact scores themselves ("l2"), and one per mille is for this bound's own arithmetic.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1; Fasi, Higham, Mikaitis and
    Pranesh, Numerical behavior of NVIDIA tensor cores, 2021.
    """
    size = halved * gallery.longest
    whole = (length + gallery.longest).square()
    rounding = (2 * dimension + 8) * 2.0**-23
    if torch.get_float32_matmul_precision() == "medium":
        # The caller's process lets torch round the factors of its products to bfloat16.
        rounding += 2.0**-7
    exact = length * gallery.lost + lost * gallery.longest
    return 1.001 * (exact + rounding * size + 2.0**-22 * whole + (dimension + 4) * 2.0**-52 * whole)
