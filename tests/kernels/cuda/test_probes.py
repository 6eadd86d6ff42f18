import numpy as np
import pytest
import torch
from builders import unit_rows
from hard_rows import ANY_ROWS, UNIT_ROWS
from oracles import SCORES

from vfsearch.kernels.cuda.device_rows import device_rows
from vfsearch.kernels.cuda.probes import make_probes

HARD = [("ip", name) for name in UNIT_ROWS] + [("l2", name) for name in {**ANY_ROWS, **UNIT_ROWS}]


@pytest.mark.parametrize(("metric", "name"), HARD)
def test_no_computed_value_is_off_by_more_than_the_error(metric, name):
    queries, vectors = {**UNIT_ROWS, **ANY_ROWS}[name]()
    vectors = torch.as_tensor(np.ascontiguousarray(vectors)).float()
    gallery = device_rows(vectors, metric)
    probes = make_probes(torch.as_tensor(np.ascontiguousarray(queries)), gallery)
    computed = probes.half[: len(probes)].float() @ gallery.half[: len(gallery)].float().T
    if metric == "l2":
        computed += gallery.bias[: len(gallery)]
    scores = torch.as_tensor(SCORES[metric](queries, vectors))
    exact = probes.scale * scores + probes.square[:, None] / 2
    off = (computed.double() - exact).abs().amax(dim=1)
    known = probes.error.isfinite()
    assert (off[known] <= probes.error[known]).all()
    assert torch.equal(probes.least_value(scores[:, 0]), exact[:, 0] - probes.error)


def test_the_error_of_unit_rows_is_small():
    gallery = device_rows(torch.as_tensor(unit_rows(500, 128)), "ip")
    probes = make_probes(torch.as_tensor(unit_rows(10, 128, 1)), gallery)
    assert (probes.error / probes.scale < 1e-3).all()


def test_a_probe_too_long_for_half_precision_has_no_error_that_is_known():
    gallery = device_rows(torch.as_tensor(unit_rows(5, 8)) * 1e-9, "l2")
    assert not make_probes(torch.as_tensor(unit_rows(2, 8, 1)), gallery).error.isfinite().any()
