import numpy as np
import pytest
from builders import make_embeddings, unit_rows
from partial_index import BACKEND

from vfsearch.data.row_source import rows_in_memory
from vfsearch.errors import SettingsError
from vfsearch.index import sweep
from vfsearch.index.backends import open_index
from vfsearch.index.building import build_index
from vfsearch.index.exact import exact_in_memory
from vfsearch.index.settings import BuildSettings
from vfsearch.index.sweep import SearchProblem, measure_setting, timed_by_turns
from vfsearch.kernels.topk import topk

ROWS = make_embeddings(300, 8, 1, modality="face")
SPEEDS = ("latency_median_seconds", "latency_p95_seconds", "latency_p99_seconds")


@pytest.fixture
def partial(tmp_path):
    build_index(tmp_path / "face", rows_in_memory(ROWS, "a1" * 32), BuildSettings(backend=BACKEND))
    return open_index(tmp_path / "face")


def problem(count: int = 60, k: int = 5, **more) -> SearchProblem:
    queries = unit_rows(count, 8, 7)
    return SearchProblem(queries=queries, truth=topk(queries, ROWS.vectors, k), groups=np.arange(count) // 2, **more)


@pytest.mark.parametrize("looked", [1, 20, 50, 100])
def test_recall_is_that_of_a_plain_loop(partial, looked):
    asked = problem(cuts=(1, 5))
    measured = measure_setting(partial, {"looked": looked}, asked, "recall")
    seen = set(np.flatnonzero(np.arange(300) * 7919 % 100 < looked).tolist())
    for cut in (1, 5):
        hits = [len(seen & set(rows[:cut].tolist())) / cut for rows in asked.truth.rows]
        assert measured.shares[f"R@{cut}"].value == pytest.approx(np.mean(hits))
    assert measured.recall == measured.shares["R@5"]
    assert measured.settings == partial.settings == {"looked": looked}


@pytest.mark.parametrize(
    ("mode", "latency"), [("recall", False), ("batch", False), ("single", True), ("both", True)]
)  # fmt: skip
def test_only_what_was_timed_is_told(partial, mode, latency):
    told = measure_setting(partial, {}, problem(), mode).to_json()
    assert told["probes_per_second"] > 0
    assert set(SPEEDS) & set(told) == (set(SPEEDS) if latency else set())


def test_a_figure_is_told_as_a_share_of_the_exact_one(partial):
    asked = problem(
        figures={"found": lambda found: (found.rows >= 0).mean(axis=1) * np.where(found.rows[:, 0] % 2, 1, 0.5)}
    )
    shares = measure_setting(partial, {"looked": 100}, asked, "recall").shares
    assert shares["found"].value == 1.0 and set(shares) == {"R@5", "found"}


def test_slow_singles_are_timed_less_often(partial, monkeypatch):
    assert len(sweep.single_seconds(partial, problem(), 50)) == 50
    monkeypatch.setattr(sweep, "LONG_SECONDS", 1e-9)
    assert len(sweep.single_seconds(partial, problem(), 50)) == sweep.FEWEST_SINGLES
    assert len(sweep.single_seconds(partial, problem(10), 50)) == 10


def test_a_probe_does_not_get_itself(partial):
    rows = np.arange(40)
    queries = ROWS.vectors[:40]
    truth = topk(queries, ROWS.vectors, 3, rows)
    asked = SearchProblem(queries=queries, truth=truth, groups=rows, exclude=rows)
    assert not (asked.asked(partial).rows == rows[:, None]).any()
    assert measure_setting(partial, {"looked": 100}, asked, "recall").recall.value == 1.0


def test_by_turns_every_way_is_timed(partial):
    exact = exact_in_memory(ROWS, "a1" * 32)
    speeds = timed_by_turns([(partial, {"looked": 5}), (exact, {}), (partial, {"looked": 80})], problem(), "both", 1)
    assert len(speeds) == 3 and all(each.probes_per_second > 0 and each.latency_p99_seconds > 0 for each in speeds)
    assert partial.settings == {"looked": 80}


def test_a_setting_that_there_is_not(partial):
    with pytest.raises(SettingsError, match="no search setting 'nprobe'; it has: looked"):
        measure_setting(partial, {"nprobe": 1}, problem(), "recall")
