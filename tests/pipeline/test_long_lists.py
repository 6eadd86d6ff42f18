"""Long lists, which go through temporary files, give what short lists give; limits are set low to see it."""

import csv
import random
import tempfile

import numpy as np
import pytest
from named_lists import person_of, scores_of, vectors, write_lists, write_table, write_vectors

from vfsearch.data.outcome import Outcome
from vfsearch.errors import VfsearchError
from vfsearch.measure import pair_spill
from vfsearch.pipeline.list_query import ListSettings, query_lists
from vfsearch.pipeline.score_files import ScoreSettings, score_files
from vfsearch.pipeline.workspace import Workspace
from vfsearch.trials.formats import lines

LIMITS = (
    "vfsearch.protocol.listed.MOST_HELD", "vfsearch.protocol.listed_trials.MOST_IN_MEMORY",
    "vfsearch.protocol.listed_scores.MOST_IN_MEMORY", "vfsearch.protocol.listed_figures.IN_MEMORY",
)  # fmt: skip


@pytest.fixture
def place(tmp_path):
    """A folder with three lists, their vectors, and files of scores of two of them."""
    (tmp_path / "lists").mkdir()
    (tmp_path / "temporary").mkdir()
    write_table(tmp_path / "lists")
    rows = vectors()
    return tmp_path, write_lists(tmp_path / "lists"), write_vectors(tmp_path / "vectors.npz", rows), rows


@pytest.fixture
def short_of_memory(monkeypatch, place):
    """What sets all limits low; temporary files are counted afterwards."""

    def lower():
        for limit in LIMITS:
            monkeypatch.setattr(limit, 7)
        monkeypatch.setattr(lines, "_READ_BYTES", 200)
        monkeypatch.setattr(tempfile, "tempdir", str(place[0] / "temporary"))

    return lower


def figures(outcome: Outcome) -> list:
    return [
        (each.list, each.trials, each.missing, each.tied, each.candidates,
         {name: value.value for name, value in each.values.items()})
        for each in outcome.measurements
    ]  # fmt: skip


def intervals(outcome: Outcome) -> np.ndarray:
    return np.array([(v.low, v.high) for each in outcome.measurements for v in each.values.values()])


def assert_same(long: Outcome, short: Outcome) -> None:
    for (*ours, values), (*theirs, wanted) in zip(figures(long), figures(short), strict=True):
        assert ours == theirs and values == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True)
    assert np.allclose(intervals(long), intervals(short), rtol=0, atol=1e-4, equal_nan=True)


def write_scores(folder, trials, mix) -> tuple:
    scored = [f"{p} {i} {s!r}\n" for p, i, s in trials]
    labels = [f"{p} {i} {('nontarget', 'target')[person_of(p) == person_of(i)]}\n" for p, i, _ in trials]
    if mix:
        random.Random(1).shuffle(labels)
    (folder / "s.txt").write_text("".join(scored))
    (folder / "t.txt").write_text("".join(labels))
    return folder / "s.txt", folder / "t.txt"


@pytest.mark.parametrize("mix", [False, True], ids=["same order", "any order"])
def test_scores_with_a_list_of_labels(place, short_of_memory, mix):
    folder, lists, _, rows = place
    trials = [(p, i, round(s, 1)) for p, (i,), (s,) in scores_of(lists["verify_v2f_test"], rows)]
    scores, labels = write_scores(folder, trials, mix)
    settings = ScoreSettings(resamples=30, measures=("AUC", "EER", "minDCF(0.01)", "TAR@FAR=0.1", "Cllr"))
    told = {"trials": [labels], "identities": [folder / "lists" / "vox1_test.csv"]}
    points = [folder / "short.csv", folder / "long.csv"]
    short = score_files([scores], settings, **told, points=points[0])
    assert short.measurements[0].tied > 0
    short_of_memory()
    assert_same(score_files([scores], settings, **told, points=points[1]), short)
    one, other = (list(csv.reader(path.open())) for path in points)
    assert one == other and len(one) > 3
    assert not list((folder / "temporary").iterdir())


def test_vectors_asked_by_verification_and_matching_lists(place, short_of_memory):
    folder, lists, vectors_file, _ = place
    asked = [lists[name] for name in ("verify_v2f_test", "match_v2f_3_test")]

    def ask(name):
        return query_lists(
            Workspace(folder=folder), asked, ListSettings(resamples=30), vectors=[vectors_file], name=name
        )

    short = ask("short")
    short_of_memory()
    long = ask("long")
    assert_same(long.outcome, short.outcome)
    for each in ("verify_v2f_test.tsv", "match_v2f_3_test.tsv"):
        assert (long.folder / each).read_bytes() == (short.folder / each).read_bytes()
    assert not list((folder / "temporary").iterdir())


def test_matching_scores(place, short_of_memory):
    folder, lists, vectors_file, _ = place
    run = query_lists(
        Workspace(folder=folder), [lists["match_v2f_3_test"]], ListSettings(resamples=30), vectors=[vectors_file]
    )  # fmt: skip
    file = run.folder / "match_v2f_3_test.tsv"
    short = score_files([file], ScoreSettings(resamples=30))
    short_of_memory()
    assert_same(score_files([file], ScoreSettings(resamples=30)), short)


def test_a_disk_that_is_full(place, short_of_memory, monkeypatch):
    folder, lists, vectors_file, _ = place

    def full(*_):
        raise OSError(28, "No space left on device")

    short_of_memory()
    monkeypatch.setattr(pair_spill.Path, "open", full, raising=True)
    with pytest.raises(VfsearchError, match="No space left on device"):
        query_lists(Workspace(folder=folder), [lists["verify_v2f_test"]], ListSettings(), vectors=[vectors_file])
