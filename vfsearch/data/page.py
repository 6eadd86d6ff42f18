"""What the page of a report shows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vfsearch.data.plot import Plot, Shares
from vfsearch.data.result_table import ResultTable


@dataclass(frozen=True, kw_only=True)
class PageItem:
    """A clip or a photo, as it may be shown to those who get the page.

    Args:
        modality: "voice" or "face".
        name: of the item.
        identity: whose it is.
        traits: column -> what is said of it.
        media: name of its file beside the page or in it; "": nothing can be seen or heard of it.
        outline: of a clip, each of 0 to 63, in equal steps of time.
        seconds: of the clip that can be heard.
    """

    modality: str
    name: str
    identity: str
    traits: Mapping[str, str] = field(default_factory=dict)
    media: str = ""
    outline: Sequence[int] = ()
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PageAnswer:
    """A probe with the best of the gallery, best first.

    Args:
        probe: which item.
        hits: which items.
        scores: of each hit.
        best_place: see `vfsearch.data.answers.Answer`.
    """

    probe: int
    hits: Sequence[int]
    scores: Sequence[float]
    best_place: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What probes whose first hit is of another identity have in common with it.

    Args:
        column: of the manifest.
        wrong: how many such probes there are of which the column is known on both sides.
        same: of those, how many have the same value as their first hit.
        expected: of those, what share would, were the hit drawn from all of other identities.
    """

    column: str
    wrong: int
    same: int
    expected: float


@dataclass(frozen=True, kw_only=True)
class PageSearch:
    """The answers of one run.

    Args:
        name: of the run.
        probe, gallery: modalities.
        total: probes of the run, of which `answers` may be some.
        answers: that are shown.
        reasons: why first hits are wrong.
    """

    name: str
    probe: str
    gallery: str
    total: int
    answers: Sequence[PageAnswer]
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A small table of texts.

    Args:
        head: of its columns.
        rows: as long as the head.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page.

    Args:
        title: at its top.
        results: figures of the runs.
        digits: of them, after the point.
        speed: how fast they were, on what.
        plots, shares: diagrams.
        searches: answers of runs.
        items: that searches count in.
        redacted: names are hidden and faces blurred.
    """

    title: str
    results: ResultTable | None = None
    digits: int = 1
    speed: TextTable | None = None
    plots: Sequence[Plot] = ()
    shares: Sequence[Shares] = ()
    searches: Sequence[PageSearch] = ()
    items: Sequence[PageItem] = ()
    redacted: bool = False
