import subprocess
import sys

import numpy as np
import pytest

from vfsearch.encoders.base import Encoder
from vfsearch.encoders.catalog import ENCODERS, make_encoder
from vfsearch.errors import MissingExtraError, SettingsError, UnknownNameError
from vfsearch.media.preparation import Preparation
from vfsearch.registry import Entry


class Own(Encoder):
    name = "own"
    modality = "face"
    dimension = 3

    def encode(self, samples):
        return np.ones((len(samples), 3), np.float32) / np.sqrt(3)

    def weights_digest(self):
        return "0"


class WithoutModality(Own):
    modality = "video"


class WithoutDimension(Own):
    dimension = "3"


class WithoutName(Own):
    name = ""


class WithWrongPreparation(Own):
    preparation = "resize"


class WithoutEncode(Encoder):
    name, modality, dimension = "x", "voice", 3


class NoEncoder:
    pass


class WithSettings(Own):
    def __init__(self, device, size: int = 5):
        self.device, self.size = device, size


NUMBER = 5


def own(name: str) -> str:
    return f"{__name__}:{name}"


@pytest.mark.parametrize("name", sorted(ENCODERS.entries()))
def test_the_facts_are_those_of_the_class(name):
    entry = ENCODERS.entry(name)
    assert set(entry.facts) == {"modality", "dimension", "licence", "description"}
    if entry.missing:
        pytest.skip(f"needs {', '.join(entry.missing)}")
    encoder = make_encoder(name)
    assert encoder.name == name
    assert (encoder.modality, encoder.dimension) == (entry.facts["modality"], entry.facts["dimension"])
    assert encoder.licence == entry.facts["licence"]
    if encoder.preparation is not None:
        assert isinstance(encoder.preparation, Preparation)
        assert getattr(sys.modules[type(encoder).__module__], "PIP_LINE", "") == entry.pip_line


def test_listing_loads_nothing_heavy():
    heavy = {"torch", "dlib", "soundfile", "PIL", "scipy"}
    program = (
        "import sys, vfsearch.encoders.catalog as c, vfsearch.media.workers; [e.missing for e in c.ENCODERS.entries()"
        f".values()]; print(sorted({heavy!r} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert run.stdout == "[]\n", run.stderr


def test_settings_reach_the_preparation():
    if ENCODERS.entry("dlib-resnet").missing:
        pytest.skip("needs dlib")
    encoder = make_encoder("dlib-resnet", aligned=True, on_no_face="fail")
    assert (encoder.preparation.aligned, encoder.preparation.on_no_face) == (True, "fail")


def test_a_class_of_ones_own_with_and_without_settings():
    assert make_encoder(own("Own"), "cuda:1").name == "own"
    encoder = make_encoder(own("WithSettings"), "cuda:1", size=7)
    assert (encoder.device, encoder.size) == ("cuda:1", 7)


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("id-hash-face", {"aligned": True}, "'id-hash-face' does not take aligned; it has no settings"),
        (own("WithSettings"), {"a": 1, "size": 1}, "does not take a; its settings are size"),
        (own("NoEncoder"), {}, "is no encoder: wanted a subclass of vfsearch.encoders.base.Encoder"),
        (own("NUMBER"), {}, "is no encoder"),
        (own("WithoutEncode"), {}, "lacks encode, weights_digest"),
        (own("WithoutModality"), {}, "modality is 'video', wanted voice or face"),
        (own("WithoutDimension"), {}, "dimension is '3', wanted a whole number above 0"),
        (own("WithoutName"), {}, "name is '', wanted a text"),
        (own("WithWrongPreparation"), {}, "preparation is 'resize', wanted a Preparation or None"),
    ],
)
def test_what_is_no_encoder_is_refused_with_its_reason(name, settings, message):
    with pytest.raises(SettingsError, match=message):
        make_encoder(name, **settings)


def test_unknown_names_list_the_known():
    with pytest.raises(UnknownNameError, match=r"no encoder is named 'vgg'; known: .*dlib-resnet.*resemblyzer"):
        make_encoder("vgg")


def test_a_missing_package_gives_its_pip_line(monkeypatch):
    entry = Entry(target="x:Y", requires=("no_such_module",), pip_line="pip install it")
    monkeypatch.setitem(ENCODERS._entries, "absent", entry)
    with pytest.raises(MissingExtraError, match="'absent' needs no_such_module; install with: pip install it"):
        make_encoder("absent")
