"""The sealed list of files that makes a folder a model, a store, an index or a run.

`MANIFEST.json` is the only name in such a folder whose content changes. It lists every other file with its size and
SHA-256 and carries a digest of itself, so that a flipped bit anywhere is refused by name. What it does not list does
not exist.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vfsearch.errors import ArtefactError, DamagedError, InputError
from vfsearch.files import (
    digest,
    is_there,
    read_file,
    remove_file,
    remove_temporaries,
    sha256,
    write_file,
    write_pieces,
    write_streamed,
)

MANIFEST_NAME = "MANIFEST.json"


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """One sealed folder.

    Args:
        folder: where it is.
        kind: "model", "store", "index" or "run".
        schema: version of the layout of this kind.
        about: what the artefact says of itself (settings, spaces, counts, digests of what it was made from); JSON.
        files: name -> {"size": bytes, "sha256": hexadecimal, ...}, in the order written; a name may be in a sub-folder.
    """

    folder: Path
    kind: str
    schema: int
    about: dict
    files: dict[str, dict] = field(default_factory=dict)

    @property
    def seal(self) -> str:
        """Digest of everything that the manifest says, and so of every listed file."""
        return digest(self._content())

    def _content(self) -> dict:
        return {"kind": self.kind, "schema": self.schema, "about": self.about, "files": self.files}

    def write(self) -> None:
        """Put the manifest in place; from then on exactly the listed files exist."""
        write_file(self.folder / MANIFEST_NAME, self._sealed())

    def _sealed(self) -> bytes:
        """The manifest's bytes, which no other spelling of the same content equals."""
        return json.dumps({**self._content(), "digest": self.seal}, indent=1).encode() + b"\n"

    def add(self, name: str, data: bytes, **facts: object) -> None:
        """Write one file whole and list it; it exists for readers only after `write`."""
        self.add_pieces(name, (data,), **facts)

    def add_pieces(self, name: str, pieces: Iterable[bytes], **facts: object) -> None:
        """As `add`, for a file that need not fit in memory."""
        self.files[name] = {**write_pieces(self.folder / name, pieces), **facts}

    def add_streamed(self, name: str, fill: Callable[[Callable[[bytes], object]], object], **facts: object) -> None:
        """As `add`, for a writer that wants something to write to (see `vfsearch.files.write_streamed`)."""
        self.files[name] = {**write_streamed(self.folder / name, fill), **facts}

    def read(self, name: str) -> bytes:
        """The bytes of one listed file, checked.

        Raises:
            ArtefactError: the manifest does not list it, or it is gone.
            DamagedError: its bytes are not those that were written.
        """
        path = self._listed(name)
        try:
            data = read_file(path, f"{self.kind} file")
        except InputError as error:
            raise ArtefactError(f"{error}; make the {self.kind} anew") from error
        self._check(name, len(data), sha256(data))
        return data

    def checked_path(self, name: str) -> Path:
        """Where a listed file is, its content checked without holding it in memory: for files that are mapped.

        Raises:
            ArtefactError: the manifest does not list it, or it is gone.
            DamagedError: its bytes are not those that were written.
        """
        path = self._listed(name)
        try:
            with path.open("rb") as file:
                self._check(name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise ArtefactError(f"cannot read {path}: {error.strerror or error}; make the {self.kind} anew") from error
        return path

    def _listed(self, name: str) -> Path:
        if name not in self.files:
            raise ArtefactError(f"the {self.kind} {self.folder} has no file {name}: it holds {sorted(self.files)}")
        return self.folder / name

    def _check(self, name: str, size: int, found: str) -> None:
        path, listed = self.folder / name, self.files[name]
        advice = f"restore it from a copy, or remove {self.folder} and make the {self.kind} anew"
        if size != listed["size"]:
            raise DamagedError(f"{path} is damaged: {size} bytes, {listed['size']} were written; {advice}")
        if found != listed["sha256"]:
            raise DamagedError(
                f"{path} is damaged: its SHA-256 is {found[:12]}..., {listed['sha256'][:12]}... was written; {advice}"
            )

    def remove_unlisted(self, own: str) -> None:
        """Remove what a killed writer, or the artefact before, left behind; call it while holding the folder's lock.

        Args:
            own: regular expression of the names that files of this kind have; any other file is somebody else's.
        """
        remove_temporaries(self.folder)
        for path in list(self.folder.iterdir()):
            if re.fullmatch(own, path.name) and path.name not in self.files:
                remove_file(path)

    def verify(self) -> None:
        """Read every listed file and check it.

        Raises:
            ArtefactError: a file is gone.
            DamagedError: a file is damaged.
        """
        for name in self.files:
            self.checked_path(name)


def exists(folder: Path) -> bool:
    """Whether the folder holds a sealed artefact, whole or not."""
    return is_there(folder / MANIFEST_NAME)


def require_replaceable(folder: Path, kind: str) -> None:
    """Leave an artefact of another kind alone; one of the right kind may be old or damaged, or there may be none.

    Raises:
        ArtefactError: the folder holds another kind.
    """
    if not exists(folder):
        return
    try:
        found = json.loads(read_file(folder / MANIFEST_NAME, "manifest"))["kind"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if found != kind:
        raise ArtefactError(
            f"{folder} is {_one(found)}, which {_one(kind)} does not replace; give --out another folder"
        )


def _one(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def read_artefact(folder: Path, kind: str, schema: int, made_by: str) -> Artefact:
    """Open a sealed folder and check its manifest (not yet its files).

    Args:
        folder: where it should be.
        kind: what it should be.
        schema: the layout version that the caller understands.
        made_by: the command that makes it, for the message.
    Raises:
        ArtefactError: nothing there, or another kind or version.
        DamagedError: the manifest is not what was written.
    """
    path = folder / MANIFEST_NAME
    if not is_there(path):
        raise ArtefactError(f"no {kind} at {folder}: {path} does not exist; make it with `{made_by}`")
    data = read_file(path, f"{kind} manifest")
    try:
        artefact = _parsed(data, folder)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(
            f"{path} is damaged: its digest does not fit its content; restore it or make it anew"
        ) from error
    if artefact.kind != kind:
        raise ArtefactError(f"{folder} is {_one(artefact.kind)}, not {_one(kind)}; name the folder of {_one(kind)}")
    if artefact.schema != schema:
        raise ArtefactError(
            f"the {kind} {folder} has layout version {artefact.schema}, this vfsearch reads version {schema}; "
            f"make it anew with `{made_by}`"
        )
    return artefact


def _parsed(data: bytes, folder: Path) -> Artefact:
    """What a manifest says.

    Raises:
        ValueError, KeyError, TypeError, RecursionError: its bytes are not those that were written.
    """
    sealed = json.loads(data)
    artefact = Artefact(folder=folder, **{name: sealed[name] for name in ("kind", "schema", "about", "files")})
    if artefact._sealed() != data:
        raise ValueError("another digest, or the same content in another spelling")
    return artefact
