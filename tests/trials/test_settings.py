import pytest

from vfsearch.errors import SettingsError
from vfsearch.trials.settings import TrialsSettings


def test_each_group_and_n_counts_once():
    settings = TrialsSettings(groups=("G", "U", "gender", "NG", "GN"), n=(5, 2, 5))
    assert [group.name for group in settings.parsed_groups()] == ["G", "U", "GN"]
    assert settings.candidates() == [5, 2]


@pytest.mark.parametrize(("probe", "gallery", "direction"), [("voice", "face", "v2f"), ("face", "face", "f2f")])
def test_direction(probe, gallery, direction):
    assert TrialsSettings(probe=probe, gallery=gallery).direction == direction


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"probe": "iris"}, "probe is 'iris', it must be one of voice, face"),
        ({"protocols": ("guess",)}, "protocols is 'guess', it must be one of matching, verification, retrieval"),
        ({"n": (2, 1)}, "wants N of at least 2, got 2, 1"),
        ({"n": ()}, "got none"),
        ({"seed": -1}, "want galleries >= 1, seed >= 0 and age_years >= 0, got 3, -1 and 10"),
        ({"groups": ()}, "at least one constraint group; U is none"),
        ({"groups": ("GG",)}, "no constraint group is 'GG'"),
        ({"same_source": "no"}, "same_source is 'no', it must be one of allow, exclude"),
        ({"small_groups": "no"}, "small_groups is 'no', it must be one of refuse, leave-out"),
    ],
)
def test_settings_out_of_range(wrong, message):
    with pytest.raises(SettingsError, match=message):
        TrialsSettings(**wrong)
