"""Random adding, removing and searching, against a list of rows that is compared one by one.

VFSEARCH_LONG_TESTS=1 makes it 200 sequences for every kind of index; else 40 for the exact one and 3 for
each other.
"""

import random

import numpy as np
import pytest
from builders import rounds
from index_changes import KINDS, build, gallery, source

from vfsearch.data.neighbors import NO_ROW
from vfsearch.devices import set_threads
from vfsearch.index.backends import open_index
from vfsearch.index.updating import update_index

STEPS, FLOOR = 5, 0.9
"""Changes of a sequence; least mean recall of the 10 best in a sequence, of an index that nobody tuned."""
LOSSLESS = ("exact", "flat")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """The same rows give the same graph."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    set_threads(1)


class Model:
    """The rows that an index should have, compared one by one."""

    def __init__(self, rows) -> None:
        self.ids, self.identities, self.vectors = list(rows.ids), list(rows.identities), rows.vectors

    def change(self, keep, new) -> None:
        stay = np.flatnonzero(keep).tolist()
        self.ids = [self.ids[row] for row in stay] + list(new.ids)
        self.identities = [self.identities[row] for row in stay] + list(new.identities)
        self.vectors = np.concatenate([self.vectors[stay], new.vectors])

    def best(self, queries, k, rows, exclude):
        """(q, k) rows of the best scores, padded with -1."""
        scores = queries.astype(np.float64) @ self.vectors.T.astype(np.float64)
        out = np.ones(len(self.ids), dtype=bool)
        out[rows] = False
        scores[:, out] = -np.inf
        places = np.flatnonzero(exclude >= 0)
        scores[places, exclude[places]] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        found = np.where(np.take_along_axis(scores, order, axis=1) > -np.inf, order, NO_ROW)
        return np.pad(found, ((0, 0), (0, k - found.shape[1])), constant_values=NO_ROW)


def changed(folder, model, random_, number) -> int:
    """Remove some rows, add some, replace some; the number of the next new row."""
    keep = np.array([random_.random() < random_.choice((1, 0.9, 0.5)) for _ in model.ids])
    keep[random_.randrange(len(keep))] = True
    new = gallery(random_.choice((0, 1, 30)), first=number) if random_.random() < 0.7 else gallery(1, first=number)
    update_index(folder, keep, source(new))
    model.change(keep, new)
    return number + len(new)


def recall(folder, model, random_, exact: bool) -> float:
    """How many of the true neighbours are found; every one, and in their order, where nothing may be lost."""
    index = open_index(folder)
    assert index.gallery.ids == model.ids and index.gallery.identities == model.identities
    assert np.array_equal(index.vectors, model.vectors) and index.inspect() == []
    k, count, queries = random_.choice((1, 3, 10)), len(model.ids), model.vectors[:: random_.choice((1, 3))]
    some = np.array(sorted(random_.sample(range(count), random_.randint(1, count))))
    among = some if random_.random() < 0.5 else None
    exclude = np.array([random_.choice((NO_ROW, row % count)) for row in range(len(queries))])
    found = index.search(queries, k, among, exclude)
    wanted = model.best(queries, k, np.arange(count) if among is None else among, exclude)
    if exact:
        assert np.array_equal(found.rows, wanted)
    assert among is None or np.isin(found.rows[found.rows != NO_ROW], among).all()
    assert not ((found.rows == exclude[:, None]) & (exclude >= 0)[:, None]).any()
    hits = (found.rows[:, :, None] == wanted[:, None, :]) & (wanted != NO_ROW)[:, None, :]
    return hits.any(axis=1).sum() / max(1, (wanted != NO_ROW).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_sequences(kind, tmp_path):
    for turn in range(rounds(40 if kind == "exact" else 3, 200)):
        random_, folder = random.Random(turn), tmp_path / str(turn)
        rows = gallery(random_.randint(1 if kind in LOSSLESS else 60, 150))
        build(folder, kind, rows)
        model, number, recalls = Model(rows), len(rows), []
        for _ in range(STEPS):
            number = changed(folder, model, random_, number)
            recalls.append(recall(folder, model, random_, kind in LOSSLESS))
        assert np.mean(recalls) >= (1 if kind in LOSSLESS else FLOOR), (kind, turn, recalls)
