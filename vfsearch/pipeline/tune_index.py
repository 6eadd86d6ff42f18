"""`vfsearch index tune INDEX`: the fastest search setting of one index."""

from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import Artefact, exists
from vfsearch.data.space import MODALITIES, Space, require_same_space
from vfsearch.errors import ArtefactError, SettingsError
from vfsearch.index.base import Index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.sweep import SearchProblem
from vfsearch.index.tuning import Goal, Halves, LossSplit, Misled, Tuned, loss_split, misled_by, save_tuning, tune
from vfsearch.pipeline.run_machine import run_machine
from vfsearch.pipeline.searched_index import SearchSettings, open_searched, true_index
from vfsearch.pipeline.tuning_probes import TuningProbes, draw_probes
from vfsearch.pipeline.tuning_problem import Problems
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store, open_store


@dataclass(frozen=True, kw_only=True)
class TuneSettings:
    """How to tune.

    Args:
        goal: what is wanted.
        probe: modality of the probes; None: the one that the index is not of, if the store has it.
        probes: how many to choose a setting with; as many others check it.
        split: of the probes; None: "val", else "train", never that of queries unless there is no other.
        seed: of the draw of probes.
    Raises:
        SettingsError: one is out of range.
    """

    goal: Goal
    probe: str | None = None
    probes: int = 2000
    split: str | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if self.probe not in (None, *MODALITIES):
            raise SettingsError(f"the probe modality is {self.probe!r}, it must be voice or face")
        if self.probes < 1 or self.seed < 0:
            raise SettingsError(f"want probes >= 1 and seed >= 0, got {self.probes} and {self.seed}")


@dataclass(frozen=True, kw_only=True)
class IndexTuning:
    """One index, tuned.

    Args:
        folder: of the index.
        backend, modality, rows: what it is.
        preset: what it was built as; "" where that was not asked for.
        probe, split: of the probes.
        counts: probes that tuned and that checked.
        tuned: what was chosen, from what.
        misled: what tuning with gallery rows would have done; None where that is no question.
        loss: where recall is lost; None where that cannot be told.
        warnings: what a user should know.
        saved: the setting is in force from now on.
    """

    folder: Path
    backend: str
    modality: str
    rows: int
    preset: str
    probe: str
    split: str
    counts: tuple[int, int]
    tuned: Tuned
    misled: Misled | None
    loss: LossSplit | None
    warnings: tuple[str, ...]
    saved: bool

    @property
    def gain(self) -> float:
        """How many times as fast as the exact engine it is."""
        return self.tuned.times_exact or 1.0

    def to_json(self) -> dict:
        """The tuning as JSON."""
        return {
            "index": str(self.folder),
            "backend": self.backend,
            "modality": self.modality,
            "rows": self.rows,
            "preset": self.preset,
            "probe": self.probe,
            "split": self.split,
            "probes_tuning": self.counts[0],
            "probes_checking": self.counts[1],
            **self.tuned.to_json(),
            "tuned_with_gallery_rows": self.misled and self.misled.to_json(),
            "loss": self.loss and self.loss.to_json(),
            "warnings": list(self.warnings),
            "saved": self.saved,
        }


def tune_index(
    workspace: Workspace,
    name: str,
    settings: TuneSettings,
    device: str = "cpu",
    save: bool = True,
    progress: Progress = silent,
) -> IndexTuning:
    """Find the fastest search setting of an index that reaches a goal, and make it the one that queries use.

    Args:
        workspace: with the store that the probes come from.
        name: of the index, or its folder.
        settings: how to tune.
        device: where to search.
        save: put the setting in force.
        progress: called with settings tried.
    Raises:
        ArtefactError: there is no such index, no store, or there are no probes.
        SpaceMismatchError: the probes are not in the space of the index.
        DoesNotFitError: no setting reaches the goal.
        LockedError, MismatchError: another process writes to the index, or has changed it.
    """
    tuner = Tuner(open_store(workspace.store_folder), settings, device, save, progress)
    return tuner.tuned(index_named(workspace, name)).tuning


