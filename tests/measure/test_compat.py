import pytest

from vfsearch.errors import SettingsError
from vfsearch.measure.compat import COMPAT, Compat


def test_every_peer_says_who_it_is_what_differs_and_where_that_is_known_from():
    assert {"wen2021", "cmpc", "vfal-eva", "fop", "fame", "voxceleb-trainer", "kaldi", "speechbrain"} <= set(COMPAT)
    for name, each in COMPAT.items():
        assert each.name == name and each.peer and each.notes and each.source


def test_what_is_known_of_the_peers_of_this_field():
    assert {name for name, each in COMPAT.items() if each.scores == "distance"} == {"fame", "fop"}
    assert {name for name, each in COMPAT.items() if each.ties == "mate-first"} == {"wen2021", "cmpc", "vfal-eva"}
    assert COMPAT["vfal-eva-1-2"].ties == "mate-last" and COMPAT["trec_eval"].ranking_ties == "id-descending"
    # Their mAP is not that of mates first, though their matching is.
    assert COMPAT["wen2021"].ranking_ties == COMPAT["cmpc"].ranking_ties == "expected"


@pytest.mark.parametrize("wrong", [{"ties": "luck"}, {"ranking_ties": "luck"}, {"scores": "colour"}])
def test_an_unknown_policy_is_refused(wrong):
    with pytest.raises(SettingsError, match="the peer 'x' orders ties, or scores, in a way that is not known"):
        Compat(name="x", peer="x", notes="x", source="x", **wrong)


def test_an_unknown_eer_is_refused():
    with pytest.raises(SettingsError, match=r"equal error rate that is not known: 'EER\(x\)'"):
        Compat(name="x", peer="x", notes="x", source="x", eer="EER(x)")


def test_an_unknown_average_precision_is_refused():
    with pytest.raises(SettingsError, match="a precision that is not known: 'R@1'"):
        Compat(name="x", peer="x", notes="x", source="x", average_precision="R@1")
