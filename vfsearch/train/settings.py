"""Everything that decides what a training gives."""

import math
from dataclasses import asdict, dataclass, field

from vfsearch.errors import SettingsError
from vfsearch.networks.heads import HeadSettings

OPTIMISERS = ("adamw", "sgd")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How two heads are trained on frozen features.

    Args:
        head: shape of the heads.
        steps: of the optimiser.
        batch_size: identities in a batch, one voice and one face each.
        optimiser: "adamw" or "sgd" (momentum 0.9).
        learning_rate: at the start; it falls to zero along half a cosine.
        weight_decay: of the optimiser.
        implicit, explicit: weights of the two losses.
        margin: m' of the explicit loss.
        checkpoint_steps: steps between two checkpoints.
        seed: of weights, batches and dropout.
    """

    head: HeadSettings = field(default_factory=HeadSettings)
    steps: int = 1500
    batch_size: int = 64
    optimiser: str = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    implicit: float = 1.0
    explicit: float = 1.0
    margin: float = 4.4
    checkpoint_steps: int = 250
    seed: int = 1

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise SettingsError(f"the optimiser is {self.optimiser!r}, it must be {' or '.join(OPTIMISERS)}")
        for name, least in {"steps": 1, "batch_size": 2, "checkpoint_steps": 1, "seed": 0}.items():
            if getattr(self, name) < least:
                raise SettingsError(f"{name} is {getattr(self, name)}, it must be at least {least}")
        for name in ("learning_rate", "weight_decay", "implicit", "explicit", "margin"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"{name} is {getattr(self, name)}, it must be finite and not negative")

        if self.seed >= 2**32:
            raise SettingsError(f"seed is {self.seed}, it must be below 2^32")

    def to_json(self) -> dict:
        """The settings as JSON."""
        return asdict(self)
