"""`vfsearch index tune --presets`: the fastest of several kinds of index, each tuned to the same goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.errors import DoesNotFitError, SettingsError
from vfsearch.index.backends import BACKENDS
from vfsearch.index.presets import buildable, find_preset
from vfsearch.index.sweep import Speed, timed_by_turns
from vfsearch.index.tuning import Goal
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.tune_index import IndexTuning, TunedIndex, Tuner, TuneSettings
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import open_store

EXACT, ALL = "exact", "all"
PLAY_OFF = 3
"""So many of the fastest indices are kept open and timed by turns at the end, beside the exact engine."""


@dataclass(frozen=True, kw_only=True)
class PresetsTuning:
    """Several kinds of index, tuned to the same goal.

    Args:
        tunings: of those that reach it, fastest first.
        speeds: of the first few of them, timed by turns in the end, beside the exact engine; by folder.
        left_out: preset -> why it is not among them.
    """

    tunings: tuple[IndexTuning, ...]
    speeds: dict[Path, Speed]
    left_out: dict[str, str]

    @property
    def fastest(self) -> IndexTuning:
        """The fastest of all."""
        return self.tunings[0]

    def gain(self, tuning: IndexTuning) -> float:
        """How many times as fast as the exact engine an index is; by the last turns, where it took part in them."""
        exact = next((each.folder for each in self.tunings if each.preset == EXACT), None)
        if tuning.folder not in self.speeds or exact not in self.speeds:
            return tuning.gain
        cost = tuning.tuned.goal.cost
        return cost(self.speeds[exact]) / cost(self.speeds[tuning.folder])

    def to_json(self) -> dict:
        """The tunings as JSON."""
        return {
            "fastest": str(self.fastest.folder),
            "exact_is_fastest": self.fastest.preset == EXACT,
            "indices": [each.to_json() for each in self.tunings],
            "by_turns": {str(folder): speed.to_json() for folder, speed in self.speeds.items()},
            "left_out": self.left_out,
        }


def tune_presets(
    workspace: Workspace,
    modality: str,
    presets: Sequence[str],
    settings: TuneSettings,
    device: str = "cpu",
    save: bool = True,
    progress: Progress = silent,
) -> PresetsTuning:
    """Build an index of each kind where it is not up to date, tune each, and say which is the fastest.

    Args:
        workspace: with a store.
        modality: of the rows.
        presets: kinds of index; "all" for all that can be built here. The exact engine is always among them.
        settings: how to tune.
        device: where to build and search.
        save: put the settings in force.
        progress: called with rows indexed and settings tried.
    Raises:
        UnknownNameError, MissingExtraError: there is no such kind, or it is not installed.
        DoesNotFitError: not even the exact engine reaches the goal (within the latency that is wanted).
        ArtefactError: there is no store, or there are no probes.
    """
    tuner = Tuner(open_store(workspace.store_folder), settings, device, save, progress)
    tunings: list[IndexTuning] = []
    open_: dict[Path, TunedIndex] = {}
    left_out: dict[str, str] = {}
    for preset in chosen_presets(presets, device):
        try:
            (built,) = build_indices(
                workspace, [modality], [IndexRequest(preset=preset)], device=device, progress=progress
            )
            found = tuner.tuned(built.folder, preset)
        except (DoesNotFitError, SettingsError) as error:
            left_out[preset] = str(error)
            continue
        tunings.append(found.tuning)
        open_[built.folder] = found
        _close_slow(tunings, open_)
    if not tunings:
        raise DoesNotFitError(f"no kind of index reaches {settings.goal}: {'; '.join(left_out.values())}")
    speeds = _played_off(list(open_.values()))
    return PresetsTuning(tunings=_ranked(tunings, speeds, settings.goal), speeds=speeds, left_out=left_out)


def chosen_presets(names: Sequence[str], device: str) -> list[str]:
    """The kinds of index that are asked for, exact first.

    Raises:
        UnknownNameError, MissingExtraError: there is no such kind, or it is not installed.
    """
    wanted = [each.name for each in buildable(device)] if ALL in names else list(names)
    for name in wanted:
        BACKENDS.load(find_preset(name).backend)
    return list(dict.fromkeys([EXACT, *wanted]))


def _close_slow(tunings: Sequence[IndexTuning], open_: dict[Path, TunedIndex]) -> None:
    """Keep the fastest few open, and the exact one: memory need not hold all."""
    for slow in sorted(tunings, key=lambda each: -each.gain)[PLAY_OFF:]:
        if slow.preset != EXACT:
            open_.pop(slow.folder, None)


def _played_off(found: Sequence[TunedIndex]) -> dict[Path, Speed]:
    """The speed of indices of the same rows, by turns."""
    ways = [(each.index, each.tuning.tuned.chosen.settings) for each in found]
    speeds = timed_by_turns(ways, found[0].check, "both")
    return {each.tuning.folder: speed for each, speed in zip(found, speeds, strict=True)}


def _ranked(tunings: Sequence[IndexTuning], speeds: Mapping[Path, Speed], goal: Goal) -> tuple[IndexTuning, ...]:
    """Those that were timed by turns by that time, then the others by how they compare with the exact engine."""
    timed = [each for each in tunings if each.folder in speeds]
    others = [each for each in tunings if each.folder not in speeds]
    timed.sort(key=lambda each: goal.cost(speeds[each.folder]))
    return (*timed, *sorted(others, key=lambda each: -each.gain))
