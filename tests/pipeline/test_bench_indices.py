import csv
import json

import numpy as np
import pytest
from lossy_index import BACKEND

from vfsearch.devices import threads
from vfsearch.errors import DoesNotFitError, LockedError, SettingsError, UnknownNameError
from vfsearch.files import writer_lock
from vfsearch.index.settings import Knob
from vfsearch.index.share import Share
from vfsearch.index.sweep import Measured, Speed
from vfsearch.pipeline import bench_indices as module
from vfsearch.pipeline.bench_indices import SCRATCH, BenchSettings, bench_folder, bench_indices
from vfsearch.pipeline.bench_ladder import MOST_POINTS, beside, rungs, worth_timing
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.index_bench import COLUMNS, csv_text, save_bench

FEW = {"presets": ("exact", BACKEND), "probes": 20, "k": 5, "runs": 1}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_kinds_are_measured_beside_the_exact_engine(built, out):
    found = bench_indices(built, BenchSettings(**FEW), out)
    exact, lossy = found.presets
    assert (found.modality, found.probe, found.rows, found.probes, found.k) == ("face", "voice", 60, 20, 5)
    assert [each.preset for each in found.presets] == ["exact", BACKEND]
    (point,) = exact.points
    assert point.recall.value == 1 and point.settings == {} and point.default
    recalls = [each.recall.value for each in lossy.points]
    assert recalls == sorted(recalls) and recalls[-1] == 1
    assert [each.settings for each in lossy.points if each.default] == [{"seen": 7}]
    assert found.failed == found.left_out == {}
    assert all(each.speed.probes_per_second > 0 and each.times_exact > 0 for each in lossy.points)


def test_scratch_is_gone_and_indices_stay_as_they_are(built, out):
    before = {path: path.read_bytes() for path in built.indices_folder.rglob("*") if path.is_file()}
    bench_indices(built, BenchSettings(**FEW), out)
    assert not (out / SCRATCH).exists()
    assert before == {path: path.read_bytes() for path in built.indices_folder.rglob("*") if path.is_file()}


def test_what_is_up_to_date_is_not_built(built, out):
    exact, lossy = bench_indices(built, BenchSettings(**FEW), out).presets
    assert exact.build_seconds is None and lossy.build_seconds > 0 and lossy.disk_bytes > 60 * 16 * 4
    build_indices(built, ["face"], [IndexRequest(preset=BACKEND)])
    _, lossy = bench_indices(built, BenchSettings(**FEW), out).presets
    assert lossy.build_seconds is None and lossy.build_memory_bytes is None
    build_indices(built, ["face"], [IndexRequest(preset=BACKEND)], split="test", overwrite=True)
    assert bench_indices(built, BenchSettings(**FEW), out).presets[1].build_seconds > 0


def test_the_other_modality(built, out):
    found = bench_indices(built, BenchSettings(**FEW, modality="voice", probe="voice"), out)
    assert (found.modality, found.probe) == ("voice", "voice")
    assert found.presets[1].points[-1].recall.value == 1


def test_a_kind_that_fails_is_named_and_the_rest_goes_on(built, out, monkeypatch):
    true = module.build_index

    def build(folder, source, settings, *more):
        if settings.backend == BACKEND:
            raise RuntimeError("the library is out of memory")
        return true(folder, source, settings, *more)

    monkeypatch.setattr(module, "build_index", build)
    found = bench_indices(built, BenchSettings(**{**FEW, "presets": (BACKEND, "flat")}), out)
    assert found.failed == {BACKEND: "the library is out of memory"}
    assert [each.preset for each in found.presets] == ["exact", "flat"]


def test_kinds_that_do_not_fit_are_left_out(built, out, monkeypatch):
    monkeypatch.setattr("vfsearch.index.costs.PROCESS_BYTES", 0)
    monkeypatch.setattr("vfsearch.pipeline.plan_index.PROCESS_BYTES", 0)
    settings = BenchSettings(**{**FEW, "presets": ("hnsw",)}, max_memory=17_000)
    found = bench_indices(built, settings, out)
    assert list(found.left_out) == ["hnsw"] and "building it wants" in found.left_out["hnsw"]
    assert [each.preset for each in found.presets] == ["exact"]
    with pytest.raises(DoesNotFitError, match="not even the exact engine fits: building it wants"):
        bench_indices(built, BenchSettings(**FEW, max_memory=10), out)


