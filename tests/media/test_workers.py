import importlib
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from vfsearch.errors import SettingsError, VfsearchError
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Failure, Prepared, Task
from vfsearch.media.workers import AHEAD_PER_WORKER, PreparationWorkers


@pytest.fixture
def misbehaving(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("misbehaving")


@pytest.fixture
def tasks_of(tmp_path):
    def make(*orders: str) -> list[Task]:
        tasks = []
        for number, order in enumerate(orders):
            path = tmp_path / f"{number}.txt"
            path.write_text(order)
            tasks.append(Task(path=path))
        return tasks

    return make


def reason(result: Prepared | Failure) -> str:
    assert isinstance(result, Failure), result
    assert result.stage == "decode"
    return result.reason


def gone(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def wait_until(condition, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("workers", [0, 2])
def test_results_come_in_the_order_of_the_tasks(misbehaving, tasks_of, workers):
    orders = ["sleep 0.2", *(f"number {i}" for i in range(1, 40))]
    with PreparationWorkers(misbehaving.Obedient(factor=3), Limits(), workers) as pool:
        results = list(pool.prepare(tasks_of(*orders)))
    assert [result.sample[0, 0] for result in results] == [3 * i for i in range(40)]
    assert results[1].sample.shape == (2, 3) and results[1].sample.flags.writeable


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_file_does_wrong_is_its_failure(misbehaving, tasks_of, workers):
    orders = ["refuse no face found", "raise key", "none", "list", "number 5"]
    with PreparationWorkers(misbehaving.Obedient(), Limits(), workers) as pool:
        refused, raised, nothing, listed, fine = pool.prepare(tasks_of(*orders))
    assert reason(refused) == "no face found"
    assert reason(raised) == "KeyError: 'key'"
    assert reason(nothing) == "misbehaving:Obedient returned NoneType, not Prepared"
    assert reason(listed) == "TypeError: Prepared(sample=...): got list, wanted an array of numbers"
    assert fine.sample[0, 0] == 5


def test_a_death_costs_only_the_file_that_caused_it(misbehaving, tasks_of):
    orders = ["number 1", "kill", "number 2", "segfault", "exit", "number 3", "number 4"]
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 2) as pool:
        results = list(pool.prepare(tasks_of(*orders)))
    assert [result.sample[0, 0] for result in results if isinstance(result, Prepared)] == [1, 2, 3, 4]
    assert reason(results[1]) == "the decoder process died (signal 9)"
    assert reason(results[3]) == "the decoder process died (signal 11)"
    assert reason(results[4]) == "the decoder process died (exit code 3)"


def test_a_worker_that_dies_between_two_files_costs_none(misbehaving, tasks_of):
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 1) as pool:
        results = pool.prepare(tasks_of("pid"))
        pid = int(next(results).note)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: gone(pid))
        assert next(pool.prepare(tasks_of("number 1"))).sample[0, 0] == 1


def test_a_file_that_takes_too_long_is_given_up(misbehaving, tasks_of):
    with PreparationWorkers(misbehaving.Obedient(), Limits(decode_seconds=0.5), 1) as pool:
        slow, fine = pool.prepare(tasks_of("sleep 60", "number 1"))
    assert reason(slow) == "took more than 0.5 s"
    assert fine.sample[0, 0] == 1


def test_a_file_that_needs_too_much_memory_is_given_up(misbehaving, tasks_of):
    with PreparationWorkers(misbehaving.Obedient(), Limits(memory_bytes=2**32), 1) as pool:
        large, fine = pool.prepare(tasks_of("memory", "number 1"))
    assert reason(large) == "needs more memory than a decoder may use (4 GiB)"
    assert fine.sample[0, 0] == 1


def test_what_libraries_print_stays_out_of_the_answers(misbehaving, tasks_of):
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 1) as pool:
        printed, fine = pool.prepare(tasks_of("print", "number 1"))
    assert printed.note == "printed"
    assert fine.sample[0, 0] == 1


def test_ctrl_c_is_left_to_the_parent(misbehaving, tasks_of):
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 1) as pool:
        assert [type(result) for result in pool.prepare(tasks_of("interrupt", "number 1"))] == [Prepared, Prepared]


