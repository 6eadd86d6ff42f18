import pytest
import workers_that_fail as workers

from vfsearch.distributed import crew as module
from vfsearch.distributed.crew import Crew, Wanted
from vfsearch.distributed.planning import plan_workers
from vfsearch.errors import DoesNotFitError, MediaError, VfsearchError


def results(ray, kind, tasks, **wanted):
    crew = Crew(ray, (kind, ()), Wanted(**wanted))
    return dict(crew.results((f"task {n}", n) for n in tasks)), crew.record


def test_every_task_is_done_once_and_by_whom_is_known(ray):
    found, record = results(ray, workers.Adds, range(40))
    assert found == {f"task {n}": n + 1 for n in range(40)}
    assert sum(record.tasks.values()) == 40 and len(record.tasks) > 1 and record.died == 0
    assert record.slowest[0] in found and "slowest task" in record.text() and record.to_json()["died"] == 0


def test_there_are_no_more_workers_than_asked_for(ray):
    assert len(results(ray, workers.Adds, range(12), most=1)[1].tasks) == 1
    assert results(ray, workers.Adds, [])[0] == {}


def test_a_task_that_kills_its_workers_is_named(ray, monkeypatch):
    monkeypatch.setattr(module, "MOST_ATTEMPTS", 3)
    with pytest.raises(VfsearchError, match="task 1 was begun 3 times by workers that died"):
        results(ray, workers.Dies, [1, 2])


def test_workers_that_cannot_start(ray, monkeypatch):
    monkeypatch.setattr(module, "MOST_FAILED_STARTS", 1)
    with pytest.raises(VfsearchError, match=r"workers cannot start: .*No module named 'something'"):
        results(ray, workers.NeverStarts, range(5))


def test_what_a_worker_says_is_said(ray):
    with pytest.raises(MediaError, match=r"voice 'a\.wav' cannot be embedded"):
        results(ray, workers.Refuses, range(3))
    with pytest.raises(VfsearchError, match="a worker failed at task 0: ZeroDivisionError"):
        results(ray, workers.Breaks, range(1))


def test_a_cluster_without_room(ray, monkeypatch):
    monkeypatch.setattr(module, "START_SECONDS", 1.0)
    with pytest.raises(DoesNotFitError, match=r"no worker could start in \d s: each wants 64 CPUs and 0 GPUs, the cl"):
        results(ray, workers.Adds, range(2), cpus=64)


def test_room_is_counted_node_by_node(ray):
    found = plan_workers(ray, Wanted(cpus=1))
    assert (found.nodes, found.cpus, found.workers) == (4, 4.0, 4) and found.memory_bytes > 0
    assert plan_workers(ray, Wanted(cpus=2)).workers == 0 and plan_workers(ray, Wanted(most=3)).workers == 3
    assert plan_workers(ray, Wanted(gpus=1)).workers == 0
