import json

import numpy as np
import pytest

from vfsearch.errors import ArtefactError, DamagedError
from vfsearch.pipeline.bench_indices import BenchSettings, bench_folder, bench_indices
from vfsearch.pipeline.curve_settings import CurveSettings
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.index_bench import save_bench
from vfsearch.pipeline.pooling_curve import pooling_curve
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.reports.curves import other_plots
from vfsearch.pipeline.reports.make import ReportSettings, make_report
from vfsearch.pipeline.reports.runs import reported
from vfsearch.pipeline.saved_curve import curve_folder, save_curve
from vfsearch.pipeline.searched_index import SearchSettings
from vfsearch.pipeline.workspace import Workspace


@pytest.fixture
def place(built):
    query(built, QuerySettings(probe="voice", gallery="face", n=(2,), k=3), name="run")
    return built


@pytest.fixture
def curve(place):
    found = pooling_curve(place, CurveSettings(probe="voice", gallery="face", measures=("mAP",)))
    folder = curve_folder(place, found)
    save_curve(found, folder)
    return folder


def plots(place, *named):
    of = reported(place, named)
    return {plot.name: plot for plot in other_plots(place, of.runs, of.measured)}


def test_accuracy_against_what_is_pooled(place, curve):
    document = json.loads((curve / "pooling-curve.json").read_text())
    points = document["lines"][0]["points"]
    (line,) = plots(place)["pooling-voice-to-face-mAP-items"].lines
    assert line.name == curve.name and line.x.tolist() == [point["items"] for point in points]
    assert line.y.tolist() == [point["values"]["mAP"]["value"] for point in points]
    (named,) = plots(place, "run", f"ours={curve.name}")["pooling-voice-to-face-mAP-items"].lines
    assert named.name == "ours" and "pooling-voice-to-face-mAP-items" not in plots(place, "run")


def test_measured_indices_by_their_best_settings(place):
    settings = BenchSettings(modality="face", presets=("exact", "clustered"), runs=1, split="test")
    folder = bench_folder(place, settings)
    save_bench(bench_indices(place, settings, folder, "cpu"), folder, None)
    plot = plots(place)[f"indices-{folder.name}"]
    assert [line.name for line in plot.lines] == ["exact", "clustered"] and plot.y_scale == "log"
    for line in plot.lines:
        assert (np.diff(line.x) >= 0).all() and (np.diff(line.y) < 0).all() and len(line.x) >= 1


def test_approximate_searches_beside_exact_ones(place):
    assert "speed-voice-to-face" not in plots(place)
    build_indices(place, ["face"], [IndexRequest(preset="clustered", parameters={"lists": 4}, name="other")])
    other = Workspace(folder=place.folder, index=place.index_folder("other"))
    few = SearchSettings(knobs={"nprobe": 1})
    query(other, QuerySettings(probe="voice", gallery="face", n=(2,), k=3, search=few), name="fast")
    points = {line.name: (line.x[0], line.y[0]) for line in plots(place)["speed-voice-to-face"].lines}
    assert points["run"][0] == 1.0 and 0 < points["fast"][0] <= 1.0 and points["fast"][1] > 0


def test_the_training_of_the_model_that_the_runs_were_made_with(place, tmp_path):
    found = plots(place)
    assert {"identity-weight", "identity-hardness"} <= set(found) and any(
        name.startswith("training-") for name in found
    )
    (weights,) = found["identity-weight"].lines
    (hardness,) = found["identity-hardness"].lines
    assert (
        len(weights.y) == len(hardness.y) and (np.diff(hardness.y) >= 0).all() and not found["identity-weight"].joined
    )
    losses = next(plot for name, plot in found.items() if name.startswith("training-"))
    assert [line.name for line in losses.lines] == ["total", "implicit", "explicit"]
    other = Workspace(folder=place.folder, model=tmp_path / "none")
    assert other_plots(other, reported(place, ["run"]).runs, []) == []


def test_a_measurement_alone(place, curve, tmp_path):
    made = make_report(
        place, [str(curve)], tmp_path / "r", ReportSettings(parts=("page", "tables", "curves"), workers=0)
    )
    names = {path.name for path in made.files}
    assert {"index.html", "pooling-voice-to-face-mAP-items.png"} <= names and "results.md" not in names


def test_what_is_damaged_or_not_there(place, curve, tmp_path):
    path = curve / "pooling-curve.json"
    for text in ("{", "[]", '{"lines": [{}]}'):
        path.write_text(text)
        with pytest.raises(DamagedError, match=r"pooling-curve\.json is not what vfsearch wrote"):
            plots(place)
    path.unlink()
    with pytest.raises(ArtefactError):
        plots(place, str(curve))
