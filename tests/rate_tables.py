"""A table of measured rates made up so that what follows from it is known."""

import contextlib
from collections.abc import Iterator

from vfsearch.index import rates
from vfsearch.index.rates import Floors, anchors

HERE = Floors(batch=1e12, single=1e10, pairs=1e9, product=1e11, threads=2)
LINES = """
quiet hnsw 10000 128 2; .8 .9 40000 50; .95 .98 20000 100 *; .99 .999 5000 400
quiet hnsw 1000000 128 800; .6 .8 40000 80; .9 .95 10000 200 *; .99 .999 1250 1600
quiet exact 100000 128 1; 1 1 50000 1000 *
quiet ivf 100000 128 5; .9 .95 10000 100 *
"""


@contextlib.contextmanager
def made_up(monkeypatch, lines: str = LINES) -> Iterator[None]:
    """Estimates are made from these lines meanwhile."""
    monkeypatch.setattr(rates, "FLOORS", {"quiet": HERE})
    monkeypatch.setattr(rates, "TABLE", lines)
    anchors.cache_clear()
    yield
    anchors.cache_clear()
