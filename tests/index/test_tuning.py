import numpy as np
import pytest
from builders import make_embeddings, unit_rows
from partial_index import BACKEND

from vfsearch.data.neighbors import Neighbors
from vfsearch.data.row_source import rows_in_memory
from vfsearch.errors import DoesNotFitError, LockedError, MismatchError, SettingsError
from vfsearch.files import writer_lock
from vfsearch.index.backends import open_index
from vfsearch.index.building import build_index
from vfsearch.index.exact import exact_in_memory
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.settings import BuildSettings
from vfsearch.index.share import Share
from vfsearch.index.sweep import Measured, SearchProblem, Speed
from vfsearch.index.targets import parse_target
from vfsearch.index.tuning import (
    Goal,
    Halves,
    frontier,
    loss_split,
    misled_by,
    save_tuning,
    tune,
)
from vfsearch.kernels.topk import topk

ROWS = make_embeddings(1000, 8, 1, modality="face")


def opened(folder, rough: int = 0):
    settings = BuildSettings(backend=BACKEND, parameters={"rough": rough})
    build_index(folder, rows_in_memory(ROWS, "a1" * 32), settings)
    return open_index(folder)


@pytest.fixture
def partial(tmp_path):
    return opened(tmp_path / "face")


def problem(count: int = 500, seed: int = 7, k: int = 10) -> SearchProblem:
    queries = unit_rows(count, 8, seed)
    return SearchProblem(queries=queries, truth=topk(queries, ROWS.vectors, k), groups=np.arange(count))


def goal(*targets: str, **more) -> Goal:
    return Goal(targets=tuple(map(parse_target, targets)), **more)


HALVES = Halves(tune=problem(), check=problem(seed=8))


@pytest.mark.parametrize("mode", ["batch", "single"])
@pytest.mark.parametrize("least", [0.05, 0.5, 0.9, 1.0])
def test_the_least_setting_that_surely_reaches_the_target(partial, least, mode):
    tuned = tune(partial, HALVES, goal(f"R@10>={least}", mode=mode), runs=1)
    looked = tuned.chosen.settings["looked"]
    # The index looks at so many of a hundred rows, and finds as many.
    assert least <= looked / 100 <= least + 0.05
    assert tuned.tuning["R@10"].floor >= least and tuned.chosen.recall.value >= least
    assert tuned.chosen.speed.probes_per_second > 0 and tuned.chosen.speed.latency_median_seconds > 0
    assert tuned.exact is None and tuned.times_exact is None
    assert partial.settings == tuned.chosen.settings


def test_all_targets_are_reached(partial):
    asked = SearchProblem(queries=HALVES.tune.queries, truth=HALVES.tune.truth, groups=HALVES.tune.groups, cuts=(1, 10))
    tuned = tune(partial, Halves(tune=asked, check=asked), goal("R@10>=0.3", "R@1>=0.6"), runs=1)
    assert tuned.tuning["R@1"].floor >= 0.6 and tuned.tuning["R@10"].floor >= 0.6


def test_the_exact_engine_is_timed_beside_it(partial):
    tuned = tune(partial, HALVES, goal("R@10>=0.9"), exact_in_memory(ROWS, "a1" * 32), runs=1)
    cost = tuned.goal.cost
    assert tuned.times_exact == pytest.approx(cost(tuned.exact) / cost(tuned.chosen.speed))
    told = tuned.to_json()
    assert told["targets"] == ["R@10>=0.9"] and told["for"] == "batch" and told["exact"]["probes_per_second"] > 0
    assert told["chosen"]["settings"] == tuned.chosen.settings and len(told["tried"]) == len(tuned.tried)
    assert dict(tuned.chosen.settings) in [each["settings"] for each in told["tried"]]


def test_an_exact_index_has_nothing_to_choose():
    tuned = tune(exact_in_memory(ROWS, "a1" * 32), HALVES, goal("R@10>=1"), runs=1)
    assert tuned.chosen.settings == {} and tuned.chosen.recall == Share(value=1.0, error=0.0)


def test_where_the_check_misses_the_setting_is_raised(partial):
    # Its probes are those of which the tuning probes' setting finds least.
    found = measured_of(partial, 52)
    worst = np.argsort(found)[:250]
    queries = HALVES.check.queries[worst]
    worse = SearchProblem(queries=queries, truth=topk(queries, ROWS.vectors, 10), groups=np.arange(250))
    tuned = tune(partial, Halves(tune=HALVES.tune, check=worse), goal("R@10>=0.5"), runs=1)
    assert tuned.steps_up > 0 and tuned.chosen.recall.value >= 0.5
    assert tuned.chosen.settings["looked"] > 52
    assert tuned.tuning["R@10"].value > tuned.chosen.recall.value


def measured_of(index, looked: int) -> np.ndarray:
    seen = np.arange(1000) * 7919 % 100 < looked
    return seen[HALVES.check.truth.rows].mean(axis=1)


