"""Figures of several runs side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vfsearch.data.outcome import Value


@dataclass(frozen=True, kw_only=True)
class Column:
    """One figure that several runs may have.

    Args:
        protocol: "matching", "verification", "retrieval" or "identification".
        candidates: N of 1:N matching, people enrolled in identification; None where that is not part of the question.
        group: what candidates have in common with the probe; "U": nothing.
        list: name of the trial list; "" where the run drew its own trials.
        measure: name of the measure.
        percent: shown in percent.
        higher_is_better: its direction.
    """

    protocol: str
    candidates: int | None
    group: str
    list: str
    measure: str
    percent: bool
    higher_is_better: bool

    @property
    def title(self) -> str:
        """Protocol and measure in a few words.

        Example:
            >>> Column(protocol="matching", candidates=2, group="G", list="", measure="accuracy", percent=True,
            ...        higher_is_better=True).title
            '1:2 accuracy (G)'
        """
        asked = {"matching": f"1:{self.candidates} ", "identification": f"{self.candidates} enrolled "}
        before = asked.get(self.protocol, "") if self.candidates else ""
        group = "" if self.group == "U" else f" ({self.group})"
        return f"{before}{self.measure}{group}" + (f" [{self.list}]" if self.list else "")


@dataclass(frozen=True, kw_only=True)
class Row:
    """The figures of one run in one direction.

    Args:
        name: of the run.
        direction: "voice to face", ...
        values: column -> figure, where it has one.
        asked: column -> trials, and the size of the gallery where the column does not say it: figures of other
            numbers are of other trials for certain, and cannot be ranked.
        reported: taken from a publication, measured on other media.
    """

    name: str
    direction: str
    values: Mapping[Column, Value]
    asked: Mapping[Column, tuple[int, int | None]] = field(default_factory=dict)
    reported: bool = False


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """Figures of several runs.

    Args:
        columns: in their order.
        rows: those of one direction one after another.
        notes: what a reader must know.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = ()

    def is_best(self, row: Row, column: Column) -> bool:
        """Whether no measured run of the same direction is better; never of a figure that stands alone."""
        rivals = self.rivals(row.direction, column)
        if row not in rivals or len(rivals) < 2 or self.differ(rivals, column):
            return False
        best = max if column.higher_is_better else min
        return row.values[column].value == best(each.values[column].value for each in rivals)

    def rivals(self, direction: str, column: Column) -> list[Row]:
        """The measured rows of a direction that have a figure."""
        rows = (row for row in self.rows if row.direction == direction and not row.reported and column in row.values)
        return [row for row in rows if row.values[column].value == row.values[column].value]

    def differ(self, rows: Sequence[Row], column: Column) -> bool:
        """Whether rows are of other trials, as far as numbers tell."""
        return len({row.asked.get(column) for row in rows}) > 1