def test_files(built, out):
    found = bench_indices(built, BenchSettings(**FEW), out)
    paths = save_bench(found, out)
    assert [path.name for path in paths] == ["index-bench.csv", "index-bench.json", "frontier.png"]
    rows = list(csv.DictReader((out / "index-bench.csv").open()))
    assert tuple(rows[0]) == COLUMNS and len(rows) == sum(len(each.points) for each in found.presets)
    assert rows[0]["preset"] == "exact" and rows[0]["recall"] == "1" and rows[0]["build_seconds"] == ""
    assert {row["settings"] for row in rows} >= {"", "seen=7"}
    document = json.loads((out / "index-bench.json").read_text())
    assert document["presets"][1]["points"][0]["settings"] == found.presets[1].points[0].settings
    assert document["frontier"] and document["machine"]["threads"] == threads()
    assert (out / "frontier.png").read_bytes().startswith(b"\x89PNG")
    elsewhere = out / "own.csv"
    assert save_bench(found, out, elsewhere)[0] == elsewhere and elsewhere.read_text() == csv_text(found)


def test_the_frontier_has_what_nothing_beats(built, out):
    found = bench_indices(built, BenchSettings(**FEW), out)
    best = [(point.speed.probes_per_second, point.recall.value) for _, point in found.frontier()]
    assert best == sorted(best, key=lambda each: -each[0]) and best == sorted(best, key=lambda each: each[1])
    assert best[-1][1] == 1


def test_the_folder_is_that_of_the_question(built):
    first, same, other = (bench_folder(built, BenchSettings(k=k)) for k in (10, 10, 5))
    assert first == same != other and first.name.startswith("index-bench-face-") and first.parent.name == "runs"


def test_a_second_one_waits_outside(built, out):
    with writer_lock(out), pytest.raises(LockedError):
        bench_indices(built, BenchSettings(**FEW), out)


def test_every_probe_of_the_split_may_ask(built, out):
    found = bench_indices(built, BenchSettings(**{**FEW, "probes": 200}), out)
    assert (found.probes, found.split) == (30, "train")
    assert any("only 30 of 200 probes" in each for each in found.warnings)
    assert not any("check" in each for each in found.warnings)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_a_stopped_one_leaves_no_empty_folder(built, out, monkeypatch, stop):
    def stopped(*more):
        raise stop

    monkeypatch.setattr(module, "swept", stopped)
    for folder, left in ((out, False), (out.parent / "own", True)):
        if left:
            folder.mkdir()
        # A kind that fails costs that kind; what is no failure of a library ends all.
        with pytest.raises(stop):
            bench_indices(built, BenchSettings(**FEW), folder)
        assert folder.exists() == left


def test_settings_check_themselves(built, out):
    with pytest.raises(SettingsError, match="want probes, k and runs of at least 1"):
        BenchSettings(k=0)
    with pytest.raises(SettingsError, match="the probe is 'ear', it must be voice or face"):
        BenchSettings(probe="ear")
    with pytest.raises(UnknownNameError, match="no kind of index is named 'nosuch'"):
        bench_indices(built, BenchSettings(presets=("nosuch",)), out)


def measured(value: int, recall: float, rate: float) -> Measured:
    share = Share(value=recall, error=0.0)
    return Measured(settings={"ef": value}, shares={"R@10": share}, speed=Speed(probes_per_second=rate))


def test_what_is_surely_beaten_is_not_timed():
    found = [measured(1, 0.6, 100), measured(2, 0.7, 110), measured(3, 0.7, 80), measured(4, 0.4, 900)]
    assert [each.settings["ef"] for each in worth_timing(found, {})] == [1, 2]
    # The default always is, however slow it is.
    assert [each.settings["ef"] for each in worth_timing(found, {"ef": 3})] == [1, 2, 3]


def test_of_many_some_are_timed():
    found = [measured(value, 0.5 + value / 1000, 1e6 / (1 + value)) for value in range(100)]
    chosen = worth_timing(found, {"ef": 50})
    assert len(chosen) in (MOST_POINTS, MOST_POINTS + 1)
    assert {0, 50, 99} <= {each.settings["ef"] for each in chosen}


@pytest.mark.parametrize("ladder", [(5,), tuple(range(1, 200))])
def test_rungs_are_wider_and_have_the_default(ladder):
    knob = Knob(name="ef", default=ladder[len(ladder) // 2], low=1, high=200, ladder=ladder, help="")
    found = rungs(knob)
    assert found == sorted(set(found)) and {ladder[0], ladder[-1], knob.default} <= set(found)
    assert len(found) < 20
    assert beside(knob)[np.searchsorted(beside(knob), knob.default)] == knob.default
