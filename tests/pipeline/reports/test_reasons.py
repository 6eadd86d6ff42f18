from types import SimpleNamespace

import numpy as np
import pytest

from vfsearch.pipeline.reports.reasons import causes, reasons

SEARCH = SimpleNamespace(protocol="search", missing=0)


def side(identities, **columns):
    return SimpleNamespace(identities=identities, values=lambda name: columns.get(name, [""] * len(identities)))


def answers(first, probes, gallery, exact=None, places=None, missing=0, name="run"):
    """A run with the first hit of each probe."""
    outcome = SimpleNamespace(settings={"probe": "voice", "gallery": "face"},
                              measurements=(SimpleNamespace(protocol="search", missing=missing),))  # fmt: skip
    return SimpleNamespace(
        run=SimpleNamespace(name=name, outcome=outcome), probes=probes, gallery=gallery, first_rows=np.array(first),
        first_exact_rows=np.array(first if exact is None else exact),
        places=np.ones(len(first)) if places is None else np.array(places),
    )  # fmt: skip


# a and b are women, c and d men; of e nothing is known.
GALLERY = side(list("aabcde"), gender=["f", "f", "f", "m", "m", ""])
PROBES = side(list("abcde"), gender=["f", "f", "m", "m", ""])


def test_wrong_first_hits_beside_chance():
    # a: right; b: the woman a; c: the woman a; d: the man c; e: of unknown gender
    (found,) = reasons(answers([0, 0, 1, 3, 2], PROBES, GALLERY))
    assert (found.column, found.wrong, found.same) == ("gender", 3, 2)
    # of others than b: f f m m; than c: f f f m; than d: f f f m
    assert found.expected == pytest.approx((2 / 4 + 1 / 4 + 1 / 4) / 3)


def test_nothing_is_wrong_or_nothing_is_known():
    assert list(reasons(answers([0, 2, 3, 4, 5], PROBES, GALLERY))) == []
    assert list(reasons(answers([0, 0, 0], side(list("abc")), side(list("abc"))))) == []
    assert list(reasons(answers([-1, -1], side(list("ab"), gender=["f", "f"]), GALLERY))) == []


def test_what_became_of_each_probe():
    found = answers([0, 0, 1, 4, 2], PROBES, GALLERY, missing=5)
    (diagram,) = causes([found])
    assert diagram.causes == [
        "first hit matched", "mismatched, same gender", "mismatched, other gender", "mismatched", "probe not embedded",
    ]  # fmt: skip
    assert diagram.shares.tolist() == [[0.2, 0.1, 0.1, 0.1, 0.5]] and diagram.runs == ["run"]


def test_what_an_approximate_search_lost_and_who_has_no_mate():
    approximate = answers([1, -1, 0, 3, 0], PROBES, GALLERY, exact=[0, 2, 0, 3, 0], places=[1, 1, np.inf, 2, 3])
    exact = answers([0, 2, 3, 4, 5], PROBES, GALLERY, name="exact")
    (diagram,) = causes([approximate, exact])
    shares = [dict(zip(diagram.causes, row, strict=True)) for row in diagram.shares.tolist()]
    assert shares[0] == {
        "first hit matched": 0.2, "lost by the approximate search": 0.2, "mismatched, same gender": 0.2,
        "mismatched": 0.2, "no match in the gallery": 0.2,
    }  # fmt: skip
    assert shares[1]["first hit matched"] == 1.0 and diagram.shares.sum(axis=1).tolist() == [1.0, 1.0]
