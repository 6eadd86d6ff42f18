"""A Ray cluster of four nodes on this machine; without Ray these tests are skipped."""

import os
from pathlib import Path

import pytest
from builders import LONG

# Where nodes are killed, that is to be seen at once; otherwise a busy machine must not take one for dead.
HEALTH = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 10}
NODES = 4


def pytest_collection_modifyitems(items):
    """One cluster at a time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("cluster"))


@pytest.fixture(scope="module")
def nodes():
    """The cluster, with this process as its driver."""
    from vfsearch.distributed.cluster import _LOOPBACK, _PRINT

    kept = dict(os.environ)
    os.environ |= _LOOPBACK | _PRINT
    pytest.importorskip("ray", reason="no Ray: pip install 'vfsearch[ray]'")
    # Workers find the encoders of these tests.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), kept.get("PYTHONPATH", "")])
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": HEALTH if LONG else {}, **SMALL}
    )
    for _ in range(NODES - 1):
        made.add_node(num_cpus=1, **SMALL)
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    made.wait_for_nodes()
    yield made
    ray.shutdown()
    made.shutdown()
    os.environ.clear()
    os.environ.update(kept)


SMALL = {"object_store_memory": 80 * 2**20, "include_dashboard": False}


@pytest.fixture
def ray(nodes):
    """The module, connected to the cluster."""
    import ray

    return ray
