import numpy as np
import pytest
from verification_lists import random_pairs

from vfsearch.data.scored import ScoredPairs
from vfsearch.errors import SettingsError, VfsearchError
from vfsearch.measure import pair_spill
from vfsearch.measure.pair_sorter import PairSorter
from vfsearch.measure.pair_spill import ROW, PairSpill, RowFile, rows_of


def one(score=0.5, identities=("a", "b")):
    return ScoredPairs(
        scores=np.array([score]), mated=np.array([True]), probes=np.array([0]), items=np.array([0]),
        identities=identities,
    )  # fmt: skip


def test_what_comes_out_is_what_went_in(tmp_path, monkeypatch):
    monkeypatch.setattr(pair_spill, "ROWS_PER_PIECE", 16)
    parts = [random_pairs(seed) for seed in range(8)]
    with PairSpill(tmp_path) as spill:
        for part in parts:
            spill.add(part)
        chunks = list(spill.chunks())
        assert len(spill) == sum(map(len, parts)) and next(spill.chunks()).identities == parts[0].identities
    for name in ("scores", "mated", "probes", "items"):
        got = np.concatenate([getattr(chunk, name) for chunk in chunks])
        assert np.array_equal(got, np.concatenate([getattr(part, name) for part in parts]))
    assert not list(tmp_path.iterdir())


def test_nothing_in_it_is_nothing_out():
    with PairSpill() as spill:
        assert len(spill) == 0 and list(spill.chunks()) == []
    assert list(PairSpill().chunks()) == []


def test_identities_may_join_and_not_leave():
    with PairSpill() as spill:
        spill.add(one(identities=["a"]))
        spill.add(one(identities=["a", "b"]))
        assert spill.identities == ["a", "b"]
        with pytest.raises(SettingsError, match="the identities of those before and more: got 1 after 2"):
            spill.add(one(identities=["a"]))


def test_it_is_used_inside_its_with():
    with pytest.raises(SettingsError, match="used inside its `with`"):
        PairSpill().add(one())


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(VfsearchError, match=r"cannot make a folder for temporary files: No such file .*; set TMPDIR"):
        PairSpill(tmp_path / "none").__enter__()


def test_a_disk_that_takes_no_more(tmp_path):
    file = RowFile(tmp_path / "gone" / "pairs")
    with pytest.raises(VfsearchError, match=r"cannot keep 1 trials in .*pairs: .*; free some space, or set TMPDIR"):
        file.append(rows_of(one()))


@pytest.mark.parametrize("harm", ["remove", "shorten"])
def test_a_file_that_lost_trials(tmp_path, harm):
    file = RowFile(tmp_path / "pairs")
    file.append(np.zeros(10, ROW))
    file.path.unlink() if harm == "remove" else file.path.write_bytes(b"short")
    message = "cannot read the temporary file" if harm == "remove" else "lost trials while it was in use"
    with pytest.raises(VfsearchError, match=message):
        list(file.pieces())


def test_a_sample_is_from_all_over_the_file(tmp_path):
    file = RowFile(tmp_path / "pairs")
    rows = np.zeros(1000, ROW)
    rows["score"] = np.arange(1000)
    file.append(rows)
    found = file.sample(100)["score"]
    assert len(found) <= 100 and found.min() < 20 and found.max() > 980
    assert len(file.sample(5000)) == 1000 and len(file.sample(1)) == 1


@pytest.mark.parametrize("most", [1, 3, 20, 1000])
def test_sorted_pieces_hold_every_trial_once_and_fall(tmp_path, most):
    for seed in range(30):
        rows = rows_of(random_pairs(seed, most=200))
        with PairSorter(len(rows), most, tmp_path) as sorter:
            for part in np.array_split(rows, 7):
                sorter.add(part)
            pieces = list(sorter.pieces())
        got = np.concatenate(pieces)
        assert (np.diff(np.nan_to_num(got["score"], neginf=-1e9)) <= 0).all()
        assert np.array_equal(np.sort(got), np.sort(rows))
        assert max(map(len, pieces)) <= max(most, -(-len(rows) // 7) if most >= len(rows) else most)
    assert not list(tmp_path.iterdir())
