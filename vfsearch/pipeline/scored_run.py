"""What was measured, read back with its scores: runs of lists, runs of the three protocols, files of scores."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact, exists
from vfsearch.data.embeddings import numbered
from vfsearch.data.outcome import Measurement, Outcome
from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import ScoredRanking
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, VERIFICATION, Names, TrialBlock, TrialList
from vfsearch.errors import ArtefactError, TrialListError
from vfsearch.pipeline.list_run import BLOCKS
from vfsearch.pipeline.runs import OUTCOME_NAME, RAW_NAME, read_run_artefact
from vfsearch.tables import get_array, get_texts, reading
from vfsearch.trials.constraints import UNRESTRICTED
from vfsearch.trials.formats.catalog import open_trials
from vfsearch.trials.formats.own import Own
from vfsearch.trials.formats.written import stem

COMPARED = (MATCHING, VERIFICATION, RETRIEVAL)
"""Protocols whose trials two runs can have in common."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedRanking:
    """A ranked list a probe, with names.

    Args:
        ranking: where the mates stand.
        probes: q names, in its order.
        missing: names of the probes with a mate that could not be asked, in its order.
    """

    ranking: ScoredRanking
    probes: Sequence[str]
    missing: Sequence[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredPart:
    """One measurement with what it was computed from.

    Args:
        name: of the list, or of the protocol.
        protocol: "verification", "matching" or "retrieval".
        measures: that were measured.
        answers: trials with scores; ranked lists of retrieval.
        not_here: missing probes that the run counted and did not name.
    """

    name: str
    protocol: str
    answers: TrialList | NamedRanking
    measures: Sequence[str] = ()
    not_here: int = 0


def scored_parts(path: Path, format: str | None = None) -> list[ScoredPart]:
    """All that a run's folder, or a file of scores, holds.

    Args:
        path: of either.
        format: of a file; None: recognised.
    Raises:
        InputError: it is neither.
        ArtefactError: nothing that was measured in the run can be compared.
        DamagedError: a file of the run is damaged.
    """
    if not path.is_dir() and not exists(path):
        return [_of_file(path, format)]
    artefact = read_run_artefact(path)
    outcome = Outcome.from_json(json.loads(artefact.read(OUTCOME_NAME)))
    # Searches, of an index or of a gallery of their own, are no trials that another run could have in common.
    measured = [each for each in outcome.measurements if each.values and each.protocol in COMPARED]
    if not measured:
        raise ArtefactError(f"the run {path} has no matching, verification or retrieval, which alone can be compared")
    raw = _Raw(artefact)
    return [_of_list(artefact, raw, each) if each.list else raw.part(each) for each in measured]


def _of_file(path: Path, format: str | None) -> ScoredPart:
    trials = open_trials(path, format)
    if trials.kind not in (VERIFICATION, MATCHING) or not trials.scored:
        raise TrialListError(
            f"{path} is {'a list of ' + trials.kind if trials.scored else 'a list without scores'}; two runs are "
            "compared, or two files of verification or matching scores (`vfsearch score` makes sense of others)"
        )
    return ScoredPart(name=stem(path), protocol=trials.kind, answers=trials)


def _of_list(artefact: Artefact, raw: "_Raw", measured: Measurement) -> ScoredPart:
    answers = raw.ranking(measured.list) if measured.protocol == RETRIEVAL else None
    if answers is None:
        answers = Own().read(artefact.checked_path(f"{measured.list}{Own.suffix}"))
    return ScoredPart(
        name=measured.list, protocol=measured.protocol, answers=answers, measures=tuple(measured.values)
    )  # fmt: skip


class _Raw:
    """The raw neighbours of a run."""

    def __init__(self, artefact: Artefact) -> None:
        self._artefact = artefact
        self._where = str(artefact.folder / RAW_NAME)

    def _read(self, group: str, names: Sequence[str]) -> dict[str, np.ndarray]:
        with reading(self._artefact.read(RAW_NAME), self._where) as file:
            return {name: get_array(file[group], name) for name in names if name in file[group]}

    def _texts(self, group: str) -> tuple[list[str], list[str]]:
        """Ids and identities of one side."""
        with reading(self._artefact.read(RAW_NAME), self._where) as file:
            return get_texts(file[group], "ids"), get_texts(file[group], "identities")

    def part(self, measured: Measurement) -> ScoredPart:
        """A measurement of one of the three protocols."""
        name = f"matching-{measured.candidates}" if measured.protocol == MATCHING else measured.protocol
        name += "" if measured.group == UNRESTRICTED else f"-{measured.group}"
        answers = self._retrieval() if measured.protocol == RETRIEVAL else self._trials(name, measured.protocol)
        return ScoredPart(
            name=f"{name}, {measured.direction}", protocol=measured.protocol, answers=answers,
            measures=tuple(measured.values), not_here=measured.missing,
        )  # fmt: skip

    def _trials(self, group: str, kind: str) -> TrialList:
        columns = self._read(group, ("probes", "items", "candidates", "mated", "scores"))
        (ids, owners), (gallery, gallery_owners) = self._texts("probes"), self._texts("gallery")
        names = Names()
        ours, theirs = names.numbers(ids), names.numbers(gallery)
        rows = columns["candidates"] if kind == MATCHING else columns["items"][:, None]
        count = len(columns["probes"])
        block = TrialBlock(
            probes=ours[columns["probes"]],
            items=theirs[rows],
            mated=np.ones(count, dtype=np.int64) if kind == MATCHING else columns["mated"].astype(np.int64),
            scores=columns["scores"].reshape(count, -1),
            lines=np.arange(1, count + 1),
        )
        return TrialList(
            kind=kind, format="", where=f"{self._where}:{group}", names=names, blocks=_Once(block),
            candidates=rows.shape[1] if kind == MATCHING else None, scored=True,
            identities=dict(zip([*ids, *gallery], [*owners, *gallery_owners], strict=True)).get,
        )  # fmt: skip

    def _retrieval(self) -> NamedRanking:
        (ids, owners), (gallery, _) = self._texts("probes"), self._texts("gallery")
        columns, there = self._read("retrieval", (*BLOCKS, "mates")), set(gallery)
        compared = np.array([len(gallery) - (id_ in there) for id_ in ids], dtype=np.int64)
        return _named_ranking({**columns, "gallery": compared}, (ids, owners), ([], []))

    def ranking(self, name: str) -> NamedRanking:
        """What a run of lists keeps of a retrieval list."""
        columns = self._read(name, (*BLOCKS, "mates", "gallery"))
        return _named_ranking(columns, self._texts(f"{name}/probes"), self._texts(f"{name}/missing"))


class _Once:
    """Blocks of a list that has one."""

    def __init__(self, block: TrialBlock) -> None:
        self._block = block

    def __call__(self) -> Iterator[TrialBlock]:
        return iter([self._block])


def _named_ranking(
    columns: Mapping[str, np.ndarray], asked: tuple[list[str], list[str]], missing: tuple[list[str], list[str]]
) -> NamedRanking:
    ours, gone = numbered(asked[1], missing[1])
    ranks = MateRanks(**{name: values.astype(np.int64) for name, values in columns.items()})
    identities = list(dict.fromkeys([*asked[1], *missing[1]]))
    ranking = ScoredRanking(ranks=ranks, probes=ours, missing=gone, identities=identities)
    return NamedRanking(ranking=ranking, probes=asked[0], missing=missing[0])
