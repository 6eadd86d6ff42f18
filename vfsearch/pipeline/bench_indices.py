"""`vfsearch index bench`: kinds of index and their search settings, measured on a store."""

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vfsearch.artefact import Artefact, exists
from vfsearch.bench.memory import rise
from vfsearch.data.row_source import RowSource
from vfsearch.data.space import MODALITIES, require_same_space
from vfsearch.errors import ArtefactError, DoesNotFitError, LockedError, SettingsError, VfsearchError
from vfsearch.files import LOCK_NAME, digest, is_there, writer_lock
from vfsearch.index.backends import BACKENDS
from vfsearch.index.base import Index
from vfsearch.index.building import build_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.presets import Preset, find_preset
from vfsearch.index.settings import BuildSettings
from vfsearch.index.sweep import RUNS, Measured, SearchProblem, Speed, timed_by_turns
from vfsearch.index.targets import RECALL, Target
from vfsearch.pipeline.bench_ladder import swept, worth_timing
from vfsearch.pipeline.gallery_source import store_source
from vfsearch.pipeline.index import IndexRequest
from vfsearch.pipeline.index_bench import BenchPoint, IndexBench, PresetBench
from vfsearch.pipeline.plan_index import memory_reason, planned_costs, store_size
from vfsearch.pipeline.resident import resident
from vfsearch.pipeline.run_machine import run_machine
from vfsearch.pipeline.searched_index import SearchSettings, open_searched
from vfsearch.pipeline.tune_presets import ALL, EXACT, chosen_presets
from vfsearch.pipeline.tuning_probes import draw_measuring_probes
from vfsearch.pipeline.tuning_problem import Problems
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store, open_store

SCRATCH = "scratch"
SLOW = 8
"""Settings slower than the exact engine by so many times are raised no further."""


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """What to measure.

    Args:
        modality: of the rows; None: "face" where the store has it.
        presets: kinds of index, or "all"; the exact engine is always among them.
        probe: modality of the probes; None: the one that the rows are not of, if the store has it.
        probes: how many.
        split: of the probes; None: "val", else "train", else any.
        k: neighbours looked for.
        runs: least turns of each timing.
        seed: of the draw of probes and of builds.
        max_memory: bytes; kinds of index that want more, as planned, are left out. None: no limit.
    Raises:
        SettingsError: one is out of range.
    """

    modality: str | None = None
    presets: Sequence[str] = (ALL,)
    probe: str | None = None
    probes: int = 2000
    split: str | None = None
    k: int = 10
    runs: int = RUNS
    seed: int = 1
    max_memory: int | None = None

    def __post_init__(self) -> None:
        for name in ("modality", "probe"):
            if getattr(self, name) not in (None, *MODALITIES):
                raise SettingsError(f"the {name} is {getattr(self, name)!r}, it must be voice or face")
        if min(self.probes, self.k, self.runs) < 1 or self.seed < 0:
            raise SettingsError(
                f"want probes, k and runs of at least 1 and a seed of at least 0, got {self.probes}, {self.k}, "
                f"{self.runs} and {self.seed}"
            )

    def to_json(self) -> dict:
        """The settings as JSON."""
        return {**vars(self), "presets": list(self.presets)}


def bench_folder(workspace: Workspace, settings: BenchSettings) -> Path:
    """Where results go that nobody named a place for: the same for the same question of the same store."""
    store = open_store(workspace.store_folder)
    _, modality = store_size(workspace, settings.modality)
    mark = digest({"store": store.digest, "settings": settings.to_json()})[:8]
    return workspace.run_folder(f"index-bench-{modality}-{mark}")


