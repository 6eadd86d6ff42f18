"""Items that could not be embedded: named, counted, never dropped."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from vfsearch.data.csv_lines import CsvLines


@dataclass(frozen=True, kw_only=True)
class FailedItem:
    """One item without a row.

    Args:
        id, path, modality, identity, columns: of its row in the manifest.
        stage: "decode", "encode" or "project" (by a model's heads).
        reason: in one line.
    """

    id: str
    path: str
    modality: str
    identity: str
    stage: str
    reason: str
    columns: dict[str, str] = field(default_factory=dict)

    def in_split(self, split: str | None) -> bool:
        """Whether the item is of this split; None: of any."""
        return split in (None, self.columns.get("split", ""))


FIELDS = ("id", "path", "modality", "identity", "stage", "reason")


def failures_csv(failures: Iterable[FailedItem]) -> bytes:
    """The failures table as CSV with a header."""
    text = io.StringIO(newline="")
    table = CsvLines(text)
    table.writerow(FIELDS)
    table.writerows([getattr(failure, name) for name in FIELDS] for failure in failures)
    return text.getvalue().encode("utf-8", "surrogateescape")
