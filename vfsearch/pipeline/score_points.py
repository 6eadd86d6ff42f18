"""The ROC and DET curves of some lists, in one table."""

import io
from pathlib import Path

import numpy as np

from vfsearch.data.csv_lines import CsvLines
from vfsearch.data.scored import ScoredPairs
from vfsearch.files import write_file
from vfsearch.measure.curve_points import det_points
from vfsearch.measure.pair_spill import PairSpill
from vfsearch.measure.sorted_pairs import curve

COLUMNS = ("list", "threshold", "fmr", "fnmr", "tmr", "probit_fmr", "probit_fnmr")


class CurveFile:
    """A CSV of curves that is filled list by list, then written.

    Args:
        path: where to write it; None: nowhere, nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: list[tuple] = []

    def add(self, name: str, pairs: ScoredPairs | PairSpill) -> None:
        """Keep operating points of one list of verification trials, as many as a drawing shows.

        Raises:
            VfsearchError: the list is sorted on the disk, which is full.
        """
        if self._path is not None:
            table = det_points(curve(pairs))
            self._rows += [(name, *row) for row in _with_tmr(table).tolist()]

    def write(self) -> None:
        """Write what was kept.

        Raises:
            VfsearchError: the file cannot be written.
        """
        if self._path is None:
            return
        text = io.StringIO(newline="")
        writer = CsvLines(text)
        writer.writerows([COLUMNS, *self._rows])
        write_file(self._path, text.getvalue().encode())


def _with_tmr(table: np.ndarray) -> np.ndarray:
    """The columns of `COLUMNS` after the first, from those of a DET curve."""
    return np.column_stack([table[:, :3], 1.0 - table[:, 2], table[:, 3:]])
