"""How an index lies on disk, and reading what is common to all back ends."""

from pathlib import Path

from vfsearch.artefact import Artefact, read_artefact
from vfsearch.errors import DamagedError

SCHEMA = 2
MADE_BY = "vfsearch index build"
ITEMS, VECTORS = "items.safetensors", "vectors.npy"
OWN_NAMES = r"[0-9a-f]{8}-(items|vectors|index)\.[A-Za-z0-9._-]+"


def read_index_artefact(folder: Path) -> Artefact:
    """The sealed list of an index's files.

    Raises:
        ArtefactError: there is no index of this layout.
        DamagedError: its manifest is damaged.
    """
    return read_artefact(folder, "index", SCHEMA, MADE_BY)


def file_of(artefact: Artefact, role: str) -> str:
    """The name of the file that has a role ("vectors.npy") in an index.

    Raises:
        DamagedError: there is none.
    """
    for name, facts in artefact.files.items():
        if facts.get("role") == role:
            return name
    raise DamagedError(f"the index {artefact.folder} has no {role}; make it anew with `{MADE_BY}`")


def paths_by_role(artefact: Artefact) -> dict[str, Path]:
    """Role -> file of every file, their content not checked."""
    return {facts["role"]: artefact.folder / name for name, facts in artefact.files.items() if "role" in facts}
