"""Batches of photos and clips, decoded and augmented while the networks work on the batches before."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Protocol

import numpy as np
import torch

from vfsearch.data.space import MODALITIES
from vfsearch.errors import SettingsError, VfsearchError
from vfsearch.media.preparation import Failure
from vfsearch.train.batch import Batch, Share, whole
from vfsearch.train.decoded_items import DecodedItems
from vfsearch.train.sample_source import Source
from vfsearch.train.sampling import PairSampler

_LENGTH, _ITEM = 3, 4  # after those of the sampler


class TrainingInputs(Protocol):
    """How samples become what a network takes, at random."""

    def training(
        self,
        samples: Sequence[np.ndarray],
        length_random: np.random.Generator,
        randoms: Sequence[np.random.Generator],
    ) -> torch.Tensor:
        """The input of n samples; `length_random` decides what all have in common, the others are one a sample."""


class MediaPairs:
    """Pairs of a clip and a photo; leaving the `with` block ends the work ahead.

    A batch is a function of (seed, run, step) and of the files alone: resumed or not, in one process or in several,
    each of which decodes its own share. One thread for each modality decodes and augments the next batches while the
    caller computes.

    An item that cannot be decoded gives its place to another of its identity (see `DecodedItems`). An identity that has
    no other left is an error, raised by the process whose share it is in. To leave its pair out instead would change
    the labels of the whole batch, which every process must know, though only one has looked at the file: each step
    would have to begin with an exchange between the processes. Who would rather lose the identity than the training
    asks `DecodedItems.undecodable_identities` beforehand and makes the sampler without those.

    Args:
        sampler: draws the pairs.
        sources: of the samples, by modality.
        inputs: what makes them input, by modality.
        seed: of the augmentation.
        share: the part of each batch that this process decodes.
        device: where batches are wanted.
        ahead: the most batches that are made before they are asked for.
    Raises:
        SettingsError: `ahead` is negative.
    """

    def __init__(
        self,
        sampler: PairSampler,
        sources: Mapping[str, Source],
        inputs: Mapping[str, TrainingInputs],
        seed: int,
        share: Share = whole,
        device: str = "cpu",
        ahead: int = 2,
    ) -> None:
        if ahead < 0:
            raise SettingsError(f"batches made ahead: got {ahead}, wanted 0 or more")
        self.identities = sampler.identities
        self._sampler, self._sources, self._inputs = sampler, sources, inputs
        self._seed, self._share, self._device, self._ahead = seed, share, torch.device(device), ahead
        self._stop = Event()
        self._lanes = {modality: ThreadPoolExecutor(1, f"vfsearch-{modality}") for modality in MODALITIES}
        self._coming: dict[tuple[int, int], dict[str, Future[torch.Tensor]]] = {}

    def __enter__(self) -> "MediaPairs":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def failures(self) -> dict[str, dict[int, Failure]]:
        """By modality and row: the items that could not be decoded so far, in this process."""
        return {modality: dict(source.failures) for modality, source in self._sources.items()}

    def batch(self, run: int, step: int) -> Batch:
        """The pairs of one step, on the device; those of the next steps are begun.

        Raises:
            MediaError: no item of an identity can be decoded.
            VfsearchError: the decoding processes cannot start, or the batches were closed.
        """
        if self._stop.is_set():
            raise VfsearchError("these batches were closed: ask for them inside the `with` block")
        self._begin([(run, step + further) for further in range(self._ahead + 1)])
        made = {modality: future.result() for modality, future in self._coming.pop((run, step)).items()}
        labels = self._sampler.batch(step, run)[2]
        return Batch(
            voices=made["voice"].to(self._device, non_blocking=True),
            faces=made["face"].to(self._device, non_blocking=True),
            labels=labels,
            share=self._share(len(labels)),
        )

    def close(self) -> None:
        """End the work ahead, without waiting: a thread ends with the file that it is at, or with the workers."""
        self._stop.set()
        for lane in self._lanes.values():
            lane.shutdown(wait=False, cancel_futures=True)

    def _begin(self, wanted: Sequence[tuple[int, int]]) -> None:
        for key in set(self._coming) - set(wanted):
            for future in self._coming.pop(key).values():
                future.cancel()
        for key in wanted:
            if key not in self._coming:
                self._coming[key] = {
                    modality: lane.submit(self._made, modality, *key) for modality, lane in self._lanes.items()
                }

    def _made(self, modality: str, run: int, step: int) -> torch.Tensor:
        *rows, labels = self._sampler.batch(step, run)
        share = self._share(len(labels))
        items = DecodedItems(modality=modality, sampler=self._sampler, source=self._sources[modality])
        number = MODALITIES.index(modality)
        samples = items.samples(rows[number][share], labels[share], self._stop.is_set)
        randoms = [self._random(_ITEM, run, step, number, place) for place in range(len(labels))[share]]
        made = self._inputs[modality].training(samples, self._random(_LENGTH, run, step), randoms)
        return self._pinned(made) if self._device.type == "cuda" else made

    def _pinned(self, made: torch.Tensor) -> torch.Tensor:
        # a thread begins with the first device as its own, where every process would then take memory
        with torch.cuda.device(self._device):
            return made.pin_memory()

    def _random(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, *numbers])
