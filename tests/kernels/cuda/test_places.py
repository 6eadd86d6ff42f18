import pytest
import torch

from vfsearch.kernels.cuda import places
from vfsearch.kernels.cuda.places import devices_of, memory_of, runs_triton


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert [str(device) for device in devices_of("cuda:all")] == ["cuda:0", "cuda:1", "cuda:2"]
    assert devices_of("cuda:1") == [torch.device("cuda:1")]


@pytest.mark.parametrize(
    ("found", "compiler", "capability", "runs"),
    [(True, "/usr/bin/cc", (9, 0), True), (False, "/usr/bin/cc", (9, 0), False), (True, None, (9, 0), False),
     (True, "/usr/bin/cc", (7, 5), False)],
)  # fmt: skip
def test_triton_runs_where_all_it_needs_is_there(monkeypatch, found, compiler, capability, runs):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(places, "find_spec", lambda name: found or None)
    monkeypatch.setattr(places.shutil, "which", lambda name: compiler)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert runs_triton(torch.device("cuda")) is runs


def test_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 5000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 300)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 50)
    assert memory_of(torch.device("cuda"), None) == 1000
    assert memory_of(torch.device("cuda"), 7) == 7
