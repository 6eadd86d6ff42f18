import pytest

from vfsearch.errors import SettingsError
from vfsearch.index.targets import Target, parse_target


@pytest.mark.parametrize(
    ("text", "measure", "k", "least", "shown"),
    [
        ("R@10>=0.95", "R", 10, 0.95, "R@10>=0.95"),
        (" r@1 >= 1 ", "R", 1, 1.0, "R@1>=1"),
        ("mAP>=0.99*exact", "mAP", 10, 0.99, "mAP@10>=0.99*exact"),
        ("map@100 >= .5 × exact", "mAP", 100, 0.5, "mAP@100>=0.5*exact"),
        ("acc@1>=0.98 * exact", "acc", 1, 0.98, "acc@1>=0.98*exact"),
    ],
)
def test_what_is_said_is_meant_and_said_again(text, measure, k, least, shown):
    target = parse_target(text)
    assert (target.measure, target.k, target.least) == (measure, k, least)
    assert str(target) == shown and parse_target(shown) == target


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("R@10", "the target is 'R@10'; wanted R@K>=X"),
        ("recall>=0.9", "wanted R@K>=X"),
        ("R@10>=0.9.5", "has no number after >="),
        ("R>=0.9", "does not say of how many neighbours"),
        ("R@10>=0.9*exact", "for the identity among the first K: acc@K>=X"),
        ("mAP@10>=0.9", r"wanted mAP@K>=X\*exact"),
        ("R@10>=1.5", "the share 1.5, it must be above 0 and at most 1"),
        ("R@10>=0", "the share 0.0"),
        ("R@0>=0.9", "looks at 0 neighbours"),
        ("R@20000>=0.9", "looks at 20000 neighbours, it must be 1 to 10,000"),
    ],
)
def test_what_cannot_be_a_target_is_refused(text, message):
    with pytest.raises(SettingsError, match=message):
        parse_target(text)


def test_a_measure_that_is_none():
    with pytest.raises(SettingsError, match="a target is of R, mAP, acc, not of 'EER'"):
        Target(measure="EER", k=1, least=0.5)
