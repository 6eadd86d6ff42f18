"""A cluster gives the bytes of a local run, whatever happens to its nodes."""

import pytest
from builders import ID_HASH, IN_PROCESS, LONG, contents, write_manifest
from killing import killing, until_killed

from vfsearch.distributed.embedding import RayEngine
from vfsearch.errors import SpaceMismatchError
from vfsearch.networks.heads import HeadSettings
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.recipe import Recipe
from vfsearch.pipeline.train import train_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.remote_files import place
from vfsearch.train.settings import TrainSettings

SLOW = Encoders(voice="slow_encoders:SlowVoice", face="slow_encoders:SlowFace")
TRAINING = TrainSettings(head=HeadSettings(dimension=16, hidden=0), stages=("retrain",), steps=3, batch_size=4)


def embedded(folder, manifest_folder, engine=None, **more):
    """Embed into a folder of its own; features and store."""
    place = Workspace(
        folder=manifest_folder, features=folder / "features", embeddings=folder / "embeddings",
        model=manifest_folder / "model",
    )  # fmt: skip
    settings = {"decoding": IN_PROCESS, "rows_per_part": 7, **more, **({"engine": engine} if engine else {})}
    report = embed_manifest(place, **settings)
    return report, {name: contents(folder / name) for name in ("features", "embeddings") if (folder / name).exists()}


@pytest.fixture
def listed(tmp_path):
    write_manifest(tmp_path / "w")
    return tmp_path / "w"


def test_the_bytes_of_a_local_run(ray, listed, tmp_path):
    train_model(Workspace(folder=listed), TRAINING, ID_HASH, decoding=IN_PROCESS)
    engine = RayEngine(ray=ray)
    report, ours = embedded(tmp_path / "ray", listed, engine)
    _, local = embedded(tmp_path / "local", listed)
    assert ours == local and set(ours) == {"features", "embeddings"}
    assert report.added == sum(report.rows.values()) == 120 and set(engine.records) == {"voice", "face", "projecting"}
    shards = [name for name in ours["features"] if name.startswith("features/voice")]
    assert sum(engine.records["voice"].tasks.values()) == len(shards) > 4
    again = RayEngine(ray=ray)
    assert embedded(tmp_path / "ray", listed, again)[0].added == 0 and not again.records.get("voice")


def test_what_is_there_is_kept_and_what_changed_is_made_anew(ray, listed, tmp_path):
    for folder, engine in (("ray", RayEngine(ray=ray)), ("local", None)):
        embedded(tmp_path / folder, listed, engine, frozen=ID_HASH)
    lines = (listed / "manifest.csv").read_text().splitlines()
    (listed / "manifest.csv").write_text("\n".join([lines[0], *lines[4:40], *lines[50:]]) + "\n")
    found = [embedded(tmp_path / folder, listed, engine, frozen=ID_HASH)
             for folder, engine in (("ray", RayEngine(ray=ray)), ("local", None))]  # fmt: skip
    assert found[0][1] == found[1][1] and found[0][0].rows == found[1][0].rows


def test_an_encoder_that_is_another_on_a_node(ray, listed, tmp_path, monkeypatch):
    kind = type(next(iter(ID_HASH.make(["voice"], "cpu").values())))
    monkeypatch.setattr(kind, "weights_digest", lambda self: "0" * 64)
    with pytest.raises(
        SpaceMismatchError, match=r"the node .* makes rows of id-hash-.*install the same vfsearch and enc"
    ):
        embedded(tmp_path / "ray", listed, RayEngine(ray=ray), frozen=ID_HASH)


def test_encoders_that_nobody_else_can_make(ray, listed, tmp_path, monkeypatch):
    monkeypatch.setattr("vfsearch.pipeline.embedding_plan.Recipe", lambda **_: None)
    with pytest.raises(Exception, match="these encoders cannot be made on other machines"):
        embedded(tmp_path / "ray", listed, RayEngine(ray=ray), frozen=ID_HASH)
    assert Recipe(encoders=ID_HASH).make(["face"], "cpu")["face"].name == "id-hash-face"


@pytest.mark.skipif(not LONG, reason="takes minutes: VFSEARCH_LONG_TESTS=1")
def test_workers_and_nodes_that_are_killed(ray, nodes, listed, tmp_path):
    few = {"frozen": SLOW, "rows_per_part": 2}
    _, local = embedded(tmp_path / "local", listed, **few)
    engine = RayEngine(ray=ray)

    def embed(number):
        assert embedded(tmp_path / f"ray-{number}", listed, engine, **few)[1] == local

    with killing(nodes, "MediaWorker", 20, (1.0, 8.0)) as killer:
        until_killed(killer, embed)
    assert killer.killed["node"] == 4 and sum(record.died for record in engine.records.values()) >= 10


def test_a_store_that_only_a_url_reaches(ray, listed, tmp_path):
    pytest.importorskip("upath", reason="no universal-pathlib: pip install 'vfsearch[url]'")
    for name, engine in (("ray", RayEngine(ray=ray)), ("local", None)):
        place_ = Workspace(
            folder=listed, features=place(f"file://{tmp_path}/{name}/features"),
            embeddings=place(f"file://{tmp_path}/{name}/store"),
        )  # fmt: skip
        more = {"engine": engine} if engine else {}
        report = embed_manifest(place_, frozen=ID_HASH, decoding=IN_PROCESS, rows_per_part=7, **more)
        assert report.added == 120
    ours, theirs = ({key.partition("/")[2]: data for key, data in contents(tmp_path / name / "store").items()}
                    for name in ("ray", "local"))  # fmt: skip
    assert ours == theirs and len(ours) > 16
