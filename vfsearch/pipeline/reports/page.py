"""The page of a report: what it shows is gathered from runs and media, and written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from vfsearch.data.answers import Answer, ShownItem
from vfsearch.data.page import Page, PageAnswer, PageItem, PageSearch, TextTable
from vfsearch.data.plot import Plot
from vfsearch.data.result_table import ResultTable
from vfsearch.files import make_folder, write_pieces
from vfsearch.media.page_media import PageClip, PagePhoto
from vfsearch.media.preparation import Failure
from vfsearch.pipeline.reports.answers import Answers
from vfsearch.pipeline.reports.media import prepared_media
from vfsearch.pipeline.reports.page_media import PageMedia
from vfsearch.pipeline.reports.reasons import causes, reasons
from vfsearch.pipeline.reports.runs import ReportedRun
from vfsearch.progress import Progress, silent
from vfsearch.report.page import page_pieces

FILE_NAME = "index.html"
HITS = 10
"""At most so many of a probe's answers are shown."""
TOLD = ("gender", "nationality", "age")
"""What a page tells of nameless people."""
NUMBERED = ("source",)
"""What it tells by number alone: names of recordings would name people."""


@dataclass(frozen=True, kw_only=True)
class PageContent:
    """What goes onto a page.

    Args:
        runs: of the report.
        results: their figures; None: none.
        digits: of them.
        plots: diagrams.
        answers: of the runs that searched, each with the places of the probes that are shown.
        redacted: hide names and blur faces.
    """

    runs: Sequence[ReportedRun]
    results: ResultTable | None
    digits: int
    plots: Sequence[Plot]
    answers: Sequence[tuple[Answers, Sequence[int]]]
    redacted: bool = False


def write_page(
    folder: Path,
    content: PageContent,
    workers: int = 2,
    progress: Progress = silent,
) -> tuple[list[Path], dict[str, str]]:
    """Write the page, and its media beside it if they are large.

    Args:
        folder: where to; an earlier page stays whole until the new one is.
        content: what it shows.
        workers: decoding processes.
        progress: called with media decoded.
    Returns:
        The page, with the folder of its media if it has one; id -> why an item cannot be seen or heard.
    Raises:
        VfsearchError: the disk is full, ...
    """
    make_folder(folder)
    media = PageMedia(folder)
    items = _Items(redacted=content.redacted)
    # Voices first, as in the paper.
    ordered = sorted(content.answers, key=lambda each: each[0].run.outcome.settings["probe"] != "voice")
    searches = [_search(answers, places, items) for answers, places in ordered]
    unseen = items.prepare(media, workers, progress)
    page = Page(
        title=_title(content.runs),
        results=content.results,
        digits=content.digits,
        speed=_speed(content.runs),
        plots=content.plots,
        shares=list(causes([answers for answers, _ in ordered])),
        searches=searches,
        items=items.to_page(),
        redacted=content.redacted,
    )
    write_pieces(folder / FILE_NAME, page_pieces(page, media.inside()))
    media.tidy()
    return [folder / FILE_NAME, *([media.folder] if media.are_beside else [])], unseen


def _search(answers: Answers, places: Sequence[int], items: "_Items") -> PageSearch:
    asked = answers.run.outcome.settings
    return PageSearch(
        name=answers.run.name,
        probe=asked["probe"],
        gallery=asked["gallery"],
        total=len(answers),
        answers=[_answer(answers[place], items) for place in places],
        reasons=list(reasons(answers)),
    )


def _answer(answer: Answer, items: "_Items") -> PageAnswer:
    hits = answer.hits[:HITS]
    return PageAnswer(
        probe=items.number(answer.probe),
        hits=[items.number(hit.item) for hit in hits],
        scores=[hit.score for hit in hits],
        best_place=answer.best_place,
    )


@dataclass(frozen=True, kw_only=True)
class _Items:
    """The items of a page, each once, in the order in which they were asked for."""

    redacted: bool
    shown: dict[tuple[str, str], ShownItem] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    media: dict[tuple[str, str], dict] = field(default_factory=dict)

    def number(self, item: ShownItem) -> int:
        """Its place among the items."""
        key = (item.modality, item.id)
        self.shown.setdefault(key, item)
        return self.numbers.setdefault(key, len(self.numbers))

    def prepare(self, media: PageMedia, workers: int, progress: Progress) -> dict[str, str]:
        """Make what is seen and heard; gives id -> why there is nothing."""
        failed = {}
        ways = {"face": PagePhoto(blurred=self.redacted), "voice": PageClip()}
        for item, result in prepared_media(self.shown.values(), ways, workers, progress):
            if isinstance(result, Failure):
                failed[item.id] = result.reason
                continue
            name = media.put(result.sample.tobytes(), "jpg" if item.modality == "face" else "mp3")
            outline = [each // 4 for each in result.others[0].sample.tolist()] if result.others else []
            self.media[item.modality, item.id] = {"media": name, "outline": outline, "seconds": result.seconds}
        return failed

    def to_page(self) -> list[PageItem]:
        """As the page shows them."""
        named = _Named() if not self.redacted else _Nameless()
        return [
            PageItem(modality=item.modality, name=named.name(item), identity=named.identity(item),
                     traits=named.traits(item.columns), **self.media.get(key, {}))
            for key, item in self.shown.items()
        ]  # fmt: skip


class _Named:
    """Items with all that is known of them."""

    def name(self, item: ShownItem) -> str:
        return item.id

    def identity(self, item: ShownItem) -> str:
        return item.identity

    def traits(self, columns: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in columns.items() if value}


class _Nameless:
    """Items by number, with what does not tell who they are."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._counts: dict[str, count] = {}

    def _number(self, kind: str, text: str) -> str:
        if (kind, text) not in self._numbers:
            self._numbers[kind, text] = next(self._counts.setdefault(kind, count(1)))
        return f"{kind} {self._numbers[kind, text]}"

    def name(self, item: ShownItem) -> str:
        return self._number({"voice": "clip", "face": "photo"}[item.modality], item.id)

    def identity(self, item: ShownItem) -> str:
        return self._number("person", item.identity)

    def traits(self, columns: Mapping[str, str]) -> dict[str, str]:
        told = {name: columns[name] for name in TOLD if columns.get(name)}
        return told | {name: self._number(name, columns[name]) for name in NUMBERED if columns.get(name)}


def _title(runs: Sequence[ReportedRun]) -> str:
    names = list(dict.fromkeys(run.name for run in runs))
    return f"vfsearch: {', '.join(names)}" if len(names) <= 3 else f"vfsearch: {len(names)} runs"


def _speed(runs: Sequence[ReportedRun]) -> TextTable | None:
    """How fast the searches of runs were, on what."""
    rows = []
    for run in runs:
        outcome = run.outcome
        for each in outcome.measurements:
            if each.protocol == "search":
                latency = (
                    each.latency_median_seconds, each.latency_p95_seconds, each.latency_p99_seconds,
                )  # fmt: skip
                rows.append((
                    run.name, each.direction, outcome.made_from.get("backend", "-"), f"{outcome.counts['probes']:,}",
                    f"{outcome.counts['gallery']:,}", f"{each.probes_per_second:,.0f}",
                    *(f"{1000 * value:.3f}" for value in latency), f"{outcome.peak_memory_bytes / 2**20:,.0f}",
                    outcome.machine.get("processor") or outcome.device,
                ))  # fmt: skip
    head = ("run", "direction", "index", "probes", "gallery", "probes/s", "median ms", "p95 ms", "p99 ms",
            "peak memory, MiB", "processor")  # fmt: skip
    return TextTable(head=head, rows=rows) if rows else None
