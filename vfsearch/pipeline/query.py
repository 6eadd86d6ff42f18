"""`vfsearch query`: store and index to outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial as partial_
from pathlib import Path

from vfsearch.artefact import Artefact, exists
from vfsearch.data.outcome import Outcome
from vfsearch.data.space import Space
from vfsearch.errors import ArtefactError, MismatchError, PartitionLostError, SettingsError
from vfsearch.files import digest, writer_lock
from vfsearch.index.answers import Opener, open_here
from vfsearch.index.base import Index
from vfsearch.index.layout import read_index_artefact
from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.resampling import Resampling
from vfsearch.pipeline.model import open_model
from vfsearch.pipeline.query_settings import PROTOCOLS, QuerySettings
from vfsearch.pipeline.query_sides import query_sides
from vfsearch.pipeline.run_machine import run_machine
from vfsearch.pipeline.runs import save_run, saved_outcome
from vfsearch.pipeline.searched_index import require_fitting, true_index
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.groups import told_apart
from vfsearch.protocol.identification import Identification
from vfsearch.protocol.matching import Matching
from vfsearch.protocol.result import Result
from vfsearch.protocol.retrieval import Retrieval
from vfsearch.protocol.search import Search
from vfsearch.protocol.verification import Verification
from vfsearch.store.store import Store, open_store
from vfsearch.timing import Phases, peak_memory_bytes

__all__ = ["PROTOCOLS", "QueryReport", "QuerySettings", "query"]


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
    opener: Opener = open_here,
    partial: bool = False,
    where: str | None = None,
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
        opener: opens the partitions of a sharded index, here or elsewhere. It changes no figure.
        partial: search what is left where partitions cannot be opened, or go away for good; what is missing is told.
        where: what opened partitions, if not this process: a run there is another one than here, its times are others.
    Raises:
        ArtefactError: no store, no index, or no items of the split.
        MismatchError: the index is of another store, of the other modality, or has rows that the store lacks; or the
            name is taken by another run.
        DoesNotFitError: `max_memory` is too little to compute anything with.
        SpaceMismatchError: probes, gallery and index are not in one space.
        SettingsError: a search setting is none of the index's, or out of its range; or items cannot be pooled so.
        VectorError: items cannot be pooled so.
    """
    store = open_store(workspace.store_folder)
    artefact = _searched(workspace, store, settings)
    made_from = {**_of_index(artefact), "store": store.digest, "model": store.artefact.about.get("model"),
                 "spaces": {name: space.to_json() for name, space in store.spaces.items()}}  # fmt: skip
    request = {"settings": settings.to_json(), "made_from": made_from, "device": device}
    if where is not None:
        request["where"] = where
    folder = workspace.run_folder(name or f"{settings.probe}-to-{settings.gallery}-{digest(request)[:8]}")
    newer = _newer_model(workspace, store)
    with writer_lock(folder):
        saved = None if overwrite else saved_outcome(folder, request)
        # What was missing then may be there now.
        if saved is not None and not saved.counts.get("partitions_lost"):
            return QueryReport(folder=folder, outcome=saved, measured_now=False, newer_model=newer)
        run = partial_(_measure, artefact, store, settings, made_from, device, progress, max_memory, opener, partial)
        outcome, results, comparison = _without_lost(run) if partial else run()
        save_run(folder, request, outcome, results, comparison)
    return QueryReport(folder=folder, outcome=outcome, measured_now=True, newer_model=newer)


def _without_lost(run: Callable[[], tuple]) -> tuple:
    """Measure again with the partitions that are left, whenever one goes away for good."""
    while True:
        try:
            return run()
        except PartitionLostError:
            # What cannot be opened is left out the next time; the last one that goes away is an error of its own.
            continue


def _searched(workspace: Workspace, store: Store, settings: QuerySettings) -> Artefact | None:
    """The index that is searched; None where the gallery is pooled for this query alone."""
    if settings.pool_gallery is None:
        artefact = read_index_artefact(workspace.searched_folder(settings.gallery))
        _require_of_store(artefact, store, settings.gallery)
        return artefact
    if workspace.index is not None and exists(workspace.index):
        raise SettingsError(
            f"the gallery is pooled for this query alone, so the index {workspace.index} would not be searched: ask "
            "without --pool-gallery (an index built with --pool holds templates), or without that index"
        )
    return None


def _of_index(artefact: Artefact | None) -> dict:
    """What a run is made from, as far as the index goes."""
    if artefact is None:
        return {"index": None, "backend": "exact"}
    pooling = artefact.about.get("pooling")
    more = {} if pooling is None else {"pooling": pooling}
    return {"index": artefact.seal, "backend": artefact.about["backend"], **more}


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
    artefact: Artefact | None,
    store: Store,
    settings: QuerySettings,
    made_from: dict,
    device: str,
    progress: Progress,
    max_memory: int | None,
    opener: Opener,
    partial: bool,
) -> tuple[Outcome, dict[str, Result], Comparison]:
    phases = Phases()
    with phases("load"):
        sides = query_sides(store, settings, artefact, device, opener, partial)
        index, counts = sides.index, sides.counts
        comparison = sides.compared(device, max_memory)
        people = {column: _people(column, comparison) for column in settings.by}
    true = true_index(index, device)
    # There are no more neighbours than rows, however many are asked for.
    most = min(settings.k, max(1, len(index)))
    search = Search(index=index, rows=sides.rows, k=most, seed=settings.seed, true=true)
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


def _in_force(index: Index, artefact: Artefact | None, settings: QuerySettings) -> dict:
    """What the index was built, tuned and searched with; settings that were given for this query are not tuned."""
    own = artefact is not None and not settings.search.exact and not settings.search.knobs
    tuned = artefact.about["tuned"] if own else None
    return {
        "exact": index.exact,
        "device": index.device,
        "settings": dict(index.settings),
        "given": sorted(settings.search.knobs),
        "tuned": None if tuned is None else {name: tuned[name] for name in _OF_TUNING if name in tuned},
        "built": index.made_with.to_json() if artefact is None else artefact.about["settings"],
    }


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
