"""Constraint groups: which columns of a manifest all candidates of a trial have in common with its probe.

Source of U, G, N, A and their combinations: Nagrani, Albanie, Zisserman, "Learnable PINs", ECCV 2018, section 5.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.manifest import Item
from vfsearch.errors import ManifestError, SettingsError
from vfsearch.files import canonical_json
from vfsearch.trials.pool import NO_VALUE, Labels

UNRESTRICTED = "U"
LETTERS = {"G": "gender", "N": "nationality", "A": "age"}
AGE_YEARS = 10
Columns = Mapping[str, str]
"""What is known of an item: column of the manifest -> text."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The columns in which a trial's candidates agree with its probe.

    Args:
        name: "U" where there is no such column; letters where letters say it, in the order GNA; else the columns,
            joined by "+".
        columns: of the manifest.
    """

    name: str
    columns: tuple[str, ...]


def parse_group(text: str) -> Group:
    """The group that a text names.

    Args:
        text: U, or letters of G (gender), N (nationality) and A (age), or names of manifest columns; any of them
            joined by "+".
    Raises:
        SettingsError: it names none; letters stand twice or beside U.

    Example:
        >>> parse_group("NG")
        Group(name='GN', columns=('gender', 'nationality'))
        >>> parse_group("gender+accent").name, parse_group("U").columns
        ('gender+accent', ())
    """
    if text.strip() == UNRESTRICTED:
        return Group(name=UNRESTRICTED, columns=())
    columns = [column for part in text.split("+") for column in _columns(part.strip())]
    if not all(columns) or len(set(columns)) < len(columns):
        raise SettingsError(
            f"no constraint group is {text!r}: wanted U (none), letters of G (gender), N (nationality), A (age) "
            "such as GN, or different columns of the manifest joined by +, such as gender+accent"
        )
    usual = [column for column in LETTERS.values() if column in columns]
    further = sorted(set(columns) - set(usual))
    letters = "".join(letter for letter, column in LETTERS.items() if column in columns)
    return Group(name="+".join([*usual, *further]) if further else letters, columns=(*usual, *further))


def group_stream(group: Group, probe: str, gallery: str) -> tuple[int, ...]:
    """Numbers that name a random stream of its own for each group and direction.

    Args:
        group: of the trials.
        probe, gallery: the modalities.
    """
    name = canonical_json([probe, gallery, list(group.columns)])
    return tuple(np.frombuffer(hashlib.sha256(name).digest(), dtype="<u4")[:4].tolist())


def _columns(part: str) -> Sequence[str]:
    if part and set(part) <= set(LETTERS):
        return [LETTERS[letter] for letter in part]
    return ["" if part == UNRESTRICTED else part]


def require_columns(columns: Sequence[str], wanted_by: str, items: Iterable[Columns], where: str) -> None:
    """Refuse what needs columns that the items do not have.

    Args:
        columns: of the manifest.
        wanted_by: what needs them, for the message.
        items: the columns of all of them.
        where: what to call the manifest.
    Raises:
        ManifestError: naming the missing ones and those that there are.
    """
    known = {column for item in items for column in item}
    missing = [column for column in columns if column not in known]
    if missing:
        raise ManifestError(
            f"{where} has no column {', '.join(missing)}, which {wanted_by} needs; besides path, "
            f"modality and identity its columns are: {', '.join(sorted(known)) or 'none'}"
        )


def group_labels(
    group: Group, probes: Iterable[Columns], gallery: Iterable[Columns], age_years: int = AGE_YEARS
) -> Labels | None:
    """What each item says in the columns of a group.

    Args:
        group: its columns.
        probes, gallery: the columns of the items of both sides.
        age_years: ages that are numbers are taken together in spans of so many years (20 to 29, ...); 0: as they are.
    Returns:
        Labels; an item with an empty value in any of the columns has none. None: the group has no columns.
    """
    if not group.columns:
        return None
    return _labels([(_values(item, group.columns, age_years) for item in side) for side in (probes, gallery)])


def source_labels(column: str, probes: Iterable[Columns], gallery: Iterable[Columns]) -> Labels:
    """What each item was taken from; an item with an empty value has no label.

    Args:
        column: of the manifest.
        probes, gallery: the items of both sides.
    """
    return _labels([(_values(item, (column,), 0) for item in side) for side in (probes, gallery)])


def _labels(sides: Sequence[Iterable[tuple[str, ...]]]) -> Labels:
    numbers: dict[tuple[str, ...], int] = {(): NO_VALUE}
    known = numbers.setdefault
    probes, gallery = (np.fromiter((known(values, len(numbers) - 1) for values in side), np.int64) for side in sides)
    return Labels(probes=probes, gallery=gallery, names=[", ".join(values) for values in list(numbers)[1:]])


def _values(item: Columns, columns: Sequence[str], age_years: int) -> tuple[str, ...]:
    """What an item says in some columns; nothing if it is silent in one."""
    values = tuple([_text(column, item.get(column, "").strip(), age_years) for column in columns])
    return values if all(values) else ()


def _text(column: str, text: str, age_years: int) -> str:
    return age_span(text, age_years) if column == LETTERS["A"] and age_years else text


def age_span(text: str, years: int = AGE_YEARS) -> str:
    """The span of years that an age falls into; a text that is no number stays as it is.

    Example:
        >>> age_span("34"), age_span("29.5"), age_span("thirties"), age_span("34", years=5)
        ('30-39', '20-29', 'thirties', '30-34')
    """
    try:
        age = float(text)
    except ValueError:
        return text
    if not math.isfinite(age):
        return text
    start = math.floor(age / years) * years
    return f"{start}-{start + years - 1}"


def ambiguous_identities(group: Group, items: Iterable[Item], age_years: int = AGE_YEARS) -> Mapping[str, list[str]]:
    """Column -> identities whose items say different things in it, sorted; only columns that have such.

    The items' own values decide all the same; an age may well differ, a gender will hardly.
    """
    said: dict[str, dict[str, str]] = {column: {} for column in group.columns}
    found: dict[str, set[str]] = {}
    for item in items:
        for column, values in said.items():
            value = _text(column, item.columns.get(column, "").strip(), age_years)
            if value and values.setdefault(item.identity, value) != value:
                found.setdefault(column, set()).add(item.identity)
    return {column: sorted(people) for column, people in sorted(found.items())}
