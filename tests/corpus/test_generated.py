import csv
import dataclasses
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from vfsearch.corpus.generated import GeneratedCorpus, generate
from vfsearch.corpus.plan import COLUMNS, corpus_items
from vfsearch.errors import ArtefactError, InputError, MismatchError, SettingsError

SHARES = [pair for pair in itertools.product([0.0, 0.001, 0.25, 0.5, 0.7, 0.999, 1.0], repeat=2) if sum(pair) <= 1]
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
    assert (summary.people, summary.train_items, summary.val_items, summary.test_items) == (4, 8, 0, 8)
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


def people_of(split: str, **settings) -> list[int]:
    items = corpus_items(GeneratedCorpus(**settings))
    return sorted({item.person_number for item in items if item.split == split})


def test_people_to_validate_on_come_from_those_to_test_on():
    given = {"people": 10, "train_share": 0.5, "clips": 1, "photos": 1}
    assert people_of("train", **given) == people_of("train", **given, val_share=0.3) == [0, 1, 2, 3, 4]
    assert people_of("val", **given, val_share=0.3) == [5, 6, 7]
    assert people_of("test", **given, val_share=0.3) == [8, 9]


def test_a_split_to_validate_on_changes_no_person_and_no_file(tmp_path):
    given = {"people": 4, "clips": 1, "photos": 1, "clip_seconds": 0.5, "train_share": 0.25}
    people = [[item.person for item in corpus_items(GeneratedCorpus(**given, val_share=share))] for share in (0, 0.5)]
    assert people[0] == people[1]
    summary = generate(tmp_path / "with", GeneratedCorpus(**given, val_share=0.5))
    assert (summary.train_items, summary.val_items, summary.test_items) == (2, 4, 2)
    generate(tmp_path / "without", GeneratedCorpus(**given))
    found, before = contents(tmp_path / "with"), contents(tmp_path / "without")
    assert {name for name in found if found[name] != before[name]} == {"manifest.csv", "corpus.json"}
    assert [row["split"] for row in rows(tmp_path / "with")] == ["train"] * 2 + ["val"] * 4 + ["test"] * 2


def test_split_by_item_with_items_to_validate_on():
    items = list(corpus_items(GeneratedCorpus(people=2, clips=3, photos=10, split="item", val_share=0.2)))
    splits = {modality: [item.split for item in items if item.modality == modality] for modality in ("voice", "face")}
    # by shares, three clips would leave two to train on and one to validate on
    assert splits["voice"] == ["train", "val", "test"] * 2
    assert splits["face"] == (["train"] * 5 + ["val"] * 2 + ["test"] * 3) * 2


@pytest.mark.parametrize("split", ["person", "item"])
@pytest.mark.parametrize("count", [4, 5, 7, 100])
@pytest.mark.parametrize("shares", SHARES)
def test_splits_have_what_their_shares_say(split, count, shares):
    settings = GeneratedCorpus(
        people=count, clips=count, photos=count, split=split, train_share=shares[0], val_share=shares[1]
    )
    sizes = settings.split_sizes(count)
    assert list(sizes) == ["train", "val", "test"] and sum(sizes.values()) == count
    least = {"train": 1, "val": 2 if split == "person" else 1, "test": 1}
    for name, share in zip(sizes, (*shares, 1 - sum(shares)), strict=True):
        assert (sizes[name] >= least[name]) if share else sizes[name] == 0
        # never further from the share than rounding and the least of the others make it
        assert abs(sizes[name] - count * share) <= 1 + sum(least.values())


def test_shares_that_add_up_to_one_leave_nobody_to_test_on():
    # 0.9 + 0.1 is 1 here, but 1 - 0.9 is not 0.1
    for train, val in ((0.9, 0.1), (0.7, 0.3), (0.35, 0.65), (1 - 0.9, 0.9)):
        assert people_of("test", people=40, train_share=train, val_share=val) == []


def test_the_marker_is_as_it_was_before_there_was_a_split_to_validate_on(small, tmp_path):
    settings = json.loads((small / "corpus.json").read_text())["settings"]
    assert "val_share" not in settings
    shutil.copytree(small, tmp_path / "copy")
    chosen = dataclasses.replace(SMALL, train_share=0.25, val_share=0.5)
    said = r"train_share is 0\.5 there and 0\.25 here, val_share is 0\.0 there and 0\.5 here"
    with pytest.raises(MismatchError, match=said):
        generate(tmp_path / "copy", chosen)
    generate(tmp_path / "copy", chosen, overwrite=True)
    with pytest.raises(MismatchError, match=r"val_share is 0\.5 there and 0\.0 here"):
        generate(tmp_path / "copy", dataclasses.replace(SMALL, train_share=0.25))


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
        ({"people": 1}, "to have train and test; raise it, or set train_share to 0 or 1"),
        ({"val_share": -0.1}, "val_share is -0.1; wanted a number from 0.0 to 1.0"),
        ({"val_share": float("nan")}, "val_share is nan"),
        ({"train_share": 0.7, "val_share": 0.4}, "train_share is 0.7 and val_share is 0.4; wanted at most 1 together"),
        ({"people": 3, "val_share": 0.1}, "people is 3; a split by person needs at least 4 to have train and 2 in val"),
        ({"people": 3, "val_share": 0.1}, "and test; raise it, or set val_share to 0"),
        (
            {"people": 2, "val_share": 0.5},
            "people is 2; a split by person needs at least 3 to have train and 2 in",
        ),
        ({"people": 1, "train_share": 0, "val_share": 1.0}, "needs at least 2 to have 2 in val; raise it"),
        (
            {"split": "item", "photos": 2, "val_share": 0.1},
            "photos is 2; a split by item needs at least 3 ",
        ),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(SettingsError) as caught:
        GeneratedCorpus(**settings)
    assert message in str(caught.value)
