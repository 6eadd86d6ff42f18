import numpy as np
import pytest
import torch
from builders import unit_rows

from vfsearch.kernels.cuda import device_rows as module
from vfsearch.kernels.cuda.device_rows import PAD, device_rows, padded_width


@pytest.mark.parametrize(("d", "width"), [(1, 16), (16, 16), (17, 32), (128, 128), (129, 192), (192, 192), (512, 512)])
def test_width(d, width):
    assert padded_width(d) == width


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("size", [1e-30, 1e-3, 1.0])
def test_what_is_measured_is_what_was_lost(monkeypatch, metric, size):
    monkeypatch.setattr(module, "SLICE", 30)
    rows = torch.as_tensor(unit_rows(100, 20, 1) * np.float32(size))
    made = device_rows(rows, metric, 5)
    exact = rows.double() if metric == "l2" else torch.round(rows.double() * 2**26) / 2**26
    exact = exact * made.scale
    copy = made.half[:100, :20].double()
    assert made.half.shape == (PAD, 32) and not made.half[100:].any() and not made.half[:, 20:].any()
    assert torch.equal(made.lost, (exact - copy).norm(dim=1).max())
    assert torch.equal(made.longest, torch.maximum(exact.norm(dim=1), copy.norm(dim=1)).max())
    if metric == "l2":
        assert 0.5 <= exact.abs().max() < 1
        np.testing.assert_allclose(made.bias[:100], -exact.square().sum(dim=1) / 2, rtol=1e-6)
        assert torch.isneginf(made.bias[100:]).all()
    assert made.first == 5 and len(made) == 100


def test_rows_of_zeros():
    made = device_rows(torch.zeros((3, 4)), "l2")
    assert made.scale == 1 and made.lost == 0 and made.longest == 0
