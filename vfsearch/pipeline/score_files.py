"""`vfsearch score`: everything from files of scores alone, no model and no vectors."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vfsearch.data.outcome import Outcome
from vfsearch.data.trial_list import TrialList
from vfsearch.errors import SettingsError
from vfsearch.pipeline.list_people import identity_sources, with_table
from vfsearch.pipeline.list_query import names_of_lists
from vfsearch.pipeline.list_vectors import sha256_of
from vfsearch.pipeline.measuring import MeasuringSettings
from vfsearch.pipeline.peer_figures import peer
from vfsearch.pipeline.run_machine import run_machine
from vfsearch.pipeline.score_answers import Scoring
from vfsearch.pipeline.score_groups import Groups
from vfsearch.pipeline.score_points import CurveFile
from vfsearch.progress import Progress, silent
from vfsearch.timing import Phases, peak_memory_bytes
from vfsearch.trials.fame_zip import read_submission
from vfsearch.trials.formats.catalog import open_trials


@dataclass(frozen=True, kw_only=True)
class ScoreSettings(MeasuringSettings):
    """How to measure files of scores: measures, format, seed, resamples.

    Args:
        compat: name of a peer whose arithmetic is reproduced beside ours; None: of none.
        by: columns of the tables of identities: figures for each group of people too.
    """

    compat: str | None = None
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.compat is not None:
            peer(self.compat)


def score_files(
    files: Sequence[Path],
    settings: ScoreSettings | None = None,
    trials: Sequence[Path] = (),
    qrels: Path | None = None,
    identities: Sequence[Path] = (),
    points: Path | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Measure files of scores.

    A file may hold verification trials (with labels, or without them: then `trials` has them), 1:N matching trials,
    or a run of ranked lists (`qrels` says what is relevant).

    Args:
        files: the scores, one measurement each.
        settings: how to measure; None: the usual way.
        trials: lists that say what is mated; a file's scores are looked up by the names of their trials.
        qrels: what is relevant to each probe of ranked lists.
        identities: tables of whose the items are, for the intervals; none: the files themselves, else their labels.
        points: where to write the ROC and DET curves of verification trials, as CSV.
        progress: called with files done.
    Raises:
        TrialListError: a file cannot be read, or does not say what is mated, nor does another.
        SettingsError: no file, or an unknown measure.
    """
    settings = settings or ScoreSettings()
    if not files:
        raise SettingsError("no file is given: name at least one file of scores")
    phases = Phases()
    sources = identity_sources(identities)
    opened = {
        name: scores
        for each, path in names_of_lists(files).items()
        for name, scores in _opened(each, path, settings.format).items()
    }
    scoring = Scoring(
        lists=[with_table(open_trials(path), sources) for path in trials],
        relevance=None if qrels is None else open_trials(qrels),
        sources=sources,
        measures=settings.measures,
        compat=settings.compat,
        resampling=settings.resampling,
        curves=CurveFile(points),
        groups=Groups(table=sources.table, columns=settings.by),
        phases=phases,
    )
    found = {}
    for done, (name, scores) in enumerate(opened.items(), start=1):
        found[name] = scoring.measured(name, scores)
        progress("files", done, len(opened))
    scoring.curves.write()
    return Outcome(
        settings=asdict(settings),
        made_from=_digests(files, trials, qrels, identities),
        measurements=tuple(measurement for measurement, _ in found.values()),
        counts={"lists": {name: counts for name, (_, counts) in found.items()}},
        seconds=phases.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        device="cpu",
        machine=run_machine(),
    )


def _opened(name: str, path: Path, format: str | None) -> dict[str, TrialList]:
    """The scores in a file; those of each part of a submission to the FAME challenge."""
    if format is None and path.suffix.lower() == ".zip":
        return {f"{name}/{Path(part.file_name).stem}": scores for part, scores in read_submission(path).items()}
    return {name: open_trials(path, format)}


def _digests(files: Sequence[Path], trials: Sequence[Path], qrels: Path | None, identities: Sequence[Path]) -> dict:
    named = {"files": files, "trials": trials, "qrels": [qrels] if qrels else [], "identities": identities}
    return {what: {str(path): sha256_of(path) for path in paths} for what, paths in named.items()}
