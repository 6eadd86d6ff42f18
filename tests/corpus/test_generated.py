import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from vfsearch.corpus.generated import GeneratedCorpus, generate
from vfsearch.corpus.plan import COLUMNS, corpus_items
from vfsearch.errors import ArtefactError, InputError, MismatchError, SettingsError

SMALL = GeneratedCorpus(people=4, clips=2, photos=2, clip_seconds=0.5, personalised=0.5)


def rows(workspace: Path) -> list[dict[str, str]]:
    with (workspace / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def contents(workspace: Path) -> dict[str, bytes]:
    files = (path for path in workspace.rglob("*") if path.is_file() and path.name != "LOCK")
    return {str(path.relative_to(workspace)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    workspace = tmp_path_factory.mktemp("small")
    generate(workspace, SMALL)
    return workspace


def test_manifest_lists_every_file_once(small):
    listed = rows(small)
    assert tuple(listed[0]) == COLUMNS
    assert len(listed) == 4 * (2 + 2)
    assert {row["path"] for row in listed} == set(contents(small)) - {"manifest.csv", "corpus.json"}
    assert sum(row["personalised"] == "1" for row in listed) == len(listed) / 2


def test_files_decode(small):
    for row in rows(small):
        if row["modality"] == "voice":
            info = soundfile.info(small / row["path"])
            assert (info.samplerate, info.channels, info.subtype, info.frames) == (16000, 1, "PCM_16", 8000)
        else:
            with Image.open(small / row["path"]) as photo:
                assert (photo.format, photo.mode, photo.size) == ("PNG", "RGB", (160, 160))
                assert np.asarray(photo).std() > 20


def test_same_settings_same_bytes_and_another_seed_others(small, tmp_path):
    generate(tmp_path / "again", SMALL)
    assert contents(tmp_path / "again") == contents(small)
    generate(tmp_path / "other", GeneratedCorpus(people=2, clips=1, photos=1, seed=2, clip_seconds=0.5))
    path = "face/person0000/00.png"
    assert contents(tmp_path / "other")[path] != contents(small)[path]


def test_summary_and_progress(tmp_path):
    seen = []
    summary = generate(tmp_path, SMALL, progress=lambda what, done, total: seen.append((done, total)))
    assert (summary.people, summary.train_items, summary.test_items) == (4, 8, 8)
    assert (summary.written, summary.kept) == (16, 0)
    assert seen == [(done, 16) for done in range(1, 17)]


def test_interrupted_call_is_taken_up_again(small, tmp_path):
    def stop_at_five(what: str, done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, SMALL, progress=stop_at_five)
    assert not (tmp_path / "manifest.csv").exists()
    summary = generate(tmp_path, SMALL)
    assert (summary.written, summary.kept) == (11, 5)
    assert contents(tmp_path) == contents(small)


def test_finished_corpus_is_left_as_it_is(small):
    before = (small / "manifest.csv").stat().st_mtime_ns
    assert generate(small, SMALL).written == 0
    assert (small / "manifest.csv").stat().st_mtime_ns == before


def test_other_settings_are_refused_and_named(small):
    with pytest.raises(MismatchError, match=r"people is 4 there and 3 here.*overwrite"):
        generate(small, GeneratedCorpus(people=3, clips=2, photos=2, clip_seconds=0.5, personalised=0.5))


def test_overwrite_leaves_nothing_of_the_corpus_before(tmp_path):
    fewer = GeneratedCorpus(people=2, clips=1, photos=1, clip_seconds=0.5)
    generate(tmp_path / "a", SMALL)
    generate(tmp_path / "a", fewer, overwrite=True)
    generate(tmp_path / "b", fewer)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert not (tmp_path / "a/voice/person0003").exists()


def test_foreign_manifest_is_kept_unless_overwrite(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,modality,identity\n")
    with pytest.raises(InputError, match=r"manifest\.csv is there already.*overwrite"):
        generate(tmp_path, SMALL)
    assert (tmp_path / "manifest.csv").read_text() == "path,modality,identity\n"
    generate(tmp_path, SMALL, overwrite=True)
    assert len(rows(tmp_path)) == 16


def test_foreign_media_are_not_taken_for_ours(tmp_path):
    (tmp_path / "voice/person0000").mkdir(parents=True)
    (tmp_path / "voice/person0000/00.wav").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"00\.wav is there already"):
        generate(tmp_path, SMALL)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"settings": 3})])
def test_broken_marker_is_refused(tmp_path, text):
    (tmp_path / "corpus.json").write_text(text)
    with pytest.raises(ArtefactError, match=r"corpus\.json is not the settings"):
        generate(tmp_path, SMALL)


def test_split_by_person_has_disjoint_people():
    items = list(corpus_items(GeneratedCorpus(people=10, train_share=0.3)))
    train = {item.person.identity for item in items if item.split == "train"}
    test = {item.person.identity for item in items if item.split == "test"}
    assert (len(train), len(test)) == (3, 7)
    assert not train & test


def test_split_by_item_has_everyone_in_both_with_both_modalities():
    items = list(corpus_items(GeneratedCorpus(people=5, clips=3, photos=6, split="item", train_share=0.1)))
    for split in ("train", "test"):
        chosen = {(item.person.identity, item.modality) for item in items if item.split == split}
        assert len(chosen) == 10


@pytest.mark.parametrize(("share", "split"), [(0.0, "test"), (1.0, "train")])
def test_share_of_all_or_nothing_gives_one_split(share, split):
    items = corpus_items(GeneratedCorpus(people=1, clips=1, photos=1, train_share=share))
    assert {item.split for item in items} == {split}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"people": 0}, "people is 0; wanted a number from 1"),
        ({"people": 2.5}, "people is 2.5; wanted a whole number"),
        ({"seed": -1}, "seed is -1"),
        ({"sharing": 1.1}, "sharing is 1.1; wanted a number from 0.0 to 1.0"),
        ({"personalised": float("nan")}, "personalised is nan"),
        ({"clips": 0}, "clips is 0"),
        ({"photos": 0}, "photos is 0"),
        ({"clip_seconds": 0.1}, "clip_seconds is 0.1; wanted a number from 0.5 to 60"),
        ({"train_share": 2}, "train_share is 2"),
        ({"split": "speaker"}, "split is 'speaker'; wanted one of 'person', 'item'"),
        ({"people": 1}, "people is 1; a split by person needs at least 2"),
        ({"split": "item", "clips": 1}, "clips is 1; a split by item needs at least 2"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(SettingsError) as caught:
        GeneratedCorpus(**settings)
    assert message in str(caught.value)
