import dataclasses

import numpy as np
import pytest
from named_lists import vectors, write_lists, write_table, write_vectors

from vfsearch.errors import InputError, MismatchError, SettingsError, TrialListError
from vfsearch.pipeline.compare_runs import CompareSettings, compare_runs, require_two
from vfsearch.pipeline.list_query import ListSettings, query_lists
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.scored_run import scored_parts
from vfsearch.pipeline.workspace import Workspace

QUICK = CompareSettings(resamples=100)


@pytest.fixture
def runs(tmp_path):
    """Two runs of the same three lists: little noise, and much."""
    write_table(tmp_path)
    lists, place = list(write_lists(tmp_path).values()), Workspace(folder=tmp_path)

    def run(name, noise, chosen=lists):
        file = write_vectors(tmp_path / f"{name}.npz", vectors(noise=noise))
        return query_lists(place, chosen, ListSettings(resamples=50), vectors=[file], name=name)

    return run


def test_a_better_system_exceeds_a_worse_one(runs):
    left, right = runs("good", 0.5), runs("bad", 3.0)
    report = compare_runs(left.folder, right.folder, QUICK)
    found = {(each.list, each.measure): each for each in report.figures}
    assert {name for name, _ in found} == {"verify_v2f_test", "match_v2f_3_test", "reterival_v2f_test"}
    assert {measure for _, measure in found} == {"AUC", "EER", "accuracy", "mAP", "R@1", "R@10"}
    for run, side in ((left, "left"), (right, "right")):
        for each in run.outcome.measurements:
            for name, value in each.values.items():
                assert getattr(found[each.list, name], side).value == pytest.approx(value.value, abs=1e-12)
    for measure in ("AUC", "accuracy", "mAP"):
        (each,) = (each for (_, name), each in found.items() if name == measure)
        assert each.difference.value == each.left.value - each.right.value > 0
        assert 0 < each.difference.low < each.difference.high and each.difference.p < 0.05


def test_a_run_against_one_like_it(runs):
    report = compare_runs(runs("one", 1.0).folder, runs("two", 1.0).folder, QUICK)
    assert {(each.difference.value, each.difference.low, each.difference.high) for each in report.figures} == {
        (0, 0, 0)
    }
    assert {each.difference.p for each in report.figures} == {1.0} and not report.notes


def test_swapping_the_runs_turns_the_sign(runs):
    left, right = runs("good", 0.5).folder, runs("bad", 3.0).folder
    ours, theirs = (compare_runs(*pair, QUICK).figures for pair in ((left, right), (right, left)))
    for one, other in zip(ours, theirs, strict=True):
        assert one.difference.value == -other.difference.value
        assert (one.difference.low, one.difference.p) == (pytest.approx(-other.difference.high), other.difference.p)


def test_files_of_scores_and_their_order(runs, tmp_path):
    folder = runs("one", 1.0).folder
    lines = (folder / "verify_v2f_test.tsv").read_text().splitlines()
    (tmp_path / "turned.tsv").write_text("\n".join([*lines[:2], *reversed(lines[2:])]) + "\n")
    report = compare_runs(folder / "verify_v2f_test.tsv", tmp_path / "turned.tsv", QUICK)
    assert {(each.measure, each.trials, each.difference.value) for each in report.figures} == {
        ("AUC", 48, 0),
        ("EER", 48, 0),
    }


def test_other_trials_are_refused_unless_the_common_ones_are_asked_for(runs, tmp_path):
    folder = runs("one", 1.0).folder
    lines = (folder / "verify_v2f_test.tsv").read_text().splitlines(keepends=True)
    (tmp_path / "few.tsv").write_text("".join(lines[:30]))
    pair = folder / "verify_v2f_test.tsv", tmp_path / "few.tsv"
    with pytest.raises(MismatchError, match=r"one run has 48 trials, the other 28, and 28 are common .* --common"):
        compare_runs(*pair, QUICK)
    report = compare_runs(*pair, dataclasses.replace(QUICK, common=True))
    assert report.figures[0].trials == 28 and report.figures[0].difference.value == 0
    assert report.notes == ("verify_v2f_test: 20 trials that only one of them has are left out",)


