"""The folder that the commands work in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import exists
from vfsearch.data.manifest import Manifest, read_manifest
from vfsearch.errors import InputError, ManifestError
from vfsearch.files import is_there


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where everything is; each place can be given apart.

    Args:
        folder: the workspace.
        manifest, model, features, embeddings, index, runs: places other than the usual ones in it; `index` is the
            folder of the indices, or one index.
    """

    folder: Path
    manifest: Path | None = None
    model: Path | None = None
    features: Path | None = None
    embeddings: Path | None = None
    index: Path | None = None
    runs: Path | None = None

    @property
    def manifest_path(self) -> Path:
        """The list of media files: the one given, else `manifest.csv`, else `manifest.jsonl`."""
        if self.manifest is not None:
            return self.manifest
        json_lines = self.folder / "manifest.jsonl"
        return json_lines if is_there(json_lines) and not is_there(self._csv) else self._csv

    @property
    def _csv(self) -> Path:
        return self.folder / "manifest.csv"

    @property
    def model_folder(self) -> Path:
        """The trained model."""
        return self.model or self.folder / "model"

    @property
    def features_folder(self) -> Path:
        """The store of frozen features, kept so that a new model needs no decoding."""
        return self.features or self.folder / "features"

    @property
    def store_folder(self) -> Path:
        """The store of embeddings."""
        return self.embeddings or self.folder / "embeddings"

    def index_folder(self, name: str) -> Path:
        """The index of one name."""
        return self.indices_folder / name

    def searched_folder(self, name: str) -> Path:
        """The index to search: the one of a name; where `index` is an index itself, that one, whatever the name."""
        # Only readers may take it so: a build given such a place must not write over the index that is there.
        return self.index if self.index is not None and exists(self.index) else self.index_folder(name)

    @property
    def indices_folder(self) -> Path:
        """Where the indices are."""
        return self.index or self.folder / "index"

    def run_folder(self, name: str) -> Path:
        """The run of one name."""
        return (self.runs or self.folder / "runs") / name

    def read_manifest(self) -> Manifest:
        """The list of media files.

        Raises:
            InputError: there is none.
            ManifestError: it has a bad line.
        """
        json_lines = self.folder / "manifest.jsonl"
        if self.manifest is None and is_there(self._csv) and is_there(json_lines):
            raise ManifestError(f"{self._csv} and {json_lines} are both there: name the list with --manifest")
        if not is_there(self.manifest_path):
            raise InputError(
                f"no manifest at {self.manifest_path}: a workspace starts from a list with the columns path, modality, "
                "identity; name the workspace with --workspace or the list with --manifest, or make one with "
                "`vfsearch corpus generate`"
            )
        return read_manifest(self.manifest_path)


def chosen_split(splits: Sequence[str], wanted: str | None, usual: str, where: str) -> str | None:
    """The split to work on.

    Args:
        splits: those that there are.
        wanted: the one asked for; "all" for all; None: the usual one if it is there, else all.
        usual: "train" or "test".
        where: what has the splits, for the message.
    Returns:
        A split, or None for all.
    Raises:
        ManifestError: the split asked for is not there.
    """
    if wanted is None:
        return usual if usual in splits else None
    if wanted == "all":
        return None
    if wanted not in splits:
        raise ManifestError(
            f"{where} has no item with split={wanted}: its splits are {', '.join(map(repr, splits))}; "
            "name one of them, or all"
        )
    return wanted
