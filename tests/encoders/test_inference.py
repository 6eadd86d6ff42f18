import torch

from vfsearch.encoders.inference import full_precision


def test_cudnn_stays_on_without_tf32_and_all_is_as_before_afterwards():
    before = torch.backends.cudnn.enabled, torch.backends.cudnn.allow_tf32
    with full_precision():
        assert torch.is_inference_mode_enabled()
        assert (torch.backends.cudnn.enabled, torch.backends.cudnn.allow_tf32) == (True, False)
        assert torch.backends.cudnn.deterministic and not torch.backends.cudnn.benchmark
    assert (torch.backends.cudnn.enabled, torch.backends.cudnn.allow_tf32) == before
