"""`vfsearch index bench`, as a user gives it."""

import json

import pytest
from lossy_index import BACKEND

SMALL = ["index", "bench", "--presets", f"ivf,{BACKEND}", "--probes", "16", "--k", "5", "--runs", "1", "--threads", "1"]


def test_table_and_files(measured, vf):
    code, out, err = vf(*SMALL)
    assert code == 0, err
    for word in ("48 face rows of 128 dimensions", "voice probes of the split train", "exact", "ivf", "lossy_index",
                 "R@5", "probes/s", "times exact", "median ms", "p95 ms", "p99 ms", "disk", "memory",
                 "build s", "was there", "seen=7", "nprobe=", "default", "frontier",
                 "medians of 1 run, of more where they are short, by turns with the exact engine"):  # fmt: skip
        assert word in out, word
    assert "16 voice probes" in out and "to check with" not in err
    (folder,) = (measured / "runs").glob("index-bench-face-*")
    names = {path.name for path in folder.iterdir()} - {"LOCK"}
    assert names == {"index-bench.csv", "index-bench.json", "frontier.png"}
    assert sorted(path.name for path in (measured / "index").iterdir()) == ["face", "voice"]


def test_places_and_document(measured, document):
    found = document(*SMALL, "--out", "here", "--csv", "own/table.csv", "--modality", "voice", "--split", "test")
    assert found["files"][0] == "own/table.csv" and (measured / "own/table.csv").read_text().startswith(
        "preset,backend"
    )
    assert (found["modality"], found["probe"], found["split"], found["rows"]) == ("voice", "face", "test", 48)
    assert found["machine"]["threads"] == 1 and found["presets"][0]["preset"] == "exact"
    saved = json.loads((measured / "here/index-bench.json").read_text())
    assert saved == {name: value for name, value in found.items() if name != "files"}


def test_a_kind_that_fails(measured, vf, monkeypatch):
    from lossy_index import LossyIndex

    def write(*more):
        raise MemoryError

    monkeypatch.setattr(LossyIndex, "write", write)
    code, out, err = vf(*SMALL)
    assert code == 4 and f"failed: {BACKEND}: out of memory" in out and "could not be measured" in err
    assert "ivf" in out


def test_kinds_that_want_too_much(measured, vf):
    code, _, err = vf(*SMALL, "--max-memory", "1MiB")
    assert code == 5 and "not even the exact engine fits: building it wants 350.0 MiB of memory, 1.0 MiB are" in err


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [(["--preset", "nosuch"], 2, "no kind of index is named 'nosuch'"), (["--store", "none"], 3, "none")],
)
def test_errors(measured, vf, more, code, message):
    got, _, err = vf(*SMALL, *more)
    assert got == code and message in err
