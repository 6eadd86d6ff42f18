import json

import pytest

from vfsearch.errors import SettingsError
from vfsearch.networks.heads import HeadSettings
from vfsearch.train.settings import TrainSettings


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"optimiser": "adam"}, "the optimiser is 'adam', it must be adamw or sgd"),
        ({"steps": 0}, "steps is 0, it must be at least 1"),
        ({"batch_size": 1}, "batch_size is 1, it must be at least 2"),
        ({"checkpoint_steps": 0}, "checkpoint_steps is 0, it must be at least 1"),
        ({"seed": -1}, "seed is -1, it must be at least 0"),
        ({"learning_rate": -1e-3}, "learning_rate is -0.001, it must be finite and not negative"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"margin": -1.0}, "margin is -1.0"),
        ({"explicit": float("inf")}, "explicit is inf"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_settings_out_of_range(setting, message):
    with pytest.raises(SettingsError, match=message):
        TrainSettings(**setting)


@pytest.mark.parametrize("setting", [{"dimension": 0}, {"hidden": -1}, {"dropout": 1.0}, {"dropout": float("nan")}])
def test_shape_out_of_range(setting):
    with pytest.raises(SettingsError, match="want dimension >= 1, hidden >= 0 and 0 <= dropout < 1"):
        HeadSettings(**setting)


def test_settings_are_json_that_makes_them_again():
    settings = TrainSettings(steps=7, head=HeadSettings(hidden=0))
    document = json.loads(json.dumps(settings.to_json()))
    assert TrainSettings(**{**document, "head": HeadSettings(**document["head"])}) == settings
