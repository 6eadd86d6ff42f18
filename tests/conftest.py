import shutil

import pytest
from builders import ID_HASH, write_manifest

from vfsearch.pipeline.workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """A manifest of 12 people, 5 clips and 5 photos each, half of them in the split test; nothing else."""
    write_manifest(tmp_path / "workspace")
    return Workspace(folder=tmp_path / "workspace")


@pytest.fixture(scope="session")
def _built(tmp_path_factory):
    """Made once; tests get copies."""
    from vfsearch.networks.heads import HeadSettings
    from vfsearch.pipeline.embed import embed_manifest
    from vfsearch.pipeline.index import build_indices
    from vfsearch.pipeline.query import QuerySettings, query
    from vfsearch.pipeline.train import train_model
    from vfsearch.train.settings import TrainSettings

    place = Workspace(folder=tmp_path_factory.mktemp("built"))
    write_manifest(place.folder)
    settings = TrainSettings(head=HeadSettings(dimension=16, hidden=0), stages=("retrain",), steps=3, batch_size=4)
    train_model(place, settings, ID_HASH)
    embed_manifest(place)
    build_indices(place)
    query(place, QuerySettings(probe="voice", gallery="face", n=(2,), k=3))
    return place


@pytest.fixture
def built(_built, tmp_path) -> Workspace:
    """The workspace of `workspace` with model, store, indices and one run, made with encoders that need no media."""
    shutil.copytree(_built.folder, tmp_path / "built")
    return Workspace(folder=tmp_path / "built")