def test_samples_of_any_shape_and_type_travel(misbehaving, tasks_of):
    with PreparationWorkers(misbehaving.Shapes(), Limits(), 1) as pool:
        results = list(pool.prepare(tasks_of(*misbehaving.SHAPES)))
    for result, wanted in zip(results, misbehaving.SHAPES.values(), strict=True):
        assert (result.sample.dtype, result.sample.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_array_equal(result.sample, wanted)


@pytest.mark.parametrize("name", ["a b.txt", "é\n.txt", "\udcff.txt", "x" * 200])
def test_paths_of_any_spelling_travel(misbehaving, tmp_path, name):
    path = tmp_path / name
    path.write_text("number 4")
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 1) as pool:
        (result,) = pool.prepare([Task(path=path)])
    assert result.sample[0, 0] == 4


def test_the_tasks_are_read_a_bounded_number_ahead(misbehaving, tasks_of):
    (task,) = tasks_of("number 1")
    read = itertools.count()
    endless = (task for _ in read)
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 2) as pool:
        results = pool.prepare(endless)
        for _ in range(10):
            next(results)
        assert next(read) <= 2 * AHEAD_PER_WORKER + 10


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_leaving_early_ends_everything_at_once(misbehaving, tasks_of, interruption):
    pids, started = [], time.monotonic()
    with pytest.raises(interruption), PreparationWorkers(misbehaving.Obedient(), Limits(), 2) as pool:
        for result in pool.prepare(tasks_of("pid", *["sleep 50"] * 6)):
            pids.append(int(result.note))
            time.sleep(0.3)
            raise interruption
    assert time.monotonic() - started < 10
    assert all(map(gone, pids))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("vfsearch-decode")]


def test_a_worker_ends_when_its_parent_is_killed(misbehaving, tasks_of):
    (task,) = tasks_of("pid")
    program = f"""
        import os, signal, sys
        sys.path[:] = {sys.path!r}
        from pathlib import Path
        from misbehaving import Obedient
        from vfsearch.media.limits import Limits
        from vfsearch.media.preparation import Task
        from vfsearch.media.workers import PreparationWorkers
        pool = PreparationWorkers(Obedient(), Limits(), 1)
        print(next(pool.prepare([Task(path=Path({str(task.path)!r}))])).note, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert wait_until(lambda: gone(int(run.stdout)))


def test_a_file_in_the_current_folder_cannot_stand_in_for_the_library(misbehaving, tasks_of, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 1) as pool:
        (result,) = pool.prepare(tasks_of("path"))
    assert result.note.split("\n") == [folder or str(tmp_path) for folder in sys.path]


def test_a_preparation_that_cannot_be_imported_is_named(misbehaving, tasks_of):
    class Local(misbehaving.Obedient):
        pass

    with (
        PreparationWorkers(Local(), Limits(), 1) as pool,
        pytest.raises(VfsearchError, match=r"the decoder process for .*Local cannot start: .* cannot be loaded"),
    ):
        list(pool.prepare(tasks_of("number 1")))


def test_a_negative_number_of_workers_is_refused(misbehaving):
    with pytest.raises(SettingsError, match="workers: got -1, wanted 0 or more"):
        PreparationWorkers(misbehaving.Obedient(), Limits(), -1)


def test_no_tasks_start_no_process(misbehaving):
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 2) as pool:
        assert list(pool.prepare([])) == []
        assert [worker._process for worker in pool._workers] == [None, None]


def test_a_process_that_somebody_kills_once_costs_nothing(misbehaving, tasks_of, tmp_path):
    orders = ["number 1", f"once {tmp_path / 'mark'}", "number 2"]
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 1) as pool:
        results = list(pool.prepare(tasks_of(*orders)))
    assert [type(result) for result in results] == [Prepared] * 3 and (tmp_path / "mark").exists()


def test_further_samples_travel_with_the_first(misbehaving, tasks_of):
    with PreparationWorkers(misbehaving.Obedient(), Limits(), 1) as pool:
        several, fine = pool.prepare(tasks_of("several 3", "number 4"))
    assert [each.sample.tolist() for each in (several, *several.others)] == [[0.0], [0.0, 1.0], [0.0, 1.0, 2.0]]
    assert [each.note for each in several.others] == ["1", "2"] and several.seconds == 2.5
    assert fine.sample[0, 0] == 4 and fine.others == () and fine.seconds == 0.0
