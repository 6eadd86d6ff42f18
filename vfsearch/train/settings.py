"""Everything that decides what a training gives."""

import json
import math
from dataclasses import asdict, dataclass, field, fields

from vfsearch.errors import SettingsError
from vfsearch.networks.heads import HeadSettings
from vfsearch.train.reweighting import Reweighting

STAGES = ("warm-up", "weights", "retrain")
OPTIMISERS = ("sgd", "adamw")
SCHEDULES = ("steps", "cosine")
PRECISIONS = ("fp32", "bf16")
# Allowed sets of stages: a run of its own for the weights, and the run that gives the model.
_SETS = (("warm-up",), ("warm-up", "weights"), ("retrain",), STAGES)
_LEAST = {"steps": 1, "weights_steps": 1, "batch_size": 2, "checkpoint_steps": 1, "validate_steps": 1, "seed": 0}
_NOT_NEGATIVE = (
    "learning_rate", "decay", "momentum", "weight_decay", "implicit", "explicit", "margin", "rotation_degrees"
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Run:
    """One of the (at most two) runs of a training; each starts from the same weights of the networks.

    Args:
        number: 0: the one that learns the identity weights; 1: the one with fixed weights.
        steps: of the optimiser.
        milestones: steps at which the learning rate is multiplied by the decay.
        learns_weights: whether the identities are weighed as it goes.
    """

    number: int
    steps: int
    milestones: tuple[int, ...]
    learns_weights: bool

    @property
    def name(self) -> str:
        """What records and figures call it."""
        return RUN_NAMES[self.number]


RUN_NAMES = ("weights", "retrain")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How the joint space is trained; the defaults are the published schedule.

    Args:
        head: shape of the heads.
        stages: "warm-up" (all identities weigh the same), "weights" (they are weighed), "retrain" (anew, with those
            weights fixed; with equal weights where none were learned).
        steps: of the run that retrains.
        milestones: its steps at which the learning rate falls; None: at 1/5 and 3/10 of it.
        weights_steps: of the run that learns the weights, its warm-up included.
        weights_milestones: likewise; None: at 5/12 and 10/12 of it.
        reweighting: how identities are weighed.
        batch_size: identities in a batch, one voice and one face each.
        optimiser: "sgd" or "adamw".
        learning_rate: at the start.
        schedule: "steps": times `decay` at each milestone; "cosine": to zero along half a cosine.
        decay: factor at a milestone.
        momentum: of SGD.
        weight_decay: of the optimiser.
        implicit, explicit: weights of the two losses; 0 leaves one out.
        margin: m' of the explicit loss.
        flip: mirror half of the photos (networks trained from media alone; so are the next three).
        rotation_degrees: photos are rotated by up to this, either way.
        shortest_seconds, longest_seconds: bounds of the length of a batch's clips.
        precision: "fp32", or "bf16": the networks compute in bfloat16 where torch thinks it safe, losses in float32.
        validate_steps: steps between two validations, where there is a validation split; the best is kept.
        checkpoint_steps: steps between two checkpoints.
        seed: of weights, batches, augmentation and dropout.
    Source: Wen et al., CVPR 2021, and its authors' release (iterations, rates, batch size).
    """

    head: HeadSettings = field(default_factory=HeadSettings)
    stages: tuple[str, ...] = STAGES
    steps: int = 10_000
    milestones: tuple[int, ...] | None = None
    weights_steps: int = 2400
    weights_milestones: tuple[int, ...] | None = None
    reweighting: Reweighting = field(default_factory=Reweighting)
    batch_size: int = 64
    optimiser: str = "sgd"
    learning_rate: float = 0.01
    schedule: str = "steps"
    decay: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    implicit: float = 1.0
    explicit: float = 1.0
    margin: float = 4.4
    flip: bool = True
    rotation_degrees: float = 15.0
    shortest_seconds: float = 2.5
    longest_seconds: float = 5.0
    precision: str = "fp32"
    validate_steps: int = 2000
    checkpoint_steps: int = 250
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("stages", "milestones", "weights_milestones"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else tuple(value))
        self._check_words()
        self._check_numbers()

    def _check_words(self) -> None:
        known = {"optimiser": OPTIMISERS, "schedule": SCHEDULES, "precision": PRECISIONS}
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise SettingsError(f"the {name} is {getattr(self, name)!r}, it must be {' or '.join(choices)}")
        if self.stages not in _SETS:
            wanted = "; ".join(",".join(each) for each in _SETS)
            raise SettingsError(f"the stages are {','.join(self.stages)!r}, they must be one of: {wanted}")

    def _check_numbers(self) -> None:
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise SettingsError(f"{name} is {getattr(self, name)}, it must be at least {least}")
        for name in _NOT_NEGATIVE:
            if not 0.0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"{name} is {getattr(self, name)}, it must be finite and not negative")
        if self.seed >= 2**32:
            raise SettingsError(f"seed is {self.seed}, it must be below 2^32")
        if self.momentum >= 1:
            raise SettingsError(f"momentum is {self.momentum}, it must be below 1")
        if self.implicit == self.explicit == 0:
            raise SettingsError("implicit and explicit are both 0: there is nothing to learn; give one a weight")
        if not 0 < self.shortest_seconds <= self.longest_seconds < math.inf:
            raise SettingsError(
                f"clips of {self.shortest_seconds:g} to {self.longest_seconds:g} s; want 0 < shortest <= longest"
            )
        for name in ("milestones", "weights_milestones"):
            steps = (0, *(getattr(self, name) or ()))
            if list(steps) != sorted(steps):
                raise SettingsError(f"{name} are {steps[1:]}, they must be steps from 0 in ascending order")

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs that the stages come to; the last one gives the model."""
        made = []
        if "warm-up" in self.stages:
            learns = "weights" in self.stages
            steps = self.weights_steps if learns else min(self.weights_steps, self.reweighting.warm_up_steps)
            shares = (self.weights_steps * 5 // 12, self.weights_steps * 10 // 12)
            milestones = shares if self.weights_milestones is None else self.weights_milestones
            made.append(Run(number=0, steps=steps, milestones=milestones, learns_weights=learns))
        if "retrain" in self.stages:
            shares = (self.steps // 5, self.steps * 3 // 10)
            milestones = shares if self.milestones is None else self.milestones
            made.append(Run(number=1, steps=self.steps, milestones=milestones, learns_weights=False))
        return tuple(made)

    def rate(self, run: Run, step: int) -> float:
        """The learning rate of a step.

        Example:
            >>> settings = TrainSettings()
            >>> [round(settings.rate(settings.runs[1], step), 6) for step in (0, 1999, 2000, 3000)]
            [0.01, 0.01, 0.001, 0.0001]
        """
        if self.schedule == "cosine":
            return self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / run.steps))
        return self.learning_rate * self.decay ** sum(step >= milestone for milestone in run.milestones)

    def to_json(self) -> dict:
        """The settings as JSON."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_json(cls, document: dict) -> "TrainSettings":
        """The settings that `to_json` gave."""
        known = {each.name for each in fields(cls)}
        parts = {"head": HeadSettings(**document["head"]), "reweighting": Reweighting(**document["reweighting"])}
        return cls(**{**{name: value for name, value in document.items() if name in known}, **parts})
