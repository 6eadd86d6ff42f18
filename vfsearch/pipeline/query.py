"""`vfsearch query`: store and index to outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact, exists
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.outcome import Outcome
from vfsearch.data.space import Space
from vfsearch.errors import ArtefactError, MismatchError, SettingsError
from vfsearch.files import digest, writer_lock
from vfsearch.index.base import Index
from vfsearch.index.layout import read_index_artefact
from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.resampling import Resampling
from vfsearch.pipeline.embed import SEEN_COLUMN
from vfsearch.pipeline.model import open_model
from vfsearch.pipeline.run_machine import run_machine
from vfsearch.pipeline.runs import save_run, saved_outcome
from vfsearch.pipeline.searched_index import (
    SearchSettings,
    open_searched,
    require_fitting,
    rows_in_index,
    true_index,
)
from vfsearch.pipeline.workspace import Workspace, chosen_split
from vfsearch.progress import Progress, silent
from vfsearch.protocol.comparison import Comparison, compare
from vfsearch.protocol.groups import told_apart
from vfsearch.protocol.identification import Identification
from vfsearch.protocol.matching import Matching
from vfsearch.protocol.result import Result
from vfsearch.protocol.retrieval import Retrieval
from vfsearch.protocol.search import Search
from vfsearch.protocol.verification import Verification
from vfsearch.store.store import Store, open_store
from vfsearch.timing import Phases, peak_memory_bytes
from vfsearch.trials.constraints import Group, parse_group

USUAL_PROTOCOLS = ("matching", "verification", "retrieval")
PROTOCOLS = (*USUAL_PROTOCOLS, "identification")


@dataclass(frozen=True, kw_only=True)
class QuerySettings:
    """What to ask.

    Args:
        probe, gallery: modalities.
        protocols: any of "matching", "verification", "retrieval", "identification".
        n: candidates of 1:N matching, one measurement each.
        groups: constraint groups of matching and verification, one measurement each (see
            `vfsearch.trials.constraints.parse_group`).
        enrolled: gallery sizes of open-set identification, one measurement each; none: as many as there can be.
        measures: names, each taken by the protocols that it belongs to; a protocol without one has its usual ones.
        by: columns of the manifest that group people, whose figures are given beside those of all.
        split: whose items are probes and gallery; None: "test" if the store has it, else all; "all".
        k: neighbours that are searched for and saved.
        seed: of the trials.
        search: how the index is searched.
    """

    probe: str
    gallery: str
    protocols: tuple[str, ...] = USUAL_PROTOCOLS
    n: tuple[int, ...] = (2, 5, 10)
    groups: tuple[str, ...] = ("U",)
    enrolled: tuple[int, ...] = ()
    measures: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    split: str | None = None
    k: int = 10
    seed: int = 1
    search: SearchSettings = field(default_factory=SearchSettings)

    def __post_init__(self) -> None:
        unknown = [name for name in self.protocols if name not in PROTOCOLS]
        if unknown or not self.protocols:
            raise SettingsError(f"no protocol is named {unknown}; known: {', '.join(PROTOCOLS)}")
        if not self.n or min(self.n) < 2:
            raise SettingsError(f"1:N matching wants N of at least 2, got {self.n}")
        if self.k < 1 or self.seed < 0:
            raise SettingsError(f"want k >= 1 and seed >= 0, got k={self.k}, seed={self.seed}")
        if not self.groups:
            raise SettingsError("matching and verification want a group; U is the one without a constraint")
        if self.enrolled and "identification" not in self.protocols:
            raise SettingsError(
                "gallery sizes of enrolled people are for the protocol identification, which is not asked"
            )
        constrained = [group.name for group in self.parsed_groups() if group.columns]
        if constrained and not {"matching", "verification"} & set(self.protocols):
            raise SettingsError(f"the group {constrained[0]} is for matching and verification, of which none is asked")
        for name in self.measures:
            parse_measure(name)

    def parsed_groups(self) -> list[Group]:
        """The groups, each once."""
        return list(dict.fromkeys(map(parse_group, self.groups)))

    def to_json(self) -> dict:
        """The settings as JSON."""
        return {
            "probe": self.probe,
            "gallery": self.gallery,
            "protocols": list(self.protocols),
            "n": list(self.n),
            "groups": [group.name for group in self.parsed_groups()],
            "enrolled": list(self.enrolled),
            "measures": list(self.measures),
            "by": list(self.by),
            "split": self.split,
            "k": self.k,
            "seed": self.seed,
            **self.search.to_json(),
        }


@dataclass(frozen=True, kw_only=True)
class QueryReport:
    """A run.

    Args:
        folder: where it is saved.
        outcome: what came out.
        measured_now: False when the very same run was there already.
        newer_model: the space of the workspace's model where the store was made with another one, else "".
    """

    folder: Path
    outcome: Outcome
    measured_now: bool
    newer_model: str


def query(
    workspace: Workspace,
    settings: QuerySettings,
    device: str = "cpu",
    name: str | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
    max_memory: int | None = None,
) -> QueryReport:
    """Run the protocols and save the outcome with the raw neighbours.

    Args:
        workspace: with a store and an index of the gallery's modality.
        settings: what to ask.
        device: where to compute scores.
        name: of the run; None: from the direction and what it is made from, so that no run replaces another.
        overwrite: measure anew a run that is there.
        progress: called with protocols done.
        max_memory: bytes that computing scores may use beside vectors and results; None: 1 GiB. It changes no figure.
    Raises:
        ArtefactError: no store, no index, or no items of the split.
        MismatchError: the index is of another store, of the other modality, or has rows that the store lacks; or the
            name is taken by another run.
        DoesNotFitError: `max_memory` is too little to compute anything with.
        SpaceMismatchError: probes, gallery and index are not in one space.
        SettingsError: a search setting is none of the index's, or out of its range.
    """
    store = open_store(workspace.store_folder)
    artefact = read_index_artefact(workspace.searched_folder(settings.gallery))
    _require_of_store(artefact, store, settings.gallery)
    made_from = {"store": store.digest, "index": artefact.seal, "backend": artefact.about["backend"],
                 "model": store.artefact.about.get("model"),
                 "spaces": {name: space.to_json() for name, space in store.spaces.items()}}  # fmt: skip
    request = {"settings": settings.to_json(), "made_from": made_from, "device": device}
    folder = workspace.run_folder(name or f"{settings.probe}-to-{settings.gallery}-{digest(request)[:8]}")
    newer = _newer_model(workspace, store)
    with writer_lock(folder):
        saved = None if overwrite else saved_outcome(folder, request)
        if saved is not None:
            return QueryReport(folder=folder, outcome=saved, measured_now=False, newer_model=newer)
        outcome, results, comparison = _measure(artefact, store, settings, made_from, device, progress, max_memory)
        save_run(folder, request, outcome, results, comparison)
    return QueryReport(folder=folder, outcome=outcome, measured_now=True, newer_model=newer)


def _require_of_store(index: Artefact, store: Store, gallery: str) -> None:
    where = store.artefact.folder
    # A store without a row of the gallery says so when it is read.
    require_fitting(index, gallery, store.spaces.get(gallery, Space(**index.about["space"])), f"the store {where}")
    if index.about["store"] != store.digest:
        raise MismatchError(
            f"the index {index.folder} was built from the store {index.about['store'][:12]}, {where} is "
            f"{store.digest[:12]}: its rows are not those of the store; build it anew with `vfsearch index build`, or "
            "bring it up to date with `vfsearch index add`"
        )


def _newer_model(workspace: Workspace, store: Store) -> str:
    """The space of a model that was trained after the store was made, or ""."""
    if store.artefact.about.get("model") is None or not exists(workspace.model_folder):
        return ""
    try:
        space = open_model(workspace.model_folder).space
    except ArtefactError:
        return ""
    return "" if space in store.spaces.values() else str(space)


def _measure(
    artefact: Artefact,
    store: Store,
    settings: QuerySettings,
    made_from: dict,
    device: str,
    progress: Progress,
    max_memory: int | None,
) -> tuple[Outcome, dict[str, Result], Comparison]:
    phases = Phases()
    with phases("load"):
        index = open_searched(artefact.folder, settings.search, device)
        comparison, rows, counts = _comparison(store, settings, device, max_memory, index)
        people = {column: _people(column, comparison) for column in settings.by}
    true = true_index(index, device)
    # There are no more neighbours than rows, however many are asked for.
    most = min(settings.k, max(1, len(index)))
    search = Search(index=index, rows=rows, k=most, seed=settings.seed, true=true)
    protocols = [*_protocols(settings), search]
    results = {}
    for done, protocol in enumerate(protocols, start=1):
        with phases(protocol.name):
            results[protocol.name] = _by_group(protocol.run(comparison), settings, people)
        progress("protocols", done, len(protocols))
    outcome = Outcome(
        settings=settings.to_json(),
        made_from={**made_from, "search": _in_force(index, artefact, settings)},
        measurements=tuple(result.measurement for result in results.values()),
        counts=counts,
        seconds=phases.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        device=device,
        machine=run_machine(),
    )
    return outcome, results, comparison


def _people(column: str, comparison: Comparison) -> dict[str, str]:
    """What a column says of each person: what the items of the probe side say, else those of the gallery.

    Raises:
        ArtefactError: no item says anything.
    """
    found: dict[str, str] = {}
    for rows in (comparison.gallery, comparison.probes):
        values = rows.columns.get(column, ())
        found |= {identity: value for identity, value in zip(rows.identities, values, strict=False) if value}
    if not found:
        known = sorted({*comparison.probes.columns, *comparison.gallery.columns})
        raise ArtefactError(f"the store says nothing of the {column} of its people; its columns are {', '.join(known)}")
    return found


def _by_group(result: Result, settings: QuerySettings, people: dict[str, dict[str, str]]) -> Result:
    """The figures of groups of people beside those of all; a protocol of other questions stays as it is."""
    if not people or result.scored is None:
        return result
    measures = [parse_measure(name) for name in result.measurement.values]
    apart = told_apart(result.scored, people, measures, Resampling(seed=settings.seed))
    return replace(result, measurement=replace(result.measurement, **apart))


_OF_TUNING = ("targets", "for", "probe")
"""What a run says of how its index was tuned; all that was tried is in the index's manifest."""


