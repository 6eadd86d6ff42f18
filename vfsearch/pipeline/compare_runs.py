"""`vfsearch compare`: by how much one run exceeds another on the same trials."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vfsearch.data.outcome import Difference, Value
from vfsearch.data.trial_list import MATCHING, UNKNOWN, TrialBlock, TrialList
from vfsearch.errors import MismatchError, SettingsError
from vfsearch.measure.estimate import difference
from vfsearch.pipeline.list_people import Sources, identity_sources, told
from vfsearch.pipeline.measuring import MeasuringSettings
from vfsearch.pipeline.scored_run import NamedRanking, ScoredPart, scored_parts
from vfsearch.protocol.listed_common import WholeList, common_trials, of_probes, whole
from vfsearch.protocol.listed_figures import Scored, figures
from vfsearch.protocol.listed_ranking import ListedRanking
from vfsearch.protocol.listed_trials import ListedMatching, scored_pairs


@dataclass(frozen=True, kw_only=True)
class CompareSettings(MeasuringSettings):
    """How to compare: measures (none: those that both runs have, else the usual ones), format, seed, resamples.

    Args:
        common: where the trials differ, measure those that both have.
    """

    common: bool = False


@dataclass(frozen=True, kw_only=True)
class ComparedFigure:
    """One figure of two runs.

    Args:
        list: what it was measured on.
        protocol: "verification", "matching" or "retrieval".
        trials: that both have.
        measure: its name.
        left, right: of both runs on these trials.
        difference: left less right.
    """

    list: str
    protocol: str
    trials: int
    measure: str
    left: Value
    right: Value
    difference: Difference


@dataclass(frozen=True, kw_only=True)
class ComparisonReport:
    """What two runs have in common, and by how much they differ.

    Args:
        figures: one a list and measure.
        notes: what a reader must know of it.
    """

    figures: tuple[ComparedFigure, ...]
    notes: tuple[str, ...]


def compare_runs(
    left: Path, right: Path, settings: CompareSettings | None = None, identities: Sequence[Path] = ()
) -> ComparisonReport:
    """Compare two runs, or two files of scores, trial by trial.

    Args:
        left, right: folders of runs, or files of verification or matching scores.
        settings: how to compare; None: the usual way.
        identities: tables of whose the items are, where the runs do not tell.
    Raises:
        MismatchError: they have no list in common, or other trials of it.
        InputError: one is no run and no file of scores.
    """
    settings = settings or CompareSettings()
    sources = identity_sources(identities)
    pairs = _pairs(left, right, scored_parts(left, settings.format), scored_parts(right, settings.format))
    found, notes = [], []
    for ours, theirs in pairs:
        answers, more = _answers(ours, theirs, settings.common, sources)
        found += _figures(ours, theirs, answers, settings)
        notes += more
    return ComparisonReport(figures=tuple(found), notes=tuple(notes))


def _pairs(
    left: Path, right: Path, ours: Sequence[ScoredPart], theirs: Sequence[ScoredPart]
) -> list[tuple[ScoredPart, ScoredPart]]:
    """What is to be compared with what: by name, or the only one of each."""
    if len(ours) == len(theirs) == 1 and ours[0].protocol == theirs[0].protocol:
        return [(ours[0], theirs[0])]
    named = {(part.name, part.protocol): part for part in theirs}
    found = [(part, named[part.name, part.protocol]) for part in ours if (part.name, part.protocol) in named]
    if not found:
        has, other = (", ".join(part.name for part in parts) or "nothing" for parts in (ours, theirs))
        raise MismatchError(f"{left} measured {has}, {right} measured {other}: they have nothing in common to compare")
    return found


def _answers(
    ours: ScoredPart, theirs: ScoredPart, common: bool, sources: Sources
) -> tuple[tuple[Scored, Scored], list[str]]:
    """The same trials of both, and what is to be said of them."""
    if isinstance(ours.answers, NamedRanking):
        answers, left_out = _rankings(ours, theirs, common)
    else:
        answers, left_out = _trials(ours, theirs, common, sources)
    notes = [f"{ours.name}: {left_out} trials that only one of them has are left out"] if left_out else []
    gone = max(ours.not_here, theirs.not_here)
    if gone:
        notes.append(f"{ours.name}: {gone} trials of missing probes count in the runs' own figures and not here")
    return answers, notes


def _refuse(ours: ScoredPart, both: int, left: int, right: int) -> MismatchError:
    return MismatchError(
        f"{ours.name}: one run has {left} trials, the other {right}, and {both} are common to both: figures of "
        "different trials say nothing of the systems; --common compares those in common"
    )


def _trials(ours: ScoredPart, theirs: ScoredPart, common: bool, sources: Sources) -> tuple[tuple[Scored, Scored], int]:
    left, right = whole(ours.answers), whole(theirs.answers)
    mine, yours = common_trials(left, right)
    left_out = len(left) + len(right) - 2 * len(mine)
    if not len(mine) or (left_out and not common):
        raise _refuse(ours, len(mine), len(left), len(right))
    left, right = left.take(mine), right.take(yours)
    labels = _labels(left, right)
    trials = _as_list(ours.answers, theirs.answers, left, labels)
    whose = told(trials, sources)
    other = replace(trials, blocks=_Blocks(left, labels, right.scores))
    if ours.protocol == MATCHING:
        return tuple(ListedMatching(trials=each, people=whose.people) for each in (trials, other)), left_out
    return tuple(scored_pairs(each, whose.people) for each in (trials, other)), left_out


def _labels(left: WholeList, right: WholeList) -> np.ndarray:
    """What either says is mated."""
    labels = np.where(left.mated == UNKNOWN, right.mated, left.mated)
    differ = (left.mated != UNKNOWN) & (right.mated != UNKNOWN) & ((left.mated > 0) != (right.mated > 0))
    if differ.any():
        place = int(differ.argmax())
        names = left.names.texts
        raise MismatchError(
            f"{left.where} and {right.where} label {int(differ.sum())} trials differently, such as "
            f"{names[left.probes[place]]!r} and {names[left.items[place, 0]]!r}: one of them is wrong"
        )
    return labels


class _Blocks:
    """Trials as the one block of a list."""

    def __init__(self, trials: WholeList, labels: np.ndarray, scores: np.ndarray) -> None:
        lines = np.arange(1, len(trials) + 1)
        self._block = TrialBlock(
            probes=trials.probes, items=trials.items, mated=labels, scores=scores, lines=lines
        )  # fmt: skip

    def __call__(self):
        return iter([self._block])


def _as_list(left: TrialList, right: TrialList, trials: WholeList, labels: np.ndarray) -> TrialList:
    """Trials in memory as a list, with what either list knows of identities."""
    identities = left.identities or right.identities
    labelled = bool((labels != UNKNOWN).all())
    return replace(
        left, blocks=_Blocks(trials, labels, trials.scores), identities=identities, labelled=labelled, scored=True
    )


def _rankings(ours: ScoredPart, theirs: ScoredPart, common: bool) -> tuple[tuple[Scored, Scored], int]:
    left, right = ours.answers, theirs.answers
    mine, yours = _asked(left), _asked(right)
    same = {name for name in mine.keys() & yours.keys() if mine[name] in (None, yours[name]) or yours[name] is None}
    left_out = len(mine) + len(yours) - 2 * len(same)
    if not same or (left_out and not common):
        raise _refuse(ours, len(same), len(mine), len(yours))
    return tuple(_part(each, frozenset(same)) for each in (left, right)), left_out


def _asked(ranking: NamedRanking) -> dict[str, tuple[int, int] | None]:
    """Mates and gallery size by probe, of those with a mate; None where it could not be asked."""
    ranks = ranking.ranking.ranks
    asked = zip(ranking.probes, ranks.mates.tolist(), ranks.gallery.tolist(), strict=True)
    return {
        **{name: (mates, gallery) for name, mates, gallery in asked if mates},
        **dict.fromkeys(ranking.missing),
    }


def _part(ranking: NamedRanking, wanted: frozenset[str]) -> ListedRanking:
    chosen = of_probes(ranking.ranking, ranking.probes, ranking.missing, wanted)
    return ListedRanking(
        ranking=chosen, probes=np.arange(len(chosen.probes)), missing=np.arange(len(chosen.missing))
    )  # fmt: skip


def _figures(
    ours: ScoredPart, theirs: ScoredPart, answers: tuple[Scored, Scored], settings: CompareSettings
) -> list[ComparedFigure]:
    asked = settings.measures or [name for name in ours.measures if name in theirs.measures]
    resampling = settings.resampling
    left, right = (figures(each, asked, resampling) for each in answers)
    return [
        ComparedFigure(
            list=ours.name,
            protocol=ours.protocol,
            trials=left.trials,
            measure=name,
            left=estimate.to_value(),
            right=right.estimates[name].to_value(),
            difference=difference(estimate, right.estimates[name]),
        )
        for name, estimate in left.estimates.items()
    ]


def require_two(left: Path, right: Path) -> None:
    """Refuse to compare a run with itself.

    Raises:
        SettingsError: both are one folder or file.
    """
    if left.absolute() == right.absolute():
        raise SettingsError(f"{left} would be compared with itself: name two runs")
