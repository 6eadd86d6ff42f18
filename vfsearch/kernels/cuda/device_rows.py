"""Gallery rows on one device, their copy in half precision, and how much that copy lost."""

from dataclasses import dataclass

import torch

from vfsearch.kernels.exact import GRID
from vfsearch.kernels.rows import LONGEST, too_long

PAD = 256
PART = 64
SLICE = 2**14


@dataclass(frozen=True, kw_only=True, eq=False)
class DeviceRows:
    """A stretch of the gallery, ready for products on tensor cores.

    With s a power of two that brings the greatest entry to between a half and one, the half-precision rows are h(s x).
    They are float16: its products are as fast as bfloat16's, and it loses an eighth as much of a row.

    Args:
        metric: "ip" or "l2".
        first: the number of the first row in the whole gallery.
        rows: (n, d) as they are given: float32, float16 or bfloat16.
        half: (m, D) float16, D = padded_width(d), m a multiple of 256 above; zeros where there is no row.
        bias: (m,) float32 -|s x|^2 / 2 for "l2", empty for "ip".
        scale: () float64, s.
        lost: () float64, the greatest |s x - h(s x)|, measured.
        longest: () float64, the greatest |s x| or |h(s x)|.
    """

    metric: str
    first: int
    rows: torch.Tensor
    half: torch.Tensor
    bias: torch.Tensor
    scale: torch.Tensor
    lost: torch.Tensor
    longest: torch.Tensor

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.rows.device


def padded_width(dimension: int) -> int:
    """Columns of half-precision rows: a power of two up to 128, a multiple of 64 above."""
    if dimension <= 128:
        return max(16, 1 << (dimension - 1).bit_length())
    return -(-dimension // PART) * PART


def operands(rows: torch.Tensor, metric: str) -> torch.Tensor:
    """(n, d) float64 what exact scores are made of: the grid's numbers for "ip", the rows themselves for "l2"."""
    wide = rows.float().double()
    return wide.mul_(GRID).round_().div_(GRID) if metric == "ip" else wide


def device_rows(rows: torch.Tensor, metric: str, first: int = 0) -> DeviceRows:
    """Rows made ready, a slice at a time.

    Args:
        rows: (n, d), n > 0, on their device.
        metric: "ip" or "l2".
        first: the number of the first one.
    Raises:
        VectorError: a row is not finite or too long.
    """
    n, dimension = rows.shape
    height = -(-n // PAD) * PAD
    parts = range(0, n, SLICE)
    greatest = torch.stack([rows[s : s + SLICE].abs().amax().double() for s in parts]).amax()
    scale = torch.exp2(-torch.frexp(greatest).exponent.double())
    half = rows.new_zeros((height, padded_width(dimension)), dtype=torch.float16)
    bias = rows.new_full((height if metric == "l2" else 0,), -torch.inf, dtype=torch.float32)
    # Of each slice: what is lost, the greatest length of scaled rows, and of the rows themselves.
    found = torch.stack([_halve(rows, start, metric, scale, half, bias) for start in parts]).amax(dim=0)
    if not float(found[2]) <= LONGEST[metric]:
        _refuse(rows, first, metric)
    return DeviceRows(
        metric=metric, first=first, rows=rows, half=half, bias=bias, scale=scale, lost=found[0], longest=found[1]
    )


def _halve(
    rows: torch.Tensor, start: int, metric: str, scale: torch.Tensor, half: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    part = operands(rows[start : start + SLICE], metric)
    longest = part.norm(dim=1).amax()
    place = slice(start, start + len(part))
    part *= scale
    half[place, : part.shape[1]] = part
    lengths = part.norm(dim=1)
    if metric == "l2":
        bias[place] = lengths.square() / -2
    copy = half[place, : part.shape[1]].double()
    lengths = torch.maximum(lengths, copy.norm(dim=1))
    return torch.stack([(part - copy).norm(dim=1).amax(), lengths.amax(), longest])


def _refuse(rows: torch.Tensor, first: int, metric: str) -> None:
    for start in range(0, len(rows), SLICE):
        lengths = rows[start : start + SLICE].double().norm(dim=1)
        bad = torch.nonzero(~(lengths <= LONGEST[metric]))[:, 0]
        if len(bad):
            raise too_long(first + start + int(bad[0]), metric)
