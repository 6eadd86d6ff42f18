"""The audit of a list of trials: one pass that gathers, one that fetches examples."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vfsearch.data.findings import ERROR, SEVERITIES, AuditReport, Example, Finding, FindingKind
from vfsearch.data.trial_list import RETRIEVAL, UNKNOWN, RetrievalSides, TrialBlock, TrialList
from vfsearch.trials.audit.candidates import Itself, RepeatedCandidate
from vfsearch.trials.audit.check import Check, seen_block
from vfsearch.trials.audit.facts import Facts
from vfsearch.trials.audit.groups import Negatives, group_hint
from vfsearch.trials.audit.items import (
    MissingItems,
    Spellings,
    TrainingIdentities,
    TrainingItems,
    UnknownIdentities,
)
from vfsearch.trials.audit.knowledge import EXAMPLES, Knowledge, Subject
from vfsearch.trials.audit.labels import FalseMated, FalseNonMated, LabelShare, MateFirst
from vfsearch.trials.audit.order import LabelOrder
from vfsearch.trials.audit.popularity import Popularity
from vfsearch.trials.audit.repeats import Repeats
from vfsearch.trials.audit.retrieval import one_block, side_facts, side_findings
from vfsearch.trials.audit.sources import SameSource

EMPTY = FindingKind(
    name="empty",
    severity=ERROR,
    unit="trials",
    meaning="The list asks nothing.",
    definition="A list without a trial (retrieval: with an empty side).",
)
OF_ITEMS: tuple[type[Check], ...] = (MissingItems, UnknownIdentities, TrainingIdentities, TrainingItems, Spellings)
OF_TRIALS: tuple[type[Check], ...] = (
    FalseMated, FalseNonMated, Itself, RepeatedCandidate, Repeats, SameSource, Negatives, LabelShare, LabelOrder,
    Popularity, MateFirst, *OF_ITEMS,
)  # fmt: skip


def audit(trials: TrialList, knowledge: Knowledge | None = None, examples: int = EXAMPLES) -> AuditReport:
    """What is wrong, or worth knowing, with a list of trials.

    The list is read twice, the second time only as far as examples are wanted. Memory grows with the distinct items,
    by 9 bytes a trial (a code that tells repeated trials, and the label), and by 8 bytes for each trial found; sorting
    the codes takes several times as much for a moment (50 to 125 bytes a trial were measured at the peak).

    Args:
        trials: the list.
        knowledge: what is known beside it: identities, sources, what was trained on, ...
        examples: most of them a finding.
    Returns:
        Findings, errors first; of one severity, in the order in which they are looked for.
    Raises:
        TrialListError: a line of the list is bad.
    Example:
        >>> from vfsearch.data.trial_list import Names
        >>> names = Names(["v1", "f1", "f2"])
        >>> block = TrialBlock(probes=np.array([0, 0, 0]), items=np.array([[1], [2], [1]]), mated=np.array([1, 0, 1]),
        ...                    lines=np.array([1, 2, 3]))
        >>> trials = TrialList(kind="verification", format="", where="a list", names=names,
        ...                    blocks=lambda: iter([block]))
        >>> [(found.kind.name, found.count, found.examples[0].line) for found in audit(trials).named("duplicates")]
        [('duplicates', 1, 3)]
    """
    subject = Subject(trials, knowledge or Knowledge(), examples)
    facts = Facts(subject)
    checks = [make(subject) for make in (OF_ITEMS if trials.kind == RETRIEVAL else OF_TRIALS)]
    sides = trials.sides() if trials.sides is not None else None
    blocks = trials.blocks() if sides is None else iter([one_block(sides)])
    _gather(blocks, subject, [facts, *checks])
    findings = [found for check in checks for found in check.findings()]
    if sides is not None:
        findings += side_findings(subject, sides)
    counts = facts.to_json() if sides is None else side_facts(subject, sides)
    if not counts["trials"]:
        findings.append(Finding(kind=EMPTY, count=0, of=0))
    findings.sort(key=lambda found: SEVERITIES.index(found.kind.severity))
    return AuditReport(
        where=trials.where,
        facts={**counts, "label_predictors": _predictors(checks), "group_hint": group_hint(trials.where)},
        findings=_with_examples(subject, findings, sides),
        unchecked={name: why for check in checks for name, why in check.unchecked().items()},
    )


def _gather(blocks: Iterator[TrialBlock], subject: Subject, checks: Sequence[Check]) -> None:
    first = 0
    for block in blocks:
        subject.note_lines(block)
        seen = seen_block(block, first, subject)
        for check in checks:
            check.see(seen)
        first += len(block)


def _predictors(checks: Sequence[Check]) -> dict[str, float]:
    """AUC of what should say nothing of the labels."""
    found = [check.separations() for check in checks if isinstance(check, Popularity)]
    return {name: told.auc for each in found for name, told in each.items()}


def _with_examples(subject: Subject, findings: Sequence[Finding], sides: RetrievalSides | None) -> list[Finding]:
    """The findings, the first few of its trials with each that has no examples yet."""
    wanted = [finding.rows[: subject.most_examples] for finding in findings if not finding.examples]
    rows = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *wanted]))
    blocks = subject.trials.blocks() if sides is None else iter([one_block(sides)])
    trials = _fetched(blocks, rows, subject.trials.names.texts)
    return [
        finding
        if finding.examples
        else replace(finding, examples=tuple(trials[row] for row in finding.rows[: subject.most_examples].tolist()))
        for finding in findings
    ]


def _fetched(blocks: Iterator[TrialBlock], rows: np.ndarray, names: Sequence[str]) -> dict[int, Example]:
    """Some trials by their place; blocks are read as far as these go."""
    found: dict[int, Example] = {}
    first = 0
    while len(found) < len(rows):
        block = next(blocks)
        for row in rows[(rows >= first) & (rows < first + len(block))].tolist():
            found[row] = _example(block, row - first, names)
        first += len(block)
    return found


def _example(block: TrialBlock, place: int, names: Sequence[str]) -> Example:
    line = int(block.lines[place])
    numbers = [int(block.probes[place]), *block.items[place].tolist()]
    if line == UNKNOWN:
        return Example(trial=(names[numbers[0]],))
    return Example(trial=tuple(names[number] for number in numbers), line=line)
