"""A few queries in the course of being ranked: what is known of them before and while a gallery is counted."""

import numpy as np

from vfsearch.errors import VectorError
from vfsearch.kernels.cpu.counting import count
from vfsearch.kernels.cpu.gallery import Stretch
from vfsearch.kernels.cpu.hard import count_by_sorting
from vfsearch.kernels.cpu.mates import keep_distinct, mate_scores, sort_each
from vfsearch.kernels.cpu.packing import aligned
from vfsearch.kernels.cpu.strips import lengths, margins, put
from vfsearch.kernels.cpu.tiles import ROWS


class Asked:
    """Queries with at least one mate each.

    The scores of the mates come first, from every stretch of the gallery; then they are `settle`d, and all scores of
    the gallery are counted between them.

    Args:
        numbers: (q,) which queries of the caller's they are, for messages and results.
        queries: (q, d) float32 rows.
        identities: (q,) int64.
        exclude: (q,) int64 gallery row that each is not compared with, -1 for none.
        mates: (q,) int64 how many mates each has, at least 1.
    Raises:
        VectorError: a query is not finite.
    """

    def __init__(
        self, numbers: np.ndarray, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray, mates: np.ndarray
    ) -> None:
        self.numbers, self.identities, self.exclude = numbers, identities, exclude
        number, dimension = queries.shape
        self.left = aligned((-(-number // ROWS) * ROWS, dimension), np.float32)
        put(queries, np.arange(number), self.left)
        self.queries = self.left[:number].astype(np.float64)
        self.reach, self.length = np.empty((2, number))
        lengths(self.left, self.reach, self.length)
        if not np.isfinite(self.length).all():
            worst = numbers[np.flatnonzero(~np.isfinite(self.length))[0]]
            raise VectorError(f"query {worst} is not finite; every query must be")
        self.starts = np.concatenate([[0], np.cumsum(mates)])
        self.thresholds = np.empty(self.starts[-1])
        self.filled, self.sizes = np.zeros((2, number), dtype=np.int64)

    def add_mates(self, part: Stretch) -> None:
        """Score the mates that stand in a stretch of the gallery."""
        own, skip = part.own(self.identities), part.place(self.exclude)
        mate_scores(self.queries, part.rows, own, skip, self.starts, self.filled, self.thresholds)

    def settle(self) -> None:
        """All mates are there: put their scores in order."""
        self.times, self.beyond, self.equal = np.zeros((3, len(self.thresholds)), dtype=np.int64)
        sort_each(self.thresholds, self.starts)
        keep_distinct(self.thresholds, self.starts, self.sizes, self.times)

    def settle_for(self, scores: np.ndarray, sizes: np.ndarray) -> None:
        """All mates are known, those of other galleries too.

        Args:
            scores: (t,) float64 of these queries, distinct and ascending for each; (t,) as `thresholds`.
            sizes: (q,) int64 how many of them each has, from where its own begin.
        """
        self.thresholds[:], self.sizes[:] = scores, sizes
        self.times, self.beyond, self.equal = np.zeros((3, len(scores)), dtype=np.int64)

    def counted(self, part: Stretch, span: tuple[int, int], strip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count the scores of a stretch, or of some panels of it: (t,) beyond and (t,) equal (see `counting.count`)."""
        beyond, equal = np.zeros((2, len(self.thresholds)), dtype=np.int64)
        hard = np.zeros(len(self.sizes), dtype=np.bool_)
        facts = self.facts(part)
        count(*facts, span, strip, beyond, equal, hard)
        count_by_sorting(np.flatnonzero(hard), facts, span, strip, beyond, equal)
        return beyond, equal

    def facts(self, part: Stretch) -> tuple[np.ndarray, ...]:
        """What compiled loops need to know of the queries and of a stretch."""
        margin = margins(self.reach, self.length, part.reach, part.length, self.queries.shape[1])
        return (
            self.left, self.queries, part.panels, part.rows, self.thresholds, self.starts, self.sizes,
            part.own(self.identities), part.place(self.exclude), margin,
        )  # fmt: skip

    def add(self, counts: tuple[np.ndarray, np.ndarray]) -> None:
        """Take in what was counted."""
        self.beyond += counts[0]
        self.equal += counts[1]
