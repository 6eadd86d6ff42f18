"""The identity table that the paper's lists go with: one line a person, found by the first part of an item's path."""

import csv
import io
from collections.abc import Sequence

from vfsearch.data.manifest import Item

HEADER = ("VoxCeleb1_ID", "VGGFace1_ID", "Gender", "Nationality", "Set")


def voxceleb_table(items: Sequence[Item]) -> bytes | None:
    """The table as `vox1_test.csv` spells it: comma, header, CRLF.

    Args:
        items: of both modalities.
    Returns:
        None where the first parts of the ids do not tell people apart: a part with items of several people, or a person
        with several parts of one modality. The authors' own programs cannot read such lists.
    """
    owners: dict[str, str] = {}
    folders: dict[str, dict[str, str]] = {}
    for item in items:
        folder = item.id.partition("/")[0]
        own = folders.setdefault(item.identity, {})
        if owners.setdefault(folder, item.identity) != item.identity or own.setdefault(item.modality, folder) != folder:
            return None
    people: dict[str, list[Item]] = {}
    for item in items:
        people.setdefault(item.identity, []).append(item)
    rows = [_row(folders[identity], people[identity]) for identity in sorted(people)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([HEADER, *rows])
    return text.getvalue().encode("utf-8", "surrogateescape")


def _row(folders: dict[str, str], items: Sequence[Item]) -> tuple[str, ...]:
    voice, face = folders.get("voice"), folders.get("face")
    said = [_said(items, column) for column in ("gender", "nationality", "split")]
    # A person of one modality alone still has to be found by it.
    return (voice or face or "", face or voice or "", *said)


def _said(items: Sequence[Item], column: str) -> str:
    """What all items agree on, else nothing."""
    values = {item.columns.get(column, "") for item in items} - {""}
    return values.pop() if len(values) == 1 else ""
