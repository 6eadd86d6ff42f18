"""Partitions on a cluster: the bytes, the neighbours and the measures of a local run, whatever happens to its nodes."""

import dataclasses
from dataclasses import asdict

import numpy as np
import pytest
from builders import LONG, contents
from killing import killing, until_killed

from vfsearch.distributed import searching as module
from vfsearch.distributed.building import BuildWorker, RayBuilder
from vfsearch.distributed.crew import Wanted
from vfsearch.distributed.planning import needs_of, needs_to_come, place, usual_partitions, whole_nodes
from vfsearch.distributed.searching import RaySearcher
from vfsearch.errors import DamagedError, DoesNotFitError, MismatchError, PartitionLostError
from vfsearch.files import make_folder, write_file
from vfsearch.index.backends import open_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.partitions import partitions_of
from vfsearch.index.settings import BuildSettings
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.partition_work import PartitionWork
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.runs import read_run_artefact
from vfsearch.remote_files import place as folder_at
from vfsearch.tables import get_array, reading

ONE = Wanted(cpus=1)
ASKED = QuerySettings(
    probe="voice", gallery="face", n=(2, 5), k=3, split="all", protocols=("matching", "verification", "retrieval")
)
WITHIN = dataclasses.replace(ASKED, probe="face", split=None)
RAW = ("search/rows", "search/scores", "retrieval/probe", "retrieval/above", "retrieval/tied", "retrieval/mates_above")


def sharded(place, count=3, preset="exact", **more):
    (built,) = build_indices(place, ["face"], [IndexRequest(preset=preset, partitions=count)], **more)
    return dataclasses.replace(place, index=built.folder)


def figures(report):
    """All that was measured, without what the clock says."""
    timed = {"trials_per_second", "probes_per_second", "latency_median_seconds", "latency_p95_seconds",
             "latency_p99_seconds"}  # fmt: skip
    told = [{name: value for name, value in asdict(each).items() if name not in timed}
            for each in report.outcome.measurements]  # fmt: skip
    with reading(read_run_artefact(report.folder).read("neighbors.h5"), "run") as file:
        return told, {name: get_array(file, name).tolist() for name in RAW}


def asked(place, settings, name, **more):
    return figures(query(place, settings, name=name, overwrite=True, **more))


@pytest.mark.parametrize("preset", ["exact", "clustered"])
def test_the_bytes_of_a_local_build(ray, built, preset):
    here = sharded(dataclasses.replace(built, index=built.folder / "here"), preset=preset)
    engine = RayBuilder(ray=ray, wanted=ONE)
    there = sharded(dataclasses.replace(built, index=built.folder / "there"), preset=preset, engine=engine)
    ours, theirs = ({name.partition("/")[2]: data for name, data in contents(each.index).items()}
                    for each in (there, here))  # fmt: skip
    assert ours == theirs and len(ours) > 8
    (record,) = engine.records.values()
    assert sum(record.tasks.values()) == 3 and record.died == 0


def test_a_store_that_only_a_url_reaches(ray, built):
    pytest.importorskip("upath", reason="no universal-pathlib: pip install 'vfsearch[url]'")
    remote = dataclasses.replace(built, embeddings=folder_at(f"file://{built.folder}/embeddings"))
    here = sharded(dataclasses.replace(built, index=built.folder / "here"))
    there = sharded(
        dataclasses.replace(remote, index=built.folder / "there"), engine=RayBuilder(ray=ray, wanted=ONE)
    )  # fmt: skip
    ours, theirs = ({name.partition("/")[2]: data for name, data in contents(each.index).items()}
                    for each in (there, here))  # fmt: skip
    assert ours == theirs and len(ours) > 8
    place_ = dataclasses.replace(remote, index=there.index)
    with RaySearcher(ray=ray, wanted=ONE) as searcher:
        assert asked(place_, ASKED, "there", opener=searcher.open) == asked(built, ASKED, "whole")
    # `file:` is also a path, `memory:` is none, as little as an object store; only this process sees it.
    bucket = make_folder(folder_at("memory://bucket"))
    for path in built.store_folder.iterdir():
        write_file(bucket / path.name, path.read_bytes())
    work = PartitionWork(
        store=bucket, modality="face", split=None, pooling=None, settings=BuildSettings(backend="exact"), device="cpu"
    )  # fmt: skip
    assert "/" in BuildWorker(work, 1).ready()


