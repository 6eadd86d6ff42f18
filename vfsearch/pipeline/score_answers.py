"""What one file of scores says: its trials found, labelled and measured."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from vfsearch.data.outcome import Measurement
from vfsearch.data.scored import ScoredPairs
from vfsearch.data.trial_list import MATCHING, RANKING, RELEVANCE, RETRIEVAL, UNKNOWN, TrialList
from vfsearch.errors import TrialListError
from vfsearch.measure.pair_spill import PairSpill
from vfsearch.measure.resampling import Resampling
from vfsearch.pipeline.list_answers import measurement
from vfsearch.pipeline.list_people import Sources, Told, told
from vfsearch.pipeline.peer_figures import beside_ours
from vfsearch.pipeline.score_groups import Groups
from vfsearch.pipeline.score_points import CurveFile
from vfsearch.protocol.listed import held
from vfsearch.protocol.listed_facts import ListFacts, list_facts
from vfsearch.protocol.listed_figures import Figures, Scored, figures
from vfsearch.protocol.listed_join import PairScores, with_scores
from vfsearch.protocol.listed_run import ranked_run
from vfsearch.protocol.listed_trials import ListedMatching, all_pairs
from vfsearch.timing import Phases
from vfsearch.trials.formats.fame import FameList, join_scores
from vfsearch.trials.formats.field_format import NAMELESS
from vfsearch.trials.formats.roles import KEY


@dataclass(frozen=True, kw_only=True, eq=False)
class Scoring:
    """What every file of one command is measured with.

    Args:
        lists: trials whose scores files may hold.
        relevance: what is relevant to the probes of ranked lists; None: not given.
        sources: of the identities.
        measures: names; none: the usual ones.
        compat: name of a peer; None: of none.
        resampling: for the intervals.
        curves: where curves go.
        groups: which groups of people are told apart.
        phases: where seconds are added, by file.
    """

    lists: Sequence[TrialList]
    relevance: TrialList | None
    sources: Sources
    measures: Sequence[str]
    compat: str | None
    resampling: Resampling
    curves: CurveFile
    groups: Groups
    phases: Phases

    def measured(self, name: str, scores: TrialList) -> tuple[Measurement, dict]:
        """One file: its measurement, and what is to be known beside it.

        Raises:
            TrialListError: it cannot be read, has no scores, or nothing says what is mated.
        """
        with self.phases(f"parse {name}"):
            trials, asked = self._trials(scores)
            facts = list_facts(asked)
            whose = told(asked, self.sources)
        with self._answers(trials, asked, whose, facts) as answers, self.phases(f"measure {name}"):
            found = figures(answers, self.measures, self.resampling)
            if self.compat is not None:
                reranked = partial(ranked_run, trials, asked, whose.people)
                found = beside_ours(found, answers, reranked, self.compat, self.measures, self.resampling)
            if isinstance(answers, ScoredPairs | PairSpill):
                self.curves.add(name, answers)
            groups = self.groups.of(answers, whose.people, self.measures, self.resampling)
        measured = replace(measurement(found, name, facts, float("nan")), **groups)
        return measured, _counts(scores, asked, facts, found, whose)

    def _trials(self, scores: TrialList) -> tuple[TrialList, TrialList]:
        """The trials with scores, and the list that says what is mated: the same one, but for ranked lists."""
        if scores.kind in (RETRIEVAL, RELEVANCE) or not scores.scored:
            raise TrialListError(
                f"{scores.where} ({scores.format}) has no scores: lists go with --trials, what is relevant with --qrels"
            )
        if scores.kind == RANKING:
            return scores, self._relevance(scores)
        if self.lists:
            trials = held(self._with_list(scores))
        elif scores.labelled or self._tells(scores):
            trials = held(scores)
        else:
            raise TrialListError(
                f"{scores.where} ({scores.format}) does not say what is mated: give its list with --trials FILE"
            )
        return trials, trials

    def _tells(self, scores: TrialList) -> bool:
        return self.sources.table is not None or scores.identities is not None

    def _relevance(self, run: TrialList) -> TrialList:
        given = [self.relevance, *self.lists]
        found = next((each for each in given if each is not None and each.kind == RELEVANCE), None)
        if found is None:
            raise TrialListError(f"{run.where} holds ranked lists; what is relevant goes with --qrels FILE")
        return found

    def _with_list(self, scores: TrialList) -> TrialList:
        """The list that has most of the scored pairs, with their scores."""
        pairs = PairScores(scores)
        lists = keyed_lists(self.lists)
        joined = [held(with_scores(each, scores, pairs)) for each in lists if each.kind not in (RETRIEVAL, RELEVANCE)]
        if not joined:
            raise TrialListError(f"{scores.where}: --trials gives no list of verification or matching trials")
        if len(joined) == 1:
            return joined[0]
        return max(joined, key=_share_scored)

    @contextlib.contextmanager
    def _answers(self, trials: TrialList, asked: TrialList, whose: Told, facts: ListFacts) -> Iterator[Scored]:
        if trials.kind == RANKING:
            yield ranked_run(trials, asked, whose.people)
        elif trials.kind == MATCHING:
            yield ListedMatching(trials=trials, people=whose.people)
        else:
            with all_pairs(trials, whose.people, facts.trials) as pairs:
                yield pairs


def keyed_lists(lists: Sequence[TrialList]) -> list[TrialList]:
    """Lists as they are; lists that name their trials by keys get the labels that files of keys and labels give."""
    keys = [each for each in lists if each.about.get(NAMELESS) == KEY and each.labelled]
    named = [each for each in lists if each.format == FameList.name]
    if not (keys and named):
        return list(lists)
    rest = [each for each in lists if each not in keys and each not in named]
    return [*rest, *(join_scores(each, labels) for each in named for labels in keys if _same_keys(each, labels))]


def _same_keys(trials: TrialList, labels: TrialList) -> bool:
    """Whether the first trial of a list is among some labels."""
    first = next(trials.blocks(), None)
    for _ in labels.blocks():
        pass
    return first is not None and labels.names.find(first.extra[KEY][0]) != UNKNOWN


def _share_scored(trials: TrialList) -> float:
    """The share of a list's trials that have a score; 0 where none has."""
    found = count = 0
    try:
        for block in trials.blocks():
            found += int((block.scores == block.scores).sum())
            count += block.scores.size
    except TrialListError:
        return 0.0
    return found / max(1, count)


def _counts(scores: TrialList, asked: TrialList, facts: ListFacts, found: Figures, whose: Told) -> dict:
    return {
        "trials": facts.trials,
        "names": len(asked.names),
        "probes": len(facts.probes),
        "items": len(facts.items),
        "identities": len(whose.people.identities),
        "missing_scores": found.missing,
        "identities_from": whose.source,
        "unknown_identities": len(whose.unknown),
        "format": scores.format,
        "list": asked.where,
    }
