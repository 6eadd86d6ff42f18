"""The names of a list as a format writes them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vfsearch.data.trial_list import Names, TrialList
from vfsearch.errors import TrialListError


class Written:
    """Names spelled once each, whatever the number of trials.

    Args:
        names: of the list; it may grow while trials are read.
        spell: a name as the format writes it; it may refuse one.
    Example:
        >>> Written(Names(["a", "b"]), str.upper).texts(np.array([1, 0, 1]))
        ['B', 'A', 'B']
    """

    def __init__(self, names: Names, spell: Callable[[str], str]) -> None:
        self._names = names
        self._spell = spell
        self._spelled: list[str] = []

    def texts(self, numbers: np.ndarray) -> list[str]:
        """What to write for numbers of names."""
        known = self._spelled
        if len(known) < len(self._names):
            known.extend(map(self._spell, self._names.texts[len(known) :]))
        return [known[number] for number in numbers.tolist()]


def without_separator(separator: str, format: str, where: str) -> Callable[[str], str]:
    """A spelling for formats whose fields are parted by one character: it refuses names that have it.

    Args:
        separator: between fields.
        format: its name, for messages.
        where: the list, for messages.
    """
    unsafe = re.compile(rf"[{re.escape(separator)}\r\n\0]")

    def spell(name: str) -> str:
        if unsafe.search(name) or not name.strip() or not _is_text(name):
            raise TrialListError(
                f"{where} cannot be written as {format}: the name {name!r} is empty, has {separator!r} or a line end "
                "in it, or is no text; the format vfsearch holds any name"
            )
        return name

    return spell


def without_blanks(format: str, where: str) -> Callable[[str], str]:
    """A spelling for formats whose fields are parted by blanks: it refuses names that such a file cannot hold.

    Args:
        format: its name, for messages.
        where: the list, for messages.
    """

    def spell(name: str) -> str:
        # What looks like a byte-order mark is lost where it begins a file.
        if name.split() != [name] or "\0" in name or name.startswith("\ufeff") or not _is_text(name):
            raise TrialListError(
                f"{where} cannot be written as {format}: the name {name!r} has a blank in it, or is no text; the "
                "format vfsearch holds any name"
            )
        return name

    return spell


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def stem(path: Path) -> str:
    """The name of a list: that of its file, without folders, .gz and suffix.

    Example:
        >>> stem(Path("lists/match_v2f_2_val.txt.gz"))
        'match_v2f_2_val'
    """
    return Path(path.name.removesuffix(".gz")).stem


def owner_speller(trials: TrialList, spell: Callable[[str], str]) -> Callable[[str], str]:
    """name -> its identity as it is written, "" where none is known."""

    def owner(name: str) -> str:
        identity = trials.identities(name) if trials.identities else None
        return spell(identity) if identity else ""

    return owner
