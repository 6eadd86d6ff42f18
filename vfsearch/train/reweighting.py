"""Adaptive re-weighting: identities that voice and face do not tell get no weight in the loss.

Some identities are hard but worth learning, some are personalised: their voice and face do not go together. Hardness
is learned first with all identities, then the easy half is let in, then a few more at a time; what is never let in is
left out of the final training.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, section 3.3; schedule and numbers of the authors' release.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from vfsearch.errors import ArtefactError, SettingsError, VfsearchError

TRACE = ("step", "share", "sum", "count")
"""Columns of the trace: step of an update and, after it, the share of identities that have a weight, the sum of the
weights and the number of identities that have one."""

# A batch whose weights sum to less than this gets 1 added to each, so that its step is not lost.
_EMPTY_BATCH = 1e-3


@dataclass(frozen=True, kw_only=True)
class Reweighting:
    """How the identity weights are learned; the defaults are the published ones.

    Args:
        warm_up_steps: step of the first update; all weights are 1 before.
        every: steps between two updates.
        first_share: of the identities, the easiest ones, that the first update gives a weight.
        step_share: of the identities that each later update adds, rounded down but never below one identity.
        decay: factor on all weights at each later update, so that who came early counts for less.
        full_share: of the identities with a weight, from which on updates change nothing.
        momentum: of the running mean of an identity's loss, its hardness.
        initial_hardness: hardness of an identity not seen yet; above what is usual, so that it counts as hard.
    Raises:
        SettingsError: a number is out of its range.
    """

    warm_up_steps: int = 500
    every: int = 100
    first_share: float = 0.5
    step_share: float = 0.024
    decay: float = 0.99
    full_share: float = 0.9
    momentum: float = 0.9
    initial_hardness: float = 14.0

    def __post_init__(self) -> None:
        for name in ("warm_up_steps", "every"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}, it must be at least 1")
        for name in ("first_share", "step_share", "decay", "full_share"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise SettingsError(f"{name} is {getattr(self, name)}, it must be above 0 and at most 1")
        if not 0.0 <= self.momentum < 1.0:
            raise SettingsError(f"momentum is {self.momentum}, it must be at least 0 and below 1")
        if not math.isfinite(self.initial_hardness):
            raise SettingsError(f"initial_hardness is {self.initial_hardness}, it must be finite")

    def to_json(self) -> dict:
        """The settings as JSON."""
        return asdict(self)


class IdentityWeights:
    """Weight and hardness of each identity, and how they came about.

    Before each step `update_if_due`, after its forward pass `take`: an update sees the losses of the steps before it.
    All arithmetic is float32, as in the release, with exact sorts; of two identities of the same hardness the one
    with the lower row counts as easier.

    Args:
        identities: M; an identity is known by its row, the row of the classifier.
        settings: the schedule.
    Raises:
        SettingsError: no identities.
    """

    def __init__(self, identities: int, settings: Reweighting) -> None:
        if identities < 1:
            raise SettingsError(f"identities is {identities}, it must be at least 1")
        self.settings = settings
        self.weights = np.ones(identities, np.float32)
        self.hardness = np.full(identities, settings.initial_hardness, np.float32)
        self.trace: list[tuple[int, float, float, int]] = []

    def update_if_due(self, step: int) -> bool:
        """Learn new weights where the schedule says so, and add a row to the trace.

        The first update gives the weight 1 to the `first_share` of easiest identities and 0 to the others; each
        later one multiplies all weights by `decay` and gives the weight 1 to the easiest identities without any, as
        long as fewer than `full_share` have one.

        Args:
            step: about to be done, counted from 0.
        Returns:
            Whether an update was due.
        """
        since = step - self.settings.warm_up_steps
        if since < 0 or since % self.settings.every:
            return False
        count = np.count_nonzero(self.weights)
        if not self.trace:
            self.weights[:] = 0
            self._let_in(self.settings.first_share)
        elif count / len(self.weights) < self.settings.full_share:
            self.weights *= np.float32(self.settings.decay)
            self._let_in(self.settings.step_share)
        count = np.count_nonzero(self.weights)
        self.trace.append((step, float(np.float32(count / len(self.weights))), float(_total(self.weights)), count))
        return True

    def take(self, labels: np.ndarray, losses: np.ndarray) -> None:
        """Let a step's losses into the hardness: h_k <- momentum h_k + (1 - momentum) loss_k.

        Args:
            labels: (n,) rows of the step's identities, each once.
            losses: (n,) ce_face + ce_voice of each, before any weight; finite.
        Raises:
            SettingsError: an identity comes twice.
            VfsearchError: a loss is not finite.
        """
        labels = np.asarray(labels)
        if len(np.unique(labels)) != len(labels):
            raise SettingsError(
                f"the step's {len(labels)} labels name {len(np.unique(labels))} identities; re-weighting wants batches "
                "that hold each identity once"
            )
        losses = np.asarray(losses, np.float32)
        if not np.isfinite(losses).all():
            row = labels[np.flatnonzero(~np.isfinite(losses))[0]]
            raise VfsearchError(f"the loss of identity {row} is not finite; train with a smaller learning rate")
        momentum = np.float32(self.settings.momentum)
        self.hardness[labels] = momentum * self.hardness[labels] + np.float32(1 - self.settings.momentum) * losses

    def sample_weights(self, labels: np.ndarray) -> np.ndarray:
        """The weight of each sample of a batch, w_k M / sum(w): 1 on average over the identities.

        Args:
            labels: (n,) rows of the batch's identities.
        Returns:
            (n,) float32; where the batch's weights sum to less than 1e-3, each is larger by 1.
        """
        scaled = self.weights[labels] * np.float32(len(self.weights)) / _total(self.weights)
        return scaled + 1 if scaled.sum() < _EMPTY_BATCH else scaled

    def arrays(self) -> dict[str, np.ndarray]:
        """The state for a checkpoint: `weights` (M,), `hardness` (M,) float32 and `trace` (updates, 4) float64."""
        trace = np.array(self.trace, np.float64).reshape(-1, len(TRACE))
        return {"weights": self.weights.copy(), "hardness": self.hardness.copy(), "trace": trace}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], settings: Reweighting) -> "IdentityWeights":
        """The state that `arrays` gave, bit for bit.

        Raises:
            ArtefactError: an array is missing, or the shapes do not go together.
        """
        shapes = {name: np.shape(arrays[name]) if name in arrays else None for name in ("weights", "hardness", "trace")}
        rows = shapes["weights"]
        if not rows or shapes["hardness"] != rows or not shapes["trace"] or shapes["trace"][1:] != (len(TRACE),):
            raise ArtefactError(
                f"the state of the identity weights has shapes {shapes}, it must have weights (M,), hardness (M,) and "
                f"trace (updates, {len(TRACE)}); train again"
            )
        state = cls(len(arrays["weights"]), settings)
        state.weights[:], state.hardness[:] = arrays["weights"], arrays["hardness"]
        state.trace = [
            (int(step), share, total, int(count)) for step, share, total, count in np.asarray(arrays["trace"]).tolist()
        ]
        return state

    def _let_in(self, share: float) -> None:
        # The release rounds down to 0 for M < 42 and would never let anyone in; we take one identity at least.
        number = max(1, int(share * len(self.weights)))
        easiest = np.argsort(self.hardness, kind="stable")
        self.weights[easiest[self.weights[easiest] == 0][:number]] = 1


def hardest_first(hardness: np.ndarray) -> np.ndarray:
    """(M,) rows of the identities, the hardest first; the reverse of the order in which updates let them in."""
    return np.argsort(np.asarray(hardness), kind="stable")[::-1]


def left_out(weights: np.ndarray, hardness: np.ndarray) -> np.ndarray:
    """Rows of the identities without weight, the hardest first: those that the training took for personalised."""
    order = hardest_first(hardness)
    return order[np.asarray(weights)[order] == 0]


def _total(weights: np.ndarray) -> np.float32:
    # torch's order of summation: numpy's pairwise one differs from the release's trace in the last bit.
    import torch

    return np.float32(torch.from_numpy(weights).sum().item())
