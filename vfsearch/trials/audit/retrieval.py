"""What can be wrong with the two sides of a retrieval list."""

from collections.abc import Iterator

import numpy as np

from vfsearch.data.findings import NOTE, WARNING, Finding, FindingKind
from vfsearch.data.trial_list import UNKNOWN, RetrievalSides, TrialBlock
from vfsearch.trials.audit.facts import count_people, side_counts
from vfsearch.trials.audit.knowledge import Subject

REPEATED_ITEMS = FindingKind(
    name="duplicates",
    severity=WARNING,
    unit="items",
    meaning="A probe that is there twice counts twice; a gallery item that is there twice ties with itself.",
    definition="Items beyond the first of equal names on one side; of all items of both sides.",
)
BOTH_SIDES = FindingKind(
    name="both-sides",
    severity=WARNING,
    unit="items",
    meaning="A probe finds itself in the gallery, unless the evaluation leaves it out.",
    definition="Gallery items that are probes too, by name; of the gallery.",
)
WITHOUT_MATE = FindingKind(
    name="without-mate",
    severity=WARNING,
    unit="items",
    meaning="Nothing in the gallery is right for these probes, so no ranking measure is defined for them.",
    definition="Probes of known identity of which the gallery holds no item (itself not counted); of all probes.",
)
WITHOUT_PROBE = FindingKind(
    name="distractors",
    severity=NOTE,
    unit="items",
    meaning="These gallery items are right for no probe: they make the search harder, which is often wanted.",
    definition="Gallery items of known identity that no probe has; of the gallery.",
)


def one_block(sides: RetrievalSides) -> TrialBlock:
    """Every item of both sides as a row of its own, for the checks that look at items."""
    numbers = np.concatenate([sides.probes, sides.gallery]).astype(np.int64)
    nothing = np.full(len(numbers), UNKNOWN, dtype=np.int64)
    return TrialBlock(probes=numbers, items=numbers[:, None], mated=nothing, lines=nothing)


def side_findings(subject: Subject, sides: RetrievalSides) -> Iterator[Finding]:
    """What is wrong with the sides; rows are places among the probes, then the gallery."""
    probes, gallery = sides.probes, sides.gallery
    people = subject.identity.numbers()
    repeated = np.concatenate([_repeated(probes), len(probes) + _repeated(gallery)])
    own, theirs = people[probes], people[gallery]
    alone = (own != UNKNOWN) & (_mates(probes, gallery, people) == 0)
    distractors = (theirs != UNKNOWN) & ~np.isin(theirs, own)
    yield from _found(REPEATED_ITEMS, repeated, len(probes) + len(gallery))
    yield from _found(BOTH_SIDES, len(probes) + np.flatnonzero(np.isin(gallery, probes)), len(gallery))
    if (theirs != UNKNOWN).any():
        yield from _found(WITHOUT_MATE, np.flatnonzero(alone), len(probes))
    yield from _found(WITHOUT_PROBE, len(probes) + np.flatnonzero(distractors), len(gallery))


def side_facts(subject: Subject, sides: RetrievalSides) -> dict:
    """Counts of the list and of its sides, as JSON.

    Prevalence is the share of mated pairs, which is about what an order by chance gives as mAP.
    """
    trials, people = subject.trials, subject.identity.numbers()
    own, theirs = people[sides.probes], people[sides.gallery]
    pairs = len(own) * len(theirs)
    told = (own != UNKNOWN).any() and (theirs != UNKNOWN).any()
    mated = int(_mates(sides.probes, sides.gallery, people).sum())
    uses = [np.bincount(numbers, minlength=len(people)) for numbers in (sides.probes, sides.gallery)]
    return {
        "kind": trials.kind,
        "format": trials.format,
        "candidates": None,
        "trials": pairs,
        "names": len(trials.names),
        "labels": "the identities" if told else "nobody",
        "probes": side_counts(uses[0], people),
        "items": side_counts(uses[1], people),
        "identities": count_people(people),
        "prevalence": mated / pairs if pairs and told else None,
    }


def _mates(probes: np.ndarray, gallery: np.ndarray, people: np.ndarray) -> np.ndarray:
    """(q,) gallery items of each probe's identity, other than the probe itself."""
    own, theirs = people[probes], people[gallery]
    each = np.bincount(theirs[theirs != UNKNOWN], minlength=len(people) + 1)
    itself = np.bincount(gallery, minlength=len(people) + 1)[probes]
    return np.where(own == UNKNOWN, 0, each[own] - itself)


def _repeated(numbers: np.ndarray) -> np.ndarray:
    first = np.unique(numbers, return_index=True)[1]
    return np.setdiff1d(np.arange(len(numbers)), first)


def _found(kind: FindingKind, rows: np.ndarray, of: int) -> Iterator[Finding]:
    if len(rows):
        yield Finding(kind=kind, count=len(rows), of=of, rows=rows)
