"""Which items go into which shard: decided by the list alone, so that a resumed run cuts where the first one did."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.data.manifest import Item, Manifest
from vfsearch.data.space import MODALITIES, Space
from vfsearch.errors import SettingsError
from vfsearch.files import digest

ROWS_PER_PART = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The items of one shard: of one modality and one split, in the manifest's order.

    Args:
        name: of the shard file; it carries a digest of the items, the sizes of their files and their space.
        modality: of all items.
        split: of all items.
        items: the rows.
    """

    name: str
    modality: str
    split: str
    items: Sequence[Item]


def plan_parts(manifest: Manifest, spaces: dict[str, Space], rows_per_part: int = ROWS_PER_PART) -> list[Part]:
    """Cut a list into parts.

    Args:
        manifest: the items; those of a modality without a space are left out.
        spaces: modality -> space that its rows will be in.
        rows_per_part: the most items in a part.
    Raises:
        SettingsError: fewer than one item a part.
    """
    if rows_per_part < 1:
        raise SettingsError(f"a shard holds {rows_per_part} rows, it must be at least 1")
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in manifest:
        groups.setdefault((item.modality, item.columns.get("split", "")), []).append(item)
    parts = []
    for modality in (name for name in MODALITIES if name in spaces):
        for split in sorted(split for name, split in groups if name == modality):
            items = groups[modality, split]
            # Numbered within the split: where one split grows, the parts of the next keep their names.
            parts += [
                _part(number, modality, split, items[start : start + rows_per_part], spaces[modality], manifest.folder)
                for number, start in enumerate(range(0, len(items), rows_per_part))
            ]
    return parts


def _part(number: int, modality: str, split: str, items: list[Item], space: Space, folder: Path) -> Part:
    content = Manifest(items, folder).digest()
    sizes = [file_size(folder / item.path) for item in items]
    mark = digest([space.to_json(), content, sizes])[:12]
    return Part(name=f"{modality}-{number:05d}-{mark}.h5", modality=modality, split=split, items=items)


def file_size(path: Path) -> int:
    """Bytes of a media file, so that one that was replaced is embedded anew; -1 where there is none."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return -1
