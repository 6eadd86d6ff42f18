"""The layouts that checkpoints of this field have, and which one a file has."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from vfsearch.errors import InputError
from vfsearch.networks.shapes import Shapes, ir_network, thin_network

# Where programs put the tensors in what they save.
ENTRIES = ("state_dict", "model_state_dict", "model", "net", "network")
# A wrapper for several GPUs puts the first before every name, the speaker network's authors the second.
_BEFORE = re.compile(r"(module\.)?(__S__\.)?")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One network in a file.

    Args:
        modality: "voice" or "face".
        prefix: before its names.
        network: name and settings of a network, read off the shapes of its tensors.
    """

    modality: str
    prefix: str
    network: Callable[[Shapes], tuple[str, dict]]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way to name tensors.

    Args:
        name: of the layout.
        what: it names, for messages.
        mark: matches the beginning of names that it alone has.
        parts: the networks; with two of them it has their heads too.
        prefixes: beginning of a name in the file -> beginning of ours.
        training: what only a training needs -> its name in the file.
        spare: matches names that are left over by intent: computed here, or of a loss.
    """

    name: str
    what: str
    mark: str
    parts: tuple[Part, ...]
    prefixes: Mapping[str, str] = field(default_factory=lambda: {"": ""})
    training: Mapping[str, str] = field(default_factory=dict)
    spare: str = r"torchfb\..*|__L__\..*"

    @property
    def joint(self) -> bool:
        """Whether it has both networks with their heads."""
        return len(self.parts) > 1

    def our_name(self, name: str) -> str | None:
        """Our name of a tensor; None for one that is of no network and no head."""
        return next((ours + name[len(own) :] for own, ours in self.prefixes.items() if name.startswith(own)), None)

    def file_name(self, name: str) -> str:
        """The name in a file of one of our tensors."""
        return next(own + name[len(ours) :] for own, ours in self.prefixes.items() if name.startswith(ours))


WEN2021 = Layout(
    name="wen2021",
    what="a voice-face model as Wen et al. released it (V.model.*, F.model.*, V.fc.*, F.fc.*, F.cls.weight)",
    mark=r"[VF]\.(model|fc)\.",
    parts=(
        Part(modality="voice", prefix="V.model.", network=thin_network),
        Part(modality="face", prefix="F.model.", network=ir_network),
    ),
    prefixes={
        "V.model.": "backbones.voice.",
        "F.model.": "backbones.face.",
        "V.fc.": "heads.voice.",
        "F.fc.": "heads.face.",
    },
    training={"classifier": "F.cls.weight", "weights": "center.weight", "hardness": "center.loss_mean"},
    spare=r"V\.model\.torchfb\..*|normalize\..*",
)
IR = Layout(
    name="ir",
    what="a face network of the IR family (input_layer.*, body.*, output_layer.*)",
    mark=r"(input_layer|body|output_layer)\.",
    parts=(Part(modality="face", prefix="", network=ir_network),),
)
SPEAKER = Layout(
    name="speaker",
    what="a speaker network (conv1.*, layer1.*, ..., sap_linear.*, fc.*, with __S__. before them or not)",
    mark=r"layer\d+\.\d|sap_linear\.",
    parts=(Part(modality="voice", prefix="", network=thin_network),),
)
LAYOUTS = (WEN2021, IR, SPEAKER)


def state_dict_in(content: object) -> tuple[dict[str, torch.Tensor], str]:
    """The tensors of a loaded checkpoint, and the entry that they stand in; "" for none.

    Raises:
        InputError: there are none.
    """
    places = [("", content)]
    if isinstance(content, Mapping):
        places += [(entry, content[entry]) for entry in ENTRIES if entry in content]
    for entry, place in places:
        if isinstance(place, Mapping):
            tensors = {str(name): each for name, each in place.items() if _is_plain(each)}
            if tensors:
                return tensors, entry
    held = ", ".join(map(repr, list(content)[:8])) if isinstance(content, Mapping) else type(content).__name__
    raise InputError(
        f"it holds no tensors but {held or 'nothing'}; wanted names with tensors, or an entry "
        f"{', '.join(ENTRIES[:-1])} or {ENTRIES[-1]} with them"
    )


def _is_plain(value: object) -> bool:
    """Whether a value is a tensor with a number in each place."""
    return (
        isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not (value.is_quantized or value.is_complex())
    )


def bare_names(names: list[str]) -> dict[str, str]:
    """Name without what wrappers put before it -> name in the file.

    Raises:
        InputError: two names are the same without it.

    Example:
        >>> bare_names(["module.__S__.fc.bias", "__L__.W"])
        {'fc.bias': 'module.__S__.fc.bias', '__L__.W': '__L__.W'}
    """
    bare = {name[_BEFORE.match(name).end() :]: name for name in names}
    twice = sorted({*names} - {*bare.values()})
    if twice:
        raise InputError(f"{len(twice)} tensors are there with a prefix and without one, for example {twice[0]}")
    return bare


def recognise(names: Mapping[str, str]) -> Layout:
    """The layout of a file.

    Args:
        names: bare name -> name in the file.
    Raises:
        InputError: none that is known.
    """
    for layout in LAYOUTS:
        if any(re.match(layout.mark, name) for name in names):
            return layout
    first = ", ".join(list(names.values())[:5])
    known = "; ".join(f"{layout.name}: {layout.what}" for layout in LAYOUTS)
    raise InputError(f"no known layout: its {len(names)} tensors begin with {first}; known layouts: {known}")
