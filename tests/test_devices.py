import importlib.util
import os
import subprocess
import sys

import pytest

from vfsearch.devices import cores, keep_freed_memory, one_device, resolve_device, set_threads, threads
from vfsearch.errors import SettingsError
from vfsearch.kernels.threads import shared

LOADS = {
    "nothing before": ("", "import torch, faiss"),
    "torch before": ("import torch", "import faiss"),
    "faiss before": ("import faiss", "import torch"),
    "both before": ("import faiss, torch", ""),
}
PROGRAM = """
{before}
import numpy as np
from vfsearch.devices import set_threads, threads
set_threads({count})
{after}
from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.topk import topk
random = np.random.default_rng(1)
rows = random.normal(size=(3000, 32)).astype(np.float32)
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
for _ in range(3):
    ours = topk(rows[:50], rows, 5)
    theirs = faiss.knn(rows[:50], rows, 5, metric=faiss.METRIC_INNER_PRODUCT)[1]
    products = (torch.as_tensor(rows[:50]) @ torch.as_tensor(rows).T).topk(5).indices.numpy()
    assert np.array_equal(ours.rows, theirs) and np.array_equal(ours.rows, products)
    assert np.array_equal(ours.scores[:, 0], pair_scores(rows, rows, np.arange(50), ours.rows[:, 0]))
print(threads(), torch.get_num_threads(), faiss.omp_get_max_threads())
"""


@pytest.mark.parametrize("loads", LOADS)
def test_threads_of_both_openmp_runtimes_and_of_ours(loads):
    if importlib.util.find_spec("faiss") is None:
        pytest.skip("faiss is not installed")
    before, after = LOADS[loads]
    program = PROGRAM.format(before=before, after=after, count=2)
    around = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=around, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    # Before it is loaded, torch takes no more than one a core.
    torch_threads = 2 if "torch" in before else min(2, cores())
    assert done.stdout.split() == ["2", str(torch_threads), "2"]


@pytest.mark.parametrize(("asked", "wanted"), [("3", 3), ("4,2", 4), ("", None), ("0", None), ("many", None)])
def test_threads_from_the_environment(monkeypatch, asked, wanted):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert threads() == (cores() if wanted is None else wanted)


def test_threads_as_they_are_set(monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    for loaded in ("torch", "faiss"):
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    set_threads(5)
    assert threads() == 5
    set_threads(None)
    assert threads() == 5
    with pytest.raises(SettingsError, match="threads is 0, it must be at least 1"):
        set_threads(0)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_shared_work_comes_back_in_order(monkeypatch, count):
    monkeypatch.setenv("OMP_NUM_THREADS", str(count))
    assert shared(lambda part: part * 2, range(20)) == list(range(0, 40, 2))
    assert shared(lambda part: part, []) == []
    with pytest.raises(ZeroDivisionError):
        shared(lambda part: 1 // part, [2, 1, 0])


def test_all_gpus_are_for_searching():
    with pytest.raises(SettingsError, match="cuda:all is for searching; this work runs on one device: use cuda or"):
        resolve_device("cuda:all")
    assert [one_device(name) for name in ("cpu", "cuda:1", "cuda:all")] == ["cpu", "cuda:1", "cuda"]


def test_devices_that_are_not_here(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("cuda", "cuda:3", "cuda:all"):
        with pytest.raises(SettingsError, match=f"the device {name} is not here: torch sees 0 CUDA devices"):
            resolve_device(name, several=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [resolve_device(name, several=True) for name in ("auto", "cuda:1", "cuda:all")] == [
        "cuda", "cuda:1", "cuda:all",
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="cuda:2 is not here: torch sees 2"):
        resolve_device("cuda:2")


def test_freed_memory_is_kept_without_a_word_where_that_is_unknown(monkeypatch):
    keep_freed_memory()
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    keep_freed_memory()
