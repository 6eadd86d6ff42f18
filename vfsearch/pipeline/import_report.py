"""What an import of a corpus found, and what it missed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.corpus.tree import Leftovers
from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.manifest import Item


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import found, and what it missed.

    Args:
        manifest: that was written, or would be.
        items: modality -> items.
        people: that have any.
        splits: split -> people.
        missing: what is missing -> names, as many as there are.
        unknown_files: suffix -> files that are no media.
    """

    manifest: Path
    items: dict[str, int]
    people: int
    splits: dict[str, int]
    missing: dict[str, list[str]]
    unknown_files: dict[str, int]

    def to_json(self) -> dict:
        """The report as JSON."""
        return {**vars(self), "manifest": str(self.manifest)}


def import_report(
    manifest: Path,
    items: Sequence[Item],
    table: IdentityTable,
    leftovers: Leftovers,
    strangers: Counter[str],
    splits: Mapping[str, str],
) -> ImportReport:
    """Count what was found, and name what was not.

    Args:
        manifest: to be written.
        items: found.
        table: of the people.
        leftovers: what was passed over.
        strangers: folder -> media in it that are no person's.
        splits: identity -> split.
    """
    has: dict[str, set[str]] = defaultdict(set)
    for item in items:
        has[item.identity].add(item.modality)
    return ImportReport(
        manifest=manifest,
        items=dict(Counter(item.modality for item in items)),
        people=len(has),
        splits=dict(sorted(Counter(splits.get(identity, "") or "(none)" for identity in has).items())),
        missing={what: names for what, names in _missing(has, table, leftovers, strangers, splits).items() if names},
        unknown_files=dict(leftovers.unknown.most_common()),
    )


def _missing(
    has: Mapping[str, set[str]],
    table: IdentityTable,
    leftovers: Leftovers,
    strangers: Counter[str],
    splits: Mapping[str, str],
) -> dict[str, list[str]]:
    listed = set(table.identities.values())
    return {
        "people of the tables without any media": sorted(listed - set(has)),
        "people that no table has": sorted(set(has) - listed) if listed else [],
        "people without a voice": sorted(name for name, own in has.items() if "voice" not in own),
        "people without a face": sorted(name for name, own in has.items() if "face" not in own),
        "people without a split": sorted(name for name in has if name not in splits) if splits else [],
        "folders of media that are no person's": [
            f"{name or '.'} ({count})" for name, count in strangers.most_common()
        ],
        "folders without any file": leftovers.empty,
        "folders that cannot be read": leftovers.unreadable,
    }
