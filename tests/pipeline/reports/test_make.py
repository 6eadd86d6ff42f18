import json

import numpy as np
import pytest

from vfsearch.errors import ArtefactError, DamagedError, SettingsError, UnknownNameError
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.reports.make import ReportSettings, make_report
from vfsearch.pipeline.reports.run_plots import run_plots
from vfsearch.pipeline.reports.runs import reported_runs
from vfsearch.pipeline.reports.table import result_table
from vfsearch.pipeline.runs import read_run_artefact
from vfsearch.tables import get_array, reading


@pytest.fixture
def place(built):
    for probe, gallery, name in (("voice", "face", "v2f"), ("face", "voice", "f2v")):
        query(built, QuerySettings(probe=probe, gallery=gallery, n=(2, 3), k=3), name=name)
    query(built, QuerySettings(probe="voice", gallery="face", n=(2,), k=3, seed=2), name="again")
    return built


def raw(place, run, name):
    with reading(read_run_artefact(place.run_folder(run)).read("neighbors.h5"), run) as file:
        return get_array(file, name)


def plots_of(place, *named):
    return {plot.name: plot for plot in run_plots(reported_runs(place, named))}


def test_all_is_written_twice_alike(place, tmp_path):
    made = make_report(place, ["v2f", "f2v"], tmp_path / "r")
    assert all(path.is_file() for path in made.files) and len(made.files) == 1 + 3 + 3 * 21
    before = {path: path.read_bytes() for path in made.files}
    make_report(place, ["v2f", "f2v"], tmp_path / "r")
    assert before == {path: path.read_bytes() for path in made.files}


def test_runs_are_found_named_and_labelled(place):
    names = [run.name for run in reported_runs(place)]
    assert {"again", "f2v", "v2f"} <= set(names) and names == sorted(names)
    ours, other = reported_runs(place, ["ours=v2f", str(place.run_folder("f2v"))])
    assert (ours.name, other.name) == ("ours", "f2v") and ours.folder == place.run_folder("v2f")


def test_a_table_shows_what_the_outcomes_say(place):
    table = result_table(reported_runs(place, ["a=v2f", "a=f2v", "b=again"]), ["accuracy", "mAP"])
    assert [column.title for column in table.columns] == ["1:2 accuracy", "1:3 accuracy", "mAP"]
    assert [(row.name, row.direction, row.reported) for row in table.rows] == [
        ("Wen et al., CVPR 2021", "voice to face", True), ("a", "voice to face", False), ("b", "voice to face", False),
        ("Wen et al., CVPR 2021", "face to voice", True), ("a", "face to voice", False),
    ]  # fmt: skip
    outcome = json.loads(read_run_artefact(place.run_folder("v2f")).read("outcome.json"))
    wanted = {each["candidates"]: each["values"]["accuracy"]["value"] for each in outcome["measurements"][:2]}
    assert [table.rows[1].values[column].value for column in table.columns[:2]] == list(wanted.values())
    assert not any(row.reported for row in result_table(reported_runs(place, ["v2f"]), published=False).rows)


def test_a_figure_that_comes_twice_is_shown_once_and_said(place):
    table = result_table(reported_runs(place, ["a=v2f", "a=again"]))
    assert any(note.startswith("a: 1:2 accuracy, voice to face, comes twice") for note in table.notes)


def test_curves_are_those_of_the_scores(place):
    plots, scores, mated = (
        plots_of(place, "v2f"),
        *(raw(place, "v2f", f"verification/{n}") for n in ("scores", "mated")),
    )
    (roc,) = plots["roc-voice-to-face"].lines
    above = [scores >= threshold for threshold in sorted({np.inf, *scores})]
    rates = {(accepted[~mated].mean(), accepted[mated].mean()) for accepted in above}
    assert {tuple(point) for point in np.column_stack([roc.x, roc.y]).tolist()} <= rates
    histograms = plots["scores-voice-to-face"].lines
    assert [line.y[:-1].sum() for line in histograms] == pytest.approx([1.0, 1.0])
    recall, precision = (
        plots["precision-recall-voice-to-face"].lines[0].x,
        plots["precision-recall-voice-to-face"].lines[0].y,
    )
    assert recall[-1] == 1.0 and precision[-1] == pytest.approx(mated.mean())


def test_the_cmc_is_r_at_k(place):
    cmc, outcome = plots_of(place, "v2f")["cmc-voice-to-face"].lines[0], reported_runs(place, ["v2f"])[0].outcome
    retrieval = next(each for each in outcome.measurements if each.protocol == "retrieval")
    assert dict(zip(cmc.x, cmc.y, strict=True))[1] == pytest.approx(retrieval.values["R@1"].value)
    assert (np.diff(cmc.y) >= -1e-12).all() and cmc.y[-1] == pytest.approx(1.0) and cmc.x[-1] == retrieval.candidates


def test_runs_lie_over_one_another(place):
    plots = plots_of(place, "ours=v2f", "again")
    assert [line.name for line in plots["det-voice-to-face"].lines] == ["ours", "again"]
    assert [len(line.x) for line in plots["matching-voice-to-face"].lines] == [2, 1]


def test_what_cannot_be_reported(place, tmp_path):
    with pytest.raises(ArtefactError, match="no run at none"):
        make_report(place, ["none"], tmp_path / "r")
    with pytest.raises(SettingsError, match="v2f is named twice"):
        make_report(place, ["v2f", "a=v2f"], tmp_path / "r")
    with pytest.raises(SettingsError, match="no label before the equals sign"):
        make_report(place, ["=v2f"], tmp_path / "r")
    with pytest.raises(UnknownNameError, match=r"no  ?measure is named 'speed'"):
        make_report(place, ["v2f"], tmp_path / "r", ReportSettings(measures=("speed",)))
    with pytest.raises(ArtefactError, match="the runs v2f have no figure of minDCF"):
        make_report(place, ["v2f"], tmp_path / "r", ReportSettings(measures=("minDCF(0.01)",)))
    with pytest.raises(SettingsError, match="the parts are film: wanted some of page, tables, curves, figure, video"):
        ReportSettings(parts=("film",))
    with pytest.raises(SettingsError, match="figures with -1 digits"):
        ReportSettings(digits=-1)
    assert not (tmp_path / "r").exists()
    path = place.run_folder("v2f") / "outcome.json"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DamagedError):
        make_report(place, ["v2f"], tmp_path / "r")


def test_a_workspace_without_runs(place, tmp_path):
    from vfsearch.pipeline.workspace import Workspace

    with pytest.raises(ArtefactError, match=r"no run in .*runs: make one with `vfsearch query`"):
        reported_runs(Workspace(folder=tmp_path / "nothing"))
