import json
from dataclasses import asdict

import pytest

from vfsearch.errors import SettingsError
from vfsearch.networks.settings import IRSettings, ThinResNetSettings


def test_the_defaults_are_those_of_the_method():
    face, voice = IRSettings(), ThinResNetSettings()
    assert (face.depths, face.widths, face.pixels, face.dimension) == ((3, 4, 14, 3), (64, 128, 256, 512), 112, 512)
    assert (voice.depths, voice.widths, voice.seconds, voice.dimension) == ((3, 4, 6, 3), (16, 32, 64, 128), 10.0, 512)


@pytest.mark.parametrize("settings", [IRSettings(squeeze=True, pixels=64), ThinResNetSettings(seconds=3)])
def test_json_gives_the_same_settings(settings):
    assert type(settings)(**json.loads(json.dumps(asdict(settings)))) == settings


@pytest.mark.parametrize(
    "kind, settings, message",
    [
        (IRSettings, {"pixels": 100}, "pixels: got 100, wanted a multiple of 16, because each of the 4 stages halves"),
        (IRSettings, {"depths": [1, 1], "widths": [8]}, r"depths \(1, 1\) and widths \(8,\): wanted one of each"),
        (IRSettings, {"depths": []}, r"depths: got \[\], wanted a list with one number for every stage"),
        (IRSettings, {"depths": 3}, "depths: got 3, wanted a list"),
        (IRSettings, {"widths": (64, 128, 256, 0)}, "widths: got 0, wanted a whole number above 0"),
        (IRSettings, {"widths": (24, 32, 48, 64), "squeeze": True}, "wanted multiples of 16, which squeeze"),
        (IRSettings, {"squeeze": 1}, "squeeze: got 1, wanted true or false"),
        (IRSettings, {"dropout": 1.0}, "dropout: got 1.0, wanted 0 or more, and less than 1"),
        (IRSettings, {"dimension": 0}, "dimension: got 0, wanted a whole number above 0"),
        (ThinResNetSettings, {"widths": (16, 32, 60, 128)}, "wanted multiples of 8"),
        (ThinResNetSettings, {"seconds": 0}, "seconds: got 0, wanted 0.1 to 60"),
        (ThinResNetSettings, {"seconds": "10"}, "seconds: got '10', wanted 0.1 to 60"),
        (ThinResNetSettings, {"dimension": 51.2}, "dimension: got 51.2, wanted a whole number above 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(SettingsError, match=message):
        kind(**settings)
