import sys

import pytest
from hashed import HASHED


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
