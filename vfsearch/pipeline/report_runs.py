"""The runs that a report is of: found in a workspace or named, each with its outcome."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import exists
from vfsearch.data.outcome import Outcome
from vfsearch.errors import ArtefactError, SettingsError
from vfsearch.pipeline.runs import OUTCOME_NAME, read_run_artefact
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


def reported_runs(workspace: Workspace, named: Sequence[str] = ()) -> list[ReportedRun]:
    """The runs of a report.

    Args:
        workspace: its runs are taken where none is named.
        named: folders, or names of runs in the workspace, each perhaps as LABEL=FOLDER.
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
    return [ReportedRun(name=name, folder=folder, outcome=_outcome(folder)) for name, folder in places]


def _found(workspace: Workspace) -> list[tuple[str, Path]]:
    root = workspace.run_folder("")
    folders = sorted(each for each in root.iterdir() if exists(each)) if root.is_dir() else []
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
    return inside if not exists(Path(text)) and text and exists(inside) else Path(text)


def _outcome(folder: Path) -> Outcome:
    artefact = read_run_artefact(folder)
    artefact.verify()
    return Outcome.from_json(json.loads(artefact.read(OUTCOME_NAME)))
