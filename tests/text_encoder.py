"""An encoder of text files, cheap and with real decoding: each line of a file is a sample, its row a digest of it."""

import hashlib

import numpy as np

from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.errors import MediaError
from vfsearch.media.preparation import Preparation, Prepared

OPTIONS = (
    "--voice-encoder", "text_encoder:TextVoice", "--face-encoder", "text_encoder:TextFace", "--device", "cpu", "-q",
)  # fmt: skip
SEEN = []
"""The samples encoded in this process."""


class Text(Preparation):
    """The bytes of a file; those that begin with x cannot be used."""

    def __call__(self, path, start_seconds, end_seconds, limits):
        if not path.is_file():
            raise MediaError("no such file")
        data = path.read_bytes()
        if data.startswith(b"x"):
            raise MediaError("begins with x")
        lines = [np.frombuffer(line, np.uint8) for line in data.split(b"\n")]
        others = tuple(Prepared(sample=line, note=f"line {number}") for number, line in enumerate(lines[1:], start=2))
        return Prepared(sample=lines[0], note="first" if others else "", others=others)


class TextVoice(Encoder):
    name, modality, dimension = "text", "voice", 8
    preparation = Text()

    def encode(self, samples):
        SEEN.extend(bytes(sample) for sample in samples)
        digests = [hashlib.blake2b(sample.tobytes(), digest_size=8).digest() for sample in samples]
        return unit_rows(np.array([np.frombuffer(each, np.int8) + 0.5 for each in digests]))

    def weights_digest(self):
        return "00"


class TextFace(TextVoice):
    modality = "face"


def write_media(folder, manifest):
    """A file for each item, its content its path."""
    for item in manifest:
        path = folder / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {item.path}")
