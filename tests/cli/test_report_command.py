import pytest
from named_lists import vectors, write_lists, write_table, write_vectors


@pytest.fixture
def runs(workspace, vf):
    write_table(workspace)
    lists = [path.name for path in write_lists(workspace).values()]
    for name, noise in (("good", 0.5), ("bad", 3.0)):
        write_vectors(workspace / f"{name}.npz", vectors(noise=noise))
        assert vf("query", "--trials", *lists, "--vectors", f"{name}.npz", "--name", name)[0] == 0
    return workspace


def test_runs_of_lists(runs, vf, document):
    code, out, err = vf("report", "ours=good", "bad", "--formats", "png")
    assert code == 0 and err == "" and "report/tables/results" in out and "md, tex, csv" in out
    text = (runs / "report/tables/results.md").read_text()
    assert "| ours | " in text and "**" in text and "AUC \\[verify\\_test\\]" in text and "(reported)" in text
    found = document("report", "good", "--no-published", "--parts", "tables", "--out", "other")
    assert [name.rsplit("/", 1)[1] for name in found["files"]] == ["results.md", "results.tex", "results.csv"]
    assert "(reported)" not in (runs / "other/tables/results.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none"], 3, "no run at none"),
        (["good", "good"], 2, "named twice"),
        (["--parts", "film"], 2, "the parts are film: wanted some of page, tables, curves, figure, video"),
        (["--formats", "gif"], 2, "the formats are gif: wanted some of png, svg, pdf"),
        (["--measures", "speed"], 2, "no measure is named 'speed'"),
    ],
)
def test_said_plainly(runs, vf, arguments, code, said):
    found, out, err = vf("report", *arguments)
    assert (found, out) == (code, "") and said in " ".join(err.split())


def test_media_that_cannot_be_decoded_are_said(measured, vf):
    assert vf("query", "--probe", "voice", "--gallery", "face")[0] == 0
    code, out, err = vf("report", "--parts", "page", "--out", "r")
    assert code == 4 and "r/index" in out and "items can be neither seen nor heard: " in " ".join(err.split())
    (measured / "manifest.csv").unlink()
    code, out, err = vf("report", "--parts", "page", "--out", "r")
    assert code == 0 and "no file is listed for it" in " ".join(err.split())
