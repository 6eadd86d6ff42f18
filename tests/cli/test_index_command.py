"""`vfsearch index build`, as a user gives it."""

import json
import shutil

import pytest


@pytest.fixture
def embedded(measured):
    """A workspace with a store and no index."""
    shutil.rmtree(measured / "index")
    return measured


def manifest(folder) -> dict:
    return json.loads((folder / "MANIFEST.json").read_text())["about"]


def test_each_row_says_what_was_made(embedded, vf):
    code, out, _ = vf("index", "build", "--preset", "exact,ivf", "--preset", "flat")
    assert code == 0
    lines = [line.split() for line in out.splitlines() if line.strip().startswith("index/")]
    assert [line[:5] for line in lines] == [
        [f"index/{modality}{end}", preset, backend, "48", "128"]
        for modality in ("voice", "face")
        for end, preset, backend in (("", "exact", "exact"), ("-ivf", "ivf", "faiss"), ("-flat", "flat", "faiss"))
    ]
    assert all(line[-1] == "built" for line in lines)
    for word in ("index", "preset", "back end", "rows", "dimension", "size", "seconds", "peak memory"):
        assert word in out
    out = vf("index", "build", "--preset", "exact,ivf,flat")[1]
    assert out.count("kept") == 6 and "built" not in out
    assert vf("index", "build", "--modality", "face", "--overwrite")[1].count("built") == 1


def test_the_document(embedded, document):
    (made,) = document("index", "build", "--modality", "face", "--preset", "ivf", "--setting", "lists=3")["indices"]
    assert {name: made[name] for name in ("folder", "modality", "backend", "preset", "rows", "built_now")} == {
        "folder": "index/face-ivf", "modality": "face", "backend": "faiss", "preset": "ivf", "rows": 48,
        "built_now": True,
    }  # fmt: skip
    assert made["size_bytes"] > 48 * 64 * 4 and made["seconds"] > 0 and made["peak_memory_bytes"] > 0
    about = manifest(embedded / "index/face-ivf")
    assert about["settings"]["parameters"]["lists"] == 3 and about["split"] is None and about["settings"]["seed"] == 1


def test_seed_split_and_places(embedded, document, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    shutil.move(embedded / "embeddings", out / "s")
    more = ["--store", out / "s", "--out", out / "i", "--split", "test", "--seed", "7", "--threads", "1"]
    (made,) = document("index", "build", "--modality", "face", "--preset", "ivf", *more)["indices"]
    about = manifest(out / "i/face-ivf")
    assert made["rows"] == 24 and about["split"] == "test" and about["settings"]["seed"] == 7
    assert document("index", "build", "--modality", "face", *more, "--split", "all")["indices"][0]["rows"] == 48


def test_a_factory_string(embedded, document, vf):
    build = ["index", "build", "--modality", "face", "--factory", "IVF4,SQ8"]
    (made,) = document(*build, "--name", "face-wide")["indices"]
    assert made["folder"] == "index/face-wide" and made["backend"] == "faiss"
    assert manifest(embedded / "index/face-wide")["settings"]["parameters"]["factory"] == "IVF4,SQ8"
    code, _, err = vf(*build)
    assert code == 2 and "has no name of its own: give --name" in err
    code, _, err = vf(*build, "--preset", "svs", "--name", "x")
    assert code == 2 and "--factory is for faiss, --preset svs says what to build already" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--preset", "hsnw"], 2, "no kind of index is named 'hsnw'; known: exact,"),
        (["--preset", "exact,"], 2, "no kind of index is named ''"),
        (
            ["--preset", "cagra", "--device", "cpu"],
            2,
            "the back end faiss-gpu searches on cuda, not on cpu: give "
            "--device cuda on a machine with a GPU, or take another kind of index; `vfsearch index plan`",
        ),
        (["--presets", "os:path"], 2, "'os:path' is no index back end: wanted a subclass of vfsearch.index.base.Index"),
        (["--preset", "collections:Counter"], 2, "'collections:Counter' is no index back end"),
        (["--setting", "lists"], 2, "--setting is 'lists', wanted NAME=VALUE, for example lists=4096"),
        (["--setting", "lists=4"], 2, "the back end exact has no build setting 'lists'; it has: none"),
        (["--name", "mine"], 2, "two indices would be index/mine; a name is for one modality and one preset"),
        (["--name", "../mine", "--modality", "face"], 2, "--name '../mine' must be a plain name"),
        (["--name", "", "--modality", "face"], 2, "--name '' must be a plain name"),
        (["--split", "dev"], 3, "has no voice rows with split=dev: it holds voice (48 rows)"),
        (["--seed", "-1"], 2, "seed is -1, it must be at least 0"),
        (["--threads", "0"], 2, "threads is 0, it must be at least 1"),
    ],
)
def test_what_cannot_be_built(embedded, vf, arguments, code, said):
    found, _, err = vf("index", "build", *arguments)
    assert found == code and said in " ".join(err.split())
    assert not list(embedded.glob("index/*/MANIFEST.json"))


def test_one_preset_or_several_in_the_settings_file(embedded, document):
    settings, names = embedded / "vfsearch.toml", []
    for value in ('"flat"', '["flat", "ivf"]', '"flat,ivf"'):
        settings.write_text(f'[index.build]\npreset = {value}\nmodality = "face"\n')
        names.append([each["preset"] for each in document("index", "build")["indices"]])
    assert names == [["flat"], ["flat", "ivf"], ["flat", "ivf"]]


def test_presets_from_the_environment(embedded, document, monkeypatch):
    monkeypatch.setenv("VFSEARCH_PRESET", "flat,ivf")
    names = [
        each["preset"] for each in document("index", "build", "--modality", "face", "--modality", "face")["indices"]
    ]
    assert names == ["flat", "ivf"]


def test_any_index_is_queried(embedded, vf):
    assert vf("index", "build", "--modality", "face", "--preset", "ivf", "--name", "face")[0] == 0
    assert vf("index", "build", "--modality", "voice")[0] == 0
    code, out, _ = vf("query")
    assert code == 0 and "R@10 of exact" in out
