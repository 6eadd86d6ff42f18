"""Constraint groups, groups of people, measures by name and open-set identification of a store's own trials."""

import csv
import json

import pytest
from builders import ID_HASH, write_manifest

from vfsearch.data.outcome import Outcome
from vfsearch.errors import ArtefactError, ManifestError, SettingsError, UnknownNameError
from vfsearch.networks.heads import HeadSettings
from vfsearch.pipeline.compare_runs import CompareSettings, compare_runs
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.index import build_indices
from vfsearch.pipeline.list_query import ListSettings, query_lists
from vfsearch.pipeline.make_trials import make_trials
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.train import train_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.train.settings import TrainSettings
from vfsearch.trials.settings import TrialsSettings

SIDES = {"probe": "voice", "gallery": "face"}


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Workspace:
    """24 people, 12 of them in the split test: eight women and four men there, all of known age but one."""
    place = Workspace(folder=tmp_path_factory.mktemp("people"))
    path = write_manifest(place.folder, identities=24, items=3)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        number = int(row["identity"][1:])
        row |= {"gender": "m" if number % 6 == 1 else "f", "age": "" if number == 23 else str(20 + number % 20)}
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    settings = TrainSettings(head=HeadSettings(dimension=16, hidden=0), stages=("retrain",), steps=3, batch_size=4)
    train_model(place, settings, ID_HASH)
    embed_manifest(place)
    build_indices(place)
    return place


def measured(place: Workspace, **settings) -> dict[str, object]:
    """(protocol, group, N) -> measurement."""
    report = query(place, QuerySettings(**SIDES, n=settings.pop("n", (2,)), **settings))
    saved = json.loads((report.folder / "outcome.json").read_text())
    assert Outcome.from_json(saved).to_json() == report.outcome.to_json()
    return {(each.protocol, each.group, each.candidates): each for each in report.outcome.measurements}


def test_each_group_is_a_measurement(people):
    found = measured(people, groups=("U", "G", "gender"), n=(2, 3), protocols=("matching", "verification"))
    assert [key for key in found if key[0] != "search"] == [
        ("matching", "U", 2), ("matching", "U", 3), ("matching", "G", 2), ("matching", "G", 3),
        ("verification", "U", None), ("verification", "G", None),
    ]  # fmt: skip
    assert found["matching", "U", 2].trials == found["matching", "G", 2].trials == 36 * 3


@pytest.mark.parametrize("group", ["U", "G"])
def test_the_trials_are_those_of_the_lists_that_are_made(people, tmp_path, group):
    asked = measured(people, groups=(group,), n=(3,), protocols=("matching", "verification"))
    made = make_trials(
        people, TrialsSettings(n=(3,), groups=(group,), protocols=("matching", "verification")), tmp_path
    )
    lists = [file for each in made.lists for file in each.files]
    again = query_lists(people, lists, ListSettings()).outcome.measurements
    for each in again:
        drawn = asked[each.protocol, group, each.candidates]
        assert {name: value.value for name, value in each.values.items()} == {
            name: value.value for name, value in drawn.values.items()
        }
        assert each.trials == drawn.trials


def test_items_of_unknown_age_ask_nothing_in_its_group(people):
    found = measured(people, groups=("U", "A"), protocols=("matching",))
    assert found["matching", "U", 2].trials == 108 and found["matching", "A", 2].trials == 99


def test_groups_of_people_beside_all(people):
    found = measured(people, by=("gender",), protocols=("matching", "retrieval", "identification"))
    for name in ("matching", "retrieval"):
        (measurement,) = [each for each in found.values() if each.protocol == name]
        groups = {group.value: group for group in measurement.groups}
        assert {value: group.identities for value, group in groups.items()} == {"f": 8, "m": 4}
        assert sum(group.trials for group in groups.values()) == measurement.trials
        assert all(set(group.values) == set(measurement.values) for group in groups.values())
        # Four men are too few for an interval, and so for a difference.
        assert measurement.differences == ()
    assert not next(each for each in found.values() if each.protocol == "identification").groups


def test_measures_by_name_go_to_their_protocols(people):
    found = measured(people, measures=("TAR@FAR=0.1", "MedR", "rank-2"), n=(3,))
    values = {protocol: list(each.values) for (protocol, _, _), each in found.items()}
    assert values == {"matching": ["rank-2"], "verification": ["TAR@FAR=0.1"], "retrieval": ["MedR"], "search": []}


def test_runs_with_groups_are_compared_group_by_group(people):
    settings = QuerySettings(**SIDES, n=(2,), groups=("G", "U"), by=("gender",))
    runs = [query(people, settings, name=name).folder for name in ("one", "other")]
    found = {(each.list, each.measure): each for each in compare_runs(*runs, CompareSettings(resamples=20)).figures}
    saved = {
        f"{each.protocol}{'-2' if each.protocol == 'matching' else ''}{'-G' if each.group == 'G' else ''}": each.values
        for each in query(people, settings, name="one").outcome.measurements
    }
    for (name, measure), each in found.items():
        assert each.left.value == each.right.value == saved[name.partition(",")[0]][measure].value
    assert {name.partition(",")[0] for name, _ in found} == {"matching-2", "matching-2-G", "verification",
                                                             "verification-G", "retrieval"}  # fmt: skip


def test_identification_alone_has_nothing_to_compare(people):
    folder = query(people, QuerySettings(**SIDES, protocols=("identification",))).folder
    with pytest.raises(ArtefactError, match="no matching, verification or retrieval, which alone can be compared"):
        compare_runs(folder, folder)


def test_identification_by_gallery_size(people):
    found = measured(people, protocols=("identification",), enrolled=(2, 6))
    assert [(key[0], key[2]) for key in found] == [("identification", 2), ("identification", 6), ("search", 10)]
    assert {"DIR@FPIR=0.1", "mated-rank-1"} <= set(found["identification", "U", 6].values)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"groups": ("N",)}, ManifestError, "has no column nationality, which the group N needs"),
        ({"groups": ("G",), "n": (20,)}, SettingsError, "group G: 1:20 matching needs 19 gallery items"),
        ({"groups": ()}, SettingsError, "want a group; U is the one without"),
        ({"groups": ("U+G",)}, SettingsError, "no constraint group is 'U.G'"),
        ({"measures": ("nothing",)}, UnknownNameError, "no measure is named 'nothing'"),
        ({"by": ("accent",)}, ArtefactError, "says nothing of the accent of its people; its columns are age, gender"),
        ({"protocols": ("identification",), "enrolled": (7,)}, SettingsError, "7 of the 12 people"),
        ({"enrolled": (7,)}, SettingsError, "for the protocol identification, which is not asked"),
        (
            {"protocols": ("retrieval",), "groups": ("G",)},
            SettingsError,
            "the group G is for matching and verification",
        ),
    ],
)
def test_what_cannot_be_asked(people, settings, error, said):
    with pytest.raises(error, match=said):
        measured(people, **settings)
