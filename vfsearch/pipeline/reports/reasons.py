"""What was lost, and why: what wrong first hits share with their probes, and what became of each probe."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.page import Reason
from vfsearch.data.plot import Shares
from vfsearch.pipeline.reports.answers import Answers

COLUMNS = ("gender", "nationality", "source")
SPLIT_BY = "gender"
MATCHED, BY_SEARCH, NO_MATE, MISSING = (
    "first hit matched", "lost by the approximate search", "no match in the gallery", "probe not embedded",
)  # fmt: skip
SAME, OTHER, WRONG = f"mismatched, same {SPLIT_BY}", f"mismatched, other {SPLIT_BY}", "mismatched"


def reasons(answers: Answers) -> Iterator[Reason]:
    """What probes have in common with a wrong first hit, beside what they have with any item of another identity.

    Args:
        answers: of a run; columns that no probe has are passed over.
    """
    wrong = np.flatnonzero((answers.first_rows != NO_ROW) & ~_matched(answers, answers.first_rows))
    for column in COLUMNS:
        ours, theirs = answers.probes.values(column), answers.gallery.values(column)
        known = [probe for probe in wrong.tolist() if ours[probe] and theirs[answers.first_rows[probe]]]
        if known:
            same = sum(ours[probe] == theirs[answers.first_rows[probe]] for probe in known)
            expected = _expected(answers, column, known, ours, theirs)
            yield Reason(column=column, wrong=len(known), same=same, expected=expected)


def _expected(answers: Answers, column: str, probes: list[int], ours: list[str], theirs: list[str]) -> float:
    """Mean over probes of the share of gallery items of other identities that have the probe's value."""
    pairs = zip(answers.gallery.identities, theirs, strict=True)
    counts = Counter((identity, value) for identity, value in pairs if value)
    of_value, of_identity = Counter(), Counter()
    for (identity, value), count in counts.items():
        of_value[value] += count
        of_identity[identity] += count
    every, shares = sum(of_value.values()), []
    for probe in probes:
        identity, value = answers.probes.identities[probe], ours[probe]
        others = every - of_identity[identity]
        if others:
            shares.append((of_value[value] - counts[identity, value]) / others)
    return float(np.mean(shares)) if shares else float("nan")


def _matched(answers: Answers, rows: np.ndarray) -> np.ndarray:
    """(q,) bool: whether gallery rows are of the probes' identities."""
    ours, theirs = (np.array(side.identities, dtype=object) for side in (answers.probes, answers.gallery))
    return (rows != NO_ROW) & (ours == theirs[np.maximum(rows, 0)]) if len(theirs) else np.zeros(len(rows), bool)


def causes(found: Sequence[Answers]) -> Iterator[Shares]:
    """What became of the probes of runs, a diagram a direction: causes that no run has are left out.

    Args:
        found: answers of runs.
    """
    directions: dict[str, list[Answers]] = {}
    for answers in found:
        asked = answers.run.outcome.settings
        directions.setdefault(f"{asked['probe']} to {asked['gallery']}", []).append(answers)
    for direction, of_runs in directions.items():
        rows = [_fates(answers) for answers in of_runs]
        names = (MATCHED, BY_SEARCH, SAME, OTHER, WRONG, NO_MATE, MISSING)
        kept = [name for name in names if name == MATCHED or any(row[name] for row in rows)]
        counts = np.array([[row[name] for name in kept] for row in rows], float)
        yield Shares(
            name=f"causes-{direction.replace(' ', '-')}",
            title=f"What became of the probes, {direction}",
            causes=kept,
            runs=[answers.run.name for answers in of_runs],
            shares=counts / np.maximum(1.0, counts.sum(axis=1, keepdims=True)),
        )


def _fates(answers: Answers) -> Counter:
    """How many probes ended how."""
    first, fates = answers.first_rows, Counter()
    matched, exact = _matched(answers, first), _matched(answers, answers.first_exact_rows)
    ours, theirs = answers.probes.values(SPLIT_BY), answers.gallery.values(SPLIT_BY)
    for probe, row in enumerate(first.tolist()):
        if matched[probe]:
            fate = MATCHED
        elif exact[probe]:
            fate = BY_SEARCH
        elif np.isinf(answers.places[probe]):
            fate = NO_MATE
        elif row == NO_ROW or not (ours[probe] and theirs[row]):
            fate = WRONG
        else:
            fate = SAME if ours[probe] == theirs[row] else OTHER
        fates[fate] += 1
    search = [each for each in answers.run.outcome.measurements if each.protocol == "search"]
    fates[MISSING] = search[0].missing if search else 0
    return fates
