"""Accuracy against how much of each person is pooled."""

from dataclasses import asdict, dataclass

from vfsearch.data.outcome import Difference, Value, nulls


@dataclass(frozen=True, kw_only=True)
class PoolingPoint:
    """The figures with so many items, or so much speech, of each person.

    Args:
        limit: items, or seconds that are reached; None: all that there is.
        items: of a person, on average.
        seconds: of a person, on average; NaN where they are not known.
        draws: of items, whose figures are averaged.
        values: measure -> figure; the interval is over people.
        gains: measure -> this figure less that of the first point, on the same people and trials.
    """

    limit: float | None
    items: float
    seconds: float
    draws: int
    values: dict[str, Value]
    gains: dict[str, Difference]


@dataclass(frozen=True, kw_only=True)
class PoolingLine:
    """The points of one quantity; all lines are of the same people.

    Args:
        of: "items" or "seconds".
        people: who are asked with.
        left_out: people with less than the last limit of a line.
        points: by their limits.
    """

    of: str
    people: int
    left_out: int
    points: tuple[PoolingPoint, ...]


@dataclass(frozen=True, kw_only=True)
class PoolingCurve:
    """Accuracy against the number of items and the seconds of speech that are pooled.

    Args:
        settings: that were asked for; JSON.
        made_from: digest of the store, its model and spaces.
        direction: "voice to face", ...
        split: of both sides; "all" for all.
        gallery: rows of it.
        gallery_identities: of them.
        seen_people: how many of those who are asked with the model was trained on; None: not known.
        lines: one a quantity.
        machine: processor, threads and versions.
    """

    settings: dict
    made_from: dict
    direction: str
    split: str
    gallery: int
    gallery_identities: int
    seen_people: int | None
    lines: tuple[PoolingLine, ...]
    machine: dict

    @property
    def measures(self) -> list[str]:
        """Names of what was measured."""
        return list(self.lines[0].points[0].values)

    def to_json(self) -> dict:
        """The curve as JSON; a figure that does not exist is null."""
        return nulls(asdict(self))
