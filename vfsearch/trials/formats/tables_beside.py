"""Tables of identities that lie beside a published list."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from vfsearch.data.identity_table import IdentityTable
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.written import stem
from vfsearch.trials.identities import read_identities


def paper_tables(path: Path) -> list[Path]:
    """`vox1_<split>.csv` beside a list named `..._<split>.txt`, else every `vox1_*.csv` there."""
    own = path.with_name(f"vox1_{stem(path).rpartition('_')[2]}.csv")
    return [own] if own.is_file() else _sorted_tables(path.parent)


def _sorted_tables(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("vox1_*.csv"))
    except OSError as error:
        raise TrialListError(f"cannot look for vox1_*.csv in {folder}: {error.strerror}") from error


def cmpc_tables(path: Path) -> list[Path]:
    """`vox1_meta.csv` beside a list, or in the folder above, where CMPC has it."""
    places = [folder / "vox1_meta.csv" for folder in (path.parent, path.absolute().parent.parent)]
    return [place for place in places if place.is_file()][:1]


def table_of(tables: Sequence[Path]) -> Callable[[], IdentityTable]:
    """The table, read when it is first asked for."""
    return functools.cache(lambda: read_identities(tables))


def identities_of(tables: Sequence[Path]) -> Callable[[str], str | None] | None:
    """name -> identity by some tables; None if there are none."""
    table = table_of(tables)
    return (lambda name: table().identity(name)) if tables else None


def said_of(tables: Sequence[Path]) -> dict[str, object]:
    """What a list says of the tables that its identities come from."""
    return {"identities": [table.name for table in tables]} if tables else {}