def index_named(workspace: Workspace, name: str) -> Path:
    """The folder of an index, by its name among the indices of the workspace, or by its own path.

    Raises:
        ArtefactError: there is no index of that name; the message lists those that there are.
    """
    folders = (workspace.indices_folder / name, Path(name))
    for folder in folders:
        if exists(folder):
            return folder
    there = sorted(path.name for path in workspace.indices_folder.glob("*") if exists(path))
    raise ArtefactError(
        f"no index is named {name!r} in {workspace.indices_folder}, nor is {name} one: there are "
        f"{', '.join(there) or 'none'}; build one with `vfsearch index build`"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class TunedIndex:
    """A tuned index that is still open.

    Args:
        tuning: what was found.
        index: with the chosen setting in force.
        check: the probes that checked it.
    """

    tuning: IndexTuning
    index: Index
    check: SearchProblem


class Tuner:
    """Tunes indices of one store, all with the same probes.

    Args:
        store: where the probes come from.
        settings: how to tune.
        device: where to search.
        save: put what is chosen in force.
        progress: called with settings tried.
    """

    def __init__(self, store: Store, settings: TuneSettings, device: str, save: bool, progress: Progress) -> None:
        self._store, self._settings, self._device = store, settings, device
        self._save, self._progress = save, progress
        self._probes: dict[str, TuningProbes] = {}

    def tuned(self, folder: Path, preset: str = "") -> TunedIndex:
        """Tune one index.

        Args:
            folder: of the index.
            preset: what it was built as.
        Raises:
            DoesNotFitError: no setting reaches the goal.
        """
        artefact = read_index_artefact(folder)
        probes = self._probes_for(artefact)
        index = open_searched(folder, SearchSettings(), self._device)
        true, goal = true_index(index, self._device), self._settings.goal
        problems = Problems(index, true or index, goal.targets)
        halves = problems.halves(probes)
        found = tune(index, halves, goal, true, progress=self._progress)
        modality = artefact.about["modality"]
        tuning = IndexTuning(
            folder=folder, backend=artefact.about["backend"], modality=modality, rows=len(index), preset=preset,
            probe=probes.tune.modality, split=probes.split, counts=(len(halves.tune), len(halves.check)), tuned=found,
            misled=self._misled(index, problems, halves, modality), loss=loss_split(index, found.chosen, halves.check),
            warnings=probes.warnings, saved=self._save and not index.exact,
        )  # fmt: skip
        index.use(found.chosen.settings)
        if tuning.saved:
            save_tuning(folder, found.chosen.settings, self._record(tuning), artefact.files)
        return TunedIndex(tuning=tuning, index=index, check=halves.check)

    def _probes_for(self, artefact: Artefact) -> TuningProbes:
        modality = self._settings.probe or self._other(artefact.about["modality"])
        if modality not in self._probes:
            self._probes[modality] = draw_probes(
                self._store, modality, self._settings.split, self._settings.probes, self._settings.seed
            )
        probes, space = self._probes[modality], Space(**artefact.about["space"])
        require_same_space(
            probes.tune.space, f"the {modality} probes of {self._store.artefact.folder}", space,
            f"the index {artefact.folder}",
        )  # fmt: skip
        return probes

    def _other(self, modality: str) -> str:
        """The modality that probes usually are of; that of the index where the store has no other."""
        (other,) = (name for name in MODALITIES if name != modality)
        return other if other in self._store.spaces and self._store.count("rows", other) else modality

    def _misled(self, index: Index, problems: Problems, halves: Halves, modality: str) -> Misled | None:
        probes = self._probes[self._settings.probe or self._other(modality)]
        if index.exact or probes.tune.modality == modality:
            return None
        others = problems.of_gallery_rows(len(halves.tune), self._settings.seed)
        return misled_by(index, others, halves.check, self._settings.goal)

    def _record(self, tuning: IndexTuning) -> dict:
        """What the index says of its tuning."""
        left_out = ("index", "backend", "modality", "rows", "preset", "saved")
        told = {name: value for name, value in tuning.to_json().items() if name not in left_out}
        own = {"seed": self._settings.seed, "store": self._store.digest, "device": self._device}
        return {**told, **own, "machine": run_machine()}
