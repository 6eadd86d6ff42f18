import dataclasses

import numpy as np
import pytest
from builders import ID_HASH

from vfsearch.errors import InputError, MismatchError, SettingsError
from vfsearch.networks.heads import HeadSettings
from vfsearch.pipeline.identity_weights import fixed_weights
from vfsearch.pipeline.train import train_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.train.reweighting import Reweighting
from vfsearch.train.settings import TrainSettings

RETRAIN = TrainSettings(
    head=HeadSettings(dimension=8, hidden=0), stages=("retrain",), steps=5, weights_steps=6, batch_size=4,
    reweighting=Reweighting(warm_up_steps=2, every=2),
)  # fmt: skip
WEIGH = dataclasses.replace(RETRAIN, stages=("warm-up", "weights"))
PEOPLE = ["a", "b", "c"]


def table(tmp_path, text):
    path = tmp_path / "weights.csv"
    path.write_text(text)
    return path


def test_a_table_in_any_order(tmp_path):
    path = table(tmp_path, "hardness,identity,weight\n1,c,0\n2,a,1\n,b,0.5\n")
    assert fixed_weights(path, RETRAIN, PEOPLE).tolist() == [1.0, 0.5, 0.0]
    assert fixed_weights(None, RETRAIN, PEOPLE) is None


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("identity,weight\na,1\n", SettingsError, "no weight for 2 of 3 identities, the first is 'b'"),
        ("identity,weight\na,0\nb,0\nc,0\n", SettingsError, "gives every identity the weight 0"),
        (
            "name,weight\na,1\n",
            InputError,
            "has name, weight in its first line; wanted the columns identity and",
        ),
        ("identity,weight\na,heavy\n", InputError, "line 2: the weight is 'heavy', wanted a number from 0"),
        ("identity,weight\na,-1\n", InputError, "line 2: the weight is '-1'"),
        ("identity,weight\na\n", InputError, "line 2: the weight is None"),
        ("", InputError, "has no columns in its first line"),
        ("identity,weight\na,1\na,0\n", InputError, "line 3: the identity 'a' has a weight already"),
    ],
)
def test_bad_tables(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        fixed_weights(table(tmp_path, text), RETRAIN, PEOPLE)


def test_no_table(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.csv"):
        fixed_weights(tmp_path / "nothing.csv", RETRAIN, PEOPLE)


def test_weights_beside_stages_that_learn_them(tmp_path):
    with pytest.raises(SettingsError, match="give --stages retrain too"):
        fixed_weights(table(tmp_path, "identity,weight\na,1\n"), TrainSettings(), PEOPLE)


def test_two_commands_come_to_what_one_does(workspace):
    """Learning the weights, then retraining with them, is the training in three stages."""
    weighed = Workspace(folder=workspace.folder, model=workspace.folder / "weighed")
    report = train_model(weighed, WEIGH, ID_HASH)
    assert report.left_out > 0 and report.steps_per_second > 0
    apart = train_model(workspace, RETRAIN, ID_HASH, weights_from=weighed.model_folder)
    at_once = train_model(
        workspace, dataclasses.replace(RETRAIN, stages=TrainSettings().stages), ID_HASH, overwrite=True
    )
    for name in ("weights.safetensors", "classifier.safetensors"):
        assert apart.model.artefact.files[name] == at_once.model.artefact.files[name]
    weights = [row.weight for row in at_once.model.identity_table()]
    assert np.count_nonzero(np.array(weights) == 0) == at_once.left_out == report.left_out


def test_other_weights_are_another_training(workspace, tmp_path):
    names = [f"p{number}" for number in range(0, 12, 2)]
    for number, weight in enumerate((1.0, 0.25)):
        path = tmp_path / f"{number}.csv"
        path.write_text("identity,weight\n" + "".join(f"{name},{weight}\n" for name in names[1:]) + f"{names[0]},1\n")
    train_model(workspace, RETRAIN, ID_HASH, weights_from=tmp_path / "0.csv")
    with pytest.raises(MismatchError, match="identity_weights: "):
        train_model(workspace, RETRAIN, ID_HASH, weights_from=tmp_path / "1.csv")
