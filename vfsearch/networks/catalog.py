"""The networks that are known by name; listing them loads no torch."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from vfsearch.errors import SettingsError, UnknownNameError
from vfsearch.networks.settings import IRSettings, ThinResNetSettings

if TYPE_CHECKING:
    from vfsearch.networks.base import Network


@dataclass(frozen=True, kw_only=True)
class NetworkEntry:
    """One known network.

    Args:
        modality: "voice" or "face".
        kind: class of its settings.
        build: settings -> network.
        fixed: settings that belong to the name and cannot be given.
    """

    modality: str
    kind: type[IRSettings] | type[ThinResNetSettings]
    build: Callable[[object], "Network"]
    fixed: dict = field(default_factory=dict)

    @property
    def setting_names(self) -> tuple[str, ...]:
        """What can be set."""
        return tuple(each.name for each in fields(self.kind) if each.name not in self.fixed)


def _ir(settings: IRSettings) -> "Network":
    from vfsearch.networks.ir_resnet import IRNetwork

    return IRNetwork(settings)


def _thin_resnet(settings: ThinResNetSettings) -> "Network":
    from vfsearch.networks.thin_resnet import ThinResNet

    return ThinResNet(settings)


NETWORKS = {
    "ir50": NetworkEntry(modality="face", kind=IRSettings, build=_ir, fixed={"squeeze": False}),
    "ir_se50": NetworkEntry(modality="face", kind=IRSettings, build=_ir, fixed={"squeeze": True}),
    "thin-resnet34": NetworkEntry(modality="voice", kind=ThinResNetSettings, build=_thin_resnet),
}


def network_entry(name: str) -> NetworkEntry:
    """What is known of a network.

    Raises:
        UnknownNameError: no such name; the message lists the known ones.
    """
    if name not in NETWORKS:
        raise UnknownNameError(f"no network is named {name!r}; known: {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name]


def network_settings(name: str, settings: dict) -> IRSettings | ThinResNetSettings:
    """The settings of a network, checked; what is not given is as published.

    Args:
        name: "ir50", "ir_se50" or "thin-resnet34".
        settings: any fields of `IRSettings` (but `squeeze`, which the name says) or `ThinResNetSettings`; lists do
            for tuples.
    Raises:
        UnknownNameError: no such name.
        SettingsError: no such setting, or out of its range.
    """
    entry = network_entry(name)
    unknown = sorted(set(settings) - set(entry.setting_names))
    if unknown:
        wanted = ", ".join(entry.setting_names)
        raise SettingsError(f"the network {name!r} does not take {', '.join(unknown)}; its settings are {wanted}")
    return entry.kind(**settings, **entry.fixed)


def settings_to_json(name: str, settings: IRSettings | ThinResNetSettings) -> dict:
    """All settings that `make_network` takes, as JSON has them."""
    found = asdict(settings)
    return {
        key: list(found[key]) if isinstance(found[key], tuple) else found[key]
        for key in network_entry(name).setting_names
    }


def make_network(name: str, settings: dict) -> "Network":
    """A network by its name, with random weights; see `network_settings`.

    Example:
        >>> make_network("ir50", {"depths": [1, 1], "widths": [8, 16], "pixels": 16, "dimension": 4}).dimension
        4
    """
    return network_entry(name).build(network_settings(name, settings))
