"""`vfsearch trials make`: manifest to lists of trials."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vfsearch.errors import InputError, MismatchError
from vfsearch.files import is_there, write_pieces, writer_lock
from vfsearch.pipeline.trial_plan import MadeList, TrialPlan
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.trials.settings import TrialsSettings

FOLDER = "trials"


@dataclass(frozen=True, kw_only=True)
class TrialsReport:
    """What was made.

    Args:
        folder: of the files.
        split: whose items they are of; "all".
        lists: in the order made.
        identity_table: the table that the paper's lists go with, None where there is none.
        written: SHA-256 of each file written, by path.
        kept: likewise of the files that were there already, with this very content.
        warnings: what to look at.
    """

    folder: Path
    split: str
    lists: tuple[MadeList, ...]
    identity_table: Path | None
    written: Mapping[Path, str]
    kept: Mapping[Path, str]
    warnings: tuple[str, ...]

    def to_json(self) -> dict:
        """The report as JSON."""
        return {
            "folder": str(self.folder),
            "split": self.split,
            "lists": [each.to_json() for each in self.lists],
            "identity_table": None if self.identity_table is None else str(self.identity_table),
            "written": {str(path): digest for path, digest in self.written.items()},
            "kept": {str(path): digest for path, digest in self.kept.items()},
            "warnings": list(self.warnings),
        }


def make_trials(
    workspace: Workspace,
    settings: TrialsSettings,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> TrialsReport:
    """Draw lists of trials from the manifest, one file a list.

    Nothing is written if any of them cannot be drawn, or would replace another file. No media, model
    or store is needed.

    Args:
        workspace: with a manifest.
        settings: what to make.
        out: folder for the files; None: `trials` in the workspace.
        overwrite: replace files of other content.
        progress: called with files written.
    Raises:
        SettingsError: the format cannot hold a protocol; N is too large for a group; two lists would have one name.
        ManifestError: no items of a side, or no column that a group needs; no probe has a mate.
        MismatchError: a file of another content is there.
    """
    plan = TrialPlan(workspace, settings, out or workspace.folder / FOLDER)
    files = plan.files()
    with writer_lock(plan.folder):
        there = {path: _sha256(_chunks(path)) for path in files if is_there(path)}
        kept = {path: digest for path, digest in there.items() if digest == _sha256(files[path]())}
        if not overwrite and set(there) - set(kept):
            raise MismatchError(_in_the_way(sorted(set(there) - set(kept)), plan.folder))
        written = {}
        for done, (path, pieces) in enumerate(files.items(), start=1):
            if path not in kept:
                written[path] = write_pieces(path, pieces())["sha256"]
            progress("files", done, len(files))
    return TrialsReport(
        folder=plan.folder, split=plan.split, lists=tuple(made for made, _ in plan.lists),
        identity_table=plan.table_path, written=written, kept=kept, warnings=tuple(plan.warnings),
    )  # fmt: skip


def _in_the_way(paths: list[Path], folder: Path) -> str:
    names = ", ".join(path.name for path in paths)
    return (
        f"{folder} has other lists of the same name: {names}; they may have been used or published, so take another "
        "folder with --out, or replace them with --overwrite"
    )


def _sha256(pieces: Iterable[bytes]) -> str:
    made = hashlib.sha256()
    for piece in pieces:
        made.update(piece)
    return made.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                yield chunk
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
