"""Trials that are there more than once, as they are, mirrored, or with another label."""

from collections.abc import Iterator

import numpy as np

from vfsearch.data.findings import ERROR, WARNING, Finding, FindingKind
from vfsearch.trials.audit.check import MATED, NON_MATED, Check, Seen
from vfsearch.trials.audit.knowledge import Subject

DUPLICATES = FindingKind(
    name="duplicates",
    severity=WARNING,
    unit="trials",
    meaning="A trial that is there twice counts twice.",
    definition="Trials beyond the first of each set of equal ones (same probe, same item, same label; matching: same "
    "probe, same mate, same other candidates in any order); of all trials.",
    source="Wen et al., CVPR 2021, public lists: 358 and 165 in verify_v2f and verify_f2v",
)
MIRRORED = FindingKind(
    name="mirrored",
    severity=WARNING,
    unit="trials",
    meaning="The pair (b, a) asks what (a, b) asked already: with a symmetric score it counts twice.",
    definition="Different pairs whose mirror image stands earlier in the list, each counted once; of all trials.",
)
CONTRADICTORY = FindingKind(
    name="contradictory-labels",
    severity=ERROR,
    unit="trials",
    meaning="One pair is marked mated in one line and non-mated in another.",
    definition="All trials of the pairs that bear both labels; of all trials.",
)
_LABEL_BITS, _ITEM_BITS = 2, 30


class Repeats(Check):
    """Duplicates, mirror images and contradictions.

    Nothing can tell whether a trial was there before but a record of those that were: 8 bytes a trial are kept, which
    for pairs tell two trials apart for certain, and for 1:N matching are a 64-bit hash of the names' numbers (two of a
    million different trials share one with a chance of 3 in 10^8).
    """

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._codes: list[np.ndarray] = []

    def see(self, seen: Seen) -> None:
        """Keep a code of each trial."""
        block = seen.block
        if block.items.shape[1] > 1:
            self._codes.append(_hash(block.probes, block.items))
            return
        labels = np.clip(block.mated, NON_MATED - 1, MATED + 1) + 1
        self._codes.append(
            block.probes << (_ITEM_BITS + _LABEL_BITS) | block.items[:, 0] << _LABEL_BITS | labels,
        )

    def findings(self) -> Iterator[Finding]:
        """What is there twice."""
        codes = np.concatenate([np.empty(0, dtype=np.int64), *self._codes])
        found = [(DUPLICATES, _beyond_the_first(codes))]
        if not self.subject.trials.candidates:
            found += [(MIRRORED, _mirrored(codes)), (CONTRADICTORY, _contradictory(codes))]
        for kind, rows in found:
            if len(rows):
                yield Finding(kind=kind, count=len(rows), of=len(codes), rows=rows)


def _hash(probes: np.ndarray, items: np.ndarray) -> np.ndarray:
    """(t,) int64 of probe, mate and the other candidates, whatever the order of these."""
    mixed = _mix(probes.astype(np.uint64))
    for column in (items[:, :1], np.sort(items[:, 1:], axis=1)):
        for each in column.T:
            mixed = _mix(mixed ^ each.astype(np.uint64))
    return mixed.view(np.int64)


def _mix(values: np.ndarray) -> np.ndarray:
    """Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014: one step of SplitMix64."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _beyond_the_first(codes: np.ndarray) -> np.ndarray:
    """Places of the codes that were there before."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    return np.sort(order[1:][ordered[1:] == ordered[:-1]])


def _mirrored(codes: np.ndarray) -> np.ndarray:
    """Places of the pairs whose mirror image stands earlier, each pair once."""
    pairs = codes >> _LABEL_BITS
    left, right = pairs >> _ITEM_BITS, pairs & ((1 << _ITEM_BITS) - 1)
    if not np.intersect1d(left, right).size:
        return np.empty(0, dtype=np.int64)
    either_way = np.minimum(left, right) << _ITEM_BITS | np.maximum(left, right)
    return np.setdiff1d(_beyond_the_first(either_way), _beyond_the_first(pairs))


def _contradictory(codes: np.ndarray) -> np.ndarray:
    """Places of the labelled trials of the pairs that bear more than one label."""
    labelled = codes[codes & ((1 << _LABEL_BITS) - 1) > 0]
    pairs = np.sort(np.unique(labelled) >> _LABEL_BITS)
    both = np.unique(pairs[1:][pairs[1:] == pairs[:-1]])
    if not len(both):
        return both
    return np.flatnonzero(np.isin(codes >> _LABEL_BITS, both) & (codes & ((1 << _LABEL_BITS) - 1) > 0))
