import os

import pytest
import torch

from vfsearch.bench.same_threads import same_threads
from vfsearch.devices import threads
from vfsearch.errors import SettingsError


def test_all_alike_and_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    before = torch.get_num_threads()
    with same_threads(1) as count:
        assert count == threads() == torch.get_num_threads() == 1
    assert threads() == 2 and torch.get_num_threads() == before
    with same_threads(None) as count:
        assert count == 2
    monkeypatch.delenv("OMP_NUM_THREADS")
    with same_threads(1):
        pass
    assert "OMP_NUM_THREADS" not in os.environ


def test_fewer_than_one():
    with pytest.raises(SettingsError, match="threads is 0"), same_threads(0):
        pass
