"""The training loop: runs of steps, each a function of settings, data and step number alone."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from vfsearch.errors import VfsearchError
from vfsearch.networks.joint import JointNetworks
from vfsearch.progress import Progress, silent
from vfsearch.train.batch import Pairs
from vfsearch.train.losses import Losses, TotalLoss
from vfsearch.train.objective import Objective
from vfsearch.train.parallel import Processes, wrap
from vfsearch.train.reweighting import IdentityWeights
from vfsearch.train.settings import Run, TrainSettings
from vfsearch.train.state import Best, Checkpoints, TrainingState

COLUMNS = ("run", "step", "loss", "implicit", "explicit", "learning_rate", "voice_to_face", "face_to_voice")
"""Of the record: a row a step; validation accuracies are NaN where none took place."""
Validate = Callable[[JointNetworks], tuple[float, float]]
"""Networks in evaluation mode -> accuracy of 1:2 matching, voice to face and face to voice."""


class NetworksFactory(Protocol):
    """Makes the networks that a run starts from."""

    def __call__(self) -> JointNetworks:
        """New networks: pretrained, or drawn from torch's global generator."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """What a training gives.

    Args:
        networks: in evaluation mode, on the CPU; the best that validation saw, else the last.
        classifier: (M, d) rows of the shared classifier.
        identities: the names of the identities trained on, in the order of the classifier's rows.
        weights: (M,) identity weights that the last run trained with (or learned, if it learned them).
        hardness: (M,) running mean of each identity's loss, of the run that learned the weights if there was one.
        record: one row a step, columns as in `COLUMNS`.
        best: step and accuracies of the networks kept, None without validation.
    """

    networks: JointNetworks
    classifier: torch.Tensor
    identities: list[str]
    weights: np.ndarray
    hardness: np.ndarray
    record: list[tuple[float, ...]]
    best: Best | None


def fit(
    pairs: Pairs,
    make_networks: NetworksFactory,
    settings: TrainSettings,
    checkpoints: Checkpoints,
    *,
    weights: np.ndarray | None = None,
    validate: Validate | None = None,
    device: str = "cpu",
    processes: Processes | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train networks; on the CPU the result is the same bit for bit, resumed or not.

    Args:
        pairs: batches to train on.
        make_networks: what each run starts from.
        settings: how.
        checkpoints: where to resume from and to keep the state.
        weights: (M,) identity weights to retrain with; None: those that the run before learned, else all 1.
        validate: measures networks on held-out people during the last run; None: the last networks are kept.
        device: "cpu", "cuda", ...
        processes: of this training; None: this one alone. All must call it alike.
        progress: called with steps done.
    Raises:
        VfsearchError: the loss is not finite.
    """
    processes = processes or Processes()
    training = _Training(pairs, make_networks, settings, checkpoints, weights, validate, device, processes, progress)
    # The caller's random numbers are as they were, whatever is drawn here.
    with torch.random.fork_rng():
        return training.run()


