"""Weights for a network of ours: a safetensors file, or a folder that `vfsearch model import` made."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vfsearch.artefact import Artefact, read_artefact
from vfsearch.errors import InputError, MismatchError
from vfsearch.files import read_file, sha256

if TYPE_CHECKING:
    from vfsearch.networks.base import Network

KIND, SCHEMA, MADE_BY = "network", 1, "vfsearch model import"
WEIGHTS_NAME = "weights.safetensors"
# Counts of batches, which older programs did not save and on which nothing depends.
_COUNTER = "num_batches_tracked"
_NAMED_IN_ERRORS = 3


def settings_beside(weights: str, network: str) -> dict:
    """The network's settings that a folder of weights says; {} for a bare file.

    Args:
        weights: the folder or file; "" for none.
        network: the name that the weights should be for.
    Raises:
        ArtefactError, DamagedError: no such folder, or it is damaged.
        MismatchError: its weights are for another network.
    """
    if not (weights and Path(weights).is_dir()):
        return {}
    about = _folder(weights).about
    if about["network"] != network:
        raise MismatchError(f"the weights {weights} are for the network {about['network']!r}, not for {network!r}")
    return dict(about["settings"])


def load_backbone(weights: str | Path, network: "Network") -> str:
    """Put weights into a network, in place.

    Args:
        weights: a safetensors file with the network's parameters, or a folder of `vfsearch model import`.
        network: of the shape that the weights have.
    Returns:
        SHA-256 of the weights' bytes.
    Raises:
        InputError: missing, unreadable, or no safetensors file.
        ArtefactError, DamagedError: the folder is none of weights, or damaged.
        MismatchError: the tensors are not those of the network; the message names some.
    """
    import safetensors.torch

    data = _read(weights)
    try:
        tensors = safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        raise InputError(
            f"the weights {weights} are not a safetensors file ({error}); take over other files with `{MADE_BY}`"
        ) from error
    _require_fit(weights, tensors, network.state_dict())
    network.load_state_dict(tensors, strict=False)
    return sha256(data)


def _read(weights: str | Path) -> bytes:
    if Path(weights).is_dir():
        return _folder(weights).read(WEIGHTS_NAME)
    return read_file(Path(weights), "weights")


def _folder(weights: str | Path) -> Artefact:
    return read_artefact(Path(weights), KIND, SCHEMA, MADE_BY)


def _require_fit(weights: str | Path, tensors: dict, wanted: dict) -> None:
    missing = [name for name in wanted if name not in tensors and not name.endswith(_COUNTER)]
    unknown = [name for name in tensors if name not in wanted]
    other = [
        f"{name} is {tuple(tensors[name].shape)}, wanted {tuple(wanted[name].shape)}"
        for name in wanted
        if name in tensors and tensors[name].shape != wanted[name].shape
    ]
    problems = {"missing": missing, "unknown": unknown, "of another shape": other}
    found = [f"{len(names)} {what}: {_some(names)}" for what, names in problems.items() if names]
    if found:
        raise MismatchError(
            f"the weights {weights} do not fit the network; of its {len(wanted)} tensors, {'; '.join(found)}; "
            f"give the settings that the weights were made with, or take over the file with `{MADE_BY}`"
        )


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = len(names) - _NAMED_IN_ERRORS
    return ", ".join(names[:_NAMED_IN_ERRORS]) + (f" and {more} more" if more > 0 else "")