@pytest.mark.parametrize("settings", [ASKED, WITHIN])
def test_the_neighbours_and_measures_of_a_local_run(ray, built, settings):
    place_ = sharded(built, 5)
    with RaySearcher(ray=ray, wanted=ONE) as searcher:
        there = asked(place_, settings, "there", opener=searcher.open)
    assert there == asked(place_, settings, "here") == asked(built, settings, "whole")
    (record,) = searcher.records.values()
    assert len(record.tasks) > 1 and record.slowest[0].split("-part-")[1] in {f"{n:05d}" for n in range(5)}


def test_an_approximate_index(ray, built):
    place_ = sharded(built, 2, "clustered")
    with RaySearcher(ray=ray, wanted=ONE) as searcher:
        index = searcher.open(read_index_artefact(place_.index), "cpu")
        here = open_index(place_.index)
        assert index.knobs == here.knobs and index.settings == here.settings and not index.exact
        queries = np.array(here.vectors[:9])
        for settings in ({"nprobe": 1}, {"nprobe": here.knobs[0].high}):
            index.use(settings)
            here.use(settings)
            assert np.array_equal(index.search(queries, 5).rows, here.search(queries, 5).rows)
        exactly = index.searching_exactly()
        assert np.array_equal(exactly.search(queries, 5).scores, here.searching_exactly().search(queries, 5).scores)


def kill(worker):
    import ray

    ray.kill(worker.actor, no_restart=True)


def test_workers_that_go_away_are_replaced(ray, built):
    place_ = sharded(built, 3)
    local = asked(place_, ASKED, "here")
    with RaySearcher(ray=ray, wanted=ONE) as searcher:

        def dying(artefact, *more):
            index = searcher.open(artefact, *more)
            (answering,) = searcher._open
            kill(answering._workers[0])
            ask, killed = answering.ask, set()

            def asking(what, arguments):
                # One each goes away after it was told what to rank among, and while it is asked.
                if what in ("counts", "search") and what not in killed:
                    killed.add(what)
                    kill(answering._workers[-1])
                return ask(what, arguments)

            answering.ask = asking
            index.answering = answering
            return index

        assert asked(place_, ASKED, "there", opener=dying) == local
    (record,) = searcher.records.values()
    assert record.died >= 2


def test_the_others_take_over(ray, built, monkeypatch):
    monkeypatch.setattr(module, "TAKEN_OVER_SECONDS", 3.0)
    place_ = sharded(built, 3)
    here = open_index(place_.index)
    queries = np.array(here.vectors[:4])
    with RaySearcher(ray=ray, wanted=ONE) as searcher:
        index = searcher.open(read_index_artefact(place_.index), "cpu")
        (answering,) = searcher._open
        # Nobody else fits any more.
        answering._wanted = Wanted(cpus=64)
        monkeypatch.setattr(module, "START_SECONDS", 2.0)
        while len(answering._workers) > 1:
            kill(answering._workers[0])
            assert np.array_equal(index.search(queries, 5).rows, here.search(queries, 5).rows)
        assert sorted(answering._workers[0].names) == sorted(part.name for part in answering.partitions)
        kill(answering._workers[0])
        with pytest.raises(PartitionLostError, match="3 partitions went away with the last worker, and no other one"):
            index.search(queries, 5)


def test_what_is_missing_is_an_error_or_said(ray, built):
    place_ = sharded(built, 3)
    gone = partitions_of(read_index_artefact(place_.index))[1]
    whole = asked(place_, ASKED, "whole")
    (gone.folder / "MANIFEST.json").unlink()
    with RaySearcher(ray=ray, wanted=ONE) as searcher:
        with pytest.raises(Exception, match=r"cannot read .*MANIFEST\.json"):
            query(place_, ASKED, opener=searcher.open)
        there = query(place_, ASKED, name="there", opener=searcher.open, partial=True)
    here = query(place_, ASKED, name="here", partial=True)
    counts = there.outcome.counts
    assert (counts["partitions"], counts["partitions_lost"], counts["index_rows_lost"]) == (3, 1, gone.rows)
    assert counts["gallery"] == counts["index_rows"] == 60 - gone.rows and figures(there) == figures(here) != whole


