"""Accuracy against how much is pooled: against queries of templates, and what is refused."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile
from builders import make_embeddings, make_space, unit_rows

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.pooling import Pooling
from vfsearch.data.shard import Shard
from vfsearch.errors import ManifestError, MediaError, SettingsError, VectorError
from vfsearch.pipeline.item_seconds import item_seconds
from vfsearch.pipeline.pooling_curve import CurveSettings, pooling_curve
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.saved_curve import COLUMNS, curve_folder, save_curve
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.writer import writing

PEOPLE, CLIPS = 40, 4
ASKED = CurveSettings(probe="voice", gallery="face", n=(2,), draws=3)


def noisy(modality: str, items: int, seed: int) -> Embeddings:
    """Items of people around a direction of each: the mean of several is nearer to it than one."""
    n = PEOPLE * items
    centres = np.repeat(unit_rows(PEOPLE, 8, seed=7), items, axis=0)
    rows = centres + 0.9 * unit_rows(n, 8, seed=seed)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    plain = make_embeddings(
        n, modality=modality, identities=[f"p{row // items:02}" for row in range(n)], space=make_space(),
        long=[str(1 + row % 2) for row in range(n)],
    )  # fmt: skip
    return dataclasses.replace(plain, vectors=rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Workspace:
    """A store of 40 people; nothing else is there."""
    folder = tmp_path_factory.mktemp("curve")
    sides = {"voice": noisy("voice", CLIPS, 1), "face": noisy("face", 2, 2)}
    parts = {side: f"{side}-00000-0000000{number}.h5" for number, side in enumerate(sides)}
    about = {"spaces": {side: make_space().to_json() for side in sides}}
    with writing(folder / "embeddings", about, "float32") as writer:
        for side, rows in sides.items():
            writer.add(parts[side], Shard(embeddings=rows, failures=(), split=""))
        writer.finish(list(parts.values()))
    return Workspace(folder=folder)


@pytest.fixture(scope="module")
def measured(place):
    return pooling_curve(place, ASKED)


def test_several_items_are_better_than_one(measured):
    (line,) = measured.lines
    assert (line.of, line.people, line.left_out) == ("items", PEOPLE, 0)
    assert [(point.limit, point.items, point.draws) for point in line.points] == [(1, 1, 3), (2, 2, 3), (4, 4, 3)]
    assert measured.measures == ["1:2 accuracy", "EER", "mAP", "R@1"]
    first, last = line.points[0], line.points[-1]
    assert last.values["mAP"].value > first.values["mAP"].value and last.values["EER"].value < first.values["EER"].value
    assert first.gains == {} and last.gains["mAP"].low > 0
    for point in line.points:
        for name, found in point.values.items():
            assert found.low <= found.value <= found.high, name
            if point.gains:
                assert point.gains[name].value == pytest.approx(found.value - first.values[name].value)


def test_all_that_there_is_is_what_a_query_of_templates_finds(place):
    curve = dataclasses.replace(ASKED, items=(1,), n=(2, 5), draws=1, pool_gallery=Pooling())
    last = pooling_curve(place, curve).lines[0].points[-1]
    asked = QuerySettings(probe="voice", gallery="face", n=(2, 5), pool_probes=Pooling(), pool_gallery=Pooling())
    found = {
        (f"1:{each.candidates} " if each.protocol == "matching" else "") + name: value
        for each in query(place, asked).outcome.measurements
        for name, value in each.values.items()
    }
    assert last.limit is None and last.values == {name: found[name] for name in last.values}


def test_the_first_point_is_a_query_of_one_item(place):
    (line,) = pooling_curve(place, dataclasses.replace(ASKED, items=(1,), draws=1, pool_gallery=Pooling())).lines
    one = QuerySettings(probe="voice", gallery="face", n=(2,), pool_probes=Pooling(items=1), pool_gallery=Pooling())
    found = {name: value for each in query(place, one).outcome.measurements for name, value in each.values.items()}
    assert line.points[0].values["mAP"] == found["mAP"] and line.points[0].values["EER"] == found["EER"]


def test_seconds_are_reached_with_whole_clips(place):
    curve = pooling_curve(place, dataclasses.replace(ASKED, seconds=(1.5, 3), seconds_column="long", draws=2))
    (line,) = curve.lines
    assert line.of == "seconds" and [point.limit for point in line.points] == [1.5, 3, None]
    assert line.points[-1].seconds == 6 and line.points[-1].items == 4
    assert 1.5 <= line.points[0].seconds < 3 and 3 <= line.points[1].seconds < 4.5
    both = pooling_curve(
        place, dataclasses.replace(ASKED, items=(1, 2), seconds=(1,), seconds_column="long", draws=2)
    ).lines
    assert [each.of for each in both] == ["items", "seconds"] and both[0].points[1].seconds > 2
    assert both[0].points[0].values == both[1].points[0].values


def test_people_with_too_little_are_left_out_of_every_point(tmp_path, place):
    folder = tmp_path / "fewer"
    rows = noisy("voice", CLIPS, 1).take(np.arange(PEOPLE * CLIPS - 2))
    with writing(folder / "embeddings", {"spaces": {"voice": make_space().to_json(), "face": make_space().to_json()}},
                 "float32") as writer:  # fmt: skip
        writer.add("voice-00000-00000000.h5", Shard(embeddings=rows, failures=(), split=""))
        writer.add("face-00000-00000001.h5", Shard(embeddings=noisy("face", 2, 2), failures=(), split=""))
        writer.finish(["voice-00000-00000000.h5", "face-00000-00000001.h5"])
    (line,) = pooling_curve(Workspace(folder=folder), dataclasses.replace(ASKED, items=(1, 3), draws=1)).lines
    assert (line.people, line.left_out) == (PEOPLE - 1, 1)


def test_what_is_saved(measured, place, tmp_path):
    files = save_curve(measured, tmp_path / "out")
    assert [path.name for path in files] == ["pooling-curve.csv", "pooling-curve.json", "pooling-curve.png"]
    lines = files[0].read_text().splitlines()
    assert lines[0].split(",") == list(COLUMNS) and len(lines) == 1 + 3 * 4
    document = json.loads(files[1].read_text())
    assert document["lines"][0]["points"][0]["seconds"] is None
    assert files[2].read_bytes().startswith(b"\x89PNG")
    assert curve_folder(place, measured).name.startswith("curve-voice-to-face-")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": (2, 1)}, "the items of a curve are numbers above 0, each greater than the one before, got 2, 1"),
        ({"seconds": (0.0,)}, "the seconds of a curve are numbers above 0"),
        ({"probe": "face", "seconds": (1.0,)}, "seconds are of voices, and the probes are photos"),
        ({"draws": 0}, "want draws >= 1"),
        ({"measures": ("DIR@FPIR=0.1",)}, "a curve is of measures of matching, verification and retrieval, got DIR"),
        ({"n": (1,)}, "1:N matching wants N of at least 2"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(SettingsError, match=message):
        dataclasses.replace(ASKED, **changes)


def test_what_nobody_has(place):
    with pytest.raises(
        SettingsError, match="0 of 40 people have 9 items of voice: half of them have 4 or less, nobody"
    ):
        pooling_curve(place, dataclasses.replace(ASKED, items=(1, 9)))


def test_one_modality_is_refused(place):
    with pytest.raises(SettingsError, match="would be compared with the very items that it is made of"):
        pooling_curve(place, dataclasses.replace(ASKED, gallery="voice"))


def of_clips(folder, **columns) -> Embeddings:
    """Three clips: 1 s, 2 s, and 0.5 s of a file of 3 s."""
    lines = ["id,path,modality,identity,start_seconds,end_seconds"]
    for number in (1, 2, 3):
        soundfile.write(folder / f"{number}.wav", np.zeros(8000 * number), 8000)
        part = "2.5," if number == 3 else ","
        lines.append(f"voice-{number - 1},{number}.wav,voice,p{number},{part}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return make_embeddings(3, **columns)


def test_how_long_clips_are(tmp_path):
    place = Workspace(folder=tmp_path)
    assert item_seconds(place, of_clips(tmp_path)).tolist() == [1.0, 2.0, 0.5]
    assert item_seconds(place, of_clips(tmp_path, seconds=["4", "5", "6"])).tolist() == [4, 5, 6]
    assert item_seconds(place, of_clips(tmp_path, long=["7", "8", "9"]), "long").tolist() == [7, 8, 9]


def test_clips_of_no_length(tmp_path):
    place, rows = Workspace(folder=tmp_path), of_clips(tmp_path, seconds=["4", "0", "?"])
    with pytest.raises(VectorError, match="2 of 3 clips have no length: 'voice-1' has seconds='0', wanted seconds"):
        item_seconds(place, rows)
    with pytest.raises(SettingsError, match="no column 'length'"):
        item_seconds(place, rows, "length")
    rows = of_clips(tmp_path)
    (tmp_path / "2.wav").write_bytes(b"nothing")
    with pytest.raises(MediaError, match=r"the length of .*2.wav cannot be read"):
        item_seconds(place, rows)
    (tmp_path / "manifest.csv").write_text("id,path,modality,identity\nvoice-0,1.wav,voice,p1\n")
    with pytest.raises(ManifestError, match="lacks 2 clips of the store, such as 'voice-1'"):
        item_seconds(place, rows)
