"""A sharded index is the index of all rows, in parts."""

import numpy as np
import pytest
from builders import contents, unit_rows
from index_changes import gallery

from vfsearch.data.row_source import rows_in_memory
from vfsearch.errors import ArtefactError, DamagedError, SettingsError, VectorError
from vfsearch.index.answers import open_here
from vfsearch.index.backends import open_index
from vfsearch.index.building import build_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.partitions import partitions_of, size_bytes, spans
from vfsearch.index.settings import BuildSettings
from vfsearch.index.sharding import build_partition, build_sharded
from vfsearch.index.verifying import verify_index

ROWS = 160
EXACT = BuildSettings(backend="exact")
CLUSTERED = BuildSettings(backend="clustered", parameters={"lists": 8})


def source(rows=ROWS, ties=False):
    some = gallery(rows)
    if ties:
        vectors = some.vectors[np.arange(rows) % 7]
        some = type(some)(**{**some.__dict__, "vectors": vectors})
    return rows_in_memory(some, "0" * 64)


def both(folder, count, settings=EXACT, **more):
    build_index(folder / "whole", source(**more), settings)
    build_sharded(folder / "sharded", source(**more), settings, count)
    return open_index(folder / "whole"), open_index(folder / "sharded")


def held(folder):
    """Every file below a folder with its bytes."""
    return {name.partition("/")[2]: data for name, data in contents(folder).items()}


def queries(index, count=9):
    return unit_rows(count, index.vectors.shape[1], 5)


def same(one, other):
    return np.array_equal(one.rows, other.rows) and np.array_equal(one.scores, other.scores)


@pytest.mark.parametrize("count", [1, 2, 3, 7, ROWS])
@pytest.mark.parametrize("ties", [False, True])
def test_the_answers_of_one_index(count, ties, tmp_path):
    whole, sharded = both(tmp_path, count, ties=ties)
    asked = queries(whole)
    assert list(sharded.gallery.ids) == list(whole.gallery.ids) and len(sharded) == ROWS and sharded.exact
    assert sharded.gallery.columns.keys() == whole.gallery.columns.keys()
    assert np.array_equal(sharded.vectors[:], whole.vectors)
    for k in (1, 10, ROWS + 3):
        assert same(sharded.search(asked, k), whole.search(asked, k))
    some, exclude = np.arange(3, ROWS, 5), np.array([3, 8, -1, 150, 4, -1, 78, 33, 158])
    assert same(sharded.search(asked, 12, some, exclude), whole.search(asked, 12, some, exclude))
    assert same(sharded.search(asked, 5, np.array([3]), exclude), whole.search(asked, 5, np.array([3]), exclude))


def test_an_approximate_one(tmp_path):
    whole, sharded = both(tmp_path, 3, CLUSTERED)
    asked = queries(whole)
    assert not sharded.exact and [knob.name for knob in sharded.knobs] == [knob.name for knob in whole.knobs]
    sharded.use(sharded.exhaustive)
    exactly = sharded.searching_exactly()
    assert exactly.exact and exactly.knobs == () and same(sharded.search(asked, 10), exactly.search(asked, 10))
    whole.use(whole.exhaustive)
    assert same(exactly.search(asked, 10), whole.search(asked, 10))
    sharded.use({sharded.knobs[0].name: 1})
    found = sharded.search(asked, 10)
    assert not same(found, exactly.search(asked, 10))
    # What it finds has its true score.
    rows, scores = exactly.search(asked, ROWS).rows, exactly.search(asked, ROWS).scores
    for query in range(len(asked)):
        known = dict(zip(rows[query].tolist(), scores[query].tolist(), strict=True))
        assert all(known[row] == score for row, score in zip(found.rows[query], found.scores[query], strict=True))
    assert sharded.memory_bytes() > 0 and sharded.inspect() == []
    with pytest.raises(SettingsError, match="k is 0"):
        sharded.search(asked, 0)


