import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from train import ranks as script

from vfsearch.errors import SettingsError, VfsearchError
from vfsearch.train import parallel
from vfsearch.train.parallel import Processes, wrap

HERE = Path(__file__).parent
TORCHRUN = {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}


def results(count: int, folder: Path) -> list[dict]:
    """What each of several processes found."""
    command = [sys.executable, str(HERE / "ranks.py")]
    started = [
        subprocess.Popen(
            [*command, str(rank), str(count), str(folder / "meeting"), str(folder)], stderr=subprocess.PIPE, text=True
        )
        for rank in range(count)
    ]
    errors = [process.communicate(timeout=600)[1] for process in started]
    assert not any(process.returncode for process in started), errors
    assert not any("Warning" in error for error in errors), errors
    return [torch.load(folder / f"{rank}.pt") for rank in range(count)]


def check_step(found: list[dict], wanted: dict, tolerance: float) -> None:
    """Losses, gradients and statistics as in one process; the same bits in each of several.

    The error of the gradients is that of all of them as one vector: some are 0 but for rounding.
    """
    assert found[0].keys() == wanted.keys()
    for name in wanted:
        assert all(torch.equal(found[0][name], each[name]) for each in found[1:]), name
    for name in wanted:
        if not name.startswith("gradient"):
            torch.testing.assert_close(found[0][name], wanted[name], rtol=tolerance, atol=tolerance)
    names = [name for name in wanted if name.startswith("gradient")]
    one = torch.cat([wanted[name].flatten() for name in names])
    several = torch.cat([found[0][name].flatten() for name in names])
    assert (several - one).norm() <= tolerance * one.norm()


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_are_as_one(count, tmp_path):
    one, found = Processes(), results(count, tmp_path)

    def of(case):
        return [each[case] for each in found]

    for name in script.LAYERS:
        for key, wanted in script.layer_alone(name, one).items():
            for layers in of("layers"):
                torch.testing.assert_close(layers[name][key], wanted, rtol=1e-11, atol=1e-12, msg=f"{name}: {key}")
    check_step(of("double"), script.first_step(one, torch.float64), 1e-11)
    check_step(of("single"), script.first_step(one, torch.float32), 1e-5)
    check_step(of("frozen"), script.first_step(one, torch.float32, frozen=True), 1e-6)
    check_step(of("explicit"), script.first_step(one, torch.float32, implicit=0.0), 1e-5)
    for name, wanted in script.training(one, torch.float64, script.STEPS)[1].items():
        for tensors in of("double trained"):
            torch.testing.assert_close(tensors[name], wanted, rtol=1e-9, atol=1e-10, msg=name)
    for each in found:
        for name, tensor in each["undisturbed"].items():
            assert torch.equal(each["resumed"][name], tensor), name
            assert torch.equal(found[0]["undisturbed"][name], tensor), name
    check_half(of("half"))
    check_messages(of("messages"), count)


def check_half(found: list[dict]) -> None:
    """In bfloat16 several processes are as far from the truth as one is, and no further."""
    exact = script.first_step(Processes(), torch.float64)["loss total"]
    one = script.first_step(Processes(), torch.float32, half=True)["loss total"]
    assert one != exact
    torch.testing.assert_close(found[0]["loss total"], one, rtol=1e-2, atol=0)


def check_messages(found: list[dict], count: int) -> None:
    assert all(each["told"] == {"words": ["é", 1.5, None], "from": 0} for each in found)
    assert found[0]["events"] == ["by the first", "inside", "KeyError: 'no such thing'"]
    for rank in range(1, count):
        failure = f"VfsearchError: process {rank} stops, because the first process failed: 'no such thing'"
        assert found[rank]["events"] == ["by the first", failure]
    assert found[0]["refused"] == (
        f"process 0 of {count} has 8 rows of a batch of 8, its share is rows 0 to {-(-8 // count) - 1}: "
        f"take the share that Processes.share gives"
    )


@pytest.mark.parametrize("fails", [False, True])
def test_torchrun_starts_processes_that_find_each_other(fails, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(HERE / "started.py"), str(tmp_path), *(["fail"] if fails else [])]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert [(each["rank"], each["ranks"], each["device"]) for each in found] == [(0, 2, "cpu"), (1, 2, "cpu")]
    if fails:
        assert found[0]["error"] == "the disk is full"
        assert found[1]["error"] == "process 1 stops, because the first process failed: the disk is full"
    else:
        assert [each["told"] for each in found] == ["from 0", "from 0"]


@pytest.mark.parametrize("variables", [{}, {"WORLD_SIZE": "1"}, {**TORCHRUN, "WORLD_SIZE": "1", "RANK": "0"}])
def test_one_process_where_torchrun_says_nothing_of_others(variables):
    assert Processes.from_environment(variables) == Processes(rank=0, ranks=1, local_rank=0)


def test_the_environment_of_torchrun():
    assert Processes.from_environment(TORCHRUN) == Processes(rank=1, ranks=4, local_rank=1)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WORLD_SIZE": "4"}, "WORLD_SIZE is 4, without RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT: start several"),
        ({**TORCHRUN, "RANK": "first"}, "the environment variable RANK is 'first', wanted a whole number"),
        ({**TORCHRUN, "RANK": "4"}, "want 0 <= local_rank <= rank < ranks, got Processes"),
    ],
)
def test_an_environment_that_is_incomplete(variables, message):
    with pytest.raises(SettingsError, match=message):
        Processes.from_environment(variables)


def test_alone_there_is_nobody_to_wait_for(tmp_path):
    processes = Processes()
    assert processes.first and processes.alone
    assert processes.share(5) == slice(0, 5)
    assert processes.told({"a": (1, 2)}) == {"a": [1, 2]}
    with processes.wait_for_first():
        rows = processes.gather(torch.ones(3, 2), 3)
    with pytest.raises(KeyError), processes.wait_for_first():
        raise KeyError
    processes.barrier()
    processes.close()
    assert rows.shape == (3, 2) and not torch.distributed.is_initialized()


def test_alone_the_objective_stays_as_it_is():
    objective = script.make_objective(torch.float32)
    assert wrap(objective, Processes()) is objective


def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    processes = Processes(rank=3, ranks=4, local_rank=1)
    monkeypatch.setattr(parallel, "resolve_device", lambda name: {"auto": "cuda"}.get(name, name))
    assert [processes.device(name) for name in ("auto", "cuda", "cpu")] == ["cuda:1", "cuda:1", "cpu"]
    assert Processes().device("cuda:2") == "cuda:2"
    message = "the device is cuda:0 for each of 4 processes, and each needs a GPU of its own: use --device cuda"
    with pytest.raises(SettingsError, match=message):
        processes.device("cuda:0")


def test_a_torch_that_cannot(monkeypatch):
    monkeypatch.setattr("torch.distributed.is_available", lambda: False)
    with pytest.raises(VfsearchError, match=r"no torch.distributed, so 2 processes cannot train together"):
        Processes(rank=0, ranks=2).start()


def test_others_that_do_not_come(monkeypatch):
    from datetime import timedelta

    from vfsearch.train import process_group

    # port 1 is nobody's
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")
    monkeypatch.setattr(process_group, "_MEETING", timedelta(seconds=1))
    with pytest.raises(VfsearchError, match="process 1 of 2 could not meet the others: "):
        Processes(rank=1, ranks=2).start()
