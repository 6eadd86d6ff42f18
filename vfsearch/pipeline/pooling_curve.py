"""`vfsearch curve`: accuracy against how much of each person is pooled."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.item_draws import drawn_items
from vfsearch.data.pooling import Pooling
from vfsearch.data.pooling_curve import PoolingCurve, PoolingLine, PoolingPoint
from vfsearch.errors import SettingsError
from vfsearch.measure.estimate import Estimate, difference
from vfsearch.pipeline.curve_settings import ITEMS, SECONDS, CurveSettings
from vfsearch.pipeline.engine import SEEN_COLUMN
from vfsearch.pipeline.item_seconds import item_seconds
from vfsearch.pipeline.query_sides import make_side, shared_rows
from vfsearch.pipeline.run_machine import run_machine
from vfsearch.pipeline.workspace import Workspace, chosen_split
from vfsearch.progress import Progress, silent
from vfsearch.protocol.comparison import Comparison, compare
from vfsearch.store.store import open_store

__all__ = ["CurveSettings", "pooling_curve"]


def pooling_curve(
    workspace: Workspace,
    settings: CurveSettings,
    device: str = "cpu",
    progress: Progress = silent,
    max_memory: int | None = None,
) -> PoolingCurve:
    """Measure templates of few and of many items.

    All points are of the same people: those who have as much as the last limit of each line. The gallery stays the
    same.

    Args:
        workspace: with a store; its manifest and media where seconds are asked for and the store does not say them.
        settings: what to measure.
        device: where to compute scores.
        progress: called with points done.
        max_memory: bytes that computing scores may use beside vectors and results; None: 1 GiB.
    Raises:
        ArtefactError: there is no store, or no items of the split.
        SpaceMismatchError: probes and gallery are not in one space.
        SettingsError: fewer than two people have so much, or a template would be compared with its own items.
        VectorError, ManifestError, MediaError: items cannot be pooled, or nothing says how long they are.
    """
    store = open_store(workspace.store_folder)
    where = f"the store {store.artefact.folder}"
    split = chosen_split(
        sorted({*store.splits(settings.probe), *store.splits(settings.gallery)}), settings.split, "test", where
    )
    probes = store.load(settings.probe, split)
    whole = make_side(store.load(settings.gallery, split), (), settings.pool_gallery)
    people = {*probes.identities, *(failure.identity for failure in store.failures(settings.probe, split))}
    seconds = _seconds(workspace, probes, settings)
    curve = _Curve(settings, probes, whole, len(people), seconds, device, max_memory)
    lines = curve.lines(progress)
    return PoolingCurve(
        settings=settings.to_json(),
        made_from={"store": store.digest, "model": store.artefact.about.get("model"),
                   "spaces": {name: space.to_json() for name, space in store.spaces.items()}},
        direction=f"{settings.probe} to {settings.gallery}",
        split=split or "all",
        gallery=len(whole.rows),
        gallery_identities=len(set(whole.rows.identities)),
        seen_people=_seen_people(probes),
        lines=lines,
        machine={**run_machine(), "device": device},
    )  # fmt: skip


def _seen_people(probes: Embeddings) -> int | None:
    column = probes.columns.get(SEEN_COLUMN)
    return None if column is None else len({who for who, seen in zip(probes.identities, column, strict=True) if seen})


def _seconds(workspace: Workspace, probes: Embeddings, settings: CurveSettings) -> np.ndarray | None:
    if not settings.seconds and settings.seconds_column is None:
        return None
    return item_seconds(workspace, probes, settings.seconds_column)


class _Curve:
    """Draws, pools and measures.

    Args:
        settings: what to measure.
        probes: all items that may be drawn.
        gallery: what they are compared with.
        people: how many there are, those included of whom nothing could be embedded.
        seconds: (n,) of each item; None: not known.
        device, max_memory: for scores.
    """

    def __init__(self, settings, probes, gallery, people, seconds, device, max_memory) -> None:
        self.settings, self.probes, self.gallery, self.people = settings, probes, gallery, people
        self.seconds, self.device, self.max_memory = seconds, device, max_memory

    def lines(self, progress: Progress) -> tuple[PoolingLine, ...]:
        """A line a quantity."""
        wanted = list(self._wanted())
        # Of the same people on every line, so that one item and its seconds have the same figures.
        rows = np.arange(len(self.probes))
        for of, amounts, limits in wanted:
            rows = np.intersect1d(rows, self._rows_of_enough(of, amounts, limits[-1]))
        if len({self.probes.identities[row] for row in rows}) < 2:
            raise SettingsError("fewer than two people have as many items and as many seconds: ask for less of one")
        total, lines = sum(len(limits) + 1 for *_, limits in wanted), []
        for of, amounts, limits in wanted:
            before = sum(len(line.points) for line in lines)
            lines.append(self._line(of, amounts, limits, rows, partial(_told, progress, before, total)))
        progress("points", total, total)
        return tuple(lines)

    def _wanted(self) -> Iterator[tuple[str, np.ndarray, Sequence[float]]]:
        """What each line is of, how much of it each item has, and the limits."""
        if self.settings.items or not self.settings.seconds:
            yield ITEMS, np.ones(len(self.probes)), self.settings.items or _usual(self.probes.identities)
        if self.settings.seconds:
            yield SECONDS, self.seconds, self.settings.seconds

    def _line(
        self, of: str, amounts: np.ndarray, limits: Sequence[float], rows: np.ndarray, told: Callable
    ) -> PoolingLine:  # fmt: skip
        probes, amounts = self.probes.take(rows), amounts[rows]
        seconds = None if self.seconds is None else self.seconds[rows]
        people = len(set(probes.identities))
        points, first, draws = [], None, []
        for limit in (*limits, None):
            if limit is None and all(len(each) == len(probes) for each in draws):
                # The last limit was all that there is.
                break
            draws = list(self._draws(probes, amounts, limit))
            estimates = self.settings.figures.of([self._compared(probes.take(each)) for each in draws])
            first = first or estimates
            points.append(_point(limit, estimates, first, draws, people, seconds))
            told(len(points))
        return PoolingLine(of=of, people=people, left_out=self.people - people, points=tuple(points))

    def _rows_of_enough(self, of: str, amounts: np.ndarray, most: float) -> np.ndarray:
        """The rows of people who have as much as the last limit wants."""
        has: dict[str, float] = {}
        for identity, amount in zip(self.probes.identities, amounts, strict=True):
            has[identity] = has.get(identity, 0.0) + float(amount)
        enough = {identity for identity, amount in has.items() if amount >= most - 1e-9 * most}
        if len(enough) < 2:
            raise SettingsError(
                f"{len(enough)} of {self.people} people have {most:g} {of} of {self.settings.probe}: half of them have "
                f"{median(has.values()):g} or less, nobody more than {max(has.values()):g}; ask for less"
            )
        return np.flatnonzero([identity in enough for identity in self.probes.identities])

    def _draws(self, probes: Embeddings, amounts: np.ndarray, limit: float | None) -> Iterator[np.ndarray]:
        """The rows of each draw; there is one of all."""
        if limit is None:
            yield np.arange(len(probes))
            return
        for number in range(self.settings.draws):
            seed = self.settings.seed + number * 2**32
            yield drawn_items(probes.identities, probes.ids, amounts, limit, seed)

    def _compared(self, items: Embeddings) -> Comparison:
        side = make_side(items, (), Pooling(weight=self.settings.weight))
        itself = shared_rows(side, self.gallery)
        return compare(side.rows, self.gallery.rows, (), self.device, self.max_memory, itself)


def _told(progress: Progress, before: int, total: int, points: int) -> None:
    progress("points", before + points, total)


def _usual(identities: Sequence[str]) -> tuple[int, ...]:
    """1, 2, 4, ... as far as half of the people go."""
    counts: dict[str, int] = {}
    for identity in identities:
        counts[identity] = counts.get(identity, 0) + 1
    half = sorted(counts.values())[len(counts) // 2]
    return tuple(2**power for power in range(half.bit_length()))


def _point(
    limit: float | None,
    estimates: dict[str, Estimate],
    first: dict[str, Estimate],
    draws: Sequence[np.ndarray],
    people: int,
    seconds: np.ndarray | None,
) -> PoolingPoint:
    long = [float("nan")] if seconds is None else [float(seconds[rows].sum()) / people for rows in draws]
    return PoolingPoint(
        limit=limit,
        items=float(np.mean([len(rows) for rows in draws])) / people,
        seconds=float(np.mean(long)),
        draws=len(draws),
        values={name: estimate.to_value() for name, estimate in estimates.items()},
        gains={} if first is estimates else {
            name: difference(estimate, first[name]) for name, estimate in estimates.items()
        },
    )  # fmt: skip