def test_one_that_goes_for_good_while_it_is_searched(ray, built):
    place_ = sharded(built, 3)
    gone = partitions_of(read_index_artefact(place_.index))[0]
    with RaySearcher(ray=ray, wanted=ONE) as searcher:

        def vanishing(artefact, *more):
            index = searcher.open(artefact, *more)
            for path in gone.folder.glob("*.npy"):
                path.write_bytes(b"")
            for worker in searcher._open[0]._workers:
                kill(worker)
            return index

        with pytest.raises(PartitionLostError, match=r"cannot be opened again: .*vectors\.npy is damaged"):
            query(place_, ASKED, name="all", opener=vanishing)
        found = query(place_, ASKED, name="some", opener=searcher.open, partial=True)
    assert found.outcome.counts["index_rows_lost"] == gone.rows


def test_an_index_that_lacks_rows_is_not_ranked_in(ray, built):
    few = sharded(built, 2, split="test")
    with (
        RaySearcher(ray=ray, wanted=ONE) as searcher,
        pytest.raises(MismatchError, match="lacks 30 of the 60 items of the gallery"),
    ):
        query(few, ASKED, opener=searcher.open)


def test_a_cluster_without_room(ray, built, monkeypatch):
    monkeypatch.setattr(module, "START_SECONDS", 1.0)
    place_ = sharded(built, 2)
    with pytest.raises(DoesNotFitError, match=r"no worker could start in .* each wants 64 CPUs"):
        RaySearcher(ray=ray, wanted=Wanted(cpus=64)).open(read_index_artefact(place_.index), "cpu")


def test_damage_is_named(ray, built):
    place_ = sharded(built, 2)
    (vectors,) = partitions_of(read_index_artefact(place_.index))[0].folder.glob("*.npy")
    vectors.write_bytes(vectors.read_bytes()[:-1])
    with RaySearcher(ray=ray, wanted=ONE) as searcher, pytest.raises(DamagedError, match=r"vectors\.npy is damaged"):
        searcher.open(read_index_artefact(place_.index), "cpu")


def test_where_partitions_would_be(ray, built):
    wanted = whole_nodes(ray)
    assert wanted == Wanted(cpus=1) and usual_partitions(ray, 10**6, wanted) == 4 and usual_partitions(ray, 2, ONE) == 2
    there = needs_of(read_index_artefact(sharded(built, 6).index))
    found = place(ray, there, wanted)
    assert found.workers == 4 and found.fits and sorted(len(node.partitions) for node in found.nodes) == [1, 1, 2, 2]
    assert {name for node in found.nodes for name in node.partitions} == {each.name for each in there}
    assert place(ray, there, Wanted(cpus=1, most=2)).workers == 2 and not place(ray, there, Wanted(cpus=9)).fits
    billion = needs_to_come(BuildSettings(backend="exact"), 10**9, 128, 100)
    assert sum(each.rows for each in billion) == 10**9 and not place(ray, billion, wanted).fits
    # The rows as they are, and a share of those that are ranked at a time.
    assert 10**7 * 128 * 4 < billion[0].memory_bytes < 2 * 10**7 * 128 * 4 + 2**30
    assert place(ray, billion, wanted).to_json()["fits"] is False


@pytest.mark.skipif(not LONG, reason="takes minutes: VFSEARCH_LONG_TESTS=1")
def test_builds_while_workers_and_nodes_are_killed(ray, nodes, built):
    here = sharded(dataclasses.replace(built, index=built.folder / "here"), 12, "clustered")
    local = {name.partition("/")[2]: data for name, data in contents(here.index).items()}
    engine = RayBuilder(ray=ray, wanted=ONE)

    def build(number):
        there = dataclasses.replace(built, index=built.folder / f"there-{number}")
        found = contents(sharded(there, 12, "clustered", engine=engine).index)
        assert {name.partition("/")[2]: data for name, data in found.items()} == local

    with killing(nodes, "BuildWorker", 20, (0.5, 4.0)) as killer:
        until_killed(killer, build)
    assert killer.killed["node"] == 4 and sum(record.died for record in engine.records.values()) >= 10


@pytest.mark.skipif(not LONG, reason="takes minutes: VFSEARCH_LONG_TESTS=1")
def test_queries_while_workers_and_nodes_are_killed(ray, nodes, built):
    place_ = sharded(built, 6)
    local = asked(place_, ASKED, "here")
    with RaySearcher(ray=ray, wanted=ONE) as searcher, killing(nodes, "SearchWorker", 20, (0.5, 6.0)) as killer:
        until_killed(killer, lambda number: _same(asked(place_, ASKED, f"r{number}", opener=searcher.open), local))
    assert killer.killed["node"] == 4 and sum(record.died for record in searcher.records.values()) >= 10


def _same(ours, theirs):
    assert ours == theirs
