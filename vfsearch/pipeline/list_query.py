"""Published or own lists, asked of vectors by name: `vfsearch query --trials`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.data.outcome import Outcome
from vfsearch.data.trial_list import TrialList
from vfsearch.errors import SettingsError
from vfsearch.files import digest, writer_lock
from vfsearch.pipeline.list_answers import Asking
from vfsearch.pipeline.list_people import identity_sources, with_table
from vfsearch.pipeline.list_run import save_lists
from vfsearch.pipeline.list_vectors import sha256_of, vectors_of_files, vectors_of_store
from vfsearch.pipeline.measuring import MeasuringSettings
from vfsearch.pipeline.query import QueryReport
from vfsearch.pipeline.run_machine import run_machine
from vfsearch.pipeline.runs import saved_outcome
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.timing import Phases, peak_memory_bytes
from vfsearch.trials.formats.catalog import open_trials
from vfsearch.trials.formats.written import stem


@dataclass(frozen=True, kw_only=True)
class ListSettings(MeasuringSettings):
    """How to ask lists: measures, format, seed, resamples."""

    def to_json(self) -> dict:
        """The settings as JSON."""
        return {"measures": list(self.measures), "format": self.format, "seed": self.seed, "resamples": self.resamples}


def query_lists(
    workspace: Workspace,
    lists: Sequence[Path],
    settings: ListSettings | None = None,
    vectors: Sequence[Path] = (),
    identities: Sequence[Path] = (),
    device: str = "cpu",
    name: str | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
    max_memory: int | None = None,
) -> QueryReport:
    """Score lists with vectors and save the outcome with the scores.

    Args:
        workspace: where the run is saved; its store has the vectors, unless `vectors` are given.
        lists: files of verification, 1:N matching or retrieval lists, in any format.
        settings: how to ask; None: the usual way.
        vectors: files of named vectors.
        identities: tables of whose the items are; none: those beside the lists, the store, the lists themselves.
        device: where to compute scores.
        name: of the run; None: from what it is made from.
        overwrite: measure anew a run that is there.
        progress: called with lists done.
        max_memory: bytes that computing scores may use beside vectors and results; None: 1 GiB. It changes no figure.
    Raises:
        TrialListError: a list cannot be read, or not one of its names has a vector.
        MismatchError: the name is taken by another run.
        SpaceMismatchError: a list compares items of different spaces.
        DoesNotFitError: `max_memory` is too little to compute anything with.
    """
    settings = settings or ListSettings()
    if not lists:
        raise SettingsError("no list is given: name at least one file of trials")
    phases = Phases()
    opened = {each: open_trials(path, settings.format) for each, path in names_of_lists(lists).items()}
    with phases("load"):
        if vectors:
            source = vectors_of_files(vectors, device, max_memory)
        else:
            source = vectors_of_store(workspace.store_folder, device, max_memory)
        sources = identity_sources(identities, source.identity)
    made_from = {**_digests(opened, identities), **source.made_from}
    request = {"settings": settings.to_json(), "made_from": made_from, "device": device}
    folder = workspace.run_folder(name or f"lists-{digest(request)[:8]}")
    with writer_lock(folder):
        saved = None if overwrite else saved_outcome(folder, request)
        if saved is not None:
            return QueryReport(folder=folder, outcome=saved, measured_now=False, newer_model="")
        resampling = settings.resampling
        asking = Asking(
            source=source, sources=sources, measures=settings.measures, resampling=resampling, phases=phases
        )  # fmt: skip
        found = {}
        for done, (each, trials) in enumerate(opened.items(), start=1):
            found[each] = asking.ask(each, with_table(trials, sources))
            progress("lists", done, len(opened))
        outcome = Outcome(
            settings=settings.to_json(),
            made_from=made_from,
            measurements=tuple(each.measurement for each in found.values()),
            counts={"lists": {each: measured.counts for each, measured in found.items()}},
            seconds=phases.seconds,
            peak_memory_bytes=peak_memory_bytes(),
            device=device,
            machine=run_machine(),
        )
        save_lists(folder, request, outcome, found)
    return QueryReport(folder=folder, outcome=outcome, measured_now=True, newer_model="")


def _digests(opened: Mapping[str, TrialList], identities: Sequence[Path]) -> dict:
    """Digests of the lists, and of the tables that were named or that the lists found beside them."""
    beside = [] if identities else _tables_beside(opened)
    return {
        "lists": {name: sha256_of(Path(trials.where)) for name, trials in opened.items()},
        "identities": {path.name: sha256_of(path) for path in identities},
        "identities_beside": {path.name: sha256_of(path) for path in beside},
    }


def _tables_beside(opened: Mapping[str, TrialList]) -> list[Path]:
    places = (
        folder / name
        for trials in opened.values()
        for name in trials.about.get("identities", ())
        for folder in (Path(trials.where).parent, Path(trials.where).absolute().parent.parent)
    )
    return sorted({place for place in places if place.is_file()})


def names_of_lists(lists: Sequence[Path]) -> dict[str, Path]:
    """What to call each list: its file's name without suffixes, with a number where that is taken.

    Example:
        >>> list(names_of_lists([Path("a/test.txt.gz"), Path("b/test.txt")]))
        ['test', 'test-2']
    """
    named: dict[str, Path] = {}
    for path in lists:
        same = sum(stem(other) == stem(path) for other in named.values())
        named[stem(path) + (f"-{same + 1}" if same else "")] = path
    return named
