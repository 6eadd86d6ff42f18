"""How torch runs the networks of encoders."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

PRECISIONS = ("fp32", "bf16", "fp16")
# a few photos or clips at once stay in a processor's caches; a GPU wants more
AT_ONCE_CPU, AT_ONCE_GPU = 4, 128


@contextlib.contextmanager
def inference(device: str = "cpu", precision: str = "fp32") -> Iterator[None]:
    """No gradients; in fp32 a row depends on its file alone.

    On a GPU no TF32 (which changes rows in the third digit) and no choice of kernel by timing; in bf16 and fp16 as
    torch's autocast has it: convolutions and products in 16 bits, sums in 32.

    Args:
        device: where the network runs, in torch's words.
        precision: "fp32", "bf16" or "fp16".
    """
    import torch

    kind = torch.device(device).type
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        if kind == "cuda":
            # enabled=True because the default of this function switches cuDNN off; its flags are those of the whole
            # process, so threads that share a CPU must not touch them.
            stack.enter_context(torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False))
        if precision != "fp32":
            stack.enter_context(torch.autocast(kind, _dtype(precision)))
        yield


def _dtype(precision: str) -> "torch.dtype":
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


class InPrecision:
    """A network in whatever precision it is asked for; each is made once.

    Args:
        network: in evaluation mode, on its device.
    """

    def __init__(self, network: "torch.nn.Module") -> None:
        self._made, self._lock = {"fp32": network}, threading.Lock()

    def __call__(self, precision: str) -> "torch.nn.Module":
        """The network, ready for `inference` in that precision."""
        from vfsearch.networks.reduced import reduced

        with self._lock:
            if precision not in self._made:
                self._made[precision] = reduced(self._made["fp32"], _dtype(precision))
            return self._made[precision]


def network_outputs(
    forward: "Callable[[torch.Tensor], torch.Tensor]",
    inputs: "Callable[[Sequence[np.ndarray]], torch.Tensor]",
    samples: Sequence[np.ndarray],
    device: str,
    precision: str = "fp32",
) -> np.ndarray:
    """What a network makes of some samples, a few of them at once.

    Args:
        forward: (n, ...) inputs to (n, d) outputs, on the device.
        inputs: some samples to the inputs.
        samples: at least one.
        device: where the network is, in torch's words.
        precision: see `inference`.
    Returns:
        (n, d) float32.
    """
    at_once = AT_ONCE_CPU if device == "cpu" else AT_ONCE_GPU
    parts = []
    with inference(device, precision):
        for start in range(0, len(samples), at_once):
            batch = inputs(samples[start : start + at_once]).to(device)
            parts.append(forward(batch).float().cpu().numpy())
    return np.concatenate(parts)
