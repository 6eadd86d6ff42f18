import pytest
from trials.examples import BOB4, BOB5
from trials.rows import pairs, read, rows, written

from vfsearch.errors import TrialListError

OWNERS = {"x": "ann", "y": "bob", "m1": "ann", "m2": "bob", "ann": "ann", "bob": "bob"}.get


@pytest.mark.parametrize(("format", "data"), [("bob4", BOB4), ("bob5", BOB5)])
def test_mated_where_the_claim_is_true(tmp_path, format, data):
    trials = read(tmp_path, format, data)
    assert trials.labelled and trials.scored
    models = ("ann", "bob", "bob") if format == "bob4" else ("model_a", "model_b", "model_b")
    probes = ("ann/1.png", "ann/1.png", "bob/1.png")
    expected = zip(probes, models, (1, 0, 1), (0.9, -0.4, 0.8), strict=True)
    assert rows(trials) == [(probe, (model,), mated, (score,)) for probe, model, mated, score in expected]
    assert [trials.identities(name) for name in ("ann/1.png", "bob/1.png", models[0], "zoe")] == [
        "ann",
        "bob",
        "ann",
        None,
    ]


def test_a_sample_of_two_people(tmp_path):
    with pytest.raises(TrialListError, match=r"line 4: wanted the identity 'ann' for 'ann/1.png', as in a line before"):
        list(read(tmp_path, "bob4", BOB4 + b"bob bob ann/1.png 0.8\n").blocks())


def test_written():
    trials = pairs([("x", "m1", 1, 0.5), ("x", "m2", 0, -0.5)], identities=OWNERS)
    assert written("bob5", trials) == b"ann m1 ann x 0.5\nbob m2 ann x -0.5\n"
    trials = pairs([("x", "ann", 1, 0.5), ("y", "ann", 0, -0.5)], identities=OWNERS)
    assert written("bob4", trials) == b"ann ann x 0.5\nann bob y -0.5\n"


@pytest.mark.parametrize(
    ("format", "row", "owners", "said"),
    [
        ("bob5", ("x", "m1", 1, None), OWNERS, "bob5: its lines need scores"),
        ("bob5", ("x", "m1", 1, 0.5), None, "need identities, and none are known .*--identities"),
        ("bob5", ("zoe", "m1", -1, 0.5), OWNERS, "it is not known whose 'zoe' is"),
        (
            "bob5",
            ("x", "m2", 1, 0.5),
            OWNERS,
            "line 1, .*labels follow from the identities, and that of this trial does",
        ),
        (
            "bob4",
            ("x", "m1", 1, 0.5),
            OWNERS,
            "it names models by identity alone, and 'm1' is none; the format bob5 holds",
        ),
    ],
)
def test_what_it_cannot_hold(format, row, owners, said):
    with pytest.raises(TrialListError, match=said):
        written(format, pairs([row], identities=owners))
