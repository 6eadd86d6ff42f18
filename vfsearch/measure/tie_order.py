"""Ties in another order than at random: what peers do, for figures that are to be compared with theirs.

"expected" is ours: the mean over every order. "mate-first" is what taking the first maximum gives where the mate is in
column 0, "mate-last" what a comparison by > gives. "id-descending" is that of trec_eval: later names first.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vfsearch.data.ranks import MateRanks
from vfsearch.errors import SettingsError, UnknownNameError

EXPECTED, MATE_FIRST, MATE_LAST, ID_DESCENDING = "expected", "mate-first", "mate-last", "id-descending"
POLICIES = (EXPECTED, MATE_FIRST, MATE_LAST, ID_DESCENDING)


def ranks_in_order(ranks: MateRanks, policy: str) -> MateRanks:
    """The ranks when ties between mates and others are ordered by a policy.

    Args:
        ranks: where the mates stand.
        policy: "expected", "mate-first" or "mate-last"; mates that tie with each other alone stay one block.
    Raises:
        SettingsError: the policy is "id-descending", which needs names: see `scores_in_order_of_names`.
        UnknownNameError: no such policy.
    """
    _require(policy)
    if policy == EXPECTED:
        return ranks
    others = ranks.tied - ranks.mates_tied if policy == MATE_LAST else 0
    return replace(ranks, above=ranks.above + others, tied=ranks.mates_tied)


def matching_in_order(scores: np.ndarray, policy: str) -> np.ndarray:
    """Scores of 1:N matching without ties between the mate and another candidate.

    Args:
        scores: (t, N) similarities, the mate's in column 0.
        policy: "expected", "mate-first" or "mate-last".
    Returns:
        (t, N): as they are; or 1, 0, -1 for a candidate above, at or below the mate's score, and 0.5 (first) or -0.5
        (last) for the mate: all that the place of the mate depends on.
    Raises:
        SettingsError: the policy is "id-descending", which needs names.
        UnknownNameError: no such policy.
    Example:
        >>> matching_in_order(np.array([[0.5, 0.5, 0.9]]), "mate-first")
        array([[0.5, 0. , 1. ]])
    """
    _require(policy)
    if policy == EXPECTED:
        return scores
    mate = scores[:, :1]
    placed = (scores > mate).astype(float) - (scores < mate)
    placed[:, 0] = 0.5 if policy == MATE_FIRST else -0.5
    return placed


def _require(policy: str) -> None:
    if policy not in POLICIES:
        raise UnknownNameError(f"no tie order is named {policy!r}; known: {', '.join(POLICIES)}")
    if policy == ID_DESCENDING:
        raise SettingsError(f"the tie order {policy!r} needs the candidates' names: it is for ranked lists with names")


def scores_in_order_of_names(
    probes: np.ndarray, scores: np.ndarray, items: np.ndarray, names: Sequence[str], single: bool = True
) -> np.ndarray:
    """Scores of ranked lists without ties, equal ones ordered by name, the later name first.

    Args:
        probes: (t,) int64 probe of each candidate.
        scores: (t,) similarities.
        items: (t,) int64 number of each candidate's name.
        names: by number.
        single: round the scores to float32 first, as trec_eval does: scores that differ by less tie.
    Returns:
        (t,) float64: -1 for the best candidate of a probe, -2 for the next, ...
    Source: trec_eval 9, form_res_rels.c: documents by score, then by name, both descending; names compare by their
        bytes, in which UTF-8 keeps the order of code points.
    Example:
        >>> scores_in_order_of_names(np.zeros(3, int), np.array([2.0, 2, 9]), np.array([0, 1, 2]), ["a", "b", "c"])
        array([-3., -2., -1.])
    """
    places = np.empty(len(names), dtype=np.int64)
    places[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    keys = scores.astype(np.float32) if single else scores
    order = np.lexsort((-places[items], -keys, probes))
    counts = np.bincount(probes, minlength=1)
    starts = np.cumsum(counts) - counts
    strict = np.empty(len(scores))
    strict[order] = starts[probes[order]] - np.arange(len(scores)) - 1.0
    return strict
