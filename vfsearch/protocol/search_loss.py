"""What an approximate search loses against an exact one of the same rows, for the same probes and k.

Figures of a list of k neighbours, items that the index lacks being no part of the gallery:

* `R@k of exact`: of the k true neighbours of a probe, the share that was found; the mean over probes. A row counts if
  its exact score is at least that of the k-th true neighbour (`vfsearch.index.recall`).
* `R@1`: rank-1 accuracy: the chance that the best neighbour is of the probe's identity, equal scores in random order.
* `mAP@k`: the mean over probes of (1/M) sum of the precision at the places of the mates in the list, M being all mates
  in the gallery, in the list or not; as trec_eval cuts it.

The last two are of probes that have a mate in the gallery; a probe that could not be embedded found nothing. Ties
beyond the k-th neighbour are as the search broke them.
"""

from dataclasses import dataclass, replace

import numpy as np

from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.data.outcome import Difference, Value
from vfsearch.data.ranks import mate_ranks_of_lists
from vfsearch.data.scored import ScoredRanking
from vfsearch.index.recall import recalls
from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.estimate import Estimate, difference
from vfsearch.measure.interval import widening, with_variance
from vfsearch.measure.ranking_values import ranking_values
from vfsearch.measure.resampling import Resampling
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.names import identity_names


@dataclass(frozen=True, kw_only=True, eq=False)
class Lists:
    """What lists of neighbours are about.

    Args:
        comparison: probes and gallery.
        rows: (g,) row of the index that each gallery item has; -1 for an item that it lacks.
        vectors: (n, d) rows of the index.
        k: length of the lists.
    """

    comparison: Comparison
    rows: np.ndarray
    vectors: np.ndarray
    k: int

    def items(self, found: Neighbors) -> np.ndarray:
        """(q, k) gallery items of neighbours; -1 for none."""
        item_of = np.full(len(self.vectors) + 1, NO_ROW, np.int64)
        held = np.flatnonzero(self.rows != NO_ROW)
        item_of[self.rows[held]] = held
        return item_of[found.rows]

    @property
    def searched(self) -> np.ndarray:
        """(q,) how many items each probe is compared with: those that the index holds, less itself."""
        return (self.rows != NO_ROW).sum() - self._itself.astype(np.int64)

    @property
    def mates(self) -> np.ndarray:
        """(q,) how many of them are of its identity."""
        sides = self.comparison.sides
        most = int(max(sides.probes.max(initial=-1), sides.gallery.max(initial=-1))) + 1
        people = np.bincount(sides.gallery[self.rows != NO_ROW], minlength=most)
        return people[sides.probes] - self._itself

    @property
    def _itself(self) -> np.ndarray:
        """(q,) bool: the index holds the probe itself."""
        return np.append(self.rows, NO_ROW)[self.comparison.sides.itself] != NO_ROW


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss:
    """Figures of an approximate search.

    Args:
        values: recall; figures of its lists; figures of the exact lists, marked "exact".
        lost: measure -> what the exact lists have more.
        recall: (q,) of each probe.
    """

    values: dict[str, Value]
    lost: dict[str, Difference]
    recall: np.ndarray


def loss_against(lists: Lists, found: Neighbors, truth: Neighbors, seed: int) -> Loss:
    """What a search lost.

    Args:
        lists: what both searched.
        found: what the search gave.
        truth: what an exact search of the same rows gives.
        seed: of the intervals, which resample the identities of the probes; a difference has both sides in the same
            resamples.
    """
    resampling = Resampling(seed=seed)
    recall = recalls(found, truth, lists.comparison.probes.vectors, lists.vectors)
    ours, exact = (_figures(lists, each, resampling) for each in (found, truth))
    values = {f"R@{lists.k} of exact": _recall(lists, recall, resampling)}
    for name in ours:
        values |= {name: ours[name], f"{name} exact": exact[name]}
    return Loss(
        values={name: estimate.to_value() for name, estimate in values.items()},
        lost={name: difference(exact[name], ours[name]) for name in ours},
        recall=recall,
    )


def _recall(lists: Lists, recall: np.ndarray, resampling: Resampling) -> Estimate:
    """The mean over probes, with replicates under resampled identities to first order."""
    names = lists.comparison.probes.identities
    none = float("nan")
    if not len(recall):
        return Estimate(value=none, replicates=np.full(resampling.resamples, none), chance=none)
    units = resampling.units(names)
    value, count = float(recall.mean()), int(units.max()) + 1
    effects = np.bincount(units, weights=recall - value, minlength=count) / len(recall)
    return Estimate(
        value=value,
        replicates=value + with_variance((resampling.draws(count) - 1.0) @ effects, (effects**2).sum()),
        chance=float(np.minimum(1.0, lists.k / np.maximum(lists.searched, 1)).mean()),
        widening=widening(np.bincount(units)),
        fraction=True,
    )


def _figures(lists: Lists, found: Neighbors, resampling: Resampling) -> dict[str, Estimate]:
    """Rank-1 accuracy and mean average precision of lists."""
    sides, items = lists.comparison.sides, lists.items(found)
    there = items != NO_ROW
    probes = np.broadcast_to(np.arange(len(items))[:, None], items.shape)[there]
    ranking = ScoredRanking(
        ranks=mate_ranks_of_lists(
            probes, found.scores[there], sides.gallery[items[there]] == sides.probes[probes], lists.mates
        ),
        probes=sides.probes,
        missing=lists.comparison.missing,
        identities=identity_names(lists.comparison),
    )
    cut = f"mAP@{lists.k}"
    estimates = ranking_values(ranking, [parse_measure("R@1"), parse_measure("mAP")], resampling)
    first, mean_precision = _chances(lists)
    return {
        "R@1": replace(estimates["R@1"], chance=first),
        cut: replace(estimates["mAP"], chance=mean_precision),
    }


def _chances(lists: Lists) -> tuple[float, float]:
    """Rank-1 accuracy and mean average precision within the first k of items in random order.

    With M mates among n items, a mate is at place i with the chance M/n, and then (i - 1)(M - 1)/(n - 1) mates are
    expected before it: (1/n) sum over i <= k of (1 + (i - 1)(M - 1)/(n - 1)) / i.
    """
    asked = lists.mates > 0
    n, mates = lists.searched[asked].astype(float), lists.mates[asked]
    places = np.minimum(lists.k, n).astype(np.int64)
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, lists.k + 1))])[places]
    before = (mates - 1) / np.maximum(n - 1, 1)
    first, precision = mates / n, (harmonic + before * (places - harmonic)) / n
    trials = max(1, len(n) + len(lists.comparison.missing))
    return float(first.sum() / trials), float(precision.sum() / trials)
