"""A run of lists on disk: its outcome, every list with its scores, and where the mates stand in ranked ones."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from vfsearch.artefact import MANIFEST_NAME, Artefact
from vfsearch.data.outcome import Measurement, Outcome
from vfsearch.data.trial_list import TrialList
from vfsearch.errors import ArtefactError
from vfsearch.files import remove_file, remove_temporaries
from vfsearch.measure.ranking import average_precision, hit_at
from vfsearch.pipeline.runs import OUTCOME_NAME, RAW_NAME, SCHEMA, read_run_artefact
from vfsearch.protocol.listed_ranking import ListedRanking
from vfsearch.tables import build, put_array, put_texts
from vfsearch.trials.formats.own import Own

BLOCKS = ("probe", "above", "tied", "mates_above", "mates_tied")


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredList:
    """One list of a run.

    Args:
        measurement: its figures.
        trials: with scores, labels and identities; sides alone of retrieval.
        ranked: where the mates stand, of retrieval; else None.
        counts: of names, of what is missing, of where identities are from; JSON.
    """

    measurement: Measurement
    trials: TrialList
    ranked: ListedRanking | None
    counts: Mapping[str, object]


def save_lists(folder: Path, request: dict, outcome: Outcome, found: Mapping[str, MeasuredList]) -> None:
    """Write a run of lists, replacing the one that is there; call it while holding the folder's lock.

    Args:
        folder: of the run.
        request: what was asked of what; JSON.
        outcome: what came out.
        found: name of the list -> what was found.
    """
    _remove_run(folder)
    artefact = Artefact(folder=folder, kind="run", schema=SCHEMA, about=request)
    artefact.add(OUTCOME_NAME, json.dumps(outcome.to_json(), indent=1).encode() + b"\n")
    for name, each in found.items():
        artefact.add_pieces(f"{name}{Own.suffix}", Own().write(each.trials))
    if any(each.ranked for each in found.values()):
        artefact.add(RAW_NAME, build(lambda file: _fill(file, found)))
    artefact.write()


def _remove_run(folder: Path) -> None:
    """While a run is being replaced there is none: its files are named alike, and an old manifest would not fit."""
    remove_temporaries(folder)
    old: Mapping[str, object] = {}
    with contextlib.suppress(ArtefactError):
        old = read_run_artefact(folder).files
    remove_file(folder / MANIFEST_NAME)
    for name in old:
        remove_file(folder / name)


def _fill(file: h5py.File, found: Mapping[str, MeasuredList]) -> None:
    for name, each in found.items():
        if each.ranked is not None:
            _fill_one(file.create_group(name), each.ranked, each.trials.names.texts)


def _fill_one(group: h5py.Group, ranked: ListedRanking, names: list[str]) -> None:
    people, ranks = ranked.ranking.identities, ranked.ranking.ranks
    for side, numbers, owners in (
        ("probes", ranked.probes, ranked.ranking.probes), ("missing", ranked.missing, ranked.ranking.missing),
    ):  # fmt: skip
        put_texts(group.create_group(side), "ids", [names[number] for number in numbers])
        put_texts(group[side], "identities", [people[number] for number in owners])
    for name, values in {"mAP": average_precision(ranks), "R@1": hit_at(ranks, 1), "R@10": hit_at(ranks, 10)}.items():
        put_array(group, name, values)
    for name in (*BLOCKS, "mates", "gallery"):
        put_array(group, name, _small(getattr(ranks, name)))


def _small(values: np.ndarray) -> np.ndarray:
    """The same whole numbers in half the bytes, where they fit."""
    return values.astype(np.int32) if values.max(initial=0) < 2**31 else values
