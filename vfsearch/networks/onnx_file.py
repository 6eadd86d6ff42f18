"""One encoder of a joint model as an ONNX file."""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from vfsearch.networks.inputs import RATE_HZ, ClipInputs
from vfsearch.networks.joint import JointNetworks

OUTPUT = "embeddings"
# The front end reflects 256 samples at both ends of a clip.
LEAST_SAMPLES = 257
_TRACED_SAMPLES = 2 * RATE_HZ


class UnitRows(nn.Module):
    """One modality's inputs to unit rows, as the toolkit compares them.

    Args:
        networks: of the model.
        modality: whose encoder.
    """

    def __init__(self, networks: JointNetworks, modality: str) -> None:
        super().__init__()
        self.networks = networks
        self.modality = modality

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(n, dimension) of (n, ...) waveforms, photos or features."""
        return functional.normalize(self.networks(self.modality, inputs), dim=1)


def input_name(networks: JointNetworks, modality: str) -> str:
    """What an encoder takes: "waveforms" (n, samples), "photos" (n, 3, pixels, pixels) or "features" (n, inputs)."""
    if modality not in networks.backbones:
        return "features"
    return "waveforms" if isinstance(networks.backbones[modality].inputs, ClipInputs) else "photos"


def onnx_bytes(networks: JointNetworks, modality: str, metadata: Mapping[str, str]) -> bytes:
    """The encoder of one modality as an ONNX model, unit rows out; its graph does not depend on the number of inputs.

    Args:
        networks: on the CPU, float32, in evaluation mode.
        modality: "voice" or "face".
        metadata: texts that the file carries.
    """
    import onnx

    name = input_name(networks, modality)
    sizes = {0: torch.export.Dim("n")}
    if name == "waveforms":
        sizes[1] = torch.export.Dim("samples", min=LEAST_SAMPLES)
    with _quietly(), torch.no_grad():
        program = torch.onnx.export(
            UnitRows(networks, modality).eval(),
            (_inputs(networks, modality, 2, _TRACED_SAMPLES),),
            dynamo=True,
            input_names=[name],
            output_names=[OUTPUT],
            dynamic_shapes=(sizes,),
            verbose=False,
        )
    model = program.model_proto
    _forget_origins(model.graph)
    onnx.helper.set_model_props(model, dict(metadata))
    return model.SerializeToString(deterministic=True)


def largest_difference(data: bytes, networks: JointNetworks, modality: str, seed: int = 1) -> float:
    """How far the rows that onnxruntime computes are from ours, at most, over random inputs of several sizes.

    Args:
        data: what `onnx_bytes` gave.
        networks, modality: that it gave it for.
        seed: of the inputs.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name, rows = input_name(networks, modality), UnitRows(networks, modality).eval()
    lengths = (LEAST_SAMPLES, 40_001, 160_000) if name == "waveforms" else (0, 0, 0)
    random = torch.Generator().manual_seed(seed)
    found = []
    for count, samples in zip((1, 2, 3), lengths, strict=True):
        inputs = _inputs(networks, modality, count, samples, random)
        with torch.inference_mode():
            ours = rows(inputs).numpy()
        (theirs,) = session.run([OUTPUT], {name: inputs.numpy()})
        found.append(float(np.abs(ours - theirs).max()))
    return max(found)


def _inputs(
    networks: JointNetworks, modality: str, count: int, samples: int, random: torch.Generator | None = None
) -> torch.Tensor:
    """Random inputs of the range that real ones have."""
    name = input_name(networks, modality)
    if name == "waveforms":
        return torch.randn(count, samples, generator=random) * 3000
    if name == "photos":
        pixels = networks.backbones[modality].inputs.pixels
        return torch.rand(count, 3, pixels, pixels, generator=random) * 2 - 1
    width = networks.heads[modality][0].num_features
    return functional.normalize(torch.randn(count, width, generator=random), dim=1)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporter warns of what concerns its own developers, and logs each of its passes."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _forget_origins(graph) -> None:
    """The exporter notes the lines of source that each node comes from, with the paths of this machine."""
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer, graph):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
