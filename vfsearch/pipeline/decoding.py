"""How media are read."""

from dataclasses import dataclass, field

from vfsearch.media.limits import Limits


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How media are read; nothing of it changes a row.

    Args:
        workers: decoding processes for a modality; 0: in this process, without protection.
        limits: what one file may cost.
    """

    workers: int = 2
    limits: Limits = field(default_factory=Limits)
