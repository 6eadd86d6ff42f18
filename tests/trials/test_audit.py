from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited_lists import PEOPLE, face, galleries, gallery_list, pair_list, pairs, people_table, side_list, voice

from vfsearch.data.findings import ERROR, NOTE, WARNING
from vfsearch.data.identity_table import IdentityTable
from vfsearch.trials.audit.catalog import KINDS
from vfsearch.trials.audit.knowledge import Knowledge, Training
from vfsearch.trials.audit.run import audit


def serious(report) -> dict[str, int]:
    """Name -> count of all that is no note."""
    return {found.kind.name: found.count for found in report.findings if found.kind.severity != NOTE}


def knowledge(**more) -> Knowledge:
    return Knowledge(table=people_table(), group=("gender",), **more)


def test_nothing_is_found_in_good_pairs():
    report = audit(pair_list(pairs()), knowledge())
    assert serious(report) == {}
    assert {found.kind.name: found.share for found in report.findings if found.detail != "nationality"} == {
        "label-share": 0.5,
        "alike-negatives": 1.0,
    }
    assert report.facts["trials"] == 1200 and report.facts["pairs"] == {"mated": 600, "non_mated": 600, "unlabelled": 0}


def test_every_planted_defect_of_pairs_is_found_and_nothing_else():
    good = pairs()
    positives, negatives = ([row for row in good if row[2] == mated] for mated in (1, 0))
    same_source = [("id10003/abcdefghij_/00001.wav", f"Person_3/1.6/abcdefghij_/{n:07d}.jpg", 1) for n in range(6)]
    women, men = [voice(0, clip) for clip in range(4)], [face(7, photo) for photo in range(4)]
    planted = {
        "duplicates": [*positives[:7], *positives[:2], negatives[0]],
        "contradictory-labels": [(probe, item, 0) for probe, item, _ in positives[20:25]],
        "false-mated": [(voice(3, 91), face(5, 5), 1), (voice(3, 92), face(5, 5), 1)],
        "false-non-mated": [(voice(3, 93), face(3, 5), 0)],
        "itself": [(voice(2, 3), voice(2, 3), 1)],
        "mirrored": [(item, probe, mated) for probe, item, mated in [*positives[30:33], *negatives[30:34]]],
        "same-source": same_source,
        "group-rule": [(woman, man, 0) for woman, man in zip(women, men, strict=True)],
        "missing-items": [(voice(4, 98), face(4, 1), 1), (voice(4, 98), face(4, 2), 1)],
        "unknown-identities": [("nobody/1.wav", face(1, 1), -1), ("nobody/2.wav", face(1, 2), -1)],
        "spellings": [("id10001//video--v011/00001.wav", face(1, 8), 1), (voice(1, 2).upper(), face(1, 9), -1)],
    }
    rows = [*good, *(row for some in planted.values() for row in some)]
    order = np.random.default_rng(1).permutation(len(rows))
    listed = pair_list([rows[place] for place in order])
    present = {name for row in rows for name in row[:2]} - {voice(4, 98)}
    report = audit(listed, knowledge(present=present))
    assert serious(report) == {
        "duplicates": 10,
        # Both rows of each pair; the identities contradict the planted ones.
        "contradictory-labels": 10,
        "false-mated": 2,
        "false-non-mated": 1 + 5,
        "itself": 1,
        "mirrored": 7,
        "same-source": 6 + 1,  # the item against itself, too, is mated and of one video
        "group-rule": 4,
        "missing-items": 1,
        "unknown-identities": 3,  # the two of nobody, and a folder in capitals
        "spellings": 2,
    }
    assert [found.kind.severity for found in report.findings] == sorted(
        [found.kind.severity for found in report.findings], key=[ERROR, WARNING, NOTE].index
    )
    # Each example names the line that the trial stands in.
    for found in report.findings:
        assert len(found.examples) <= 3
        for example in found.examples:
            assert set(example.trial) <= set(rows[order[example.line - 1]][:2])


def test_every_planted_defect_of_galleries_is_found_and_nothing_else():
    rows = galleries()
    good = audit(gallery_list(rows), knowledge())
    assert serious(good) == {}
    assert [found.count for found in good.named("mate-first")] == [600]
    rows[10][1] = face((int(rows[10][0][5:7]) + 2) % PEOPLE, 77)
    rows[20][2] = rows[20][1][:-11] + "0000099.jpg"
    rows[30][4] = rows[30][3]
    rows[40][2] = rows[40][0]
    rows[50] = [rows[60][0], rows[60][1], *rows[60][:1:-1]]
    rows[70][3] = face((int(rows[70][0][5:7]) + 1) % PEOPLE, 4)
    assert serious(audit(gallery_list(rows), knowledge())) == {
        "false-mated": 1,
        "false-non-mated": 1 + 1,  # in the probe's own gallery the probe is an item of its own identity
        "repeated-candidate": 1,
        "itself": 1,
        "duplicates": 1,
        "group-rule": 1,
    }


def test_labels_follow_from_identities_where_the_list_has_none():
    labelled, silent = (audit(pair_list(pairs(), labelled=told), knowledge()) for told in (True, False))
    assert [found.count for found in silent.named("label-share")] == [600]
    assert (labelled.facts["labels"], silent.facts["labels"]) == ("the list", "the identities")
    assert serious(silent) == {}


