from concurrent.futures import CancelledError
from pathlib import Path

import misbehaving
import numpy as np
import pytest
from training_media import Workers, tasks

from vfsearch.errors import VfsearchError
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Failure, Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.train.sample_source import MediaSource


def values(samples) -> list:
    return [sample.reason if isinstance(sample, Failure) else sample[0] for sample in samples]


def orders(folder: Path, *texts: str) -> list[Task]:
    made = [Task(path=folder / f"{number}.txt") for number in range(len(texts))]
    for task, text in zip(made, texts, strict=True):
        task.path.write_text(text)
    return made


def test_samples_come_in_the_order_asked_and_are_decoded_once():
    workers = Workers()
    source = MediaSource(tasks(9), workers)
    assert values(source.samples(np.array([5, 2, 5]))) == [5, 2, 5]
    assert values(source.samples([2, 8, 5])) == [2, 8, 5]
    assert workers.asked == [5, 2, 8]
    assert source.samples([]) == []


@pytest.mark.parametrize(("cache_bytes", "again"), [(0, [1, 2, 3]), (4, [1, 2]), (8, [1]), (12, [])])
def test_what_does_not_fit_is_decoded_again_but_once_a_call(cache_bytes, again):
    workers = Workers()
    source = MediaSource(tasks(4), workers, cache_bytes)
    for _ in range(2):
        assert values(source.samples([1, 2, 1, 3, 2])) == [1, 2, 1, 3, 2]
    assert workers.asked == [1, 2, 3, *again]


def test_a_failure_is_remembered_and_not_tried_again():
    workers = Workers(bad=[1])
    source = MediaSource(tasks(3), workers)
    for _ in range(2):
        assert values(source.samples([0, 1, 2])) == [0, "broken 1", 2]
    assert workers.asked == [0, 1, 2]
    assert source.failures == {1: Failure(stage="decode", reason="broken 1")}


def test_samples_are_read_only():
    (sample,) = MediaSource(tasks(1), Workers()).samples([0])
    with pytest.raises(ValueError, match="read-only"):
        sample[0] = 1


def test_a_stopped_call_ends_with_the_file_it_is_at():
    workers = Workers(bad=range(5))
    source = MediaSource(tasks(5), workers)
    with pytest.raises(CancelledError):
        source.samples(range(5), lambda: len(workers.asked) == 3)
    assert workers.asked == [0, 1, 2]
    assert list(source.failures) == [0, 1], "the file at which it was stopped is not known to be broken"


def test_names():
    source = MediaSource(
        [Task(path=Path("a.wav")), Task(path=Path("b.wav"), start_seconds=1.5, end_seconds=3.0),
         Task(path=Path("c.wav"), start_seconds=2.0), Task(path=Path("d.wav"), end_seconds=2.0)], Workers(),
    )  # fmt: skip
    wanted = ["a.wav", "b.wav (1.5 s to 3 s)", "c.wav (2 s to the end)", "d.wav (0 s to 2 s)"]
    assert [source.name(row) for row in range(4)] == wanted


def test_a_process_that_dies_costs_its_file(tmp_path):
    made = orders(tmp_path, "number 1", "kill", "refuse no face found", "number 4")
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 2) as workers:
        source = MediaSource(made, workers)
        found = source.samples([3, 1, 2, 0, 1])
    assert [found[0][0, 0], found[3][0, 0]] == [4, 1]
    assert values([found[1], found[2]]) == ["the decoder process died (signal 9)", "no face found"]
    assert found[4] is found[1] and sorted(source.failures) == [1, 2]


def test_workers_that_cannot_start_are_an_error_of_no_item(tmp_path):
    class Local(misbehaving.Obedient):
        pass

    with PreparationWorkers(Local(), Limits(), 1) as workers:
        source = MediaSource(orders(tmp_path, "number 1"), workers)
        with pytest.raises(VfsearchError, match="cannot start"):
            source.samples([0])
    assert source.failures == {}
