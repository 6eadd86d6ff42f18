"""Whole benchmarks of tiny sizes, with made-up rates: what is checked is answers and shapes, never times."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from vfsearch.bench import kernels, measuring
from vfsearch.bench.contender import Contender
from vfsearch.bench.growth import growing_tasks
from vfsearch.bench.kernels import bench_growth, bench_kernels
from vfsearch.bench.oracle import Oracle
from vfsearch.bench.rates import Rates
from vfsearch.bench.saved import require_writable, save
from vfsearch.bench.settings import KERNELS, KernelBench
from vfsearch.bench.tables import heading, markdown, sheets
from vfsearch.data.neighbors import Neighbors
from vfsearch.errors import DoesNotFitError, SettingsError
from vfsearch.timing import machine

RATES = Rates(products={"int8 tiles": 1e12, "float32 tiles": 2e11, "float32 torch": 1e11}, reading={2**20: 1e10})
TINY = KernelBench(rows=(300,), probes=20, k=(5,), dimension=16, mates=10, pairs=100, threads=1, runs=1)


@pytest.fixture(autouse=True)
def known_rates(monkeypatch):
    monkeypatch.setattr(kernels, "measure_rates", lambda dimension, device: RATES)


@pytest.mark.parametrize(("metric", "dtype"), [("ip", "float32"), ("l2", "float16"), ("ip", "bf16")])
def test_everything_once(metric, dtype):
    told = []
    report = bench_kernels(replace(TINY, metric=metric, dtype=dtype), lambda *step: told.append(step))
    assert [each.task.kernel for each in report.results] == list(KERNELS) and report.all_exact
    for result in report.results:
        assert result.ways[0].ours and result.floors and not result.left_out
        assert [way.agreement.exact for way in result.ways if way.ours] in ([True], [True, True])
        others = [way for way in result.ways if not way.ours and way.agreement]
        assert others and all(not way.agreement.same < 0.9 for way in others)
        assert result.ratio_of_ours(result.ways[0]) == 1
    assert told[0] == ("rates of the machine", 0, 1) and ("topk 20 × 300, k 5", 1, 1) in told
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert document["all_exact"] and len(document["results"]) == 4 and document["settings"]["dtype"] == dtype
    assert document["results"][0]["ways"][0]["agreement"]["exact"] is True


def test_tables():
    report = bench_kernels(replace(TINY, kernels=("topk", "single")))
    rates, topk, single = sheets(report)
    assert ("product, int8 tiles", "1,000 G operations/s") in rates.rows
    assert topk.title == "Top 5 of 300 rows for 20 probes, dimension 16, inner product, gallery in float32"
    assert all(len(row) == len(sheet.columns) for sheet in (rates, topk, single) for row in sheet.rows)
    assert topk.rows[0][0] == "vfsearch, gallery prepared" and topk.rows[0][-1] == "yes" and topk.rows[0][4] == "1"
    assert topk.rows[-2][0].startswith("floor: int8, 192,000 operations") and "p95" in single.rows[0][1]
    assert "1 threads for all" in heading(report)
    text = markdown(report)
    assert text.startswith("# Kernels\n") and "| --- | ---: |" in text and topk.title in text


@pytest.mark.parametrize(("load", "said"), [(0.1, False), (3.0, True), (None, False)])
def test_a_busy_machine_is_told(monkeypatch, load, said):
    monkeypatch.setattr(kernels, "_load", lambda: load)
    monkeypatch.setattr("vfsearch.bench.kernels.machine", lambda: {**machine(), "cores": 2})
    text = markdown(bench_kernels(replace(TINY, kernels=("pairs",))))
    assert ("other work ran on the machine" in text) == said
    assert (f"load {load} before the run" in text) == (load is not None)


def test_a_wrong_answer_of_ours_is_said(monkeypatch):
    def backwards(queries, vectors, k, **ignored):
        shape = (len(queries), k)
        return Neighbors(rows=np.zeros(shape, np.int64), scores=np.zeros(shape))

    monkeypatch.setattr("vfsearch.bench.kernels_topk.topk", backwards)
    report = bench_kernels(replace(TINY, kernels=("topk",)))
    assert not report.all_exact and sheets(report)[1].rows[0][-1] == "NO"
    assert not report.to_json()["all_exact"]


def test_what_others_cannot_do_is_left_out(monkeypatch):
    def failing():
        raise RuntimeError("k is too large\nsecond line")

    def contenders(problem, oracle):
        ours = measuring.topk_contenders(problem, oracle)[:1]
        return [*ours, Contender(name="theirs", build=failing, agreement=None)]

    monkeypatch.setitem(measuring.CONTENDERS, "topk", contenders)
    report = bench_kernels(replace(TINY, kernels=("topk",)))
    assert report.results[0].left_out == ("theirs: k is too large",)
    assert "left out: theirs: k is too large" in markdown(report)


def test_ours_must_not_fail(monkeypatch):
    def failing():
        raise RuntimeError("ours")

    monkeypatch.setitem(
        measuring.CONTENDERS, "topk", lambda *of: [Contender(name="ours", build=failing, agreement=None, ours=True)]
    )
    with pytest.raises(RuntimeError, match="ours"):
        bench_kernels(replace(TINY, kernels=("topk",)))


def test_a_sample_is_extrapolated_and_said(monkeypatch):
    monkeypatch.setattr("vfsearch.bench.kernels_topk.MOST_SCORES", 1)
    monkeypatch.setattr("vfsearch.bench.kernels_topk.LEAST_PROBES", 2)
    report = bench_kernels(replace(TINY, kernels=("topk",), probes=40))
    way = next(each for each in report.results[0].ways if each.name.startswith("numpy product +"))
    asked = len(np.union1d(np.linspace(0, 39, 16).astype(int), [0, 1]))
    assert way.share == asked / 40 and way.seconds == pytest.approx(way.times.median * 40 / asked)
    sheet = sheets(report)[1]
    assert "numpy product + argpartition *" in [row[0] for row in sheet.rows]
    assert f"numpy product + argpartition: {asked}" in sheet.notes[0]


def test_nothing_is_built_that_does_not_fit(monkeypatch):
    monkeypatch.setattr(kernels, "measure", None)
    for call in (bench_kernels, bench_growth):
        with pytest.raises(DoesNotFitError, match="takes about"):
            call(replace(TINY, max_memory=1000))


def test_growth():
    report = bench_growth(replace(TINY, kernels=("topk", "ranks", "pairs")), most=1e5)
    assert [each.kernel for each in report.growth] == ["topk", "ranks"] and report.all_exact
    for growth in report.growth:
        assert len(growth.points) == 7 and math.isfinite(growth.exponent)
        assert growth.points[-1].scores == pytest.approx(1e5, rel=0.01)
        assert all(point.result_bytes > 0 for point in growth.points)
    sheet = sheets(report)[0]
    assert sheet.title == "Growth of topk" and sheet.notes[0].startswith("fitted: seconds grow as scores^")
    assert len(json.loads(json.dumps(report.to_json(), allow_nan=False))["growth"][0]["points"]) == 7


def test_sizes_that_grow():
    settings = KernelBench()
    assert [each.rows * each.probes for each in growing_tasks("topk", settings, 1e11)] == pytest.approx(
        [10 ** (8 + step / 2) for step in range(7)], rel=1e-3
    )
    assert [each.k for each in growing_tasks("topk", settings, 1e9)] == [10, 10, 10]
    assert {each.k for each in growing_tasks("topk", KernelBench(k=(3, 4)), 1e9)} == {3}


@pytest.mark.parametrize(
    ("changes", "most", "said"),
    [
        ({"kernels": ("pairs", "single")}, 1e6, "growth is measured of topk and ranks, not of pairs, single"),
        ({}, 100, "most is 100 scores, it must be at least 10000"),
        ({}, math.nan, "most is nan scores"),
        ({"device": "abacus"}, 1e6, "the device is 'abacus'"),
    ],
)
def test_growth_that_cannot_be(changes, most, said):
    with pytest.raises(SettingsError, match=said):
        bench_growth(replace(TINY, **changes), most)


def test_saved(tmp_path):
    report = bench_kernels(replace(TINY, kernels=("pairs",)))
    path = tmp_path / "new" / "kernels.md"
    require_writable(path)
    save(report, path)
    assert path.read_text(encoding="utf-8") == markdown(report)
    save(report, None)
    require_writable(None)
    with pytest.raises(SettingsError, match="is a folder: name the file"):
        require_writable(tmp_path)


def test_the_oracle_asks_the_first_and_the_last_probe():
    from vfsearch.bench.problem import make_problem
    from vfsearch.bench.settings import tasks

    oracle = Oracle(make_problem(tasks(TINY)[0], TINY))
    assert oracle.probes[0] == 0 and oracle.probes[-1] == 19
