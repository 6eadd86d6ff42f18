"""`vfsearch model export`: the encoders of a model as safetensors and ONNX files, for other programs."""

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vfsearch.data.space import MODALITIES
from vfsearch.errors import MismatchError, MissingExtraError, SettingsError, VfsearchError
from vfsearch.files import is_there, make_folder, write_file
from vfsearch.pipeline.model import Model, open_model
from vfsearch.progress import Progress, silent

if TYPE_CHECKING:
    from vfsearch.networks.joint import JointNetworks

FORMATS = ("safetensors", "onnx")
MOST_DIFFERENCE = 1e-4
_NEEDED = ("onnx", "onnxscript")
_CHECKED_WITH = "onnxruntime"


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """One encoder in one format.

    Args:
        path: of the file.
        modality: "voice" or "face".
        format: "safetensors" or "onnx".
        takes: "waveforms", "photos" or "features".
        size_bytes: of the file.
        largest_difference: between the rows that onnxruntime computes with it and ours; None: not compared.
    """

    path: Path
    modality: str
    format: str
    takes: str
    size_bytes: int
    largest_difference: float | None = None


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What was written.

    Args:
        model: that was exported.
        files: in the order written.
        metadata: modality -> what its files say of themselves.
        checked: whether the ONNX files were compared with the model; True where there are none.
    """

    model: Model
    files: tuple[ExportedFile, ...]
    metadata: dict[str, dict[str, str]]
    checked: bool


def export_model(
    folder: Path,
    out: Path,
    formats: Sequence[str] = FORMATS,
    overwrite: bool = False,
    progress: Progress = silent,
) -> ExportReport:
    """Write each encoder of a model, head included, in each format.

    An ONNX file gives unit rows, as the toolkit compares them. Before anything is written, its rows are compared with
    the model's if onnxruntime is installed. A safetensors file has the tensors `backbone.*` (none for heads on frozen
    features) and `head.*`.

    Args:
        folder: of the model.
        out: folder of the files `<modality>.<format>`.
        formats: "safetensors", "onnx".
        overwrite: replace files that are there.
        progress: called with files done.
    Raises:
        ArtefactError, DamagedError: there is no model, or it is damaged.
        MissingExtraError: ONNX files were asked for, and a package for them is not installed.
        MismatchError: a file is there already.
        VfsearchError: an ONNX file would give other rows than the model.
    """
    _require(formats)
    model = open_model(folder)
    paths = {(modality, kind): out / f"{modality}.{kind}" for modality in MODALITIES for kind in dict.fromkeys(formats)}
    there = [str(path) for path in paths.values() if is_there(path)]
    if there and not overwrite:
        raise MismatchError(f"{', '.join(there)}: there already; give --overwrite to replace, or --out another folder")
    from vfsearch.networks.onnx_file import input_name

    networks = model.networks()
    metadata = {modality: _metadata(model, networks, modality) for modality in MODALITIES}
    checked = importlib.util.find_spec(_CHECKED_WITH) is not None
    made, contents = [], []
    for (modality, kind), path in paths.items():
        progress("files", len(made), len(paths))
        data = _content(networks, modality, kind, metadata[modality])
        difference = _difference(data, networks, modality, path) if kind == "onnx" and checked else None
        contents.append(data)
        made.append(
            ExportedFile(
                path=path, modality=modality, format=kind, takes=input_name(networks, modality), size_bytes=len(data),
                largest_difference=difference,
            )
        )  # fmt: skip
    make_folder(out)
    for file, data in zip(made, contents, strict=True):
        write_file(file.path, data)
    progress("files", len(made), len(paths))
    return ExportReport(
        model=model, files=tuple(made), metadata=metadata, checked=checked or "onnx" not in formats
    )  # fmt: skip


def _require(formats: Sequence[str]) -> None:
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise SettingsError(f"the formats are {', '.join(formats) or 'none'}; wanted any of {', '.join(FORMATS)}")
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if "onnx" in formats and missing:
        raise MissingExtraError(
            f"ONNX files need {', '.join(missing)}; install with: pip install 'vfsearch[onnx]', "
            "or give --format safetensors"
        )


def _content(networks: "JointNetworks", modality: str, kind: str, metadata: dict[str, str]) -> bytes:
    if kind == "onnx":
        from vfsearch.networks.onnx_file import onnx_bytes

        return onnx_bytes(networks, modality, metadata)
    import safetensors.torch

    parts = {"backbone": networks.backbones, "head": networks.heads}
    tensors = {
        f"{part}.{name}": tensor.contiguous()
        for part, modules in parts.items()
        if modality in modules
        for name, tensor in modules[modality].state_dict().items()
    }
    return _in_order(safetensors.torch.save(tensors, metadata))


def _in_order(data: bytes) -> bytes:
    """A safetensors file with its metadata sorted: the library gives them in another order each time."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[end:]


def _difference(data: bytes, networks: "JointNetworks", modality: str, path: Path) -> float:
    from vfsearch.networks.onnx_file import largest_difference

    difference = largest_difference(data, networks, modality)
    if not difference <= MOST_DIFFERENCE:
        raise VfsearchError(
            f"{path} would give other rows than the model: they differ by up to {difference:.3g}, "
            f"wanted {MOST_DIFFERENCE:g} at most; nothing was written; please report it with the versions of torch, "
            "onnxscript and onnxruntime"
        )
    return difference


def _metadata(model: Model, networks: "JointNetworks", modality: str) -> dict[str, str]:
    """What a file says of itself: what goes in, what comes out, and the space that it is comparable in."""
    space = model.space
    return {
        "modality": modality,
        "encoder": getattr(model.chosen_encoders, modality),
        **_input_facts(model, networks, modality),
        "output": f"embeddings (n, {space.dimension}) float32; ONNX: unit rows; safetensors: before normalisation",
        "dimension": str(space.dimension),
        "space": space.name,
        "space_fingerprint": space.fingerprint,
    }


def _input_facts(model: Model, networks: "JointNetworks", modality: str) -> dict[str, str]:
    from vfsearch.networks.inputs import RATE_HZ
    from vfsearch.networks.onnx_file import LEAST_SAMPLES, input_name

    takes = input_name(networks, modality)
    if takes == "features":
        space = model.feature_spaces[modality]
        return {
            "input": f"features (n, {space.dimension}) float32, unit rows of the encoder",
            "feature_space": space.name,
            "feature_space_fingerprint": space.fingerprint,
        }
    inputs = networks.backbones[modality].inputs
    if takes == "waveforms":
        return {
            "input": f"waveforms (n, samples) float32, mono, samples >= {LEAST_SAMPLES}",
            "sample_rate_hz": str(RATE_HZ),
            "sample_scaling": "int16 range, -32768 to 32767",
            "seconds": f"{inputs.seconds:g}",
            "clips": "the toolkit gives the first seconds, a shorter clip repeated until it is as long",
        }
    return {
        "input": f"photos (n, 3, {inputs.pixels}, {inputs.pixels}) float32",
        "channels": "BGR",
        "pixels": str(inputs.pixels),
        "pixel_scaling": "(p - 127.5) / 127.5",
    }