def bench_indices(
    workspace: Workspace,
    settings: BenchSettings,
    out: Path,
    device: str = "cpu",
    progress: Progress = silent,
) -> IndexBench:
    """Build kinds of index in a scratch folder, search each with many settings, and time the best of these.

    An index of the workspace that is up to date is used as it is. What cannot be built is named with the reason.

    Args:
        workspace: with a store.
        settings: what to measure.
        out: folder that the scratch folder is in meanwhile.
        device: where to build and search; kinds that run on the CPU alone do so there.
        progress: called with rows indexed and kinds measured.
    Raises:
        ArtefactError: there is no store, it has no such rows, or no probes.
        SpaceMismatchError: the probes are not in the space of the rows.
        UnknownNameError, MissingExtraError: there is no such kind, or it is not installed.
        DoesNotFitError: not even the exact engine fits the memory.
        LockedError: another process measures there.
    """
    names = chosen_presets(settings.presets, device)
    was_there = is_there(out)
    with writer_lock(out), contextlib.nullcontext() if was_there else _gone_if_empty(out):
        scratch = out / SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            return _Bench(workspace, settings, scratch, device, progress).of(names)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _gone_if_empty(folder: Path) -> Iterator[None]:
    """Remove a folder that holds nothing but its lock where the enclosed block fails or is stopped."""
    try:
        yield
    except BaseException:
        if [path.name for path in folder.iterdir()] == [LOCK_NAME]:
            shutil.rmtree(folder, ignore_errors=True)
        raise


@dataclass(eq=False)
class _Bench:
    """Measures kinds of index, all with the same rows and probes."""

    workspace: Workspace
    settings: BenchSettings
    scratch: Path
    device: str
    progress: Progress
    failed: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    rate: float | None = None

    def __post_init__(self) -> None:
        self.store = open_store(self.workspace.store_folder)
        self.size, self.modality = store_size(self.workspace, self.settings.modality)
        self.source = store_source(self.store, self.modality)
        self.probe = self.settings.probe or _other(self.store, self.modality)

    def of(self, names: Sequence[str]) -> IndexBench:
        """Measure these kinds, the exact engine first."""
        found = []
        for number, name in enumerate(names):
            self.progress("kinds of index", number, len(names))
            measured = self._tried(find_preset(name))
            found += [measured] if measured else []
            if name == EXACT and not found:
                raise _error(EXACT, self.failed, self.left_out)
        self.progress("kinds of index", len(names), len(names))
        return IndexBench(
            store=str(self.workspace.store_folder), modality=self.modality, rows=len(self.source),
            dimension=self.source.space.dimension, probe=self.probe, probes=len(self.problem), split=self.split,
            settings=self.settings.to_json(), presets=tuple(found), failed=self.failed, left_out=self.left_out,
            warnings=self.warnings, machine={**run_machine(), "device": self.device},
        )  # fmt: skip

    def _tried(self, preset: Preset) -> PresetBench | None:
        """One kind, or the reason why there is none."""
        try:
            settings = self._prepared(preset)
            if reason := memory_reason(planned_costs(settings, self.size), self.settings.max_memory):
                self.left_out[preset.name] = reason
                return None
            return self._measured(preset, settings)
        except LockedError:
            raise
        except (VfsearchError, RuntimeError, MemoryError, OSError) as error:
            # One kind that cannot be built or searched costs that kind: libraries raise what they like.
            self.failed[preset.name] = str(error) or "out of memory"
            return None

    def _prepared(self, preset: Preset) -> BuildSettings:
        kind: type[Index] = BACKENDS.load(preset.backend)
        wanted = preset.settings(seed=self.settings.seed)
        return kind.prepared(wanted, len(self.source), self.source.space.dimension)

    def _measured(self, preset: Preset, settings: BuildSettings) -> PresetBench:
        folder, built = self._built(preset, settings)
        if preset.name == EXACT:
            self._pose(open_searched(folder, SearchSettings(), self.device))
        before = resident()
        index = open_searched(folder, SearchSettings(), self.device)
        # Back to where an index is that nobody tuned.
        index.use({})
        default = dict(index.settings)
        self.problem.asked(index)
        held = resident() - before
        points = self._points(index, default)
        return replace(
            built, points=points, memory_bytes=held.own, mapped_bytes=held.mapped, parameters=index.made_with.parameters
        )

    def _built(self, preset: Preset, settings: BuildSettings) -> tuple[Path, PresetBench]:
        """The index, of the workspace or in the scratch folder, and what building it took."""
        folder = self.workspace.index_folder(IndexRequest(preset=preset.name).name_for(self.modality))
        if _is_of(folder, settings, self.source):
            return folder, self._described(preset, read_index_artefact(folder), None, None)
        folder = self.scratch / preset.name.replace(":", ".")
        start = time.perf_counter()
        artefact, peak = rise(
            lambda: build_index(folder, self.source, settings, self.device, self.progress),
            self.device if preset.device == "cuda" else "cpu",
        )
        return folder, self._described(preset, artefact, time.perf_counter() - start, peak)

    def _described(self, preset: Preset, artefact: Artefact, seconds: float | None, peak: float | None) -> PresetBench:
        size = sum(facts["size"] for facts in artefact.files.values())
        return PresetBench(
            preset=preset.name, backend=preset.backend, disk_bytes=size, build_seconds=seconds, build_memory_bytes=peak
        )

    def _pose(self, exact: Index) -> None:
        """The problem that all kinds of index are given."""
        asked = self.settings
        drawn = draw_measuring_probes(self.store, self.probe, asked.split, asked.probes, asked.seed)
        require_same_space(
            drawn.probes.space, f"the {self.probe} probes of {self.workspace.store_folder}", self.source.space,
            f"its {self.modality} rows",
        )  # fmt: skip
        target = Target(measure=RECALL, k=asked.k, least=1.0)
        self.exact, self.split, self.warnings = exact, drawn.split, drawn.warnings
        self.problem: SearchProblem = Problems(exact, exact, [target]).of_probes(drawn.probes)

    def _points(self, index: Index, default: dict[str, int]) -> tuple[BenchPoint, ...]:
        """The best settings and the default, timed by turns with the exact engine."""
        slow = 0.0 if self.rate is None else self.rate / SLOW
        chosen = worth_timing(swept(index, self.problem, slow), default)
        ways = [*((index, each.settings) for each in chosen), (self.exact, {})]
        speeds = timed_by_turns(ways, self.problem, "both", self.settings.runs)
        if self.rate is None:
            self.rate = speeds[-1].probes_per_second
        return tuple(
            _point(each, speed, speeds[-1], dict(each.settings) == default)
            for each, speed in zip(chosen, speeds, strict=False)
        )


