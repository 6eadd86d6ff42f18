"""The encoders that are known by name, and how one is made."""

import inspect

from vfsearch.data.space import MODALITIES
from vfsearch.encoders.base import Encoder
from vfsearch.errors import SettingsError
from vfsearch.media.preparation import Preparation
from vfsearch.registry import Entry, Registry

_TESTING = "for tests: {}; needs no media"


def _entry(target: str, modality: str, dimension: int, licence: str, description: str, **more: object) -> Entry:
    facts = {"modality": modality, "dimension": dimension, "licence": licence, "description": description}
    return Entry(target=f"vfsearch.encoders.{target}", facts=facts, **more)


def _network(target: str, modality: str, what: str) -> Entry:
    description = f"{what}; trainable, brings no weights of its own"
    return _entry(f"network:{target}", modality, 512, "that of its weights", description)


def _testing(target: str, modality: str, what: str) -> Entry:
    return _entry(target, modality, 64, "none needed", _TESTING.format(what))


ENCODERS = Registry(
    "encoder",
    "vfsearch.encoders",
    {
        "resemblyzer": _entry(
            "resemblyzer:Resemblyzer",
            "voice",
            256,
            "Apache-2.0",
            "speaker encoder trained with the generalized end-to-end loss; speech of any language",
            requires=("_webrtcvad", "resemblyzer"),
            pip_line="pip install webrtcvad-wheels && pip install --no-deps resemblyzer",
        ),
        "dlib-resnet": _entry(
            "dlib_resnet:DlibResnet",
            "face",
            128,
            "CC0-1.0",
            "dlib's detector, landmarks and face descriptor",
            requires=("dlib", "face_recognition_models"),
            pip_line="pip install 'vfsearch[face]'",
        ),
        "ir50": _network("IR50", "face", "face network of the IR family, 112 x 112 pixels"),
        "ir_se50": _network("IRSE50", "face", "the same with squeeze-and-excitation"),
        "thin-resnet34": _network("ThinResNet34", "voice", "thin residual network with self-attentive pooling"),
        "id-hash-voice": _testing("id_hash:IdHashVoice", "voice", "a random row for each id"),
        "id-hash-face": _testing("id_hash:IdHashFace", "face", "a random row for each id"),
        "constant-voice": _testing("constant:ConstantVoice", "voice", "the same row for all"),
        "constant-face": _testing("constant:ConstantFace", "face", "the same row for all"),
    },
    base=Encoder,
)


def make_encoder(name: str, device: str = "cpu", **settings: object) -> Encoder:
    """An encoder by its name, or by "module:Class".

    The class is called with `device=device`, if its constructor takes that, and with the settings.

    Args:
        name: a registered name, or where a class of one's own is.
        device: "cpu", "cuda" or "cuda:N".
        settings: preparation settings that the constructor takes as keywords, for example `aligned=True`.
    Raises:
        UnknownNameError: no such name, module or class, or what it names is no encoder.
        MissingExtraError: a package that it needs is not installed.
        SettingsError: it takes no such setting, or what it says of itself is not complete.

    Example:
        >>> make_encoder("id-hash-voice").encode(["a", "b"]).shape
        (2, 64)
    """
    kind: type[Encoder] = ENCODERS.load(name)
    encoder = kind(**_arguments(name, kind, device, settings))
    _require_attributes(name, encoder)
    return encoder


def _arguments(name: str, kind: type[Encoder], device: str, settings: dict) -> dict:
    parameters = inspect.signature(kind).parameters
    taken = [key for key in parameters if key != "device"]
    unknown = sorted(set(settings) - set(taken))
    if unknown:
        wanted = f"its settings are {', '.join(taken)}" if taken else "it has no settings"
        raise SettingsError(f"the encoder {name!r} does not take {', '.join(unknown)}; {wanted}")
    return {**settings, "device": device} if "device" in parameters else settings


def _require_attributes(name: str, encoder: Encoder) -> None:
    modality, dimension = getattr(encoder, "modality", None), getattr(encoder, "dimension", None)
    own_name, preparation = getattr(encoder, "name", None), encoder.preparation
    problems = {
        f"name is {own_name!r}, wanted a text": isinstance(own_name, str) and own_name,
        f"modality is {modality!r}, wanted {' or '.join(MODALITIES)}": modality in MODALITIES,
        f"dimension is {dimension!r}, wanted a whole number above 0": type(dimension) is int and dimension > 0,
        f"preparation is {preparation!r}, wanted a Preparation or None": isinstance(preparation, Preparation | None),
    }
    found = [problem for problem, fine in problems.items() if not fine]
    if found:
        raise SettingsError(f"the encoder {name!r} is not complete: {'; '.join(found)}")
