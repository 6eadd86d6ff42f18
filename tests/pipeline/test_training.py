import dataclasses

import pytest
from builders import ID_HASH, write_manifest

from vfsearch.errors import ManifestError, MismatchError
from vfsearch.networks.heads import HeadSettings
from vfsearch.pipeline.train import train_model
from vfsearch.train.reweighting import Reweighting
from vfsearch.train.settings import TrainSettings

SETTINGS = TrainSettings(
    head=HeadSettings(dimension=8, hidden=6), steps=9, weights_steps=6, batch_size=4, checkpoint_steps=3,
    reweighting=Reweighting(warm_up_steps=2, every=2),
)  # fmt: skip


class Stopped(Exception):
    pass


def stop_at(step: int):
    def progress(what, done, total):
        if what == "training steps" and done == step:
            raise Stopped

    return progress


def files(workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in workspace.model_folder.iterdir()}


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_a_stopped_training_goes_on_to_the_same_bytes(workspace, optimiser):
    settings = dataclasses.replace(SETTINGS, optimiser=optimiser)
    for step in (2, 4, 8, 13):
        with pytest.raises(Stopped):
            train_model(workspace, settings, ID_HASH, progress=stop_at(step))
    seen = []
    train_model(workspace, settings, ID_HASH, progress=lambda what, done, total: seen.append(done))
    assert seen[-3:] == [13, 14, 15] and 12 not in seen[-4:-3]
    resumed = files(workspace)
    train_model(workspace, settings, ID_HASH, overwrite=True)
    assert files(workspace) == resumed


def test_a_trained_model_is_kept(workspace):
    first, again = (train_model(workspace, SETTINGS, ID_HASH) for _ in range(2))
    assert (first.trained_now, again.trained_now) == (True, False)
    assert first.final == again.final and first.identities == again.identities == 6
    assert first.split == "train" and first.rows == {"voice": 30, "face": 30}


def test_other_settings_are_refused_and_named(workspace):
    train_model(workspace, SETTINGS, ID_HASH)
    with pytest.raises(MismatchError, match=r"settings.seed: 1 there, 2 now"):
        train_model(workspace, dataclasses.replace(SETTINGS, seed=2), ID_HASH)


def test_one_person_cannot_be_trained_on(workspace):
    write_manifest(workspace.folder, identities=1)
    with pytest.raises(ManifestError, match="at least 2 identities that have both"):
        train_model(workspace, SETTINGS, ID_HASH)


def test_a_modality_that_is_not_there(workspace):
    path = workspace.folder / "manifest.csv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if ",face," not in line))
    with pytest.raises(ManifestError, match=r"no face item to train on \(split=train\)"):
        train_model(workspace, SETTINGS, ID_HASH)
