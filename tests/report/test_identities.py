import io
import re
import warnings

import numpy as np
import pytest
from PIL import Image

from vfsearch.errors import SettingsError
from vfsearch.report import identities
from vfsearch.report.identities import FIRST, LATER, LEFT_OUT, WeighedIdentities, identities_figure


def found(n: int = 24, seed: int = 0):
    """Names, hardness and weights as re-weighting leaves them: half 0.98, then 0.99 and 1, the hardest tenth 0."""
    random = np.random.default_rng(seed)
    hardness = random.normal(8, 2, n).astype(np.float32)
    weights = np.zeros(n, np.float32)
    easiest = np.argsort(hardness, kind="stable")
    weights[easiest[: n * 9 // 10]] = 1
    weights[easiest[: n * 7 // 10]] = 0.99
    weights[easiest[: n // 2]] = 0.98
    return [f"person{number:04d}" for number in range(n)], hardness, weights


def make(n=3, **changes):
    usual = {"identities": [f"p{row}" for row in range(n)], "hardness": [1.0] * n, "weights": [1.0] * n}
    return WeighedIdentities(**{**usual, **changes})


@pytest.fixture
def figure(drawn):
    return lambda *arguments: drawn(identities, identities_figure, *arguments)


def labels(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_hardest_stand_first_and_of_two_alike_the_later_one():
    assert make(4, hardness=[2.0, 9.0, 2.0, 5.0]).order.tolist() == [1, 3, 2, 0]


@pytest.mark.parametrize(
    "weights, groups",
    [
        ([0.0, 0.98, 0.99, 1.0], [LEFT_OUT, FIRST, LATER, LATER]),
        ([1.0, 1.0, 1.0, 1.0], [FIRST] * 4),
        ([0.0, 0.0, 1.0, 1.0], [LEFT_OUT, LEFT_OUT, FIRST, FIRST]),
        ([0.0, 0.0, 0.0, 0.0], [LEFT_OUT] * 4),
    ],
)
def test_groups_come_from_the_weights(weights, groups):
    assert make(4, weights=weights).groups.tolist() == groups


def test_the_figure_states_the_numbers(figure):
    upper, lower = figure(*found(24)).axes
    assert labels(upper.figure) == [
        "left out: 3 (weight 0)", "let in later: 9 (weights 0.99 to 1)", "let in first: 12 (weight 0.98)"
    ]  # fmt: skip
    assert lower.get_xlabel() == "24 identities, the hardest first"


def test_equal_weights_are_not_called_first(figure):
    names, hardness, _ = found(5)
    assert labels(figure(names, hardness, np.ones(5))) == ["let in: 5 (weight 1)"]


def test_every_identity_of_a_few_has_its_dot_and_its_name(figure):
    names, hardness, weights = found(24)
    upper, lower = figure(names, hardness, weights).axes
    dots = sorted(zip(*np.concatenate([line.get_xydata() for line in upper.lines]).T, strict=True))
    assert [place for place, _ in dots] == list(range(1, 25))
    assert [value for _, value in dots] == sorted(hardness.tolist(), reverse=True)
    order = np.argsort(hardness)[::-1]
    assert [tick.get_text() for tick in lower.get_xticklabels()] == [names[row] for row in order]


def test_of_many_a_dot_stands_for_a_stretch(figure):
    names, hardness, weights = found(1234)
    upper, lower = figure(names, hardness, weights).axes
    dots = np.concatenate([line.get_xydata() for line in upper.lines])
    dots = dots[np.argsort(dots[:, 0])]
    assert len(dots) == identities.SINGLE
    assert (np.diff(dots[:, 1]) <= 0).all()
    sizes = [len(rows) for rows in np.array_split(np.arange(1234), identities.SINGLE)]
    assert np.average(dots[:, 1], weights=sizes) == pytest.approx(hardness.mean(dtype=float))
    areas = [
        np.sum((data.values - data.baseline) * np.diff(data.edges))
        for data in (patch.get_data() for patch in lower.patches)
    ]
    assert areas == pytest.approx([617, 493, 124])


@pytest.mark.parametrize("n", [1, 6, 7, 40, 41, 201])
def test_equal_findings_give_equal_bytes_and_no_warning(n):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = identities_figure(*found(n))
    assert data == identities_figure(*map(list, found(n)))
    assert Image.open(io.BytesIO(data)).size == (1152, 552)
    assert len(data) < 150_000


def test_a_hundred_thousand(figure):
    names, hardness, weights = found(100_000)
    assert len(identities_figure(names, hardness, weights)) < 100_000
    assert labels(figure(names, hardness, weights))[2] == "let in first: 50,000 (weight 0.98)"


def test_any_name_can_be_drawn(figure):
    names = ["$x^2$", "\udc80raw", "two\nlines", "", "王小明", "a name that is much longer than its place 17"]
    hardness, weights = np.arange(6.0)[::-1], np.ones(6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        identities_figure(names, hardness, weights)
    lower = figure(names, hardness, weights).axes[1]
    shown = [tick.get_text() for tick in lower.get_xticklabels()]
    assert shown == ["$x^2$", "?raw", "two?lines", "", "王小明", "a name …place 17"]
    assert not any(tick.get_parse_math() for tick in lower.get_xticklabels())


@pytest.mark.parametrize(
    "change, message",
    [
        ({"weights": [1.0]}, "3 identities, 3 values of hardness and 1 weights; want one of each for every identity"),
        ({"identities": [], "hardness": [], "weights": []}, "0 identities, 0 values of hardness and 0 weights"),
        ({"hardness": [1.0, np.nan, 2.0]}, "hardness: p1 has nan, it must be finite"),
        ({"weights": [1.0, 1.0, np.inf]}, "weights: p2 has inf, it must be finite and not negative"),
        ({"weights": [-0.5, 1.0, 1.0]}, "weights: p0 has -0.5, it must be finite and not negative"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(SettingsError, match=re.escape(message)):
        make(**change)
