import pytest
import torch

from vfsearch.encoders.inference import inference


@pytest.mark.parametrize(("device", "flags"), [("cpu", False), ("cuda", True)])
def test_cudnn_stays_on_without_tf32_and_all_is_as_before_afterwards(device, flags):
    cudnn = torch.backends.cudnn
    before = cudnn.enabled, cudnn.allow_tf32, cudnn.deterministic
    with inference(device):
        assert torch.is_inference_mode_enabled()
        assert cudnn.enabled and not cudnn.benchmark
        if flags:
            assert cudnn.deterministic and not cudnn.allow_tf32
        else:
            assert (cudnn.enabled, cudnn.allow_tf32, cudnn.deterministic) == before
    assert (cudnn.enabled, cudnn.allow_tf32, cudnn.deterministic) == before


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_computed_in_what_was_asked_for(precision, dtype):
    with inference("cpu", precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
