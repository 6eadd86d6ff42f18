from pathlib import Path

import pytest

from vfsearch.data.manifest import read_manifest
from vfsearch.errors import InputError, SettingsError
from vfsearch.pipeline.import_corpus import CorpusSources, import_corpus

LISTS = Path(__file__).parents[3] / "shared/data/wen2021_lists"
META = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tAnn_Lee\tf\tIreland\tdev\n" \
       "id10002\tBob_Ray\tm\tUSA\ttest\nid10003\tCy_Fox\tm\tUSA\ttest\n"  # fmt: skip


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def rows(manifest):
    return [(item.path, item.modality, item.identity, dict(item.columns)) for item in read_manifest(manifest)]


@pytest.fixture
def vox(tmp_path):
    make(tmp_path / "vox", "wav/id10001/vid1/00001.wav", "wav/id10002/vid2/00001.wav", "wav/id19999/vid3/1.wav")
    make(tmp_path / "vgg", "Ann_Lee/1.jpg", "Bob_Ray/2.jpg", "list.txt")
    (tmp_path / "vox/vox1_meta.csv").write_text(META)
    return tmp_path


def test_voxceleb1_with_vggface(vox):
    sources = CorpusSources(layout="voxceleb1", folder=vox / "vox", face=vox / "vgg")
    report = import_corpus(sources, vox / "manifest.csv")
    assert rows(vox / "manifest.csv") == [
        ("vox/wav/id10001/vid1/00001.wav", "voice", "Ann_Lee",
         {"gender": "f", "nationality": "Ireland", "source": "vid1", "split": "train"}),
        ("vox/wav/id10002/vid2/00001.wav", "voice", "Bob_Ray",
         {"gender": "m", "nationality": "USA", "source": "vid2", "split": "test"}),
        ("vox/wav/id19999/vid3/1.wav", "voice", "id19999",
         {"gender": "", "nationality": "", "source": "vid3", "split": ""}),
        ("vgg/Ann_Lee/1.jpg", "face", "Ann_Lee",
         {"gender": "f", "nationality": "Ireland", "source": "", "split": "train"}),
        ("vgg/Bob_Ray/2.jpg", "face", "Bob_Ray", {"gender": "m", "nationality": "USA", "source": "", "split": "test"}),
    ]  # fmt: skip
    assert report.items == {"voice": 3, "face": 2} and report.people == 3
    assert report.splits == {"(none)": 1, "test": 1, "train": 1}
    assert report.missing == {
        "people of the tables without any media": ["Cy_Fox"], "people that no table has": ["id19999"],
        "people without a face": ["id19999"], "people without a split": ["id19999"],
    }  # fmt: skip
    assert report.unknown_files == {".csv": 1, ".txt": 1}


def test_the_name_of_a_table_says_the_split_and_chance_the_rest(vox):
    (vox / "vox1_val.csv").write_text(META.replace("\t", ",").replace("dev", "test"))
    sources = CorpusSources(
        layout="voxceleb1", folder=vox / "vox", tables=(vox / "vox1_val.csv",), test_share=1.0
    )  # fmt: skip
    assert import_corpus(sources, vox / "m.csv").splits == {"test": 1, "val": 2}


@pytest.mark.skipif(not LISTS.exists(), reason="needs the published lists")
def test_the_published_tables(tmp_path):
    make(tmp_path / "vox", "wav/id10117/v/1.wav", "wav/id10001/v/1.wav")
    make(tmp_path / "vgg", "CCH_Pounder/1.jpg")
    tables = tuple(LISTS / f"vox1_{split}.csv" for split in ("train", "val", "test"))
    sources = CorpusSources(layout="voxceleb1", folder=tmp_path / "vox", face=tmp_path / "vgg", tables=tables)
    report = import_corpus(sources, tmp_path / "m.csv", dry_run=True)
    assert report.people == 2 and not (tmp_path / "m.csv").exists()
    assert len(report.missing["people of the tables without any media"]) > 1200
    assert "people without a split" not in report.missing


def test_voxceleb2_and_mav_celeb(tmp_path):
    make(tmp_path / "two", "aac/id00012/vid/1.m4a", "mp4/id00012/vid/1.mp4")
    (tmp_path / "two/vox2_meta.csv").write_text("VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid00012 ,n000012 ,m ,dev \n")
    sources = CorpusSources(layout="voxceleb2", folder=tmp_path / "two", video="face")
    import_corpus(sources, tmp_path / "two" / "m.csv")
    known = {"gender": "m", "source": "vid", "split": "train"}
    assert rows(tmp_path / "two" / "m.csv") == [
        ("aac/id00012/vid/1.m4a", "voice", "n000012", known), ("mp4/id00012/vid/1.mp4", "face", "n000012", known),
    ]  # fmt: skip
    make(tmp_path / "mav", "voices/id0001/Urdu/v/1.wav", "faces/id0001/Urdu/v/1.jpg")
    import_corpus(CorpusSources(layout="mav-celeb", folder=tmp_path / "mav"), tmp_path / "m.csv")
    assert [row[2:] for row in rows(tmp_path / "m.csv")] == [("id0001", {"language": "Urdu", "source": "v"})] * 2


@pytest.mark.parametrize(("video", "ids"), [("both", ["Ann/a.mp4:voice", "Ann/a.mp4:face"]), ("voice", ["Ann/a.mp4"]),
                                            ("skip", None)])  # fmt: skip
def test_what_a_video_is_taken_for(tmp_path, video, ids):
    make(tmp_path, "Ann/a.mp4")
    sources = CorpusSources(folder=tmp_path, video=video)
    if ids is None:
        with pytest.raises(InputError, match=r"no media found in .* in the layout 'folders' \(a folder for"):
            import_corpus(sources, tmp_path / "m.csv")
    else:
        import_corpus(sources, tmp_path / "m.csv")
        assert [item.id for item in read_manifest(tmp_path / "m.csv")] == ids


def test_names_of_any_spelling_come_back(tmp_path):
    names = ["A\nB/1,2.wav", 'A "x"/é.wav', "\udcff/\udcfe.wav"]
    make(tmp_path / "media", *names)
    import_corpus(CorpusSources(folder=tmp_path / "media"), tmp_path / "m.csv")
    read = read_manifest(tmp_path / "m.csv")
    assert sorted(item.path for item in read) == sorted(f"media/{name}" for name in names)
    assert all(read.media_path(item).is_file() for item in read)


def test_a_manifest_is_not_replaced_unasked(tmp_path):
    make(tmp_path, "Ann/a.wav")
    (tmp_path / "m.csv").write_text("mine")
    with pytest.raises(InputError, match=r"m\.csv is there already: give --overwrite to replace it, or --out another"):
        import_corpus(CorpusSources(folder=tmp_path), tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_text() == "mine"
    import_corpus(CorpusSources(folder=tmp_path), tmp_path / "m.csv", overwrite=True)
    assert len(read_manifest(tmp_path / "m.csv")) == 1


def test_sources_that_say_nothing():
    with pytest.raises(SettingsError, match=r"no folder is given: name the one of the corpus \(--from, or"):
        CorpusSources()
    with pytest.raises(SettingsError, match="video is 'x', wanted one of voice, face, both, skip"):
        CorpusSources(folder=Path(), video="x")
