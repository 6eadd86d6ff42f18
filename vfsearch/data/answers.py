"""What a search answered, as a person would look at it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ShownItem:
    """A clip or a photo.

    Args:
        id: of the item.
        identity: whose it is.
        modality: "voice" or "face".
        path: of its file; None: not known (a template of several, or a list that is gone).
        start_seconds, end_seconds: the part of the file; None: its start, its end.
        columns: what the manifest says of it.
    """

    id: str
    identity: str
    modality: str
    path: Path | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A gallery item that a search returned.

    Args:
        item: of the gallery.
        score: its similarity to the probe.
    """

    item: ShownItem
    score: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A probe with the best of the gallery, best first.

    Args:
        probe: what was asked with.
        hits: what came back.
        best_place: expected place of the best mate in the whole gallery, from 1; infinite: the gallery has none; NaN:
            not measured.
    """

    probe: ShownItem
    hits: Sequence[Hit]
    best_place: float = math.nan

    def is_mated(self, hit: Hit) -> bool:
        """Whether a hit is of the probe's identity."""
        return hit.item.identity == self.probe.identity
