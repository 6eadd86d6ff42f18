import builtins
import sys

import pytest

from vfsearch.distributed.cluster import cluster, require_address
from vfsearch.errors import MissingExtraError, SettingsError, VfsearchError


@pytest.fixture
def no_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)


def test_without_ray_it_says_what_to_install(no_ray):
    with pytest.raises(MissingExtraError, match=r"--on ray needs Ray; install with: pip install 'vfsearch\[ray\]'"):
        cluster().__enter__()


@pytest.mark.parametrize("address", ["spark", "ray://", "ray:", ""])
def test_what_is_no_cluster(address):
    with pytest.raises(SettingsError, match="work can be done on ray or ray://HOST:PORT, not on"):
        require_address(address)
    assert require_address("ray://head:10001") == "ray://head:10001"


@pytest.mark.parametrize(("address", "named"), [("ray", "127.0.0.1:1"), ("ray://127.0.0.1:1", None)])
def test_where_nobody_listens(address, named, monkeypatch):
    pytest.importorskip("ray", reason="no Ray: pip install 'vfsearch[ray]'")
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if named:
        monkeypatch.setenv("RAY_ADDRESS", named)
    with pytest.raises(VfsearchError, match=r"no Ray cluster could be reached at .*127\.0\.0\.1:1: .*refused"):
        cluster(address).__enter__()


def test_print_stays_what_it_was(nodes):
    from ray.experimental import tqdm_ray

    tqdm_ray.instance()
    assert builtins.print.__module__ == "builtins"
