"""A list without the trials that an audit found at fault."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vfsearch.data.findings import ERROR, AuditReport
from vfsearch.data.trial_list import RetrievalSides, TrialBlock, TrialList
from vfsearch.errors import UnknownNameError
from vfsearch.trials.audit.catalog import OF_SOME_TRIALS
from vfsearch.trials.audit.repeats import DUPLICATES


def usual_offenders(report: AuditReport) -> list[str]:
    """The findings whose trials are left out unless others are named: errors, and duplicates."""
    found = [found.kind.name for found in report.findings if found.kind.severity == ERROR and len(found.rows)]
    return list(dict.fromkeys([*found, DUPLICATES.name]))


def clean(trials: TrialList, report: AuditReport, without: Sequence[str] | None = None) -> TrialList:
    """The list without offenders, in its order, read as it is asked for.

    Args:
        trials: the list.
        report: what its audit found.
        without: names of the findings whose trials are left out; None: `usual_offenders`. Of duplicates the first
            stays, of contradictory labels none does.
    Raises:
        UnknownNameError: a name is of no finding that says which trials are at fault.
    """
    without = usual_offenders(report) if without is None else list(without)
    rows = _rows(report, without)
    about = {**trials.about, "without": without}
    if trials.sides is not None:
        return replace(trials, sides=lambda: _kept_items(trials.sides(), rows), about=about)
    return replace(trials, blocks=lambda: _kept_trials(trials, rows), about=about)


def _rows(report: AuditReport, without: Sequence[str]) -> np.ndarray:
    """(m,) places to leave out, rising."""
    known = [kind.name for kind in OF_SOME_TRIALS]
    unknown = sorted(set(without) - set(known))
    if unknown:
        raise UnknownNameError(
            f"no finding named {', '.join(unknown)} says which trials are at fault; known: {', '.join(known)}"
        )
    found = [finding.rows for name in without for finding in report.named(name)]
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *found]))


def _kept_trials(trials: TrialList, rows: np.ndarray) -> Iterator[TrialBlock]:
    first = 0
    for block in trials.blocks():
        end = first + len(block)
        out = rows[np.searchsorted(rows, first) : np.searchsorted(rows, end)] - first
        yield block if not len(out) else _without(block, out)
        first = end


def _without(block: TrialBlock, out: np.ndarray) -> TrialBlock:
    keep = np.setdiff1d(np.arange(len(block)), out)
    return TrialBlock(
        probes=block.probes[keep],
        items=block.items[keep],
        mated=block.mated[keep],
        lines=block.lines[keep],
        scores=None if block.scores is None else block.scores[keep],
        extra={name: [values[row] for row in keep.tolist()] for name, values in block.extra.items()},
    )


def _kept_items(sides: RetrievalSides, rows: np.ndarray) -> RetrievalSides:
    probes = len(sides.probes)
    return RetrievalSides(
        probes=np.delete(sides.probes, rows[rows < probes]),
        gallery=np.delete(sides.gallery, rows[rows >= probes] - probes),
    )
