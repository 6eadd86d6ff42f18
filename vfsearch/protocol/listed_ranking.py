"""The probes of a retrieval list against its gallery."""

from dataclasses import dataclass, replace

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import ScoredRanking
from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError
from vfsearch.kernels.crowds import crowds
from vfsearch.kernels.ranks import mate_ranks, rank_gallery
from vfsearch.protocol.listed_people import People
from vfsearch.protocol.listed_rows import ListedRows, RowsOfNames


@dataclass(frozen=True, kw_only=True, eq=False)
class ListedRanking:
    """A ranked list a probe, with the names of the probes.

    Args:
        ranking: where the mates stand.
        probes: (q,) int64 numbers of names, those that could be asked, in the order of `ranking`.
        missing: (m,) int64 numbers of names of probes with a mate that could not be asked: misses.
        missing_items: gallery items without a vector: they stand last.
    """

    ranking: ScoredRanking
    probes: np.ndarray
    missing: np.ndarray
    missing_items: int = 0


def ranked_sides(trials: TrialList, listed: ListedRows, people: People) -> ListedRanking:
    """Every probe of a retrieval list against its whole gallery.

    A probe is not compared with itself. A gallery item without a vector stands behind all others, tied with those
    like it; a probe without one is a miss, if it has a mate.

    Args:
        trials: a retrieval list.
        listed: where the rows of its names are.
        people: whose its items are.
    Raises:
        TrialListError: no name of the list has a vector, or whose a name is is not known.
    """
    sides = trials.sides()
    rows = RowsOfNames(trials.names, listed, trials.where)
    probe_rows, gallery_rows = rows(sides.probes), rows(sides.gallery)
    rows.require_found()
    probe_people, gallery_people = people(sides.probes), people(sides.gallery)
    _require_known(trials, people)
    asked, there = probe_rows != NO_ROW, gallery_rows != NO_ROW
    itself = _places(sides.probes, sides.gallery)
    queries, vectors = listed.taken(probe_rows[asked]), listed.taken(gallery_rows[there])
    gallery = rank_gallery(vectors, gallery_people[there], listed.device, max_memory=listed.max_memory)
    compared = (queries, gallery, probe_people[asked], gallery_people[there])
    exclude = _places(sides.probes[asked], sides.gallery[there])
    ranks = mate_ranks(*compared, exclude, listed.device, max_memory=listed.max_memory)
    mates = _mates(probe_people, gallery_people, itself)
    gone = ~asked & (mates > 0)
    behind = gallery_people[~there]
    return ListedRanking(
        ranking=ScoredRanking(
            ranks=_with_last(ranks, len(behind), _mates(probe_people[asked], behind)),
            probes=probe_people[asked],
            missing=probe_people[gone],
            identities=people.identities,
            crowds=lambda rows, units: crowds(
                *compared, rows, units, exclude, listed.device, max_memory=listed.max_memory
            ),
        ),
        probes=sides.probes[asked],
        missing=sides.probes[gone],
        missing_items=len(behind),
    )


def _require_known(trials: TrialList, people: People) -> None:
    unknown = people.unknown
    if unknown:
        raise TrialListError(
            f"{trials.where}: a retrieval list does not say what is mated, and whose {unknown[0]!r} (and "
            f"{len(unknown) - 1} more) is is not known; give a table with --identities"
        )


def _places(probes: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """(q,) where each probe stands in the gallery itself, -1 where it does not."""
    place = np.full(max(probes.max(initial=0), gallery.max(initial=0)) + 1, NO_ROW, dtype=np.int64)
    place[gallery] = np.arange(len(gallery))
    return place[probes]


def _mates(probes: np.ndarray, gallery: np.ndarray, itself: np.ndarray | None = None) -> np.ndarray:
    """(q,) how many gallery items are of each probe's identity, itself not counted."""
    count = np.bincount(gallery, minlength=max(probes.max(initial=0), gallery.max(initial=0)) + 1)[probes]
    return count if itself is None else count - (itself != NO_ROW)


def _with_last(ranks: MateRanks, count: int, mates: np.ndarray) -> MateRanks:
    """The ranks with one more block behind each gallery: items that have no score, some of them mates."""
    if not count:
        return ranks
    probe = np.flatnonzero(mates)
    more = {
        "probe": probe,
        "above": ranks.gallery[probe],
        "tied": np.full(len(probe), count),
        "mates_above": ranks.mates[probe],
        "mates_tied": mates[probe],
    }
    columns = {name: np.concatenate([getattr(ranks, name), values]) for name, values in more.items()}
    order = np.argsort(columns["probe"], kind="stable")
    ordered = {name: values[order] for name, values in columns.items()}
    return replace(ranks, **ordered, mates=ranks.mates + mates, gallery=ranks.gallery + count)
