"""A list that has changed: only what is new or changed is embedded, and what is gone leaves no byte behind."""

import os
import shutil

import pytest
from builders import IN_PROCESS, contents, write_manifest
from text_encoder import SEEN, write_media

from vfsearch.data.manifest import read_manifest
from vfsearch.errors import MediaError, MismatchError
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.forecast import forecast
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store

TEXT = Encoders(voice="text_encoder:TextVoice", face="text_encoder:TextFace")


def embed(place, **more):
    encoding = Encoding(**{name: more.pop(name) for name in list(more) if name in Encoding.__dataclass_fields__})
    SEEN.clear()
    report = embed_manifest(place, TEXT, IN_PROCESS, encoding, rows_per_part=8, **more)
    return report, sorted(SEEN)


@pytest.fixture
def place(tmp_path):
    """60 files whose content is their path, embedded."""
    write_manifest(tmp_path / "w", identities=6, items=5)
    found = Workspace(folder=tmp_path / "w")
    write_media(found.folder, found.read_manifest())
    assert len(embed(found)[1]) == 60
    return found


def rows(place):
    store = open_store(place.store_folder)
    return {
        id_: vector.tobytes()
        for modality in ("voice", "face")
        for id_, vector in zip(store.load(modality).ids, store.load(modality).vectors, strict=True)
    }


def lines(place):
    return place.manifest_path.read_text().splitlines()


def write_lines(place, lines_):
    place.manifest_path.write_text("\n".join(lines_) + "\n")


def fresh(place, tmp_path):
    """The same list and files, embedded from nothing."""
    other = Workspace(folder=tmp_path / "fresh")
    shutil.copytree(place.folder, other.folder, ignore=shutil.ignore_patterns("features", "embeddings"))
    embed(other)
    return other


def same_as_from_nothing(place, tmp_path):
    other = fresh(place, tmp_path)
    for store in ("features", "embeddings"):
        assert contents(place.folder / store) == {
            name.replace("fresh/", "w/"): data for name, data in contents(other.folder / store).items()
        }


def test_a_row_in_front_moves_all_and_costs_one(place, tmp_path):
    head, *rest = lines(place)
    (place.folder / "new.wav").write_text("new")
    write_lines(place, [head, "new.wav,voice,p99,train", *rest])
    report, seen = embed(place)
    assert seen == [b"new"] and report.rows == {"voice": 31, "face": 30}
    same_as_from_nothing(place, tmp_path)


def test_a_removed_person_leaves_no_byte(place, tmp_path):
    gone = [item.id for item in place.read_manifest() if item.identity == "p3"]
    before = rows(place)
    write_lines(place, [line for line in lines(place) if ",p3," not in line])
    report, seen = embed(place)
    assert seen == [] and sum(report.rows.values()) == 50 and not set(gone) & set(rows(place))
    for path in (path for store in ("features", "embeddings") for path in (place.folder / store).iterdir()):
        data = path.read_bytes()
        assert not any(id_.encode() in data or before[id_] in data for id_ in gone), path
    same_as_from_nothing(place, tmp_path)


def test_other_columns_and_identities_cost_nothing(place, tmp_path):
    write_lines(place, [line.replace(",p1,", ",P-one,") for line in lines(place)])
    assert embed(place)[1] == []
    assert "P-one" in open_store(place.store_folder).load("voice").identities
    same_as_from_nothing(place, tmp_path)


@pytest.mark.parametrize(
    ("by", "looked_at"),
    [
        ("size", []),
        ("time", [b"CONTENT of v/0/0.wav", b"content of v/0/1.wav"]),
        ("digest", [b"CONTENT of v/0/0.wav"]),
    ],
)
def test_a_file_that_kept_its_size(place, by, looked_at):
    embed(place, changed_by=by)
    later = (place.store_folder / "MANIFEST.json").stat().st_mtime_ns + 10**9
    (place.folder / "v/0/0.wav").write_text("CONTENT of v/0/0.wav")
    for name in ("v/0/0.wav", "v/0/1.wav"):
        os.utime(place.folder / name, ns=(later, later))
    report, seen = embed(place, changed_by=by)
    assert seen == looked_at and report.touched == (2 if by == "size" else 0)
    assert embed(place, changed_by=by)[1] == []


@pytest.mark.parametrize("by", ["time", "digest"])
def test_looking_closer_than_before_looks_at_what_was_touched(place, by):
    later = (place.store_folder / "MANIFEST.json").stat().st_mtime_ns + 10**9
    (place.folder / "v/0/0.wav").write_text("CONTENT of v/0/0.wav")
    os.utime(place.folder / "v/0/0.wav", ns=(later, later))
    assert embed(place, changed_by=by)[1] == [b"CONTENT of v/0/0.wav"]
    assert embed(place, changed_by=by)[0].added == 0 and embed(place)[1] == []


