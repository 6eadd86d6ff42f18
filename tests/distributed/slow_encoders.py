"""Encoders that take their time, so that their processes can be killed while they are at work."""

import time

from vfsearch.encoders.id_hash import IdHashFace, IdHashVoice


class SlowVoice(IdHashVoice):
    """`IdHashVoice`, a few items a second."""

    def encode(self, samples):
        """The same rows."""
        time.sleep(0.25)
        return super().encode(samples)


class SlowFace(IdHashFace):
    """`IdHashFace`, a few items a second."""

    def encode(self, samples):
        """The same rows."""
        time.sleep(0.25)
        return super().encode(samples)
