"""A foreign state dict under our names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from vfsearch.errors import InputError, SettingsError
from vfsearch.networks.catalog import make_network
from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks
from vfsearch.networks.layouts import Layout, bare_names, recognise
from vfsearch.networks.mel import WINDOW_SAMPLES, mel_bands
from vfsearch.networks.shapes import Shapes

Tensors = Mapping[str, torch.Tensor]
# Counts of batches, which older programs did not save and on which nothing depends.
_COUNTER = "num_batches_tracked"
_NAMED_IN_ERRORS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Translation:
    """What a foreign state dict holds. Tensors are named as in the file, those of `state` by our names.

    Args:
        layout: that was recognised.
        networks: modality -> name and settings, for `make_network`.
        head: shape of both heads; None for a bare network.
        state: all that the networks and heads need.
        training: "classifier" (M, d), "weights" (M,), "hardness" (M,) of the identities, as far as they are there.
        used: what was taken.
        missing: what a file of this layout has and nothing here needs: counters, or what only a training needs.
        left_over: by intent: computed here, or of a loss.
        unknown: left over too, and not of this layout.
        differing: left over as computed here, but with other values than those.
    """

    layout: Layout
    networks: dict[str, tuple[str, dict]]
    head: HeadSettings | None
    state: dict[str, torch.Tensor]
    training: dict[str, torch.Tensor]
    used: tuple[str, ...]
    missing: tuple[str, ...]
    left_over: tuple[str, ...]
    unknown: tuple[str, ...]
    differing: tuple[str, ...]

    @property
    def identities(self) -> int:
        """How many identities the file was trained on, as far as it says."""
        return next((len(tensor) for tensor in self.training.values()), 0)


def translate(tensors: Tensors) -> Translation:
    """Recognise the layout of a state dict, and give its tensors our names.

    Args:
        tensors: name -> tensor, of any type of number.
    Raises:
        InputError: no known layout; or a tensor is missing, has another shape than the others ask for, or holds
            values that are not finite.
    """
    names = bare_names(list(tensors))
    layout = recognise(names)
    shapes = {name: tuple(tensors[own].shape) for name, own in names.items()}
    networks, head = _read_off(layout, shapes)
    wanted = _wanted(layout, networks, head, shapes)
    missing = _missing(wanted, shapes, layout)
    _require_shapes(wanted, shapes, names)
    used = [name for name in names if name in wanted]
    _require_finite({names[name]: tensors[names[name]] for name in used})
    rest = [name for name in names if name not in wanted]
    spare = [name for name in rest if re.fullmatch(layout.spare, name)]
    return Translation(
        layout=layout,
        networks=networks,
        head=head,
        state={
            layout.our_name(name): _own(name, tensors[names[name]]) if name in names else torch.tensor(0)
            for name in wanted
            if name not in layout.training.values()
        },
        training={what: _own(name, tensors[names[name]]) for what, name in layout.training.items() if name in names},
        used=tuple(names[name] for name in used),
        missing=tuple(missing),
        left_over=tuple(names[name] for name in spare),
        unknown=tuple(names[name] for name in rest if name not in spare),
        differing=tuple(names[name] for name in spare if _differs(name, tensors[names[name]])),
    )


def _read_off(layout: Layout, shapes: Shapes) -> tuple[dict[str, tuple[str, dict]], HeadSettings | None]:
    networks = {}
    for part in layout.parts:
        own = {name[len(part.prefix) :]: shape for name, shape in shapes.items() if name.startswith(part.prefix)}
        networks[part.modality] = part.network(own)
    if not layout.joint:
        return networks, None
    # BatchNorm, ReLU, Linear: the head of the paper has no hidden layer.
    dimension = next((shapes[name][0] for name in ("V.fc.2.weight", "F.fc.2.weight") if shapes.get(name)), 128)
    return networks, HeadSettings(dimension=dimension, hidden=0)


def _wanted(layout: Layout, networks: dict, head: HeadSettings | None, shapes: Shapes) -> Shapes:
    """Bare name -> shape of every tensor that a file of this layout should have."""
    try:
        ours = _our_shapes(networks, head)
    except SettingsError as error:
        raise InputError(f"its tensors have the shapes of no network that is known here: {error}") from error
    wanted = {layout.file_name(name): shape for name, shape in ours.items()}
    rows = next((shapes[name][0] for name in layout.training.values() if shapes.get(name)), 0)
    for what, name in layout.training.items():
        wanted[name] = (rows, head.dimension) if what == "classifier" else (rows,)
    return wanted


def _our_shapes(networks: dict, head: HeadSettings | None) -> Shapes:
    # on this device tensors have shapes and no memory
    with torch.device("meta"):
        backbones = {modality: make_network(*each) for modality, each in networks.items()}
        module: nn.Module = next(iter(backbones.values()))
        if head is not None:
            widths = {modality: each.dimension for modality, each in backbones.items()}
            module = JointNetworks(backbones, widths, head)
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def _missing(wanted: Shapes, shapes: Shapes, layout: Layout) -> list[str]:
    """What is missing and can be done without."""
    missing = [name for name in wanted if name not in shapes]
    needed = [name for name in missing if not name.endswith(_COUNTER) and name not in layout.training.values()]
    if needed:
        raise InputError(
            f"{len(needed)} of the {len(wanted)} tensors of {layout.what} are missing: {_some(needed)}; "
            "take the file that holds them"
        )
    return missing


def _require_shapes(wanted: Shapes, shapes: Shapes, names: Mapping[str, str]) -> None:
    wrong = [
        f"{names[name]} is {shapes[name]}, wanted {shape}"
        for name, shape in wanted.items()
        if name in shapes and shapes[name] != shape
    ]
    if wrong:
        raise InputError(f"{len(wrong)} tensors do not fit the others: {_some(wrong)}")


def _require_finite(tensors: Tensors) -> None:
    bad = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if bad:
        raise InputError(f"{len(bad)} tensors hold values that are not finite: {_some(bad)}; the file is of no use")


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _NAMED_IN_ERRORS} more" if len(texts) > _NAMED_IN_ERRORS else ""
    return ", ".join(texts[:_NAMED_IN_ERRORS]) + more


def _own(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of its own, float32 (int64 for a counter), whatever it was saved as."""
    return tensor.detach().to(torch.int64 if name.endswith(_COUNTER) else torch.float32).clone().contiguous()


def _differs(name: str, tensor: torch.Tensor) -> bool:
    """Whether a left-over filter bank or window is another than ours."""
    if name.endswith("torchfb.mel_scale.fb"):
        ours = mel_bands()
    elif name.endswith("torchfb.spectrogram.window"):
        ours = torch.hamming_window(WINDOW_SAMPLES)
    else:
        return False
    return tensor.shape != ours.shape or not torch.allclose(tensor.float(), ours, atol=1e-3)
