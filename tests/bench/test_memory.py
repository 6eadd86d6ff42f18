import math
from pathlib import Path

import numpy as np

from vfsearch.bench import memory


def test_what_is_given_and_what_is_gone_again_counts():
    result, kept = memory.rise(lambda: np.ones(4_000_000))
    total, gone = memory.rise(lambda: np.ones(4_000_000).sum())
    assert len(result) == 4_000_000 and total == 4e6
    for rose in (kept, gone):
        assert math.isnan(rose) or 30e6 < rose < 60e6


def test_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.setattr(memory, "_CLEAR", Path("/nowhere/clear_refs"))
    result, rose = memory.rise(lambda: 7)
    assert result == 7 and math.isnan(rose)