def _in_force(index: Index, artefact: Artefact, settings: QuerySettings) -> dict:
    """What the index was built, tuned and searched with; settings that were given for this query are not tuned."""
    own = not settings.search.exact and not settings.search.knobs
    tuned = artefact.about["tuned"] if own else None
    return {
        "exact": index.exact,
        "device": index.device,
        "settings": dict(index.settings),
        "given": sorted(settings.search.knobs),
        "tuned": None if tuned is None else {name: tuned[name] for name in _OF_TUNING if name in tuned},
        "built": artefact.about["settings"],
    }


def _comparison(
    store: Store, settings: QuerySettings, device: str, max_memory: int | None, index: Index
) -> tuple[Comparison, np.ndarray, dict]:
    where = f"the store {store.artefact.folder}"
    # Both sides are asked for the same split: a gallery of seen items would flatter nobody fairly.
    splits = sorted({*store.splits(settings.probe), *store.splits(settings.gallery)})
    split = chosen_split(splits, settings.split, "test", where)
    probes = store.load(settings.probe, split)
    gallery = store.load(settings.gallery)
    rows = gallery.rows_of_split(split)
    if not len(rows):
        raise ArtefactError(f"{where} has no {settings.gallery} rows with split={split}")
    indexed = rows_in_index(index, gallery, rows, store.artefact.folder)
    failed = store.failures(settings.probe, split)
    counts = {
        "split": split if split is not None else "all",
        "probes": len(probes),
        "gallery": len(rows),
        "probe_identities": len(set(probes.identities)),
        "gallery_identities": len({gallery.identities[row] for row in rows}),
        "probes_seen_in_training": _seen(probes, "item"),
        "probes_of_seen_identities": _seen(probes, "item", "identity"),
        "failed_probes": len(failed),
        "failed_gallery": len(store.failures(settings.gallery, split)),
        "index_rows": len(index),
        "gallery_not_in_index": int((indexed == NO_ROW).sum()),
        "store_rows_not_in_index": len(gallery) - len(index),
    }
    return compare(probes, gallery.take(rows), failed, device, max_memory), indexed, counts


def _seen(rows: Embeddings, *kinds: str) -> int | None:
    """How many rows the model's training saw in one of these ways; None where the store does not say."""
    column = rows.columns.get(SEEN_COLUMN)
    return None if column is None else sum(value in kinds for value in column)


def _protocols(settings: QuerySettings) -> Sequence:
    more = {"seed": settings.seed, "measures": settings.measures}
    groups = settings.parsed_groups()
    made = {
        "matching": [
            Matching(candidates=n, group=group, **more) for group in groups for n in dict.fromkeys(settings.n)
        ],
        "verification": [Verification(group=group, **more) for group in groups],
        "retrieval": [Retrieval(**more)],
        "identification": [
            Identification(candidates=size, **more) for size in dict.fromkeys(settings.enrolled or (None,))
        ],
    }
    return [protocol for name in PROTOCOLS if name in settings.protocols for protocol in made[name]]