def test_what_failed_is_tried_again_alone(place):
    for name, text in (("v/0/0.wav", "x"), ("f/2/1.png", "xx")):
        (place.folder / name).write_text(text)
    report, seen = embed(place)
    assert seen == [] and report.failures == {"voice": 1, "face": 1}
    assert [(each.path, each.reason) for each in report.failed] == [
        ("v/0/0.wav", "begins with x"), ("f/2/1.png", "begins with x")
    ]  # fmt: skip
    before = contents(place.folder)
    assert embed(place, retry_failed=True)[0].failures == {"voice": 1, "face": 1}
    assert contents(place.folder) == before, "what fails again leaves the same bytes"
    (place.folder / "v/0/0.wav").write_text("y")  # of the same size: only a retry looks at it
    assert embed(place)[1] == []
    report, seen = embed(place, retry_failed=True)
    assert seen == [b"y"] and report.failures == {"voice": 0, "face": 1}


def test_a_failure_moves_with_its_item(place):
    (place.folder / "v/0/1.wav").write_text("x")
    embed(place)
    head, *rest = lines(place)
    (place.folder / "new.wav").write_text("new")
    write_lines(place, [head, "new.wav,voice,p99,train", *rest])
    report, seen = embed(place)
    assert seen == [b"new"] and [each.path for each in report.failed] == ["v/0/1.wav"]


def test_several_samples_of_a_file_are_several_rows(place, tmp_path):
    (place.folder / "f/0/0.png").write_text("one\ntwo\nthree")
    report, seen = embed(place)
    assert seen == [b"one", b"three", b"two"] and report.rows["face"] == 32
    faces = open_store(place.store_folder).load("face")
    chosen = [row for row, id_ in enumerate(faces.ids) if id_.startswith("f/0/0.png")]
    assert [faces.ids[row] for row in chosen] == ["f/0/0.png", "f/0/0.png#2", "f/0/0.png#3"]
    assert [faces.columns["media_note"][row] for row in chosen] == ["first", "line 2", "line 3"]
    assert {faces.identities[row] for row in chosen} == {"p0"}
    head, *rest = lines(place)
    write_lines(place, [head, *rest[1:]])
    assert embed(place)[1] == []
    same_as_from_nothing(place, tmp_path)


def test_strict_stops_at_the_first_failure_and_keeps_what_is_done(place):
    shutil.rmtree(place.features_folder)
    shutil.rmtree(place.store_folder)
    paths = [item.path for item in place.read_manifest() if item.modality == "voice"]
    (place.folder / paths[-1]).write_text("x")
    with pytest.raises(
        MediaError, match=rf"voice '{paths[-1]}' cannot be embedded \(decode: begins with x\), and --str"
    ):
        embed(place, strict=True)
    assert open_store(place.features_folder, complete=False).count("rows", "voice") >= 8
    (place.folder / paths[-1]).write_text("good")
    report, seen = embed(place, strict=True)
    assert len(seen) < 60 and sum(report.rows.values()) == 60


@pytest.mark.parametrize("renewed", [False, True])
def test_strict_takes_no_failure_of_an_earlier_run(place, renewed):
    path = next(item.path for item in place.read_manifest() if item.modality == "voice")
    (place.folder / path).write_text("x")
    assert [each.path for each in embed(place)[0].failed] == [path]
    if renewed:
        head, *rest = lines(place)
        write_lines(place, [head, "new.wav,voice,p99,train", *rest])
        (place.folder / "new.wav").write_text("new")
    with pytest.raises(MediaError, match=rf"voice '{path}' cannot be embedded .* stops there"):
        embed(place, strict=True)
    (place.folder / path).write_text("good")
    assert not embed(place, strict=True)[0].failed


def test_quite_another_list_is_refused_unless_rows_may_go(place):
    kept = lines(place)
    write_lines(place, [*kept[:1], *kept[1:11]])
    with pytest.raises(
        MismatchError, match=r"holds 60 rows, and only 10 of them are in .*manifest.csv: the others would"
    ):
        embed(place)
    with pytest.raises(MismatchError, match="--prune to remove them"):
        forecast(place, TEXT, IN_PROCESS, rows_per_part=8)
    report, seen = embed(place, prune=True)
    assert seen == [] and sum(report.rows.values()) == 10


def test_a_stopped_update_goes_on(place, tmp_path, monkeypatch):
    head, *rest = lines(place)
    write_lines(place, [head, *rest[1:]])
    finish = "vfsearch.store.writer.StoreWriter.finish"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(finish, lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        embed(place)
    assert embed(place)[1] == []
    same_as_from_nothing(place, tmp_path)
    assert len(read_manifest(place.manifest_path)) == 59


def test_a_forecast_counts_what_an_update_does(place):
    found = forecast(place, TEXT, IN_PROCESS, rows_per_part=8)
    assert found["voice"].kept == 30 and found["voice"].to_embed == found["voice"].sampled == 0
    assert found["voice"].seconds == 0.0 and found["voice"].items_per_second is None
    head, *rest = lines(place)
    (place.folder / "new.wav").write_text("new")
    write_lines(place, [head, "new.wav,voice,p99,train", "none.wav,voice,p99,train", *rest[1:]])
    before = contents(place.folder)
    found = forecast(place, TEXT, IN_PROCESS, rows_per_part=8)
    assert contents(place.folder) == before
    voice = found["voice"]
    assert (voice.items, voice.kept, voice.to_embed, voice.missing, voice.media_bytes) == (31, 29, 2, 1, 3)
    assert voice.sampled == 1 and voice.failed == 0 and voice.items_per_second > 0 and voice.seconds > 0
    report, seen = embed(place)
    assert seen == [b"new"] and report.failures["voice"] == 1