def test_what_cannot_be_checked_is_said():
    report = audit(pair_list(pairs(40), labelled=False, where="verify_g_v2f_test.txt"))
    assert serious(report) == {}
    assert set(report.unchecked) == {
        "label-share", "false-mated", "false-non-mated", "unknown-identities", "missing-items", "training-identities",
        "group-rule",
    }  # fmt: skip
    assert "hints at G: check it with --group G" in report.unchecked["group-rule"]
    assert report.facts["labels"] == "nobody"
    plain = [("a", "b", 1), ("a", "c", 0)]
    assert "no item's source is known" in audit(pair_list(plain)).unchecked["same-source"]


def test_a_group_of_which_nothing_is_known_is_said():
    report = audit(pair_list(pairs()), Knowledge(table=people_table(), group=("age",)))
    assert "no negative's age is known on both sides" in report.unchecked["group-rule"]


def test_ages_of_one_decade_are_alike():
    table = IdentityTable(
        identities={"a": "a", "b": "b", "c": "c"}, columns={"a": {"age": "31"}, "b": {"age": "38"}, "c": {"age": "40"}}
    )
    report = audit(pair_list([("a", "b", 0), ("a", "c", 0)]), Knowledge(table=table, group=("age",)))
    assert serious(report)["group-rule"] == 1


def test_overlap_with_training():
    training = Training(identities={"Person_3", "Person_5"}, items={face(3, 0)})
    report = audit(pair_list(pairs()), knowledge(training=training))
    names = {name for row in pairs() for name in row[:2]}
    seen = {name for name in names if name.startswith(("id10003", "id10005", "Person_3/", "Person_5/"))}
    assert serious(report) == {"training-identities": len(seen), "training-items": 1}
    (found,) = report.named("training-identities")
    assert found.detail.startswith("of 2 identities")
    assert len(found.rows) == sum(not seen.isdisjoint(row[:2]) for row in pairs())


def test_the_lists_own_identities_are_followed_through_the_table():
    listed = replace(pair_list([("x/1", "y/1", 0)]), identities=lambda name: {"x": "id10004", "y": "Person_4"}[name[0]])
    assert serious(audit(listed, knowledge()))["false-non-mated"] == 1


@pytest.mark.parametrize("kind", ["pairs", "galleries", "sides"])
def test_an_empty_list(kind):
    empty = {"pairs": pair_list([]), "galleries": gallery_list([]), "sides": side_list([], [])}[kind]
    report = audit(empty, knowledge())
    assert serious(report) == {"empty": 0}
    assert report.facts["trials"] == 0
    assert report.to_json()["findings"][0]["severity"] == "error"


def test_blocks_make_no_difference():
    rows = pairs()
    reports = [audit(pair_list([*rows, *rows[:9]], block), knowledge()).to_json() for block in (1, 7, 10_000)]
    assert reports[0] == reports[1] == reports[2]


def test_the_sides_of_retrieval():
    probes = [*(voice(person, 1) for person in range(6)), voice(0, 1), voice(20, 1), "nobody/1.wav"]
    gallery = [*(face(person, 2) for person in range(8)), face(7, 2), voice(1, 1)]
    report = audit(side_list(probes, gallery), knowledge())
    # Person 20 has no face there; the clip of person 1 has one beside itself. Persons 6, 7 and again 7 have no probe.
    assert serious(report) == {"duplicates": 2, "both-sides": 1, "without-mate": 1, "unknown-identities": 1}
    (distractors,) = report.named("distractors")
    assert (distractors.count, distractors.examples[0].trial, distractors.examples[0].line) == (3, (face(6, 2),), None)
    assert report.facts["trials"] == 90
    assert report.facts["prevalence"] == pytest.approx(7 / 90)
    assert report.named("duplicates")[0].rows.tolist() == [6, 17]


def test_kinds_have_names_of_their_own():
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    assert all(kind.meaning.endswith(".") and kind.definition.endswith(".") for kind in KINDS)


LISTS = Path(__file__).parents[3] / "shared" / "data" / "wen2021_lists"
PUBLISHED = {
    # name: duplicates, positives in percent, negatives of the probe's gender in percent
    "verify_v2f_test": (358, 50.3, 54.1),
    "verify_f2v_test": (165, 49.9, 52.3),
    "verify_g_v2f_test": (342, 50.0, 100.0),
    "verify_g_f2v_test": (152, 49.6, 100.0),
}


@pytest.mark.skipif(not LISTS.exists(), reason="the published lists are not here")
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_lists(name):
    from vfsearch.trials.formats.catalog import open_trials
    from vfsearch.trials.identities import read_identities

    table = read_identities(sorted(LISTS.glob("vox1_*.csv")))
    group = ("gender",) if "_g_" in name else ()
    report = audit(open_trials(LISTS / f"{name}.txt.gz"), Knowledge(table=table, group=group))
    duplicates, positives, alike = PUBLISHED[name]
    found = serious(report)
    # A voice of somebody with few clips is named more often in mated pairs of the face-to-voice lists.
    assert ("label-by-popularity" in found) == ("f2v" in name)
    assert {key: count for key, count in found.items() if key != "label-by-popularity"} == {"duplicates": duplicates}
    assert round(100 * report.named("label-share")[0].share, 1) == positives
    gender = next(found for found in report.named("alike-negatives") if found.detail == "gender")
    assert round(100 * gender.share, 1) == alike
    assert report.facts["identities"] == 189
