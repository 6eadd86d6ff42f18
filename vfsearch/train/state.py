"""What a training is at a moment: networks, optimiser, identity weights, record, the best so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from vfsearch.train.objective import Objective
from vfsearch.train.reweighting import IdentityWeights
from vfsearch.train.settings import Run, TrainSettings

Tensors = Mapping[str, torch.Tensor]
_MODULE, _OPTIMISER, _BEST, _IDENTITIES = "module.", "optimiser.", "best.", "identities."


class Checkpoints(Protocol):
    """Where a training keeps how far it is."""

    def load(self) -> dict[str, torch.Tensor] | None:
        """The last state saved, or None."""

    def save(self, state: dict[str, torch.Tensor]) -> None:
        """Keep a state for good."""


@dataclass(frozen=True, kw_only=True)
class Best:
    """The validation whose networks are kept.

    Args:
        step: after which it took place, from 0, in the last run.
        voice_to_face, face_to_voice: accuracy of 1:2 matching.
    """

    step: int
    voice_to_face: float
    face_to_voice: float

    @property
    def accuracy(self) -> float:
        """The mean of both directions, which is what the best is the best of."""
        return (self.voice_to_face + self.face_to_voice) / 2


class TrainingState:
    """The state of one run, and what it took over from the run before.

    Args:
        run: which.
        module: the objective, or what wraps it for several processes.
        settings: of the training.
        weights: of the identities.
        record: rows of the runs before; grows.
    """

    def __init__(
        self, run: Run, module: nn.Module, settings: TrainSettings, weights: IdentityWeights, record: list[tuple]
    ) -> None:
        self.run = run
        self.module = module.train()
        self.objective: Objective = getattr(module, "module", module)
        self.optimiser = _optimiser(self.objective, settings)
        self.weights = weights
        self.record = record
        self.best: Best | None = None
        self._best_tensors: dict[str, torch.Tensor] = {}

    @property
    def step(self) -> int:
        """Steps done in this run."""
        return sum(row[0] == self.run.number for row in self.record)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def offer(self, step: int, accuracies: tuple[float, float]) -> None:
        """Keep the present networks if they are better than the best; of equals the earlier stay."""
        offered = Best(step=step, voice_to_face=accuracies[0], face_to_voice=accuracies[1])
        if self.best is None or offered.accuracy > self.best.accuracy:
            self.best = offered
            self._best_tensors = {name: each.detach().clone() for name, each in self.objective.state_dict().items()}

    def take_best(self) -> None:
        """Go back to the best networks, if any were validated."""
        if self.best is not None:
            self.objective.load_state_dict(self._best_tensors)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The state under flat names."""
        flat = {f"{_MODULE}{name}": each for name, each in self.objective.state_dict().items()}
        for number, entries in self.optimiser.state_dict()["state"].items():
            flat |= {f"{_OPTIMISER}{number}.{name}": torch.as_tensor(each) for name, each in entries.items()}
        flat |= {f"{_IDENTITIES}{name}": torch.as_tensor(each) for name, each in self.weights.arrays().items()}
        flat |= {f"{_BEST}{name}": each for name, each in self._best_tensors.items()}
        if self.best is not None:
            figures = [self.best.step, self.best.voice_to_face, self.best.face_to_voice]
            flat["best"] = torch.tensor(figures, dtype=torch.float64)
        return {**flat, "run": torch.tensor(self.run.number), "record": torch.tensor(self.record, dtype=torch.float64)}

    @staticmethod
    def run_of(flat: Tensors) -> int:
        """The number of the run that a saved state is of."""
        return int(flat["run"])

    def restore(self, flat: Tensors) -> None:
        """Go back to what `tensors` gave."""
        self.objective.load_state_dict(_under(flat, _MODULE))
        state: dict[int, dict] = {}
        for name, tensor in _under(flat, _OPTIMISER).items():
            number, entry = name.split(".", 1)
            state.setdefault(int(number), {})[entry] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
        arrays = {name: each.numpy() for name, each in _under(flat, _IDENTITIES).items()}
        self.weights = IdentityWeights.from_arrays(arrays, self.weights.settings)
        self.record[:] = [tuple(row) for row in flat["record"].tolist()]
        if "best" in flat:
            step, voice_to_face, face_to_voice = flat["best"].tolist()
            self.best = Best(step=int(step), voice_to_face=voice_to_face, face_to_voice=face_to_voice)
            self._best_tensors = _under(flat, _BEST)


def _under(flat: Tensors, prefix: str) -> dict[str, torch.Tensor]:
    return {name[len(prefix) :]: tensor for name, tensor in flat.items() if name.startswith(prefix)}


def _optimiser(module: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    parameters = [each for each in module.parameters() if each.requires_grad]
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            parameters, settings.learning_rate, momentum=settings.momentum, weight_decay=settings.weight_decay
        )
    return torch.optim.AdamW(parameters, settings.learning_rate, weight_decay=settings.weight_decay)
