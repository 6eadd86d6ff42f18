import json
import sys

import pytest
from hashed import HASHED

WITHIN = ("query", "--probe", "face", "--gallery", "face")
pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture
def no_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)


def test_without_ray_only_that_is_refused(workspace, vf, no_ray):
    code, out, err = vf("embed", "--frozen", *HASHED, "--on", "ray")
    assert code == 1 and out == "" and "pip install 'vfsearch[ray]'" in " ".join(err.split())
    assert not (workspace / "embeddings").exists()
    assert vf("embed", "--frozen", *HASHED)[0] == 0


def test_somewhere_else(workspace, vf):
    code, out, err = vf("embed", "--frozen", *HASHED, "--on", "spark")
    assert (code, out) == (2, "") and "work can be done on ray or ray://HOST:PORT, not on 'spark'" in err


def test_on_a_cluster_of_this_machine(workspace, vf, document):
    pytest.importorskip("ray", reason="no Ray: pip install 'vfsearch[ray]'")
    local = document("embed", "--frozen", *HASHED, "--out", "local")
    found = document("embed", "--frozen", *HASHED, "--out", "ray", "--features", "ray-features", "--on", "ray")
    assert (
        found["rows"] == local["rows"]
        and sum(node["tasks"] for node in found["cluster"]["voice"]["nodes"].values()) > 0
    )
    for name in ("MANIFEST.json", "failures.csv"):
        assert (workspace / "ray" / name).read_bytes() == (workspace / "local" / name).read_bytes()


def values(found):
    """What was measured, without what the clock says."""
    return [(each["protocol"], each["candidates"], each["trials"], each["values"]) for each in found["measurements"]]


def test_partitions_on_a_cluster_of_this_machine(workspace, vf, document):
    pytest.importorskip("ray", reason="no Ray: pip install 'vfsearch[ray]'")
    document("embed", "--frozen", *HASHED)
    document("index", "build", "--modality", "face")
    planned = document("index", "build", "--modality", "face", "--on", "ray", "--worker-cpus", "1", "--dry-run")
    (plan,) = planned["indices"]
    assert plan["placement"]["fits"] and not (workspace / "index" / "face-sharded").exists()
    built = document(
        "index", "build", "--modality", "face", "--partitions", "2", "--on", "ray", "--worker-cpus", "1"
    )  # fmt: skip
    assert built["indices"][0]["partitions"] == 2
    assert sum(node["tasks"] for node in built["cluster"]["face-sharded"]["nodes"].values()) == 2
    (info,) = document("index", "info", "face-sharded", "--on", "ray")["indices"]
    held = [name for node in info["placement"]["nodes"] for name in node["partitions"]]
    assert len(held) == len(info["partitions"]) == 2
    asked = (*WITHIN, "--protocol", "retrieval", "--protocol", "matching")
    there = document(*asked, "--index", "index/face-sharded", "--on", "ray")
    here, whole = document(*asked, "--index", "index/face-sharded"), document(*asked)
    assert values(there) == values(here) == values(whole)
    assert there["measured_now"] and here["measured_now"]
    assert there["cluster"]["face-sharded"]["died"] == 0 and "cluster" not in here
    assert document("query", "--index", "index/face-sharded", "--on", "ray", "--dry-run")["placement"]["fits"]
    code, out, _ = vf(
        "query", "--index", "index/face-sharded", "--on", "ray", "--worker-cpus", "640", "--dry-run"
    )  # fmt: skip
    assert code == 5 and "no room for a worker" in " ".join(out.split())


def test_what_cannot_be_on_a_cluster(workspace, vf, document):
    document("embed", "--frozen", *HASHED)
    document("index", "build", "--modality", "face")
    code, _, err = vf("query", "--on", "ray")
    assert code == 2 and "index/face is not sharded, so there are no partitions" in " ".join(err.split())
    code, _, err = vf("query", "--dry-run")
    assert code == 2 and "not sharded" in err
    code, _, err = vf("index", "build", "--dry-run")
    assert code == 2 and "--dry-run is for --on ray; `vfsearch index plan` says" in " ".join(err.split())
    document("index", "build", "--modality", "face", "--partitions", "2")
    code, _, err = vf("query", "--index", "index/face-sharded", "--dry-run")
    assert code == 2 and "--dry-run is for --on ray" in err


def test_what_is_missing_is_said(workspace, vf, document):
    document("embed", "--frozen", *HASHED)
    document("index", "build", "--modality", "face", "--partitions", "4")
    gone = sorted((workspace / "index" / "face-sharded").glob("*-part-*"))[2]
    (gone / "MANIFEST.json").unlink()
    code, _, err = vf(*WITHIN, "--index", "index/face-sharded")
    assert code == 3 and "MANIFEST.json" in err
    code, out, err = vf(*WITHIN, "--index", "index/face-sharded", "--partial", "--json")
    said = " ".join(err.split())
    assert code == 4 and "1 of the 4 partitions of the index could not be opened: 12 rows, 25.0 % of its rows" in said
    assert json.loads(out)["counts"]["partitions_lost"] == 1
    code, _, err = vf("index", "verify", "face-sharded")
    assert code == 3