def test_no_more_partitions_than_rows(tmp_path):
    assert spans(5, 5) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    with pytest.raises(SettingsError, match="160 rows cannot be put into 161 partitions; ask for 1 to 160"):
        build_sharded(tmp_path / "a", source(), EXACT, ROWS + 1)


def test_two_rows_of_one_id_in_different_partitions(tmp_path):
    some = gallery(10)
    twice = type(some)(**{**some.__dict__, "ids": [*some.ids[:9], some.ids[0]]})
    with pytest.raises(VectorError, match="two face rows have the id"):
        build_sharded(tmp_path / "a", rows_in_memory(twice, "0" * 64), EXACT, 2)
    assert not (tmp_path / "a" / "MANIFEST.json").exists()


def test_a_killed_build_goes_on(tmp_path):
    built = []

    def dies(jobs, progress):
        for job in jobs[:2]:
            built.append(build_partition(job, source(), EXACT))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_sharded(tmp_path / "a", source(), EXACT, 4, dies)
    build_sharded(tmp_path / "a", source(), EXACT, 4, lambda jobs, progress: built.extend(
        build_partition(job, source(), EXACT) for job in jobs))  # fmt: skip
    assert built == [True, True, False, False, True, True]
    build_sharded(tmp_path / "b", source(), EXACT, 4)
    assert held(tmp_path / "a") == held(tmp_path / "b")
    (first,) = {part.folder.name[:8] for part in partitions_of(read_index_artefact(tmp_path / "a"))}
    assert size_bytes(read_index_artefact(tmp_path / "a")) > ROWS * 4
    # Another one of the same name leaves nothing of it; neither does one that is not sharded.
    build_sharded(tmp_path / "a", source(), CLUSTERED, 2)
    assert not list((tmp_path / "a").glob(f"{first}*"))
    build_index(tmp_path / "a", source(), EXACT)
    assert not list((tmp_path / "a").glob("*-part-*"))
    build_sharded(tmp_path / "a", source(), EXACT, 4)
    assert held(tmp_path / "a") == held(tmp_path / "b")


def test_damage_is_found_and_may_be_left_out(tmp_path):
    build_sharded(tmp_path / "a", source(), EXACT, 4)
    artefact = read_index_artefact(tmp_path / "a")
    parts = partitions_of(artefact)
    assert verify_index(tmp_path / "a").faults == () and len(verify_index(tmp_path / "a").proved) == 8
    (vectors,) = parts[1].folder.glob("*-vectors.npy")
    data = bytearray(vectors.read_bytes())
    data[-1] ^= 1
    vectors.write_bytes(data)
    with pytest.raises(DamagedError, match=r"vectors\.npy is damaged"):
        open_index(tmp_path / "a")
    assert "vectors.npy is damaged" in verify_index(tmp_path / "a").faults[0]
    index = open_here(artefact, "cpu", partial=True)
    assert list(index.answering.lost) == [parts[1].name] and len(index) == 120
    asked, ids = queries(index), source().read(0).ids
    assert list(index.gallery.ids) == [*ids[:40], *ids[80:]]
    whole = build_and_open(tmp_path / "whole")
    left = np.r_[0:40, 80:160]
    assert np.array_equal(left[index.search(asked, 5).rows], whole.search(asked, 5, left).rows)
    (manifest,) = parts[0].folder.glob("MANIFEST.json")
    manifest.write_bytes(manifest.read_bytes() + b" ")
    with pytest.raises(DamagedError, match=r"MANIFEST\.json is damaged"):
        open_index(tmp_path / "a")
    for part in parts[2:]:
        (part.folder / "MANIFEST.json").unlink()
    with pytest.raises(ArtefactError, match=r"no partition of the index .* can be opened"):
        open_here(artefact, "cpu", partial=True)


def build_and_open(folder):
    build_index(folder, source(), EXACT)
    return open_index(folder)
