"""Verification trials by descending score, whether they fit in memory or not, and what one pass over them tells."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfsearch.data.scored import ScoredPairs
from vfsearch.measure.long_curve import Blocks, LongCurve, blocks_of
from vfsearch.measure.operating_points import OperatingPoints, ScoredTrials, require_scores
from vfsearch.measure.pair_sorter import PairSorter
from vfsearch.measure.pair_spill import PairSpill, rows_of
from vfsearch.measure.score_bins import BinRule

IN_MEMORY = 2**20
"""More trials than this are sorted on the disk."""


def tied_share(pairs: ScoredPairs | PairSpill, in_memory: int = IN_MEMORY, folder: Path | None = None) -> float:
    """The share of trials whose score a trial of the other kind has too.

    Args:
        pairs: the trials; anything with a length and `chunks()`.
        in_memory: with more trials than this, memory no longer grows with their number.
        folder: for temporary files then; None for the system's.
    Raises:
        VfsearchError: the disk is full, ...
    """
    tied, last = 0, None
    with _descending(pairs, in_memory, folder) as pieces:
        for blocks in pieces:
            found = blocks if last is None else blocks.after(last)
            # The last block may go on in the next piece.
            last = found.part(slice(-1, None))
            tied += _tied(found.part(slice(0, -1)))
    return (tied + (0 if last is None else _tied(last))) / max(1, len(pairs))


def _tied(blocks: Blocks) -> int:
    return int((blocks.mated + blocks.other)[(blocks.mated > 0) & (blocks.other > 0)].sum())


def curve(pairs: ScoredPairs | PairSpill, in_memory: int = IN_MEMORY, folder: Path | None = None) -> OperatingPoints:
    """The operating points, all of them; where trials are many, those at fine steps along the curve.

    Steps are shares of either kind of trial, finer towards both ends; each point that is kept is exact.

    Args:
        pairs, in_memory, folder: as of `tied_share`.
    Raises:
        InputError: a score is NaN.
        VfsearchError: the disk is full, ...
    """
    if len(pairs) <= in_memory:
        scores, mated = _columns(pairs)
        return ScoredTrials(scores, mated).operating_points()
    mated = 0
    for chunk in pairs.chunks():
        require_scores(chunk.scores)
        mated += int(chunk.mated.sum())
    steps = LongCurve(BinRule(mated=mated, other=len(pairs) - mated, edges=np.zeros(0)))
    with _descending(pairs, in_memory, folder) as pieces:
        for blocks in pieces:
            steps.add(blocks)
    return steps.finish()


@contextlib.contextmanager
def _descending(pairs: ScoredPairs | PairSpill, in_memory: int, folder: Path | None) -> Iterator[Iterator[Blocks]]:
    """The trials as blocks of equal scores, the highest first; a block may go on in the next piece."""
    if len(pairs) <= in_memory:
        scores, mated = _columns(pairs)
        order = np.argsort(-scores, kind="stable")
        yield iter([blocks_of(scores[order], mated[order])] if len(order) else [])
        return
    with PairSorter(len(pairs), max(in_memory // 4, 1), folder) as sorter:
        for chunk in pairs.chunks():
            sorter.add(rows_of(chunk))
        yield (blocks_of(rows["score"], rows["mated"]) for rows in sorter.pieces())


def _columns(pairs: ScoredPairs | PairSpill) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels."""
    chunks = list(pairs.chunks())
    return (
        np.concatenate([np.zeros(0), *(chunk.scores for chunk in chunks)]),
        np.concatenate([np.zeros(0, dtype=bool), *(chunk.mated for chunk in chunks)]),
    )
