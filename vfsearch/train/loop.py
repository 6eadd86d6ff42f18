"""Fitting two heads to pairs of frozen features."""

import math
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import nn

from vfsearch.data.embeddings import Embeddings
from vfsearch.errors import VfsearchError
from vfsearch.networks.heads import JointHeads
from vfsearch.progress import Progress, silent
from vfsearch.train.losses import ExplicitLoss, ImplicitLoss
from vfsearch.train.sampling import PairSampler
from vfsearch.train.settings import TrainSettings

COLUMNS = ("step", "loss", "implicit", "explicit")


class Checkpoints(Protocol):
    """Where a training keeps how far it is."""

    def load(self) -> dict[str, torch.Tensor] | None:
        """The last state saved, or None."""

    def save(self, state: dict[str, torch.Tensor]) -> None:
        """Keep a state for good."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training gives.

    Args:
        heads: in evaluation mode, on the CPU.
        identities: the names of the identities trained on, in the order of the classifier's rows.
        record: one row a step, columns as in `COLUMNS`.
    """

    heads: JointHeads
    identities: list[str]
    record: list[tuple[float, ...]] = field(default_factory=list)


def fit(
    voices: Embeddings,
    faces: Embeddings,
    settings: TrainSettings,
    checkpoints: Checkpoints,
    device: str = "cpu",
    progress: Progress = silent,
) -> Trained:
    """Train the heads; on the CPU the result is the same bit for bit, resumed or not.

    Args:
        voices, faces: features to train on.
        settings: how.
        checkpoints: where to resume from and to keep the state.
        device: "cpu", "cuda", ...
        progress: called with steps done.
    Raises:
        ManifestError: fewer than two identities have both modalities.
    """
    sampler = PairSampler(voices.identities, faces.identities, settings.batch_size, settings.seed)
    state = _State(voices, faces, len(sampler.identities), settings, device)
    state.restore(checkpoints.load())
    features = [torch.as_tensor(side.vectors).to(device) for side in (voices, faces)]
    for step in range(len(state.record), settings.steps):
        rows = [torch.as_tensor(each).to(device) for each in sampler.batch(step)]
        state.step(features[0][rows[0]], features[1][rows[1]], rows[2])
        if (step + 1) % settings.checkpoint_steps == 0 and step + 1 < settings.steps:
            checkpoints.save(state.tensors())
        progress("training steps", step + 1, settings.steps)
    return Trained(state.heads.eval().cpu(), sampler.identities, state.record)


class _State:
    """Networks, optimiser and record: all that a checkpoint holds."""

    def __init__(
        self, voices: Embeddings, faces: Embeddings, identities: int, settings: TrainSettings, device: str
    ) -> None:
        torch.manual_seed(settings.seed)
        widths = {side.modality: side.space.dimension for side in (voices, faces)}
        self.settings = settings
        self.heads = JointHeads(widths, settings.head)
        self.implicit = ImplicitLoss(settings.head.dimension, identities)
        self.explicit = ExplicitLoss(settings.margin)
        self.networks = nn.ModuleDict({"heads": self.heads, "implicit": self.implicit}).to(device).train()
        self.optimiser = _optimiser(self.networks, settings)
        self.record: list[tuple[float, ...]] = []

    def step(self, voice_features: torch.Tensor, face_features: torch.Tensor, labels: torch.Tensor) -> None:
        """One step of the optimiser."""
        step = len(self.record)
        # Dropout depends on the step alone, so that a resumed training draws what an undisturbed one draws.
        torch.manual_seed(self.settings.seed * 1_000_003 + step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.settings.steps))
        voices, faces = self.heads("voice", voice_features), self.heads("face", face_features)
        implicit, explicit = self.implicit(voices, faces, labels), self.explicit(voices, faces, labels)
        loss = self.settings.implicit * implicit + self.settings.explicit * explicit
        if not torch.isfinite(loss):
            raise VfsearchError(
                f"the training diverged at step {step}: the loss is {loss.item()}; train with a smaller learning rate "
                f"than {self.settings.learning_rate:g}"
            )
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.record.append((step, loss.item(), implicit.item(), explicit.item()))

    def tensors(self) -> dict[str, torch.Tensor]:
        """The state under flat names."""
        flat = {f"network.{name}": tensor for name, tensor in self.networks.state_dict().items()}
        for number, entries in self.optimiser.state_dict()["state"].items():
            flat |= {f"optimiser.{number}.{name}": torch.as_tensor(value) for name, value in entries.items()}
        return {**flat, "record": torch.tensor(self.record, dtype=torch.float64)}

    def restore(self, flat: dict[str, torch.Tensor] | None) -> None:
        """Go back to what `tensors` gave."""
        if flat is None:
            return
        prefix = "network."
        self.networks.load_state_dict({n[len(prefix) :]: t for n, t in flat.items() if n.startswith(prefix)})
        state: dict[int, dict] = {}
        for name, tensor in flat.items():
            if name.startswith("optimiser."):
                _, number, entry = name.split(".", 2)
                state.setdefault(int(number), {})[entry] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
        self.record = [tuple(row) for row in flat["record"].tolist()]


def _optimiser(networks: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            networks.parameters(), settings.learning_rate, momentum=0.9, weight_decay=settings.weight_decay
        )
    return torch.optim.AdamW(networks.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