def _point(measured: Measured, speed: Speed, exact: Speed, default: bool) -> BenchPoint:
    return BenchPoint(
        settings=measured.settings, recall=measured.recall, speed=speed, exact=exact, default=default
    )  # fmt: skip


def _error(name: str, failed: dict[str, str], left_out: dict[str, str]) -> VfsearchError:
    """Without the exact engine there is nothing to measure recall against."""
    if name in left_out:
        return DoesNotFitError(f"not even the exact engine fits: {left_out[name]}")
    return VfsearchError(f"the exact engine cannot search these rows: {failed[name]}")


def _other(store: Store, modality: str) -> str:
    """The modality that probes usually are of; that of the rows where the store has no other."""
    (other,) = (name for name in MODALITIES if name != modality)
    return other if other in store.spaces and store.count("rows", other) else modality


def _is_of(folder: Path, settings: BuildSettings, source: RowSource) -> bool:
    """Whether the folder holds this very index of all these rows, never changed; opening it checks its files."""
    if not exists(folder):
        return False
    try:
        about = read_index_artefact(folder).about
    except ArtefactError:
        return False
    found = (about["settings"], about["store"], about["split"], about["modality"])
    untouched = not about.get("changes") and not about.get("pooling")
    return found == (settings.to_json(), source.origin, None, source.modality) and untouched
