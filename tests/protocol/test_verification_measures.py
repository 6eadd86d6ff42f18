import pytest
from builders import make_embeddings

from vfsearch.errors import UnknownNameError
from vfsearch.protocol.comparison import compare
from vfsearch.protocol.verification import Verification


def run(*measures):
    people = [f"p{row // 3}" for row in range(30)]
    voices, faces = (make_embeddings(30, modality=each, identities=people, seed=7) for each in ("voice", "face"))
    return Verification(seed=1, measures=measures).run(compare(voices, faces))


def test_the_measures_that_are_asked_for_are_given_and_those_of_others_passed_over():
    result = run("TAR@FAR=0.1", "R@10", "EER(kaldi)")
    assert list(result.measurement.values) == ["TAR@FAR=0.1", "EER(kaldi)"]
    assert len(result.scored) == result.measurement.trials


def test_measures_of_others_alone_leave_the_usual_ones():
    assert list(run("R@10").measurement.values) == ["AUC", "EER"]


def test_an_unknown_measure_is_refused():
    with pytest.raises(UnknownNameError, match="no measure is named 'luck'"):
        run("luck")
