"""Encoders that are one of our trainable networks: ir50, ir_se50, thin-resnet34."""

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.encoders.dlib_faces import landmarks_digest
from vfsearch.encoders.inference import PRECISIONS, InPrecision, network_outputs
from vfsearch.encoders.network_preparation import NetworkClipPreparation, NetworkPhotoPreparation
from vfsearch.encoders.network_weights import load_backbone, settings_beside
from vfsearch.errors import SettingsError
from vfsearch.files import digest
from vfsearch.media.preparation import Preparation
from vfsearch.networks.catalog import network_entry, network_settings, settings_to_json

if TYPE_CHECKING:
    from vfsearch.networks.base import Network

__all__ = [
    "IR50",
    "IRSE50",
    "NetworkEncoder",
    "ThinResNet34",
    "load_backbone",
    "network_preparation",
    "parse_network_settings",
]

PREPARATIONS = {"face": NetworkPhotoPreparation, "voice": NetworkClipPreparation}


def parse_network_settings(name: str, settings: dict) -> tuple[dict, dict, str]:
    """One dict of settings, taken apart, with everything that it does not say.

    What is not given is as the folder of weights says, else as published. The first two parts together say the same as
    `settings`, without needing the weights.

    Args:
        name: "ir50", "ir_se50" or "thin-resnet34".
        settings: of the network, of its preparation, and `weights`, a path.
    Returns:
        The network's settings, for `make_network`; the preparation's; where the weights are ("": none). All JSON.
    Raises:
        UnknownNameError: no such network.
        SettingsError: no such setting, or out of its range.
        InputError, MismatchError: the folder of weights is damaged, or for another network.
    """
    entry = network_entry(name)
    preparation = PREPARATIONS[entry.modality]
    prepared_by = [each.name for each in fields(preparation)]
    weights = str(settings.get("weights") or "")
    beside = {key: value for key, value in settings_beside(weights, name).items() if key not in entry.fixed}
    given = {**beside, **settings}
    _refuse_unknown(name, given, [*entry.setting_names, *prepared_by, "weights"])
    shape = network_settings(name, {key: given[key] for key in entry.setting_names if key in given})
    network = settings_to_json(name, shape)
    prepared = preparation(**{key: {**given, **network}[key] for key in prepared_by if key in given or key in network})
    return network, prepared.settings(), weights


def network_preparation(name: str, settings: dict) -> Preparation:
    """How media are prepared for a network.

    Args:
        name: of the network.
        settings: any that `parse_network_settings` takes.
    Raises:
        SettingsError, InputError, MismatchError: see `parse_network_settings`.
    """
    return PREPARATIONS[network_entry(name).modality](**parse_network_settings(name, settings)[1])


def _refuse_unknown(name: str, given: dict, known: list[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        wanted = ", ".join(dict.fromkeys(known))
        raise SettingsError(f"the network {name!r} does not take {', '.join(unknown)}; its settings are {wanted}")


class NetworkEncoder(Encoder):
    """The features of one of our networks, without a head, made unit length.

    Args:
        device: where the network runs, in torch's words.
        settings: see `parse_network_settings`; None stands for what is not given.
    """

    dimension = 512
    licence = "that of its weights"
    concurrent = True
    precisions = PRECISIONS

    def __init__(self, device: str, settings: dict) -> None:
        given = {key: value for key, value in settings.items() if value is not None}
        self.device = device
        self.network_settings, prepared, self.weights = parse_network_settings(self.name, given)
        self.dimension = self.network_settings["dimension"]
        self.preparation = network_preparation(self.name, prepared)

    @cached_property
    def _loaded(self) -> "tuple[Network, str]":
        """The network and the digest of its weights."""
        if not self.weights:
            raise SettingsError(
                f"the encoder {self.name!r} has no weights of its own: give --{self.modality}-setting weights=FOLDER, "
                "the folder being one that `vfsearch model import` made (in Python: weights=...), "
                "or train it with `vfsearch train --end-to-end`"
            )
        import torch

        from vfsearch.networks.catalog import make_network

        # the weights that are drawn here are overwritten at once; who draws next must not notice
        with torch.random.fork_rng(devices=[]):
            network = make_network(self.name, self.network_settings)
        weights = load_backbone(self.weights, network)
        network = network.eval().to(self.device)
        return network.to(memory_format=torch.channels_last), weights

    @cached_property
    def _in_precision(self) -> InPrecision:
        return InPrecision(self._loaded[0])

    @cached_property
    def _digest(self) -> str:
        # dropout does nothing outside training
        shape = {key: value for key, value in self.network_settings.items() if key != "dropout"}
        finds_faces = self.modality == "face" and not self.preparation.aligned
        landmarks = landmarks_digest() if finds_faces else None
        return digest({"weights": self._loaded[1], "settings": shape, "landmarks": landmarks})

    def weights_digest(self) -> str:
        """Digest over the weights, the network's settings and, where faces are looked for, the landmark model."""
        return self._digest

    def encode(self, samples: Sequence[np.ndarray]) -> np.ndarray:
        """The rows of some prepared photos or clips."""
        network = self._in_precision(self.precision)
        if not len(samples):
            return np.empty((0, self.dimension), np.float32)
        rows = network_outputs(network, network.inputs.evaluation, samples, self.device, self.precision)
        return unit_rows(rows)


class IR50(NetworkEncoder):
    """A face network of the IR family without squeeze-and-excitation, as in the release of Wen et al.

    Args:
        device: where the network runs, in torch's words.
        weights: a safetensors file, or a folder of `vfsearch model import`.
        depths, widths, pixels, dimension: see `IRSettings`; None: as the folder says, else IR-50.
        aligned, on_no_face, upsample, detect_pixels, faces: see `FacePreparation`.
    """

    name = "ir50"
    modality = "face"

    def __init__(
        self,
        device: str = "cpu",
        *,
        weights: str = "",
        depths: Sequence[int] | None = None,
        widths: Sequence[int] | None = None,
        pixels: int | None = None,
        dimension: int | None = None,
        aligned: bool = False,
        on_no_face: str = "crop",
        upsample: int = 1,
        detect_pixels: int = 1600,
        faces: str = "largest",
    ) -> None:
        settings = {
            "weights": weights, "depths": depths, "widths": widths, "pixels": pixels, "dimension": dimension,
            "aligned": aligned, "on_no_face": on_no_face, "upsample": upsample, "detect_pixels": detect_pixels,
            "faces": faces,
        }  # fmt: skip
        super().__init__(device, settings)


class IRSE50(IR50):
    """The same with squeeze-and-excitation, as the paper of Wen et al. names it."""

    name = "ir_se50"


class ThinResNet34(NetworkEncoder):
    """The voice network of Wen et al.: a thin residual network with self-attentive pooling.

    Args:
        device: where the network runs, in torch's words.
        weights: a safetensors file, or a folder of `vfsearch model import`.
        widths, depths, seconds, dimension: see `ThinResNetSettings`; None: as the folder says, else Thin-ResNet-34.
        vad: see `NetworkClipPreparation`; None: as the folder says, else not.
    """

    name = "thin-resnet34"
    modality = "voice"

    def __init__(
        self,
        device: str = "cpu",
        *,
        weights: str = "",
        widths: Sequence[int] | None = None,
        depths: Sequence[int] | None = None,
        seconds: float | None = None,
        dimension: int | None = None,
        vad: bool | None = None,
    ) -> None:
        settings = {
            "weights": weights, "widths": widths, "depths": depths, "seconds": seconds, "dimension": dimension,
            "vad": vad,
        }  # fmt: skip
        super().__init__(device, settings)
