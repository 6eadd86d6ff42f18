"""`vfsearch index add`, `remove`, `info` and `verify`, as a user gives them."""

import shutil

import pytest
from hashed import HASHED, write_manifest


@pytest.fixture
def place(workspace, vf):
    """A store of 12 people, 4 photos and 4 clips each, and indices of both."""
    for command in (["embed", "--frozen", *HASHED], ["index", "build"]):
        code, _, err = vf(*command)
        assert code == 0, err
    return workspace


def test_add(place, vf, document):
    write_manifest(place, identities=14)
    assert vf("embed", "--frozen", *HASHED, "--overwrite")[0] == 0
    dry = document("index", "add", "--dry-run")
    assert dry["dry_run"] and [each["added"] for each in dry["indices"]] == [8, 8]
    code, out, _ = vf("index", "add", "face")
    assert code == 0 and "in place: an exact index is its rows" in out and "voice" not in out
    code, out, _ = vf("index", "add")
    assert code == 0 and "up to date" in out
    found = document("index", "add")
    assert [each["written"] for each in found["indices"]] == [False, False]
    assert found["indices"][0]["folder"].endswith("face") and found["indices"][0]["rows"] == 56


def test_add_and_what_the_store_lost(place, vf, document):
    write_manifest(place, identities=10)
    assert vf("embed", "--frozen", *HASHED, "--overwrite")[0] == 0
    code, _, err = vf("index", "add", "face")
    assert code == 0 and "8 rows of the index" in err and "--prune removes them" in err
    assert document("index", "add", "--sync", "face")["indices"][0]["removed"] == 8
    assert document("index", "info", "face")["indices"][0]["rows"] == 40


def test_remove_and_verify(place, vf, document):
    code, _, err = vf("index", "remove", "face", "--identity", "nobody")
    assert code == 2 and "no row of the identity 'nobody'; nothing was removed" in err
    code, out, err = vf("index", "remove", "face", "--identity", "p3", "--id", "face/p5/0", "--dry-run")
    assert code == 0 and "not done: --dry-run" in out
    assert vf("index", "verify", "face", "--absent", "p3")[0] == 3
    code, out, err = vf("index", "remove", "face", "--identity", "p3", "--id", "face/p5/0")
    assert code == 0 and "`vfsearch index add` and `index build --overwrite` bring back what the store has" in err
    code, out, _ = vf("index", "verify", "face", "--absent", "p3", "--absent-id", "face/p5/0")
    assert code == 0 and "index/face: whole; 43 rows" in out
    assert "proved: the identity 'p3': no 16 bytes of 4 rows are in any file" in out
    found = document("index", "verify", "face", "--absent", "p3")
    assert found["indices"][0]["faults"] == [] and found["indices"][0]["unproved"]
    assert document("index", "add", "face")["indices"][0]["added"] == 5


def test_remove_by_path_of_the_index_and_out(place, vf):
    shutil.move(place / "index", place / "elsewhere")
    assert vf("index", "remove", "face", "--identity", "p1")[0] == 3
    assert vf("index", "remove", "face", "--identity", "p1", "--out", "elsewhere")[0] == 0
    assert vf("index", "remove", "elsewhere/face", "--identity", "p2")[0] == 0
    assert vf("index", "verify", "--out", "elsewhere", "--absent", "p0")[0] == 3
    code, out, _ = vf("index", "verify", "elsewhere/face", "--absent", "p1")
    assert code == 0 and "40 rows" in out


def test_verify_names_damage(place, vf):
    assert vf("index", "verify")[0] == 0
    (path,) = (place / "index/face").glob("*.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    code, out, _ = vf("index", "verify")
    assert code == 3 and "index/face: 1 faults" in out and path.name in out and "index/voice: whole" in out
    for command in (["remove", "face", "--identity", "p1"], ["add", "face"]):
        code, _, err = vf("index", *command)
        assert code == 3 and path.name in err and "is damaged" in err


def test_info(place, vf, document):
    assert vf("index", "remove", "face", "--identity", "p3")[0] == 0
    code, out, _ = vf("index", "info")
    assert code == 0
    for text in ("index/face", "index/voice", "the store as it is", "every row is compared", "id-hash-face:",
                 "changed +0 -4 rows (in place: an exact index is its rows)"):  # fmt: skip
        assert text in out, text
    (face,) = document("index", "info", "face")["indices"]
    assert face["changes"] == [{"added": 0, "removed": 4, "how": "in place: an exact index is its rows"}]
    assert (face["rows"], face["backend"], face["presets"], face["tuned"]) == (44, "exact", ["exact"], None)
    assert sum(face["files"].values()) == face["size_bytes"]
    code, _, err = vf("index", "info", "foot")
    assert code == 3 and "no index is named 'foot'" in err
