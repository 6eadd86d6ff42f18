import pytest

from vfsearch.bench import kernels
from vfsearch.bench.rates import Rates

TINY = ["--rows", "300", "--probes", "20", "--k", "5", "--dimension", "16", "--mates", "10", "--pairs", "100",
        "--runs", "1", "--threads", "1"]  # fmt: skip


@pytest.fixture(autouse=True)
def known_rates(monkeypatch):
    # Measuring them takes seconds, and is tested apart.
    rates = Rates(products={"int8 tiles": 1e12, "float32 tiles": 2e11}, reading={2**20: 1e10})
    monkeypatch.setattr(kernels, "measure_rates", lambda dimension, device: rates)
    # The command sets it for all that comes after.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_tables_and_file(tmp_path, monkeypatch, vf):
    monkeypatch.chdir(tmp_path)
    code, out, err = vf("bench", "kernels", *TINY, "--kernel", "topk,pairs", "--device", "cpu", "--out")
    assert code == 0 and err == ""
    for word in ("Top 5 of 300 rows for 20 probes", "vfsearch, gallery prepared", "numpy product + argpartition",
                 "floor: int8", "× the floor", "peak memory", "yes", "1 threads for all"):  # fmt: skip
        assert word in out, word
    written = (tmp_path / "benchmarks/kernels.md").read_text(encoding="utf-8")
    assert written.startswith("# Kernels") and "| vfsearch, gallery prepared |" in written
    assert vf("bench", "kernels", *TINY, "--kernel", "pairs", "--out", "other.md")[0] == 0
    assert "| vfsearch pair_scores |" in (tmp_path / "other.md").read_text(encoding="utf-8")


def test_one_document(tmp_path, monkeypatch, document):
    monkeypatch.chdir(tmp_path)
    found = document("bench", "kernels", *TINY, "--metric", "l2", "--dtype", "bf16")
    assert [each["kernel"] for each in found["results"]] == ["topk", "ranks", "pairs", "single"]
    assert found["all_exact"] and found["settings"]["threads"] == 1 and found["machine"]["versions"]["numpy"]
    assert not list(tmp_path.iterdir())


def test_growth(document):
    found = document("bench", "kernels", *TINY, "--growth", "--most", "1e4", "--kernel", "topk")
    assert found["results"] == [] and [each["kernel"] for each in found["growth"]] == ["topk"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--max-memory", "10KB"], 5, "0 MiB is the most that --max-memory allows"),
        (["--growth", "--max-memory", "1GiB"], 5, "ask for fewer rows or probes"),
        (["--kernel", "sort"], 2, "kernels: 'sort' is unknown"),
        (["--rows", "many"], 2, "whole numbers"),
        (["--metric", "cosine"], 2, "'cosine' is not one of"),
        (["--runs", "0"], 2, "runs is 0"),
        (["--device", "abacus"], 2, "it must be auto, cpu, cuda"),
        (["--growth", "--kernel", "pairs"], 2, "growth is measured of topk and ranks"),
        (["--out", "."], 2, ". is a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_said_plainly(vf, arguments, code, said):
    found, out, err = vf("bench", "kernels", *TINY, *arguments)
    assert (found, out) == (code, "") and said in " ".join(err.split())


def test_an_answer_that_is_wrong_is_a_failure(vf, monkeypatch):
    from vfsearch.kernels.pairs import pair_scores

    monkeypatch.setattr("vfsearch.bench.kernels_pairs.pair_scores", lambda *of: pair_scores(*of) + 1e-9)
    code, out, err = vf("bench", "kernels", *TINY, "--kernel", "pairs")
    assert code == 1 and "NO" in out and "an answer of ours is not the oracle's" in " ".join(err.split())
