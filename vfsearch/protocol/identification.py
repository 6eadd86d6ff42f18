"""The open-set identification protocol."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.outcome import Measurement
from vfsearch.data.searches import NOBODY, Searches
from vfsearch.errors import SettingsError
from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.ranks import mate_ranks, rank_gallery
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk
from vfsearch.measure.catalog import chosen
from vfsearch.measure.identification_values import identification_values
from vfsearch.measure.kind import IDENTIFICATION
from vfsearch.measure.resampling import Resampling
from vfsearch.protocol.clock import single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.names import identity_names
from vfsearch.protocol.result import Result
from vfsearch.trials.draw import Draw

LISTED = 32
"""Candidates kept of each search: that a resample of the gallery holds none of them has a chance of exp(-32)."""
# 1:N trials of the same seed have streams named by one number; these are named by two.
_WHO, _WHICH = (3, 0), (3, 1)


@dataclass(frozen=True, kw_only=True)
class Identification:
    """Some people are enrolled with one item each; every probe is searched for, also those of people who are not.

    Args:
        seed: of who is enrolled, and with which item.
        candidates: N, how many are enrolled; None: the whole share. A smaller gallery is part of a larger one.
        share: of the gallery side's identities that may be enrolled; the others never are.
        measures: names; those of other protocols are passed over; none of its own: the usual ones.
    Source: ISO/IEC 19795-1:2021, open-set identification; Phillips, Grother & Micheals, Handbook of Face Recognition,
        2011, chapter 21.
    """

    seed: int
    candidates: int | None = None
    share: float = 0.5
    measures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 < self.share < 1.0:
            raise SettingsError(f"the share of people to enrol is {self.share}, it must be between 0 and 1")
        if self.candidates is not None and self.candidates < 1:
            raise SettingsError(f"the gallery's size is {self.candidates}, it must be at least 1")

    @property
    def name(self) -> str:
        """For the run's files, for example "identification-100"."""
        return "identification" if self.candidates is None else f"identification-{self.candidates}"

    def enrolled(self, comparison: Comparison) -> np.ndarray:
        """(N,) gallery rows that are enrolled, drawn by the names of people and items, not by their order.

        Raises:
            SettingsError: there are fewer people than N, or nobody is left who is not enrolled.
        """
        gallery = comparison.gallery
        rows = np.array(sorted(range(len(gallery)), key=lambda row: (gallery.identities[row], gallery.ids[row])))
        _, starts, sizes = np.unique(
            np.array([gallery.identities[row] for row in rows], dtype=str), return_index=True, return_counts=True
        )
        limit = int(self.share * len(starts) + 0.5)
        wanted = limit if self.candidates is None else self.candidates
        if not 1 <= wanted <= limit or limit == len(starts):
            raise SettingsError(
                f"{wanted} of the {len(starts)} people of the gallery cannot be enrolled: the share {self.share} "
                f"allows for {limit}, and somebody must be left who is not; ask for a smaller N"
            )
        people = Draw(self.seed, *_WHO).permutation(len(starts))[:wanted]
        return rows[(starts + Draw(self.seed, *_WHICH).below(sizes))[people]]

    def run(self, comparison: Comparison) -> Result:
        """Ask and measure.

        A probe that is itself enrolled is left out. A probe that could not be embedded is known where its identity is
        on the gallery side, and is a search then: a miss if the identity is enrolled.

        Raises:
            SettingsError: too few people for N.
        """
        enrolled = self.enrolled(comparison)
        probes = np.flatnonzero(~np.isin(comparison.sides.itself, enrolled))
        gallery = _Enrolled(comparison, enrolled)
        lists, seconds = timed(lambda: _Lists(comparison, gallery, probes))
        latency = single_latency(lambda number: _Lists(comparison, gallery, probes[number : number + 1]), len(probes))
        searches = lists.searches()
        measures = chosen(self.measures, IDENTIFICATION)
        values = identification_values(searches, measures, Resampling(seed=self.seed))
        measurement = Measurement(
            protocol="identification",
            direction=comparison.direction,
            candidates=len(enrolled),
            trials=len(searches),
            missing=int(searches.missing.sum()),
            tied=float((searches.tied > 0).sum() / max(1, len(searches))),
            values={name: estimate.to_value() for name, estimate in values.items()},
            trials_per_second=len(probes) / seconds,
            probes_per_second=len(probes) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
            latency_p99_seconds=latency[2],
        )
        return Result(measurement=measurement, raw={"enrolled": enrolled, "probes": probes, **_raw(searches)})


class _Enrolled:
    """What is kept of those who are enrolled, for all searches."""

    def __init__(self, comparison: Comparison, rows: np.ndarray) -> None:
        device, memory = comparison.device, comparison.max_memory
        self.people, self.vectors = comparison.sides.gallery[rows], comparison.gallery.vectors[rows]
        self.searched = search_gallery(self.vectors, device, max_memory=memory)
        self.ranked = rank_gallery(self.vectors, self.people, device, max_memory=memory)

    def __len__(self) -> int:
        return len(self.people)


class _Lists:
    """The best candidates of each probe, and where its mate stands: exact scores throughout, in blocks of probes."""

    def __init__(self, comparison: Comparison, enrolled: _Enrolled, probes: np.ndarray) -> None:
        self.comparison, self.enrolled, self.people = comparison, enrolled, enrolled.people
        self.asked, device = comparison.sides.probes[probes], comparison.device
        queries, memory = comparison.probes.vectors[probes], comparison.max_memory
        found = topk(queries, enrolled.searched, min(LISTED, len(enrolled)), device=device, max_memory=memory)
        self.scores = found.scores
        self.candidates = np.where(found.rows == NO_ROW, NOBODY, self.people[found.rows])
        self.mated = np.isin(self.asked, self.people)
        self.mate_scores = np.full(len(probes), np.nan)
        self.above, self.tied = (np.zeros(len(probes), dtype=np.int64) for _ in range(2))
        order = np.argsort(self.people)
        mates = order[np.searchsorted(self.people, self.asked[self.mated], sorter=order)]
        self.mate_scores[self.mated] = pair_scores(queries, enrolled.vectors, np.flatnonzero(self.mated), mates, device)
        ranks = mate_ranks(
            queries[self.mated], enrolled.ranked, self.asked[self.mated], self.people, device=device, max_memory=memory
        )
        self.above[self.mated], self.tied[self.mated] = ranks.above, ranks.tied - 1

    def searches(self) -> Searches:
        """Those of the probes, then those that are missing."""
        missing = self.comparison.missing
        count = len(missing)
        gone = np.arange(len(self.asked) + count) >= len(self.asked)
        none = np.zeros(count, dtype=np.int64)
        width = self.scores.shape[1]
        return Searches(
            scores=np.concatenate([self.scores, np.full((count, width), -np.inf)]),
            candidates=np.concatenate([self.candidates, np.full((count, width), NOBODY)]),
            probes=np.concatenate([self.asked, missing]),
            mated=np.concatenate([self.mated, np.isin(missing, self.people)]),
            mate_scores=np.concatenate([self.mate_scores, np.full(count, np.nan)]),
            above=np.concatenate([self.above, none]),
            tied=np.concatenate([self.tied, none]),
            missing=gone,
            gallery=len(self.enrolled),
            identities=identity_names(self.comparison),
        )


def _raw(searches: Searches) -> dict[str, np.ndarray]:
    names = ("scores", "candidates", "mated", "mate_scores", "above", "tied", "missing")
    return {name: getattr(searches, name) for name in names}
