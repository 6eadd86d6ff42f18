"""Blocks of a list that were read or scored once, in a temporary file, so that they are not made again."""

import itertools
from collections.abc import Iterator

import numpy as np

from vfsearch.data.trial_list import TrialBlock
from vfsearch.measure.pair_spill import RowFile
from vfsearch.protocol.parted_rows import TemporaryPlace


class KeptBlocks:
    """Blocks in a temporary file (see TMPDIR), which goes when nobody holds them any more.

    A trial takes 20 bytes and 4 more for each candidate, 12 where there are scores.

    Args:
        like: a block; all have as many candidates, and scores if it has.
    Raises:
        VfsearchError: the file system refuses.
    """

    def __init__(self, like: TrialBlock) -> None:
        self._place = TemporaryPlace()
        self._like = like
        width = (like.items.shape[1],)
        columns = [("probes", "<i4"), ("items", "<i4", width), ("mated", "<i8"), ("lines", "<i8")]
        dtype = np.dtype(columns if like.scores is None else [*columns, ("scores", "<f8", width)])
        self._file = RowFile(self._place.folder / "trials", dtype)
        self._sizes: list[int] = []

    def holds(self, block: TrialBlock) -> bool:
        """Whether a block can be kept: it is like the first, and has no further columns, which are texts."""
        same_scores = (block.scores is None) == (self._like.scores is None)
        return same_scores and not block.extra and block.items.shape[1] == self._like.items.shape[1]

    def add(self, block: TrialBlock) -> None:
        """Keep one more block.

        Raises:
            VfsearchError: the disk is full, ...
        """
        rows = np.empty(len(block), self._file.dtype)
        for name in rows.dtype.names:
            rows[name] = getattr(block, name)
        self._file.append(rows)
        self._sizes.append(len(block))

    def __call__(self) -> Iterator[TrialBlock]:
        """The blocks, as they were added.

        Raises:
            VfsearchError: the file cannot be read.
        """
        ends = itertools.accumulate(self._sizes)
        for size, end in zip(self._sizes, ends, strict=True):
            rows = self._file.read(end - size, size)
            whole = {name: rows[name].astype(np.int64) for name in ("probes", "items", "mated", "lines")}
            scores = None if self._like.scores is None else rows["scores"].copy()
            yield TrialBlock(**whole, scores=scores)
