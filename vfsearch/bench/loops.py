"""Compiled loops that do nothing but what a floor counts: products of tiles in the cache, and reading."""

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.packing import CODES, aligned
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, PANEL, ROWS, Kind, tile_hits

# Code for instructions that the processor lacks cannot be compiled; such a kind is never asked for.
_int8_hits = tile_hits(INT8 if INT8.here else FLOAT32)
_bf16_hits = tile_hits(BF16 if BF16.here else FLOAT32)
_float32_hits = tile_hits(FLOAT32)
TILES, PANELS = 16, 8
"""Of one thread; with 128 dimensions they fit the second cache in any kind."""


class TileLoad:
    """Operands of one thread whose sums never reach their threshold, so that nothing but products is done.

    Args:
        kind: of the numbers.
        dimension: of the rows.
    """

    def __init__(self, kind: Kind, dimension: int) -> None:
        self.code, self.width = CODES[kind], kind.words(dimension)
        self.queries = aligned((TILES * ROWS, self.width), np.uint32)
        self.panels = aligned((PANELS, self.width + 1, PANEL), np.uint32)
        # Zeros would need less power than numbers do, and let the clock run faster.
        self.queries[:] = self.panels[:, 1:] = np.float32(1).view(np.uint32)
        self.thresholds = aligned((ROWS,), np.int32)
        self.thresholds.view(np.float32)[:] = np.inf
        self.sums = aligned((ROWS, PANEL), np.int32)
        self.masks = aligned((ROWS,), np.uint64)
        self.operations = 2 * TILES * ROWS * PANELS * PANEL * dimension

    def run(self, times: int) -> int:
        """Multiply all of it so many times; how many sums reached their threshold: none."""
        return _multiply(self.code, self.queries, self.panels, self.thresholds, self.sums, self.masks, times)


@compiled
def _multiply(code, queries, panels, thresholds, sums, masks, times):
    found = 0
    width = queries.shape[1]
    step_query, step_panel = ROWS * width * 4, panels.shape[1] * panels.shape[2] * 4
    wanted, out, bits = thresholds.ctypes.data, sums.ctypes.data, masks.ctypes.data
    for _ in range(times):
        for tile in range(queries.shape[0] // ROWS):
            left = queries.ctypes.data + tile * step_query
            for panel in range(panels.shape[0]):
                right = panels.ctypes.data + panel * step_panel
                if code == 0:
                    found += _int8_hits(left, right, width, wanted, 4, out, bits)
                elif code == 1:
                    found += _bf16_hits(left, right, width, wanted, 4, out, bits)
                else:
                    found += _float32_hits(left, right, width, wanted, 4, out, bits)
    return found


@compiled
def read(words, times):
    """Read (n,) uint64 words so many times; their sum, so that none can be left out."""
    total = np.uint64(0)
    for turn in range(times):
        # Otherwise the sum of one turn could be multiplied.
        flip = np.uint64(turn)
        for place in range(words.shape[0]):
            total += words[place] ^ flip
    return total
