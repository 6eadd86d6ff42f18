"""Where a probe's mates stand in a gallery, ties kept apart."""

from dataclasses import dataclass

import numpy as np

from vfsearch.errors import SettingsError


@dataclass(frozen=True, kw_only=True, eq=False)
class MateRanks:
    """For each probe, the blocks of equal scores that hold at least one of its mates, best block first.

    Everything that a ranking measure needs, whatever the gallery's size: m blocks in all, in the order of the probes.
    Where only part of a gallery was retrieved, as in a TREC run, mates without a block were not.

    Args:
        probe: (m,) probe of the block.
        above: (m,) gallery items that score better than the block.
        tied: (m,) gallery items in the block.
        mates_above: (m,) mates among `above`.
        mates_tied: (m,) mates among `tied`, at least 1.
        mates: (q,) mates of each probe, retrieved or not; 0 where it has none.
        gallery: (q,) gallery items that each probe was compared with.
    """

    probe: np.ndarray
    above: np.ndarray
    tied: np.ndarray
    mates_above: np.ndarray
    mates_tied: np.ndarray
    mates: np.ndarray
    gallery: np.ndarray


def uninformed(ranks: MateRanks) -> MateRanks:
    """What the same probes would get if every score were equal: one block of the whole gallery each.

    Where only part of a gallery was retrieved, the block is that part, with the mates that are in it.
    """
    found = np.bincount(ranks.probe, weights=ranks.mates_tied, minlength=len(ranks.mates)).astype(np.int64)
    probe = np.flatnonzero(found > 0)
    zeros = np.zeros(len(probe), dtype=np.int64)
    return MateRanks(
        probe=probe,
        above=zeros,
        tied=ranks.gallery[probe],
        mates_above=zeros,
        mates_tied=found[probe],
        mates=ranks.mates,
        gallery=ranks.gallery,
    )


def mate_ranks_of_lists(probes: np.ndarray, scores: np.ndarray, relevant: np.ndarray, mates: np.ndarray) -> MateRanks:
    """Where the mates stand in scored lists of candidates, one list a probe, of any lengths, in any order.

    Args:
        probes: (t,) int64 probe of each candidate, from 0.
        scores: (t,) similarities; -inf for a candidate that could not be embedded.
        relevant: (t,) bool: the candidate is a mate.
        mates: (q,) how many mates each probe has, those that were not retrieved included.
    Returns:
        MateRanks whose galleries are the lists; a probe without candidates has an empty one.
    Raises:
        SettingsError: a probe or score is not usable, or a list holds more mates than the probe has.
    Example:
        >>> found = mate_ranks_of_lists(np.array([0, 0, 0]), np.array([2.0, 3, 2]), np.array([True, False, False]),
        ...                             mates=np.array([1]))
        >>> found.above.tolist(), found.tied.tolist()
        ([1], [2])
    """
    _require_lists(probes, scores, relevant, mates)
    order = np.lexsort((-scores, probes))
    probes, scores, relevant = probes[order], scores[order], relevant[order]
    begins = np.ones(len(probes), dtype=bool)
    begins[1:] = (probes[1:] != probes[:-1]) | (scores[1:] != scores[:-1])
    starts = np.flatnonzero(begins)
    tied = np.diff(starts, append=len(probes))
    found = np.concatenate([[0], np.cumsum(relevant)])
    mates_tied = found[starts + tied] - found[starts]
    holds = mates_tied > 0
    gallery = np.bincount(probes, minlength=len(mates))
    of_list = np.cumsum(gallery) - gallery
    probe, starts = probes[starts[holds]], starts[holds]
    return MateRanks(
        probe=probe,
        above=starts - of_list[probe],
        tied=tied[holds],
        mates_above=found[starts] - found[of_list[probe]],
        mates_tied=mates_tied[holds],
        mates=mates,
        gallery=gallery,
    )


def _require_lists(probes: np.ndarray, scores: np.ndarray, relevant: np.ndarray, mates: np.ndarray) -> None:
    if not len(probes) == len(scores) == len(relevant):
        raise SettingsError(f"{len(probes)} probes, {len(scores)} scores, {len(relevant)} labels: wanted equally many")
    if len(probes) and not 0 <= probes.min() <= probes.max() < len(mates):
        raise SettingsError(f"probes {probes.min()} to {probes.max()}, but the mates of {len(mates)} probes are told")
    if np.isnan(scores).any():
        raise SettingsError(f"the score of candidate {int(np.isnan(scores).argmax())} is NaN; a missing one is -inf")
    found = np.bincount(probes[relevant], minlength=len(mates))
    if (found > mates).any():
        worst = int((found - mates).argmax())
        raise SettingsError(
            f"the list of probe {worst} holds {found[worst]} mates, but the probe has {mates[worst]}: is a candidate "
            "listed twice?"
        )
