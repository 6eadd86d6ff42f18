"""How torch runs the networks of encoders: in full precision, so that a row depends on its file alone."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """No gradients; on a GPU no TF32 (which changes rows in the third digit) and no choice of kernel by timing."""
    import torch

    # enabled=True because the default of this function switches cuDNN off
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        yield
