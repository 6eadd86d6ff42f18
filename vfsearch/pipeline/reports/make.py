"""`vfsearch report`: what runs measured, as tables, diagrams, figures and films."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vfsearch.data.plot import Plot, Shares
from vfsearch.data.result_table import ResultTable
from vfsearch.errors import SettingsError
from vfsearch.files import make_folder, write_file
from vfsearch.pipeline.reports.answers import Answers, searches
from vfsearch.pipeline.reports.curves import other_plots
from vfsearch.pipeline.reports.film import write_answers_film
from vfsearch.pipeline.reports.media import NOT_LISTED, views
from vfsearch.pipeline.reports.page import PageContent, write_page
from vfsearch.pipeline.reports.reasons import causes
from vfsearch.pipeline.reports.run_plots import run_plots
from vfsearch.pipeline.reports.runs import Reported, reported
from vfsearch.pipeline.reports.table import result_table
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.report.answers_figure import answers_files
from vfsearch.report.bars import shares_files
from vfsearch.report.drawing import FORMATS
from vfsearch.report.plots import plot_files
from vfsearch.report.tables import csv_table, latex_table, markdown_table

PARTS = ("page", "tables", "curves", "figure", "video")
FIGURE_PIXELS = 160


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """What a report holds.

    Args:
        parts: of `PARTS`.
        measures: names of those in the tables; none: all that were measured.
        digits: of figures in tables, after the point.
        published: show reported results of the method beside them.
        formats: of diagrams and figures, of "png", "svg", "pdf".
        probes: how many probes figures and films show, drawn from `seed`.
        ids: of the probes that they show; none: drawn.
        page_probes: how many of each run the page shows, drawn alike.
        seed: of the draws.
        redact: blur faces and show no ids.
        workers: decoding processes.
    """

    parts: Sequence[str] = PARTS
    measures: Sequence[str] = ()
    digits: int = 1
    published: bool = True
    formats: Sequence[str] = FORMATS
    probes: int = 6
    ids: Sequence[str] = ()
    page_probes: int = 1000
    seed: int = 1
    redact: bool = False
    workers: int = 2

    def __post_init__(self) -> None:
        for what, given, known in (("part", self.parts, PARTS), ("format", self.formats, FORMATS)):
            if not given or set(given) - set(known):
                raise SettingsError(f"the {what}s are {', '.join(given) or 'none'}: wanted some of {', '.join(known)}")
        if self.digits < 0:
            raise SettingsError(f"figures with {self.digits} digits: it must be 0 or more")
        if min(self.probes, self.page_probes) < 1:
            raise SettingsError(f"a figure of {self.probes} probes, a page of {self.page_probes}: want 1 or more")


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """A report on disk.

    Args:
        folder: it is in.
        runs: name and folder of each.
        files: that were written.
        table: of the figures; None where no tables were asked for.
        unseen: id -> why an item can be neither seen nor heard.
    """

    folder: Path
    runs: list[tuple[str, Path]]
    files: list[Path]
    table: ResultTable | None
    unseen: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> dict[str, str]:
        """Those that have a file."""
        return {id_: reason for id_, reason in self.unseen.items() if reason != NOT_LISTED}


def make_report(
    workspace: Workspace,
    runs: Sequence[str],
    folder: Path,
    settings: ReportSettings | None = None,
    progress: Progress = silent,
) -> ReportFiles:
    """Write the report of some runs; files of an earlier one with the same names are replaced.

    Args:
        workspace: with the runs, and with the manifest that says where the media are.
        runs: see `reported`.
        folder: where to.
        settings: what it holds.
        progress: called with runs read and diagrams drawn.
    Raises:
        ArtefactError: there is no such run, or nothing to show.
        DamagedError: a file of a run is damaged.
        UnknownNameError: no measure is named so.
    """
    settings = settings or ReportSettings()
    of, parts = reported(workspace, runs), set(settings.parts)
    found = of.runs
    table = _table(of, settings) if parts & {"tables", "page"} else None
    answers = searches(workspace, found, settings.ids) if parts - {"tables"} else []
    plots = (
        [*run_plots(found, progress), *other_plots(workspace, found, of.measured)] if parts & {"curves", "page"} else []
    )
    files = _write_tables(table, folder, settings.digits) if table and "tables" in parts else []
    if "curves" in parts:
        drawn = [*plots, *causes(answers)]
        files += _write_plots(drawn, folder / "curves", tuple(settings.formats), progress)
    unseen: dict[str, str] = {}
    for each in answers if parts & {"figure", "video"} else ():
        places = each.chosen(settings.probes, settings.seed, settings.ids)
        if "figure" in parts and places:
            files += _write_figure(each, places, folder / "figures", settings, unseen, progress)
        if "video" in parts and places:
            files += _write_film(each, places, folder / "videos", settings, unseen, progress)
    if "page" in parts:
        content = PageContent(
            runs=found, results=table, digits=settings.digits, plots=plots, redacted=settings.redact,
            answers=[(each, _on_page(each, settings)) for each in answers],
        )  # fmt: skip
        written, failed = write_page(folder, content, settings.workers, progress)
        files, unseen = [*written, *files], unseen | failed
    names = [*((run.name, run.folder) for run in found), *of.measured]
    return ReportFiles(folder=folder, runs=names, files=files, table=table, unseen=unseen)


def _on_page(answers: Answers, settings: ReportSettings) -> list[int]:
    """Places of the probes that the page shows: those that were named are among them."""
    named = answers.chosen(0, ids=settings.ids) if settings.ids else []
    return sorted({*answers.chosen(settings.page_probes, settings.seed), *named})


def _write_tables(table: ResultTable, folder: Path, digits: int) -> list[Path]:
    texts = {
        "results.md": markdown_table(table, digits),
        "results.tex": latex_table(table, digits),
        "results.csv": csv_table(table),
    }
    return _written(folder / "tables", {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()})


def _table(of: Reported, settings: ReportSettings) -> ResultTable | None:
    """The figures of the runs; none where only other measurements were named."""
    return result_table(of.runs, settings.measures, settings.published) if of.runs else None


def _write_plots(
    plots: Sequence[Plot | Shares], folder: Path, formats: tuple[str, ...], progress: Progress
) -> list[Path]:
    files = []
    for done, plot in enumerate(plots, start=1):
        drawn = plot_files(plot, formats) if isinstance(plot, Plot) else shares_files(plot, formats)
        files += _written(folder, {f"{plot.name}.{format_}": data for format_, data in drawn.items()})
        progress("diagrams", done, len(plots))
    return files


def _write_figure(
    answers: Answers,
    places: Sequence[int],
    folder: Path,
    settings: ReportSettings,
    unseen: dict[str, str],
    progress: Progress,
) -> list[Path]:
    shown = [answers[place] for place in places]
    items = [item for answer in shown for item in (answer.probe, *(hit.item for hit in answer.hits))]
    pictures, failed = views(items, FIGURE_PIXELS, settings.redact, settings.workers, progress)
    unseen |= failed
    run = answers.run
    asked = run.outcome.settings
    title = f"{asked['probe']} to {asked['gallery']}: {len(shown)} of {len(answers):,} probes"
    drawn = answers_files(
        shown, lambda item: pictures.get((item.modality, item.id)), title, tuple(settings.formats), not settings.redact
    )  # fmt: skip
    return _written(folder, {f"answers-{run.folder.name}.{format_}": data for format_, data in drawn.items()})


def _write_film(
    answers: Answers,
    places: Sequence[int],
    folder: Path,
    settings: ReportSettings,
    unseen: dict[str, str],
    progress: Progress,
) -> list[Path]:
    path = folder / f"answers-{answers.run.folder.name}.mp4"
    failed = write_answers_film(path, answers, places, settings.redact, settings.workers, progress)
    unseen |= failed or {}
    return [] if failed is None else [path]


def _written(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    make_folder(folder)
    for name, data in contents.items():
        write_file(folder / name, data)
    return [folder / name for name in contents]
