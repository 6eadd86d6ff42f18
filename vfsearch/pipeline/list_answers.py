"""What vectors answer to one list: its trials scored and measured."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.outcome import Measurement
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, VERIFICATION, TrialList
from vfsearch.errors import TrialListError
from vfsearch.measure.resampling import Resampling
from vfsearch.pipeline.list_people import Sources, Told, told
from vfsearch.pipeline.list_run import MeasuredList
from vfsearch.pipeline.list_vectors import ListVectors
from vfsearch.protocol.listed import held, labelled, scored
from vfsearch.protocol.listed_facts import ListFacts, list_facts
from vfsearch.protocol.listed_figures import Figures, Scored, figures
from vfsearch.protocol.listed_ranking import ListedRanking, ranked_sides
from vfsearch.protocol.listed_rows import ListedRows
from vfsearch.protocol.listed_trials import ListedMatching, all_pairs
from vfsearch.timing import Phases

ASKED = (MATCHING, VERIFICATION, RETRIEVAL)


@dataclass(frozen=True, kw_only=True, eq=False)
class Asking:
    """What every list of a run is asked with.

    Args:
        source: of the vectors.
        sources: of the identities.
        measures: names; none: the usual ones of each kind of list.
        resampling: for the intervals.
        phases: where seconds are added, by list.
    """

    source: ListVectors
    sources: Sources
    measures: Sequence[str]
    resampling: Resampling
    phases: Phases

    def ask(self, name: str, trials: TrialList) -> MeasuredList:
        """One list: read, scored, measured.

        Raises:
            TrialListError: it cannot be read, is of a kind that vectors do not answer, or names nothing that has one.
            SpaceMismatchError: it compares items of different spaces.
        """
        if trials.kind not in ASKED:
            raise TrialListError(
                f"{trials.where} is a list of {trials.kind}, which vectors do not answer; `vfsearch score` measures it"
            )
        with self.phases(f"parse {name}"):
            trials = held(trials)
            facts = list_facts(trials)
        with self.phases(f"score {name}"):
            whose = told(trials, self.sources)
            table = self.source.table(trials.names.texts, trials.where)
            trials = self._scored(trials, table, whose)
        with self._answers(trials, facts, table, whose, name) as answers, self.phases(f"measure {name}"):
            found = figures(answers, self.measures, self.resampling)
        return MeasuredList(
            measurement=measurement(found, name, facts, self.phases.seconds[f"score {name}"]),
            trials=trials,
            ranked=answers if isinstance(answers, ListedRanking) else None,
            counts=_counts(facts, table, trials, whose),
        )

    def _scored(self, trials: TrialList, table: ListedRows, whose: Told) -> TrialList:
        trials = replace(trials, identities=whose.identity)
        if trials.kind == RETRIEVAL:
            return trials
        if trials.kind == VERIFICATION:
            return held(labelled(scored(trials, table), whose.people))
        return held(scored(trials, table))

    @contextlib.contextmanager
    def _answers(
        self, trials: TrialList, facts: ListFacts, table: ListedRows, whose: Told, name: str
    ) -> Iterator[Scored]:
        with contextlib.ExitStack() as stack:
            with self.phases(f"score {name}"):
                if trials.kind == RETRIEVAL:
                    answers = ranked_sides(trials, table, whose.people)
                elif trials.kind == MATCHING:
                    answers = ListedMatching(trials=trials, people=whose.people)
                    _score_now(trials)
                else:
                    answers = stack.enter_context(all_pairs(trials, whose.people, facts.trials))
            yield answers


def _score_now(trials: TrialList) -> None:
    """Score a list, which is kept, so that its time is told from that of the measures."""
    for _ in trials.blocks():
        pass


def measurement(found: Figures, name: str, facts: ListFacts, seconds: float) -> Measurement:
    """What was measured on one list, to be written.

    Args:
        found: the figures.
        name: of the list.
        facts: what it asks about.
        seconds: that scoring took; NaN where nothing was scored.
    """
    return Measurement(
        protocol=found.protocol,
        direction=facts.direction,
        candidates=found.candidates,
        trials=found.trials,
        missing=found.missing,
        tied=found.tied,
        values={name: estimate.to_value() for name, estimate in found.estimates.items()},
        trials_per_second=found.trials / seconds,
        probes_per_second=len(facts.probes) / seconds,
        latency_median_seconds=float("nan"),
        latency_p95_seconds=float("nan"),
        list=name,
    )


def _counts(facts: ListFacts, table: ListedRows, trials: TrialList, whose: Told) -> dict:
    texts = trials.names.texts
    probes, items = ([texts[number] for number in numbers] for numbers in (facts.probes, facts.items))
    gone, gone_items = _without_row(probes, table), _without_row(items, table)
    return {
        "trials": facts.trials,
        "names": len(texts),
        "probes": len(facts.probes),
        "items": len(facts.items),
        "identities": len(whose.people.identities),
        "missing_probes": len(gone),
        "missing_items": len(gone_items),
        "examples_of_missing": [*gone, *gone_items][:3],
        "identities_from": whose.source,
        "unknown_identities": len(whose.unknown),
        "format": trials.format,
    }


def _without_row(texts: Sequence[str], table: ListedRows) -> list[str]:
    return [text for text, row in zip(texts, table.rows(texts), strict=True) if row == NO_ROW]
