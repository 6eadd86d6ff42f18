"""Which items go into which shard: decided by the list alone, so that a resumed run cuts where the first one did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.data.manifest import Item, Manifest, rows_digest
from vfsearch.data.space import MODALITIES, Space
from vfsearch.embed.marks import Mark, file_marks, item_keys, require_changed_by
from vfsearch.errors import SettingsError
from vfsearch.files import digest

ROWS_PER_PART = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The items of one shard: of one modality and one split, in the manifest's order.

    Args:
        name: of the shard file; it carries a digest of the items, the marks of their files and their space.
        modality: of all items.
        split: of all items.
        items: the rows.
        marks: of the items' files.
        folder: what relative paths are relative to.
        changed_by: what the marks are: "size", "time" or "digest".
        precision: of the encoder.
    """

    name: str
    modality: str
    split: str
    items: Sequence[Item]
    marks: Sequence[Mark]
    folder: Path
    changed_by: str = "size"
    precision: str = "fp32"

    def keys(self, changed_by: str | None = None) -> np.ndarray:
        """(n, 16) uint8: what decides the vector of each item; the marks may be of another kind, read now."""
        marks = self.marks if changed_by in (None, self.changed_by) else self._marks_by(changed_by)
        return item_keys(self.items, marks, self.precision)

    def _marks_by(self, changed_by: str) -> Sequence[Mark]:
        return file_marks(self.folder, self.items, changed_by)


def plan_parts(
    manifest: Manifest,
    spaces: dict[str, Space],
    rows_per_part: int = ROWS_PER_PART,
    changed_by: str = "size",
    precisions: Mapping[str, str] | None = None,
) -> list[Part]:
    """Cut a list into parts.

    Args:
        manifest: the items; those of a modality without a space are left out.
        spaces: modality -> space that its rows will be in.
        rows_per_part: the most items in a part.
        changed_by: how a file that has changed is noticed: "size", "time" or "digest".
        precisions: modality -> precision of its encoder; "fp32" where none is given.
    Raises:
        SettingsError: fewer than one item a part.
    """
    require_changed_by(changed_by)
    if rows_per_part < 1:
        raise SettingsError(f"a shard holds {rows_per_part} rows, it must be at least 1")
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in manifest:
        groups.setdefault((item.modality, item.columns.get("split", "")), []).append(item)
    parts = []
    for modality in (name for name in MODALITIES if name in spaces):
        precision = (precisions or {}).get(modality, "fp32")
        # A shard of full precision is called as it was before there was another.
        about = [spaces[modality].to_json(), *([] if precision == "fp32" else [precision])]
        for split in sorted(split for name, split in groups if name == modality):
            items = groups[modality, split]
            # Numbered within the split: where one split grows, the parts of the next keep their names.
            for number, start in enumerate(range(0, len(items), rows_per_part)):
                cut = items[start : start + rows_per_part]
                marks = file_marks(manifest.folder, cut, changed_by)
                mark = digest([*about, rows_digest(cut), marks])[:12]
                parts.append(
                    Part(
                        name=f"{modality}-{number:05d}-{mark}.h5", modality=modality, split=split, items=cut,
                        marks=marks, folder=manifest.folder, changed_by=changed_by, precision=precision,
                    )
                )  # fmt: skip
    return parts
