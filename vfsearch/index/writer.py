"""Writing an index so that a killed build goes on where it was, and a reader never sees half of one.

Files are made in the sub-folder `building`, a sealed artefact of its own that lists what is done. `finish` renames
them into the index's folder and puts the manifest in place.
"""

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from vfsearch.artefact import MANIFEST_NAME, Artefact, exists, read_artefact, require_replaceable
from vfsearch.errors import ArtefactError, SettingsError, VectorError, VfsearchError
from vfsearch.files import (
    adopt_file,
    digest,
    is_there,
    make_folder,
    move_file,
    remove_file,
    remove_temporaries,
    temporary_beside,
    writer_lock,
)
from vfsearch.index.layout import OWN_NAMES, SCHEMA, read_index_artefact
from vfsearch.index.partitions import remove_partitions

BUILDING = "building"
STEP = "step-"
KIND = "index build"


class IndexWriter:
    """The only writer of an index; get one from `writing_index`.

    Args:
        folder: of the index.
        artefact: what is done so far, in the folder `building`.
    """

    def __init__(self, folder: Path, artefact: Artefact) -> None:
        self._folder = folder
        self._done = artefact

    def has(self, role: str) -> bool:
        """Whether a file is there, from this run or from one that was killed."""
        return role in self._done.files

    @property
    def roles(self) -> list[str]:
        """What the index will have of what was added so far."""
        return [role for role in self._done.files if not role.startswith(STEP)]

    def path(self, role: str) -> Path:
        """Where a file is that was added."""
        return self._done.folder / role

    def facts(self, role: str) -> dict:
        """What was said of a file when it was added."""
        return self._done.files[role]

    def add(self, role: str, pieces: Iterable[bytes], **facts: object) -> None:
        """Write a file piece by piece; it is there for good when this returns.

        Args:
            role: its name ("index.faiss"); names that begin with "step-" are not kept in the index.
            pieces: its content.
            facts: JSON, to be had again from `facts`.
        """
        self._done.add_pieces(role, pieces, **facts)
        self._done.write()

    def add_streamed(self, role: str, fill: Callable[[Callable[[bytes], object]], object], **facts: object) -> None:
        """As `add`, for a library that wants something to write to."""
        self._done.add_streamed(role, fill, **facts)
        self._done.write()

    def temporary(self) -> Path:
        """A name for a library that writes files (or a folder of them) itself; then call `adopt`."""
        return temporary_beside(self.path("any"))

    def adopt(self, role: str, temporary: Path, **facts: object) -> None:
        """Take a file that a library wrote under a name from `temporary`.

        The caller has made sure that it is whole: libraries do not notice a full disk.
        """
        self._done.files[role] = {**adopt_file(temporary, self.path(role)), **facts}
        self._done.write()

    def drop(self, role: str) -> None:
        """Remove a file that is needed no more."""
        del self._done.files[role]
        self._done.write()
        remove_file(self.path(role))

    def finish(self, about: dict) -> Artefact:
        """Make what was added the index; what was there before is gone afterwards.

        Args:
            about: what the index says of itself; JSON.
        """
        kept = {role: facts for role, facts in self._done.files.items() if not role.startswith(STEP)}
        # Names differ from those of the index before: whoever has it open goes on reading the files that it mapped.
        mark = digest({"about": about, "files": {role: facts["sha256"] for role, facts in kept.items()}})[:8]
        artefact = Artefact(folder=self._folder, kind="index", schema=SCHEMA, about=about)
        for role, facts in kept.items():
            name = f"{mark}-{role}"
            move_file(self.path(role), self._folder / name)
            artefact.files[name] = {**facts, "role": role}
        artefact.write()
        artefact.remove_unlisted(OWN_NAMES)
        remove_partitions(self._folder)
        remove_building(self._folder)
        return artefact


@contextlib.contextmanager
def writing_index(folder: Path, plan: dict) -> Iterator[IndexWriter]:
    """Hold the right to write an index, with what a killed run of the same plan has done.

    Args:
        folder: of the index.
        plan: everything that decides what is written; JSON. Work of another plan is given up.
    Raises:
        LockedError: another process writes there.
        ArtefactError: the folder holds something else than an index.
    """
    with writer_lock(folder):
        require_replaceable(folder, "index")
        remove_temporaries(folder)
        place = make_folder(folder / BUILDING)
        done = _begun(place, plan)
        if done is None:
            remove_building(folder)
            done = Artefact(folder=make_folder(place), kind=KIND, schema=SCHEMA, about=plan)
            done.write()
        else:
            _remove_all_but(place, (*done.files, MANIFEST_NAME))
        try:
            yield IndexWriter(folder, done)
        except (SettingsError, VectorError):
            # The same plan would fail in the same way again.
            remove_building(folder)
            raise


def _begun(place: Path, plan: dict) -> Artefact | None:
    """What was done of this very plan, every file checked; None where nothing of use is there."""
    if not exists(place):
        return None
    try:
        done = read_artefact(place, KIND, SCHEMA, "vfsearch index build")
        done.verify()
    except ArtefactError:
        return None
    return done if done.about == plan else None


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed writer left beside a finished index.

    Raises:
        LockedError: another process writes there.
        VfsearchError: the file system refuses.
    """
    with writer_lock(folder):
        artefact = read_index_artefact(folder)
        artefact.remove_unlisted(OWN_NAMES)
        remove_partitions(folder, {Path(name).parts[0] for name in artefact.files})
        remove_building(folder)


def remove_building(folder: Path) -> None:
    """Remove the folder of a build, finished or given up; call it while holding the index's lock.

    Raises:
        VfsearchError: the file system refuses.
    """
    place = folder / BUILDING
    if is_there(place):
        _remove_all_but(place, ())
        try:
            place.rmdir()
        except OSError as error:
            raise VfsearchError(f"cannot remove {place}: {error.strerror}") from error


def _remove_all_but(place: Path, kept: Collection[str]) -> None:
    """Remove what a killed run did not finish: files, and folders that a library wrote."""
    for path in list(place.iterdir()):
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            remove_file(path)
