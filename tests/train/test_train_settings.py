import json

import pytest

from vfsearch.errors import SettingsError
from vfsearch.networks.heads import HeadSettings
from vfsearch.train.settings import TrainSettings


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"optimiser": "adam"}, "the optimiser is 'adam', it must be sgd or adamw"),
        ({"schedule": "linear"}, "the schedule is 'linear', it must be steps or cosine"),
        ({"stages": ("weights", "retrain")}, "the stages are 'weights,retrain', they must be one of: warm-up; "),
        ({"stages": ()}, "the stages are ''"),
        ({"implicit": 0.0, "explicit": 0.0}, "there is nothing to learn"),
        ({"milestones": (3, -1)}, r"milestones are \(3, -1\), they must be steps from 0 in ascending order"),
        ({"shortest_seconds": 6.0}, "clips of 6 to 5 s"),
        ({"momentum": 1.0}, "momentum is 1.0, it must be below 1"),
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
    assert TrainSettings.from_json(document) == settings


def test_the_published_schedule_is_the_default():
    weigh, retrain = TrainSettings().runs
    assert (weigh.steps, weigh.milestones, weigh.learns_weights) == (2400, (1000, 2000), True)
    assert (retrain.steps, retrain.milestones, retrain.learns_weights) == (10_000, (2000, 3000), False)
    rates = [TrainSettings().rate(weigh, step) for step in (0, 999, 1000, 2000, 2399)]
    assert rates == pytest.approx([0.01, 0.01, 0.001, 0.0001, 0.0001])


def test_a_cosine_falls_to_nothing():
    settings = TrainSettings(schedule="cosine", learning_rate=2.0, steps=4, stages=("retrain",))
    (run,) = settings.runs
    assert [settings.rate(run, step) for step in (0, 2, 4)] == pytest.approx([2.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("stages", "runs"),
    [
        (("warm-up",), [("weights", 500, False)]),
        (("warm-up", "weights"), [("weights", 2400, True)]),
        (("retrain",), [("retrain", 10_000, False)]),
    ],
)
def test_some_stages(stages, runs):
    made = TrainSettings(stages=stages).runs
    assert [(run.name, run.steps, run.learns_weights) for run in made] == runs
