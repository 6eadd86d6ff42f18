"""What runs measured, as diagrams: several runs in one, a diagram a direction."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.outcome import Measurement
from vfsearch.data.plot import Line, Plot
from vfsearch.data.scored import ScoredPairs, ScoredRanking
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, UNKNOWN, VERIFICATION
from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.curve_points import det_points, roc_points
from vfsearch.measure.operating_points import OperatingPoints
from vfsearch.measure.sorted_pairs import curve
from vfsearch.pipeline.reports.runs import ReportedRun
from vfsearch.pipeline.scored_run import COMPARED, ScoredPart, scored_parts
from vfsearch.progress import Progress, silent

BINS = 40
PLACES = 60
"""At most so many places of a ranked list in a curve over them."""


def run_plots(runs: Sequence[ReportedRun], progress: Progress = silent) -> list[Plot]:
    """ROC, DET, precision-recall, score, CMC and accuracy-against-N diagrams of runs, as far as they measured them.

    Args:
        runs: those of one name share a colour.
        progress: called with runs read.
    Raises:
        DamagedError: a file of a run is damaged.
    """
    pairs: dict[str, list[tuple[str, ScoredPairs]]] = {}
    rankings: dict[str, list[tuple[str, ScoredRanking]]] = {}
    for done, run in enumerate(runs, start=1):
        for direction, part in _parts(run):
            about = f"{direction}{_of_list(part)}"
            if part.protocol == VERIFICATION and (found := _pairs(part)) is not None:
                pairs.setdefault(about, []).append((run.name, found))
            elif part.protocol == RETRIEVAL:
                rankings.setdefault(about, []).append((run.name, part.answers.ranking))
        progress("runs", done, len(runs))
    return [
        *(plot for about in sorted(pairs, key=_voices_first) for plot in _of_pairs(about, pairs[about])),
        *(plot for about in sorted(rankings, key=_voices_first) for plot in _of_rankings(about, rankings[about])),
        *_of_matching(runs),
    ]


def _voices_first(about: str) -> bool:
    return not about.startswith("voice")


def _parts(run: ReportedRun) -> Iterator[tuple[str, ScoredPart]]:
    measured = [each for each in run.outcome.measurements if each.values and each.protocol in COMPARED]
    if measured:
        for measurement, part in zip(measured, scored_parts(run.folder), strict=True):
            yield _about(measurement), part


def _about(measurement: Measurement) -> str:
    group = "" if measurement.group == "U" else f", {measurement.group}"
    return f"{measurement.direction}{group}"


def _of_list(part: ScoredPart) -> str:
    """The name of a list, where a run was of lists."""
    return "" if ", " in part.name else f", {part.name}"


def _pairs(part: ScoredPart) -> ScoredPairs | None:
    """Scores and labels; None where a list does not say who is mated."""
    blocks = list(part.answers.blocks())
    scores = np.concatenate([block.scores[:, 0] for block in blocks])
    mated = np.concatenate([block.mated for block in blocks])
    if (mated == UNKNOWN).any():
        return None
    nobody = np.zeros(len(scores), np.int64)
    return ScoredPairs(scores=scores, mated=mated == 1, probes=nobody, items=nobody, identities=("",))


def _of_pairs(about: str, found: Sequence[tuple[str, ScoredPairs]]) -> Iterator[Plot]:
    points = [(name, curve(pairs)) for name, pairs in found if 0 < pairs.mated.sum() < len(pairs)]
    if not points:
        return
    even = np.array([0.0, 1.0])
    yield Plot(
        name=file_name("roc", about), title=f"ROC, {about}", x="false match rate", y="true match rate",
        lines=[_line(name, roc_points(each)[:, 1:3]) for name, each in points],
        chance=Line(name="chance", x=even, y=even),
    )  # fmt: skip
    rates = np.geomspace(1e-4, 0.999, 200)
    yield Plot(
        name=file_name("det", about), title=f"DET, {about}", x="false match rate", y="false non-match rate",
        lines=[_line(name, det_points(each)[:, 1:3]) for name, each in points],
        x_scale="probit", y_scale="probit", chance=Line(name="chance", x=rates, y=1 - rates),
    )  # fmt: skip
    share = float(np.mean([pairs.mated.mean() for _, pairs in found]))
    yield Plot(
        name=file_name("precision-recall", about), title=f"Precision and recall of verification, {about}", x="recall",
        y="precision", lines=[_line(name, _precision(each)) for name, each in points],
        chance=Line(name="chance", x=even, y=np.full(2, share)),
    )  # fmt: skip
    yield Plot(
        name=file_name("scores", about), title=f"Scores, {about}", x="score", y="share of its kind",
        lines=_histograms(found), steps=True,
    )  # fmt: skip


def _precision(points: OperatingPoints) -> np.ndarray:
    """(n, 2): recall and precision at each threshold that accepts anything."""
    accepted = points.mated + points.other
    some = accepted > 0
    return np.column_stack([points.tmr[some], points.mated[some] / accepted[some]])


def _histograms(found: Sequence[tuple[str, ScoredPairs]]) -> list[Line]:
    finite = np.concatenate([pairs.scores[np.isfinite(pairs.scores)] for _, pairs in found])
    edges = np.histogram_bin_edges(finite, BINS)
    lines = []
    for name, pairs in found:
        for kind, chosen in (("mated", pairs.mated), ("non-mated", ~pairs.mated)):
            counts = np.histogram(pairs.scores[chosen & np.isfinite(pairs.scores)], edges)[0]
            shares = counts / max(1, chosen.sum())
            shown = np.append(shares, shares[-1])
            lines.append(Line(name=f"{name}, {kind}", x=edges, y=shown, run=name, dashed=kind != "mated"))
    return lines


def _of_rankings(about: str, found: Sequence[tuple[str, ScoredRanking]]) -> Iterator[Plot]:
    found = [(name, ranking) for name, ranking in found if (ranking.ranks.mates > 0).any() or len(ranking.missing)]
    if not found:
        return
    longest = max(int(ranking.ranks.gallery.max(initial=1)) for _, ranking in found)
    places = np.unique(np.geomspace(1, longest, PLACES).round().astype(np.int64))
    yield Plot(
        name=file_name("cmc", about), title=f"CMC, {about}", x="place in the ranked list", x_scale="log",
        y="probes with a mate up to there", lines=[_over(name, ranking, "R@{}", places) for name, ranking in found],
    )  # fmt: skip
    lines = []
    for name, ranking in found:
        recall, precision = (_over(name, ranking, form, places).y for form in ("recall@{}", "P@{}"))
        lines.append(Line(name=name, x=recall, y=precision))
    yield Plot(
        name=file_name("precision-recall-retrieval", about), title=f"Precision and recall of retrieval, {about}",
        x="recall", y="precision", lines=lines,
    )  # fmt: skip


def _over(name: str, ranking: ScoredRanking, form: str, places: np.ndarray) -> Line:
    """The mean of a measure over the probes with mates, by how much of the list is looked at; missing probes are 0."""
    has, missing = ranking.ranks.mates > 0, len(ranking.missing)
    asked = max(1, int(has.sum()) + missing)
    values = [parse_measure(form.format(k)).figure()(ranking.ranks)[has].sum() / asked for k in places.tolist()]
    return Line(name=name, x=places.astype(np.float64), y=np.array(values))


def _of_matching(runs: Sequence[ReportedRun]) -> Iterator[Plot]:
    found: dict[str, dict[str, dict[int, Measurement]]] = {}
    for run in runs:
        for each in run.outcome.measurements:
            if each.protocol == MATCHING and "accuracy" in each.values and each.candidates and not each.list:
                found.setdefault(_about(each), {}).setdefault(run.name, {}).setdefault(each.candidates, each)
    for about in sorted(found, key=_voices_first):
        of_runs = found[about]
        sizes = sorted({size for measured in of_runs.values() for size in measured})
        if len(sizes) > 1:
            yield Plot(
                name=file_name("matching", about), title=f"1:N matching, {about}", x="candidates N", y="accuracy",
                x_scale="log2", mark=True, lines=[_matching(name, measured) for name, measured in of_runs.items()],
                chance=Line(name="chance", x=np.array(sizes, float), y=1 / np.array(sizes, float)),
            )  # fmt: skip


def _matching(name: str, measured: dict[int, Measurement]) -> Line:
    sizes = sorted(measured)
    values = [measured[size].values["accuracy"] for size in sizes]
    value, low, high = (np.array([getattr(each, part) for each in values]) for part in ("value", "low", "high"))
    return Line(name=name, x=np.array(sizes, float), y=value, low=low, high=high)


def _line(name: str, points: np.ndarray) -> Line:
    return Line(name=name, x=points[:, 0], y=points[:, 1])


def file_name(kind: str, about: str) -> str:
    """The name of a diagram's file, without what no file system likes."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9]+', '-', about).strip('-')}"
