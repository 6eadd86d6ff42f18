"""The media files below a folder, however many."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vfsearch.corpus.media_kinds import media_kind
from vfsearch.errors import InputError


@dataclass(kw_only=True)
class Leftovers:
    """What a walk through folders passed over.

    Args:
        unknown: suffix -> files that are no media.
        unreadable: folders, and why.
        empty: folders without any file.
    """

    unknown: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)


def media_files(root: Path, leftovers: Leftovers) -> Iterator[tuple[tuple[str, ...], str]]:
    """The media below a folder, in the order of their names.

    Links are followed, but into no folder that is above them. Names that begin with a dot are passed over.

    Args:
        root: the folder.
        leftovers: is told what is passed over.
    Returns:
        (folders and name below the root, kind of medium) of each file.
    Raises:
        InputError: there is no such folder.
    """
    if not root.is_dir():
        raise InputError(f"no folder {root}: name the one that the corpus is in")
    yield from _below(os.fspath(root), (), leftovers, frozenset({_place(os.fspath(root))}))


def _below(
    folder: str, parts: tuple[str, ...], leftovers: Leftovers, above: frozenset[tuple[int, int]]
) -> Iterator[tuple[tuple[str, ...], str]]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        leftovers.unreadable.append(f"{folder}: {error.strerror}")
        return
    if not entries:
        leftovers.empty.append(folder)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            place = _place(entry.path)
            if place not in above:
                yield from _below(entry.path, (*parts, entry.name), leftovers, above | {place})
        elif kind := media_kind(entry.name):
            yield (*parts, entry.name), kind
        else:
            leftovers.unknown[os.path.splitext(entry.name)[1].lower() or "(none)"] += 1


def _place(folder: str) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino
