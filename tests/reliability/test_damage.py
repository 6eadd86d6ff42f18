"""Flipped bits, truncations and lost files: each is refused with the file's name and exit code 3; none is accepted.

VFSEARCH_LONG_TESTS=1 makes it 10,000 flips.
"""

import random

import pytest
from builders import contents, rounds, run_cli

from vfsearch.data.manifest import read_manifest
from vfsearch.store.inspect import verify
from vfsearch.store.store import open_store

TRAIN = ["train", "--dimension", "16", "--hidden", "0", "--stages", "retrain", "--steps", "3", "--batch-size", "4"]
ID_HASH = ["--voice-encoder", "id-hash-voice", "--face-encoder", "id-hash-face", "--device", "cpu"]
READERS = {
    "model": [*TRAIN, *ID_HASH],
    "features": ["store", "verify", "--store"],
    "embeddings": ["store", "verify"],
    "index": ["query", "--n", "2", "--k", "3", "--device", "cpu", "--overwrite"],
    "runs": ["query", "--n", "2", "--k", "3", "--device", "cpu"],
}


def artefact_files(workspace):
    """Every file of every artefact that the query of `READERS` reads."""
    files = [path for path in sorted(workspace.folder.rglob("*")) if path.is_file() and path.stat().st_size]
    return [path for path in files if path.name != "manifest.csv" and "index/voice" not in str(path)]


def reader_of(path, workspace):
    kind = path.relative_to(workspace.folder).parts[0]
    place = [str(workspace.features_folder)] if kind == "features" else []
    return [*READERS[kind], *place, "--workspace", str(workspace.folder), "-q"]


def refusal(path, workspace, capsys) -> str:
    """What the command says of a file that is not as it was."""
    capsys.readouterr()
    code = run_cli(reader_of(path, workspace))
    said = "".join(capsys.readouterr()).replace("\n", "")
    assert code == 3, (path, said)
    assert str(path) in said, said
    assert "Traceback" not in said and "a fault of vfsearch" not in said, said
    return said


def test_flipped_bits(built, capsys):
    files, random_ = artefact_files(built), random.Random(1)
    for one_of_a_kind in {path.relative_to(built.folder).parts[0]: path for path in files}.values():
        assert run_cli(reader_of(one_of_a_kind, built)) == 0, capsys.readouterr()
    assert {path.suffix for path in files} == {".json", ".h5", ".csv", ".npy", ".safetensors", ".png", ".vfsearch"}
    for turn in range(rounds(500, 10_000)):
        path = files[turn % len(files)]
        good = path.read_bytes()
        bad = bytearray(good)
        bad[random_.randrange(len(bad))] ^= 1 << random_.randrange(8)
        path.write_bytes(bad)
        assert "is damaged" in refusal(path, built, capsys)
        path.write_bytes(good)


@pytest.mark.parametrize("change", ["empty", "half", "one byte less", "one byte more", "gone", "another file"])
def test_other_damage(built, capsys, change):
    for path in artefact_files(built):
        if path.name == "MANIFEST.json" and change == "gone":
            continue
        good = path.read_bytes()
        bad = {"empty": b"", "half": good[: len(good) // 2], "one byte less": good[:-1], "one byte more": good + b"\n",
               "gone": None, "another file": b"x" * len(good)}[change]  # fmt: skip
        path.unlink() if bad is None else path.write_bytes(bad)
        assert ("No such file" if bad is None else "is damaged") in refusal(path, built, capsys)
        path.write_bytes(good)


@pytest.mark.parametrize("kind", ["model", "embeddings", "index/face"])
def test_a_lost_manifest_is_named(built, capsys, kind):
    (built.folder / kind / "MANIFEST.json").unlink()
    assert run_cli(["embed" if kind == "model" else "query", "--workspace", built.folder, "--device", "cpu"]) == 3
    assert f"no {kind.split('/')[0].replace('embeddings', 'store')} at {built.folder / kind}" in capsys.readouterr().err


def test_a_damaged_index_is_built_anew(built):
    from vfsearch.pipeline.index import build_indices

    (vectors,) = built.index_folder("face").glob("*.npy")
    good = vectors.read_bytes()
    vectors.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert [each.built_now for each in build_indices(built)] == [False, True]
    assert vectors.read_bytes() == good


def test_embed_says_which_damaged_shard_stops_it(built, capsys):
    shard = sorted(built.features_folder.glob("face-*.h5"))[0]
    shard.write_bytes(shard.read_bytes()[:-1])
    code = run_cli(["embed", "--workspace", built.folder, "--device", "cpu", "--overwrite"])
    assert code == 3 and f"{shard} is damaged" in capsys.readouterr().err


def test_flips_in_the_users_list_make_another_list_or_none(built, capsys):
    random_ = random.Random(2)
    good, before = built.manifest_path.read_bytes(), contents(built.store_folder)
    for _ in range(rounds(60, 1000)):
        bad = bytearray(good)
        bad[random_.randrange(len(bad))] ^= 1 << random_.randrange(8)
        built.manifest_path.write_bytes(bad)
        capsys.readouterr()
        code, said = run_cli(["embed", "--workspace", built.folder, "--device", "cpu", "-q"]), capsys.readouterr().err
        assert code in (0, 3), said
        if code == 3:
            assert str(built.manifest_path) in said and contents(built.store_folder) == before
            continue
        listed, store = read_manifest(built.manifest_path), open_store(built.store_folder)
        assert sum(store.count("rows", modality) for modality in store.spaces) == len(listed)
        assert not verify(built.store_folder)["problems"]
        built.manifest_path.write_bytes(good)
        assert run_cli(["embed", "--workspace", built.folder, "--device", "cpu", "-q"]) == 0
        assert contents(built.store_folder) == before