class _Training:
    """Everything that lives as long as one training."""

    def __init__(self, pairs, make_networks, settings, checkpoints, weights, validate, device, processes, progress):
        self.pairs, self.make_networks, self.settings = pairs, make_networks, settings
        self.checkpoints, self.validate, self.device = checkpoints, validate, device
        self.processes, self.progress = processes, progress
        self.total = sum(run.steps for run in settings.runs)
        self.fixed = weights
        self.state: TrainingState | None = None

    def run(self) -> Trained:
        saved = self.checkpoints.load()
        for run in self.settings.runs:
            if saved is not None and TrainingState.run_of(saved) > run.number:
                continue
            self.state = self._begin(run, self.state)
            if saved is not None:
                self.state.restore(saved)
                saved = None
            self._steps(run)
        return self._result()

    def _begin(self, run: Run, before: TrainingState | None) -> TrainingState:
        """The state at the start of a run: new networks, what was learned of the identities, the record so far."""
        torch.manual_seed(self.settings.seed)
        networks = self.make_networks()
        loss = TotalLoss(
            self.settings.head.dimension, len(self.pairs.identities), implicit=self.settings.implicit,
            explicit=self.settings.explicit, margin=self.settings.margin,
        )  # fmt: skip
        module = wrap(Objective(networks, loss), self.processes, self.device)
        weights = before.weights if before else IdentityWeights(len(self.pairs.identities), self.settings.reweighting)
        if before is None and self.fixed is not None:
            weights.weights[:] = self.fixed
        return TrainingState(run, module, self.settings, weights, before.record if before else [])

    def _steps(self, run: Run) -> None:
        state = self.state
        last = run == self.settings.runs[-1]
        for step in range(state.step, run.steps):
            figures = self._step(run, step)
            ends = step + 1 == run.steps
            accuracies = (math.nan, math.nan)
            if last and self.validate and (ends or (step + 1) % self.settings.validate_steps == 0):
                accuracies = self._validated(step)
            rate = self.settings.rate(run, step)
            state.record.append((run.number, step, *figures, rate, *accuracies))
            if (step + 1) % self.settings.checkpoint_steps == 0 and not (ends and last):
                self._save()
            self.progress("training steps", len(state.record), self.total)

    def _step(self, run: Run, step: int) -> list[float]:
        """One step of the optimiser; its loss and the two terms of it."""
        state, batch = self.state, self.pairs.batch(run.number, step)
        if run.learns_weights:
            state.weights.update_if_due(step)
        # Dropout depends on the step alone, so that a resumed training draws what an undisturbed one draws.
        torch.manual_seed((self.settings.seed * 2 + run.number) * 1_000_003 + step)
        state.set_rate(self.settings.rate(run, step))
        labels = torch.as_tensor(batch.labels).to(self.device)
        weights = torch.as_tensor(state.weights.sample_weights(batch.labels)).to(self.device)
        with self._precision():
            losses = state.module(batch.voices.to(self.device), batch.faces.to(self.device), labels, weights)
        state.optimiser.zero_grad()
        losses.total.backward()
        # Everything that is looked at comes in one piece: a GPU is waited for once a step.
        figures, hardness = _on_the_host(losses)
        if not math.isfinite(figures[0]):
            raise VfsearchError(
                f"the training diverged at step {step} of the run {run.name!r}: the loss is {figures[0]}; "
                f"train with a smaller learning rate than {self.settings.learning_rate:g}"
            )
        state.optimiser.step()
        if run.learns_weights or "weights" not in self.settings.stages:
            state.weights.take(batch.labels, hardness)
        return figures

    def _precision(self):
        if self.settings.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(torch.device(self.device).type, torch.bfloat16)

    def _validated(self, step: int) -> tuple[float, float]:
        """Measure; keep the networks if they are the best so far. The first process does, what it finds is saved."""
        objective, accuracies = self.state.objective, (math.nan, math.nan)
        with self.processes.wait_for_first():
            if self.processes.first:
                objective.eval()
                accuracies = self.validate(objective.networks)
                objective.train()
                self.state.offer(step, accuracies)
        return accuracies

    def _save(self) -> None:
        with self.processes.wait_for_first():
            if self.processes.first:
                self.checkpoints.save(self.state.tensors())

    def _result(self) -> Trained:
        state = self.state
        state.take_best()
        objective = state.objective.eval().cpu()
        return Trained(
            networks=objective.networks,
            classifier=objective.loss.implicit.classifier.weight.detach(),
            identities=list(self.pairs.identities),
            weights=state.weights.weights.copy(),
            hardness=state.weights.hardness.copy(),
            record=state.record,
            best=state.best,
        )


def _on_the_host(losses: Losses) -> tuple[list[float], np.ndarray]:
    """Total, implicit and explicit loss, and the (n,) hardness of each sample."""
    numbers = torch.cat([torch.stack(losses[:3]).detach(), losses.hardness]).cpu().numpy()
    return numbers[:3].tolist(), numbers[3:]
