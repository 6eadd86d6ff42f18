"""The choice of encoders that commands are given and models remember."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from vfsearch.data.space import MODALITIES
from vfsearch.encoders.base import Encoder
from vfsearch.encoders.catalog import make_encoder
from vfsearch.encoders.dlib_faces import landmarks_digest
from vfsearch.encoders.network import network_preparation, parse_network_settings
from vfsearch.errors import SettingsError
from vfsearch.media.preparation import Preparation
from vfsearch.networks.catalog import network_entry


@dataclass(frozen=True, kw_only=True)
class Encoders:
    """Which encoder each modality has: frozen, to make features; or a network, to be trained or already trained.

    Args:
        voice, face: names of registered encoders, or "module:Class".
        voice_settings, face_settings: keywords of their constructors, for example {"aligned": True}.
    """

    voice: str = "resemblyzer"
    face: str = "dlib-resnet"
    voice_settings: dict = field(default_factory=dict)
    face_settings: dict = field(default_factory=dict)

    def make(self, modalities: Iterable[str], device: str) -> dict[str, Encoder]:
        """The encoder of each modality.

        Raises:
            UnknownNameError, MissingExtraError, SettingsError: see `make_encoder`; or it is of the other modality.
        """
        encoders = {}
        for modality in (name for name in MODALITIES if name in set(modalities)):
            name = getattr(self, modality)
            encoders[modality] = make_encoder(name, device, **getattr(self, f"{modality}_settings"))
            if encoders[modality].modality != modality:
                raise SettingsError(
                    f"{name!r} is a {encoders[modality].modality} encoder, asked for as --{modality}-encoder"
                )
        return encoders

    def network(self, modality: str) -> tuple[str, dict]:
        """Name and settings of the network of a modality, for `vfsearch.networks.catalog.make_network`.

        Raises:
            SettingsError: its encoder is none that can be trained, or takes no such setting.
        """
        settings, _, _ = self._parsed(modality)
        return getattr(self, modality), settings

    def preparations(self) -> dict[str, Preparation]:
        """Modality -> how media are prepared for its network."""
        return {
            modality: network_preparation(getattr(self, modality), getattr(self, f"{modality}_settings"))
            for modality in MODALITIES
        }

    def landmarks(self) -> str | None:
        """Digest of what decides how faces are cut out for the network; None where photos are such crops already.

        Raises:
            MissingExtraError: faces are to be looked for, and dlib is not installed.
        """
        return None if self.preparations()["face"].aligned else landmarks_digest()

    def pretrained(self, modality: str) -> str:
        """Where the weights are that a network starts from; "": none."""
        return self._parsed(modality)[2]

    def _parsed(self, modality: str) -> tuple[dict, dict, str]:
        name = getattr(self, modality)
        if (of := network_entry(name).modality) != modality:
            raise SettingsError(f"{name!r} is a {of} network, asked for as --{modality}-encoder")
        return parse_network_settings(getattr(self, modality), getattr(self, f"{modality}_settings"))

    def as_networks(self) -> "Encoders":
        """The same, as networks that bring their own weights: every setting said, but where pretrained ones are."""
        settings = {}
        for modality in MODALITIES:
            network, preparation, _ = self._parsed(modality)
            settings[f"{modality}_settings"] = {**network, **preparation}
        return replace(self, **settings)

    def findable(self) -> "Encoders":
        """The same, with paths of weights that hold in any folder."""
        settings = {}
        for modality in MODALITIES:
            given = getattr(self, f"{modality}_settings")
            found = {"weights": str(Path(given["weights"]).absolute())} if given.get("weights") else {}
            settings[f"{modality}_settings"] = {**given, **found}
        return replace(self, **settings)

    def to_json(self) -> dict:
        """The choice as JSON."""
        return {
            modality: {"name": getattr(self, modality), "settings": getattr(self, f"{modality}_settings")}
            for modality in MODALITIES
        }

    @classmethod
    def from_json(cls, document: dict) -> "Encoders":
        """The choice that `to_json` gave."""
        names = {modality: document[modality]["name"] for modality in MODALITIES}
        settings = {f"{modality}_settings": document[modality]["settings"] for modality in MODALITIES}
        return cls(**names, **settings)
