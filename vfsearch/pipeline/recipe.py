"""How a process that was told little makes the encoders that another one has."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vfsearch.encoders.base import Encoder
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.model import open_model


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Where encoders come from; it travels between processes.

    Args:
        encoders: that are chosen by name; None: those of the model.
        model: folder of a model, absolute; None: there is none.
    """

    encoders: Encoders | None = None
    model: Path | None = None

    def make(self, modalities: Iterable[str], device: str) -> dict[str, Encoder]:
        """The encoder of each modality.

        Raises:
            ArtefactError: the model is not there.
            UnknownNameError, MissingExtraError: an encoder is not installed.
        """
        if self.encoders is not None:
            return self.encoders.make(modalities, device)
        return open_model(self.model).encoders(modalities, device)
