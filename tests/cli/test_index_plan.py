"""`vfsearch index plan`, as a user gives it."""

import pytest
from rate_tables import HERE, made_up


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """Estimates follow from a made-up table, and from floors that need not be measured."""
    monkeypatch.setattr("vfsearch.pipeline.plan_index.floors_here", lambda: HERE)
    with made_up(monkeypatch):
        yield


def test_of_numbers(workspace, vf):
    code, out, err = vf("index", "plan", "--rows", "1000000", "--dimension", "128")
    assert code == 0, err
    for word in ("1,000,000 rows of 128 dimensions; as searched from the start", "exact", "clustered", "ivf-pq", "hnsw",
                 "disk", "memory", "mapped", "to build", "build time", "R@10", "probes/s", "ms alone",
                 "bytes are counted", "estimates", "every row compared, our own kernels",
                 "not here: gpu-flat needs a GPU (--device cuda)", "many probes at once, R@10 of 0.95: "):  # fmt: skip
        assert word in out, word
    assert max(map(len, out.split("bytes are counted")[0].splitlines())) <= 160


def test_of_the_store(measured, vf, document):
    assert "48 rows of 128 dimensions" in vf("index", "plan")[1]
    found = document("index", "plan", "--modality", "voice", "--split", "test", "--preset", "exact,hnsw")
    assert found["rows"] == 24 and [each["preset"] for each in found["indices"]] == ["exact", "hnsw"]
    assert found["indices"][0]["costs"]["disk"] > 24 * 128 * 4


def test_what_does_not_fit_is_left_out_with_the_reason(workspace, vf, document):
    ask = ["index", "plan", "--rows", "10000000", "--dimension", "128", "--preset", "exact,ivf,ivf-pq,hnsw"]
    out = vf(*ask, "--max-memory", "4GiB")[1]
    assert "left out: hnsw: building it wants" in out and "4.00 GiB are allowed" in out
    found = document(*ask, "--max-latency", "1ms", "--min-recall", "0.9")
    reasons = {each["preset"]: each["reason"] for each in found["left_out"]}
    assert reasons["exact"].endswith("1 ms are allowed") and "ivf-pq" in [each["preset"] for each in found["indices"]]
    assert found["max_latency_seconds"] == 0.001 and found["min_recall"] == 0.9
    assert "with the quickest setting that finds 0.9 of the 10 neighbours" in vf(*ask, "--min-recall", "0.9")[1]


def test_nothing_fits(workspace, vf):
    code, out, err = vf("index", "plan", "--rows", "10000000", "--dimension", "128", "--max-memory", "1MiB")
    assert code == 5 and not out and "fits what is asked for: exact: building it wants" in err


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2ms", 2e-3), ("2", 2e-3), ("2e0", 2e-3), ("0.5s", 0.5), ("250us", 250e-6), (" 1.5 ms", 1.5e-3)],
)
def test_times(workspace, document, text, seconds):
    ask = ["index", "plan", "--rows", "10000", "--dimension", "128", "--preset", "hnsw", "--max-latency", text]
    assert document(*ask)["max_latency_seconds"] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--max-latency", "fast"], "'fast' is no time; wanted a number above 0 with a unit, for example 2ms or 0.5s"),
        (["--max-latency", "0"], "'0' is no time"),
        (["--modality", "face"], "--rows and --dimension say what the gallery is: leave out --modality and --split"),
        (["--max-latency", "2min"], "'2min' is no time"),
        (["--max-memory", "4"], "'4' would be bytes: give a unit, for example 4GiB or 4MB"),
        (["--presets", "nosuch"], "no kind of index is named 'nosuch'"),
    ],
)
def test_usage(workspace, vf, more, message):
    code, _, err = vf("index", "plan", "--rows", "1000", "--dimension", "16", *more)
    assert code == 2 and message in " ".join(err.split())


def test_a_plain_number_of_bytes(workspace, document):
    ask = ["index", "plan", "--rows", "1000", "--dimension", "16", "--max-memory"]
    assert document(*ask, "4294967296")["max_memory"] == 2**32


def test_rows_want_a_dimension(workspace, vf):
    code, _, err = vf("index", "plan", "--rows", "1000")
    assert code == 2 and "--rows and --dimension go together" in err


def test_no_store(workspace, vf):
    code, _, err = vf("index", "plan")
    assert code == 3 and "embeddings" in err
