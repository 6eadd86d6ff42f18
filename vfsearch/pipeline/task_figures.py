"""Figures of the end task that lists of neighbours give, probe by probe."""

import numpy as np

from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.data.ranks import MateRanks, mate_ranks_of_lists
from vfsearch.index.sweep import Figure, first
from vfsearch.index.targets import MEAN_PRECISION, Target
from vfsearch.measure.ranking import average_precision, hit_at


def task_figure(target: Target, gallery: np.ndarray, probes: np.ndarray, mates: np.ndarray) -> Figure:
    """What a target of the end task is about, of each probe.

    * mAP@k: average precision cut at k: (1/M) sum of the precision at the places of the mates among the k neighbours,
      M being all mates in the index, found or not.
    * acc@k: whether an item of the probe's identity is among the k neighbours.

    Equal scores count in random order; a probe without a mate in the index has no figure (NaN).

    Args:
        target: "mAP" or "acc".
        gallery: (n,) int64 identity of each row of the index.
        probes: (q,) int64 identity of each probe, numbered alike.
        mates: (q,) how many rows of its identity each probe could find.
    """

    def figure(found: Neighbors) -> np.ndarray:
        ranks = _ranks(first(found, target.k), gallery, probes, mates)
        return average_precision(ranks) if target.measure == MEAN_PRECISION else hit_at(ranks, target.k)

    return figure


def _ranks(found: Neighbors, gallery: np.ndarray, probes: np.ndarray, mates: np.ndarray) -> MateRanks:
    there = found.rows != NO_ROW
    asked = np.broadcast_to(np.arange(len(probes))[:, None], found.rows.shape)[there]
    return mate_ranks_of_lists(asked, found.scores[there], gallery[found.rows[there]] == probes[asked], mates)


def mates_of(gallery: np.ndarray, probes: np.ndarray, itself: np.ndarray | None) -> np.ndarray:
    """(q,) how many rows of a probe's identity there are beside itself.

    Args:
        gallery, probes: (n,) and (q,) int64 identities, numbered alike.
        itself: (q,) the row that a probe is, -1 for none; None: none is one.
    """
    most = int(max(gallery.max(initial=-1), probes.max(initial=-1))) + 1
    mates = np.bincount(gallery, minlength=most)[probes]
    return mates if itself is None else mates - (itself != NO_ROW)
