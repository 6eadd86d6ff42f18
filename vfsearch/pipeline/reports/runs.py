"""What a report is of: runs with their outcomes and other measurements, found in a workspace or named."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import exists
from vfsearch.data.outcome import Outcome
from vfsearch.errors import ArtefactError, SettingsError
from vfsearch.files import is_there
from vfsearch.pipeline.index_bench import JSON_NAME as BENCH_NAME
from vfsearch.pipeline.runs import OUTCOME_NAME, read_run_artefact
from vfsearch.pipeline.saved_curve import JSON_NAME as POOLING_NAME
from vfsearch.pipeline.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class ReportedRun:
    """A run with the name that it has in a report.

    Args:
        name: shown; runs of one name (both directions of one method, say) share rows and colours.
        folder: of the run.
        outcome: what came out.
    """

    name: str
    folder: Path
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What a report is of.

    Args:
        runs: of `vfsearch query`.
        measured: name and folder of what `vfsearch curve` and `vfsearch index bench` found.
    """

    runs: Sequence[ReportedRun]
    measured: Sequence[tuple[str, Path]] = ()


def reported(workspace: Workspace, named: Sequence[str] = ()) -> Reported:
    """What a report is of.

    Args:
        workspace: its runs and measurements are taken where none is named.
        named: folders, or names of those in the workspace, each perhaps as LABEL=FOLDER.
    Raises:
        ArtefactError: there is no such run, or no run at all.
        DamagedError: a run is damaged.
        SettingsError: a run is named twice, or a label is empty.
    """
    places = [_place(workspace, text) for text in named] or _found(workspace)
    folders = [folder.resolve() for _, folder in places]
    for number, folder in enumerate(folders):
        if folder in folders[:number]:
            raise SettingsError(f"the run {places[number][1]} is named twice")
    measured = [_is_measured(folder) for _, folder in places]
    pairs = list(zip(places, measured, strict=True))
    return Reported(
        runs=[
            ReportedRun(name=name, folder=folder, outcome=_outcome(folder))
            for (name, folder), is_so in pairs
            if not is_so
        ],
        measured=[place for place, is_so in pairs if is_so],
    )


def reported_runs(workspace: Workspace, named: Sequence[str] = ()) -> list[ReportedRun]:
    """The runs among what a report is of; see `reported`."""
    return list(reported(workspace, named).runs)


def _is_measured(folder: Path) -> bool:
    """Whether a folder holds a pooling curve or measured indices, and no run."""
    return not exists(folder) and any(is_there(folder / name) for name in (POOLING_NAME, BENCH_NAME))


def _found(workspace: Workspace) -> list[tuple[str, Path]]:
    root = workspace.run_folder("")
    folders = sorted(root.iterdir()) if root.is_dir() else []
    folders = [each for each in folders if exists(each) or _is_measured(each)]
    if not folders:
        raise ArtefactError(f"no run in {root}: make one with `vfsearch query`, or name the folder of one")
    return [(folder.name, folder) for folder in folders]


def _place(workspace: Workspace, text: str) -> tuple[str, Path]:
    """Label and folder; a folder that has an equals sign in its name is one all the same."""
    label, sign, rest = text.partition("=")
    if sign and not Path(text).exists():
        if not label.strip():
            raise SettingsError(f"{text!r} has no label before the equals sign: wanted LABEL=FOLDER")
        return label.strip(), _folder(workspace, rest)
    folder = _folder(workspace, text)
    return folder.resolve().name, folder


def _folder(workspace: Workspace, text: str) -> Path:
    inside = workspace.run_folder(text)
    return inside if text and not _is_one(Path(text)) and _is_one(inside) else Path(text)


def _is_one(folder: Path) -> bool:
    return exists(folder) or _is_measured(folder)


def _outcome(folder: Path) -> Outcome:
    artefact = read_run_artefact(folder)
    artefact.verify()
    return Outcome.from_json(json.loads(artefact.read(OUTCOME_NAME)))