def test_what_cannot_be_reached_says_how_far_it_goes(tmp_path):
    index = opened(tmp_path / "rough", rough=1)
    halves = Halves(tune=problem(k=1), check=problem(k=1, seed=8))
    with pytest.raises(DoesNotFitError, match=r"reaches R@1>=1 with 95 % confidence: the best of \d+ is R@1 0\.\d{4} "):
        tune(index, halves, goal("R@1>=1"), runs=1)


def test_what_the_checking_probes_never_reach(partial):
    # Neighbours that are none: what was found of the true ones does not count.
    rows = np.full((50, 10), -1)
    rows[:, 0] = 0
    scores = np.where(rows == 0, 2.0, -np.inf)
    check = SearchProblem(
        queries=HALVES.check.queries[:50], truth=Neighbors(rows=rows, scores=scores), groups=np.arange(50)
    )
    with pytest.raises(DoesNotFitError, match=r"checking probes .* R@10 0\.0000 .* with looked=100"):
        tune(partial, Halves(tune=HALVES.tune, check=check), goal("R@10>=0.9"), runs=1)


def test_a_latency_that_nothing_keeps(partial):
    with pytest.raises(DoesNotFitError, match=r"reaches R@10>=0\.5 within 1e-06 ms a probe: the quickest"):
        tune(partial, HALVES, goal("R@10>=0.5", max_latency_seconds=1e-9), runs=1)
    assert tune(partial, HALVES, goal("R@10>=0.5", max_latency_seconds=60.0), runs=1).chosen.recall.value >= 0.5


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"targets": ()}, "tuning wants a target"),
        ({"targets": (parse_target("R@10>=0.9"),), "mode": "both"}, "tuning is for batch or single, not for 'both'"),
        ({"targets": (parse_target("R@10>=0.9"),), "max_latency_seconds": 0.0}, "it must be above 0"),
    ],
)
def test_a_goal_that_is_none(more, message):
    with pytest.raises(SettingsError, match=message):
        Goal(**more)


def test_a_loss_is_split_into_what_codes_and_what_the_search_take(tmp_path):
    index = opened(tmp_path / "rough", rough=2)
    tuned = tune(index, HALVES, goal("R@10>=0.6"), runs=1)
    loss = loss_split(index, tuned.chosen, HALVES.check)
    assert index.settings == tuned.chosen.settings
    assert loss.total == pytest.approx(1 - tuned.chosen.recall.value)
    assert loss.total == pytest.approx(loss.quantisation + loss.search)
    assert loss.search > 0 and loss.quantisation >= 0
    assert set(loss.to_json()) == {"total", "quantisation", "search"}


def test_whole_rows_lose_by_the_search_alone(partial):
    tuned = tune(partial, HALVES, goal("R@10>=0.7"), runs=1)
    loss = loss_split(partial, tuned.chosen, HALVES.check)
    assert loss.quantisation == 0 and loss.search == loss.total


def test_easier_probes_promise_what_the_others_do_not_get(partial):
    # Of these, the index looks at the whole truth at 20 of a hundred rows already.
    seen = np.flatnonzero(np.arange(1000) * 7919 % 100 < 20)
    rows = seen[:150]
    easy = SearchProblem(
        queries=ROWS.vectors[rows], truth=topk(ROWS.vectors[rows], ROWS.vectors, 1), groups=np.arange(150)
    )
    misled = misled_by(partial, easy, problem(k=1), goal("R@1>=0.9"))
    assert misled.settings["looked"] <= 20 and misled.promised["R@1"].value >= 0.9
    assert misled.got["R@1"].value < 0.3
    assert set(misled.to_json()) == {"settings", "promised", "got"}


def test_the_frontier_holds_what_nothing_beats():
    points = [(0.5, 100), (0.6, 90), (0.55, 80), (0.9, 10), (0.9, 20), (0.4, 100)]
    measured = [
        Measured(settings={"n": place}, shares={"R@10": Share(value=recall, error=0.0)},
                 speed=Speed(probes_per_second=rate))
        for place, (recall, rate) in enumerate(points)
    ]  # fmt: skip
    assert [each.settings["n"] for each in frontier(measured, goal("R@10>=0.5"))] == [0, 1, 4]


def test_a_saved_setting_is_in_force_and_nothing_else_has_changed(partial):
    before = read_index_artefact(partial.folder)
    save_tuning(partial.folder, {"looked": 37}, {"targets": ["R@10>=0.3"]}, before.files)
    after = read_index_artefact(partial.folder)
    assert after.files == before.files
    assert {**after.about, "search": {}, "tuned": None} == before.about
    assert after.about["tuned"] == {"targets": ["R@10>=0.3"]}
    assert open_index(partial.folder).settings == {"looked": 37}


def test_another_writer_or_another_index_meanwhile(partial):
    with writer_lock(partial.folder), pytest.raises(LockedError, match="is being written"):
        save_tuning(partial.folder, {}, {})
    with pytest.raises(MismatchError, match="has been changed while it was tuned; tune it again"):
        save_tuning(partial.folder, {}, {}, {"other": {}})
