"""What a run's timings need beside them to mean anything."""

from importlib.metadata import version

import numpy as np
import torch

from vfsearch.devices import threads
from vfsearch.timing import machine


def run_machine() -> dict:
    """Processor, cores and threads, and the versions of what computes."""
    return {
        "vfsearch": version("vfsearch"),
        **machine(),
        "threads": threads(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
