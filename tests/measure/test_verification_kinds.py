import numpy as np
import pytest
from builders import rounds
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_verification import FIGURES, split
from verification_lists import measure, points_of, random_trials

from vfsearch.measure.kind import VERIFICATION
from vfsearch.measure.verification_kinds import VERIFICATION_KINDS

RANK_MEASURES = [name for name in FIGURES if not name.startswith(("actDCF", "FMR@T", "FNMR@T", "Cllr"))]
SYMMETRIC = ("AUC", "EER", "EER(roc-brentq)", "EER(convex-hull)", "EER(midpoint)", "minCllr", "Cllr")


def figures(scores, mated, names=FIGURES):
    points = points_of(scores, mated)
    return {name: measure(name).figure()(points) for name in names}


@pytest.mark.parametrize("part", range(4))
def test_every_measure_equals_a_plain_loop(part):
    for seed in range(part, rounds(400, 4000), 4):
        scores, mated = random_trials(seed)
        found, sides = figures(scores, mated), split(scores, mated)
        if not all(sides):
            continue
        for name, plain in FIGURES.items():
            assert found[name] == pytest.approx(float(plain(*sides)), abs=1e-12, rel=1e-12), (seed, name)


@pytest.mark.parametrize("mated", [True, False], ids=["mated alone", "others alone"])
def test_one_kind_of_trials_alone_has_no_figure_but_the_rate_of_that_kind(mated):
    found = figures([0.0, 1.0, 2.0], [mated] * 3)
    known = {"FNMR@T=1": 1 / 3} if mated else {"FMR@T=0.5": 2 / 3}
    assert {name: value for name, value in found.items() if not np.isnan(value)} == pytest.approx(known)


def test_no_trial_at_all_has_no_figure():
    assert np.isnan(list(figures([], []).values())).all()


TRIALS = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40).filter(
    lambda trials: len({own for _, own in trials}) == 2
)


@settings(deadline=None, max_examples=40)
@given(TRIALS)
def test_a_rising_function_of_the_scores_changes_nothing_that_is_of_ranks(trials):
    scores, mated = (np.array(each) for each in zip(*trials, strict=True))
    assert figures(np.exp(scores / 2.0) - 7, mated, RANK_MEASURES) == figures(scores, mated, RANK_MEASURES)


@settings(deadline=None, max_examples=40)
@given(TRIALS, st.integers(2, 4))
def test_repeating_all_trials_changes_nothing_but_what_counts_single_ones(trials, times):
    scores, mated = (np.array(each) for each in zip(*trials, strict=True))
    names = [name for name in FIGURES if name != "EER(kaldi)"]
    once, repeated = figures(scores, mated, names), figures(np.tile(scores, times), np.tile(mated, times), names)
    assert repeated == pytest.approx(once, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(TRIALS)
def test_turning_scores_and_labels_around_changes_nothing_where_both_kinds_are_treated_alike(trials):
    scores, mated = (np.array(each) for each in zip(*trials, strict=True))
    assert figures(-scores, ~mated, SYMMETRIC) == pytest.approx(figures(scores, mated, SYMMETRIC), abs=1e-12)


def test_equal_scores_are_worth_nothing_by_every_measure():
    found = figures(np.zeros(10), np.arange(10) < 4)
    half = dict.fromkeys(("AUC", "EER", "EER(roc-brentq)", "EER(convex-hull)", "EER(midpoint)"), 0.5)
    half |= {"EER(nearest)": 0.5, "EER(speechbrain)": 0.5}
    ones = {"minDCF(0.01)": 1.0, "minDCF(0.7)": 1.0, "Cllr": 1.0, "minCllr": 1.0, "FNMR@FMR=0.1": 1.0}
    assert {name: found[name] for name in {**half, **ones}} == pytest.approx({**half, **ones})
    assert found["TAR@FAR=0.25"] == 0.0 and found["EER(nearest-max)"] == 1.0 and found["EER(kaldi)"] == 0.75


def test_every_kind_says_what_it_is_and_parses_back():
    names = [kind.template for kind in VERIFICATION_KINDS]
    assert len(set(names)) == len(names) >= 15
    for kind in VERIFICATION_KINDS:
        assert kind.family == VERIFICATION and kind.title and kind.formula and kind.source
        name = kind.template.format(0.5)
        assert str(kind.parse(name)) == name and kind.parse(name) == kind.parse(name.lower())


def test_only_auc_and_tar_are_better_when_higher():
    assert {kind.template for kind in VERIFICATION_KINDS if kind.higher_is_better} == {"AUC", "TAR@FAR={}"}


def test_definitions_of_the_eer_differ_by_what_their_sources_say():
    # Points (FMR, FNMR): (0, 1), (0, 2/3), (1/2, 2/3), (1/2, 1/3), (1, 1/3), (1, 0).
    found = figures([6, 5, 4, 3, 2], [True, False, True, False, True])
    assert {name: found[name] for name in found if name.startswith("EER")} == pytest.approx(
        {
            "EER": 1 / 2,
            "EER(roc-brentq)": 1 / 2,
            "EER(nearest)": 7 / 12,  # (1/2, 2/3) comes first of two that are equally near
            "EER(nearest-max)": 2 / 3,
            "EER(speechbrain)": 5 / 12,  # ... and (1/2, 1/3) first from the other end
            "EER(kaldi)": 2 / 3,  # scores 2, 4, 6 want at most 0, 1/3, 2/3 of others above them, and have 1, 1/2, 0
            "EER(convex-hull)": 2 / 5,  # the hull goes straight from (0, 2/3) to (1, 0)
            "EER(midpoint)": 5 / 12,
        }
    )
