import numpy as np
import pytest
from builders import make_shard, make_space

from vfsearch.errors import ArtefactError, ManifestError
from vfsearch.pipeline.tuning_probes import draw_measuring_probes, draw_probes
from vfsearch.store.store import open_store
from vfsearch.store.writer import writing


def store(folder, *splits: str, rows: int = 40, people: int = 10):
    """Voices of some splits, a shard each, and one face."""
    parts = {}
    for number, split in enumerate(splits):
        identities = [f"{split}-p{row % people}" for row in range(rows)]
        shard = make_shard(rows, seed=number, split=split, identities=identities)
        object.__setattr__(shard.embeddings, "ids", [f"{split}-{row}" for row in range(rows)])
        parts[f"voice-{number:05}-{number:08x}.h5"] = shard
    parts["face-00000-00000000.h5"] = make_shard(2, modality="face")
    about = {"spaces": {name: make_space().to_json() for name in ("voice", "face")}}
    with writing(folder, about, "float32") as writer:
        for name, shard in parts.items():
            writer.add(name, shard)
        writer.finish(list(parts))
    return open_store(folder)


@pytest.mark.parametrize(
    ("splits", "wanted", "chosen"),
    [
        (("train", "val", "test"), None, "val"),
        (("train", "test"), None, "train"),
        (("dev", "test"), None, "dev"),
        (("test",), None, "test"),
        (("train", "test"), "test", "test"),
        (("train", "val"), "all", "all"),
        (("",), None, "all"),
    ],
)
def test_the_split_is_not_that_of_queries_unless_there_is_no_other(tmp_path, splits, wanted, chosen):
    probes = draw_probes(store(tmp_path, *splits), "voice", wanted, 100, 1)
    assert probes.split == chosen
    of_queries = chosen == "test" or splits == ("",) or chosen == "all"
    assert any("queries are measured with" in each for each in probes.warnings) == of_queries
    if chosen not in ("all", ""):
        assert all(name.startswith(chosen) for name in (*probes.tune.ids, *probes.check.ids))


def test_the_two_halves_share_no_person_and_hold_everybody(tmp_path):
    probes = draw_probes(store(tmp_path, "train"), "voice", None, 100, 1)
    assert not set(probes.tune.identities) & set(probes.check.identities)
    assert sorted((*probes.tune.ids, *probes.check.ids)) == sorted(f"train-{row}" for row in range(40))
    assert len(probes.tune) == len(probes.check) == 20
    assert any("only 20 probes to check with" in each for each in probes.warnings)


def test_the_draw_depends_on_the_seed_alone(tmp_path):
    where = store(tmp_path, "train", "val")
    drawn = [draw_probes(where, "voice", "all", 10, seed) for seed in (1, 1, 2)]
    assert drawn[0].tune.ids == drawn[1].tune.ids != drawn[2].tune.ids
    assert np.array_equal(drawn[0].check.vectors, drawn[1].check.vectors)
    assert len(drawn[0].tune) + len(drawn[0].check) == 20
    # The rows are those of the store.
    rows = where.load("voice")
    places = [rows.ids.index(name) for name in drawn[0].tune.ids]
    assert np.array_equal(rows.vectors[places], drawn[0].tune.vectors)


def test_all_probes_measure_where_nothing_is_checked(tmp_path):
    where = store(tmp_path, "train", "test")
    drawn = draw_measuring_probes(where, "voice", None, 200, 1)
    assert sorted(drawn.probes.ids) == sorted(f"train-{row}" for row in range(40)) and drawn.split == "train"
    assert drawn.warnings == ("only 40 of 200 probes are there: the recall is told within wide limits",)
    fewer = draw_measuring_probes(where, "voice", "test", 30, 1)
    assert len(fewer.probes) == 30 and all("queries are measured with" in each for each in fewer.warnings)


def test_one_person_is_on_both_sides_for_want_of_another(tmp_path):
    probes = draw_probes(store(tmp_path, "train", people=1), "voice", None, 100, 1)
    assert len(probes.tune) == len(probes.check) == 20
    assert not set(probes.tune.ids) & set(probes.check.ids)


@pytest.mark.parametrize("people", [2, 3])
def test_few_people_are_on_either_side(tmp_path, people):
    probes = draw_probes(store(tmp_path, "train", people=people), "voice", None, 100, 1)
    assert len(probes.tune) and len(probes.check)
    assert not set(probes.tune.identities) & set(probes.check.identities)


def test_too_few_rows_or_none(tmp_path):
    where = store(tmp_path / "one", "train", rows=1)
    with pytest.raises(ArtefactError, match="has 1 voice rows with split=train: tuning wants at least 2 probes"):
        draw_probes(where, "voice", None, 10, 1)
    with pytest.raises(ManifestError, match="has no item with split=val"):
        draw_probes(where, "voice", "val", 10, 1)
    without = store(tmp_path / "none")
    with pytest.raises(ArtefactError, match="has no voice rows to ask with"):
        draw_probes(without, "voice", None, 10, 1)