def test_other_probes_of_a_retrieval_list(runs, tmp_path):
    first = runs("one", 1.0).folder
    path = tmp_path / "reterival_v2f_test.txt"
    probes, gallery = path.read_text().splitlines()
    path.write_text(" ".join(probes.split()[:-2]) + "\n" + gallery + "\n")
    second = runs("two", 2.0, [path]).folder
    with pytest.raises(MismatchError, match="one run has 24 trials, the other 22, and 22 are common"):
        compare_runs(first, second, QUICK)
    report = compare_runs(first, second, dataclasses.replace(QUICK, common=True))
    assert {each.trials for each in report.figures} == {22}


def test_labels_that_differ(runs, tmp_path):
    path = runs("one", 1.0).folder / "verify_v2f_test.tsv"
    head, names, row, *rest = path.read_text().splitlines()
    cells = row.split("\t")
    cells[2] = str(1 - int(cells[2]))
    (tmp_path / "other.tsv").write_text("\n".join([head, names, "\t".join(cells), *rest]) + "\n")
    with pytest.raises(MismatchError, match="label 1 trials differently, such as 'id10000/"):
        compare_runs(path, tmp_path / "other.tsv", QUICK)


def test_runs_of_the_three_protocols(built):
    asked = QuerySettings(probe="voice", gallery="face", n=(2, 5), k=3)
    first, second = query(built, asked, name="one"), query(built, dataclasses.replace(asked, k=4), name="two")
    report = compare_runs(first.folder, second.folder, QUICK)
    assert {each.list for each in report.figures} == {
        f"{name}, voice to face" for name in ("matching-2", "matching-5", "verification", "retrieval")
    }
    assert {each.difference.value for each in report.figures} == {0.0}
    own = {(each.protocol, name): value.value for each in first.outcome.measurements if each.candidates != 2
           for name, value in each.values.items()}  # fmt: skip
    for each in report.figures:
        if not each.list.startswith("matching-2"):
            assert each.left.value == pytest.approx(own[each.protocol, each.measure], abs=1e-12)


def test_the_parts_of_a_run_of_the_protocols(built):
    report = query(built, QuerySettings(probe="voice", gallery="voice", n=(2,), k=3))
    retrieval = {part.name: part for part in scored_parts(report.folder)}["retrieval, voice to voice"]
    assert set(retrieval.answers.ranking.ranks.gallery.tolist()) == {29}


def test_nothing_in_common(built, runs):
    with pytest.raises(MismatchError, match="they have nothing in common to compare"):
        compare_runs(built.folder / "runs" / next((built.folder / "runs").iterdir()).name, runs("one", 1.0).folder)


def test_what_cannot_be_compared(tmp_path, runs):
    with pytest.raises(InputError, match="nothing"):
        compare_runs(tmp_path / "nothing", tmp_path / "nothing")
    with pytest.raises(InputError, match="no run at"):
        compare_runs(tmp_path, tmp_path)
    path = tmp_path / "verify_v2f_test.txt"
    runs("one", 1.0)
    with pytest.raises(TrialListError, match="is a list without scores; two runs are compared"):
        compare_runs(path, path)
    with pytest.raises(SettingsError, match="would be compared with itself"):
        require_two(path, path)


def test_measures_that_are_asked_for(runs):
    pair = runs("one", 1.0).folder, runs("two", 2.0).folder
    report = compare_runs(*pair, CompareSettings(measures=("TAR@FAR=0.1", "MRR"), resamples=50))
    assert {each.measure for each in report.figures} == {"TAR@FAR=0.1", "accuracy", "MRR"}
    assert all(np.isfinite(each.difference.value) for each in report.figures)
