"""A sample for each item drawn, also where a file cannot be decoded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.errors import MediaError
from vfsearch.media.preparation import Failure
from vfsearch.progress import Progress, silent
from vfsearch.train.sample_source import Source, Stopped, never
from vfsearch.train.sampling import PairSampler

_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class DecodedItems:
    """The items of one modality by identity.

    An item that cannot be decoded costs that item: the next one of its identity that can be, in their order and on
    from the last to the first, takes its place. So what is drawn stays a function of the seed and of the files (but
    for a file that fails for the machine's sake, for want of time or memory).

    Args:
        modality: "voice" or "face".
        sampler: knows whose the items are.
        source: of the samples.
    """

    modality: str
    sampler: PairSampler
    source: Source

    def samples(self, rows: Sequence[int], labels: Sequence[int], stopped: Stopped = never) -> list[np.ndarray]:
        """A sample for each row.

        Args:
            rows, labels: the items drawn, and the identity of each.
            stopped: see `Source`.
        Raises:
            MediaError: no item of an identity can be decoded.
        """
        found = self.source.samples(rows, stopped)
        return [
            self._substitute(row, label, stopped) if isinstance(sample, Failure) else sample
            for row, label, sample in zip(rows, labels, found, strict=True)
        ]

    def undecodable_identities(self, progress: Progress = silent) -> dict[str, str]:
        """The identities none of whose items can be decoded, and why: they cannot be trained on.

        It decodes one item of each identity, so it costs about what an epoch does. Where several processes train, one
        asks and tells the others, so that they agree even on a file that fails for the machine's sake.

        Args:
            progress: called with identities done.
        Returns:
            Identity -> reason, with the path of one item.
        """
        found, identities = {}, self.sampler.identities
        for start in range(0, len(identities), _AT_ONCE):
            labels = range(len(identities))[start : start + _AT_ONCE]
            found.update(self._undecodable(labels))
            progress(f"identities with a {self.modality}", labels.stop, len(identities))
        return found

    def _undecodable(self, labels: Sequence[int]) -> dict[str, str]:
        reasons = {}
        rows = [int(self.sampler.cycle(self.modality, label)[0]) for label in labels]
        for row, label, sample in zip(rows, labels, self.source.samples(rows), strict=True):
            if isinstance(sample, Failure):
                try:
                    self._substitute(row, label, never)
                except MediaError as error:
                    reasons[self.sampler.identities[label]] = str(error)
        return reasons

    def _substitute(self, row: int, label: int, stopped: Stopped) -> np.ndarray:
        rows = self.sampler.cycle(self.modality, label, row)
        for other in rows[1:]:
            (sample,) = self.source.samples([other], stopped)
            if not isinstance(sample, Failure):
                return sample
        raise MediaError(
            f"none of the {len(rows)} {self.modality} items of the identity {self.sampler.identities[label]!r} can be "
            f"decoded, {self.source.name(row)} for one: {self.source.failures[int(row)].reason}; without one it cannot "
            "be trained on: mend the files, or take the identity out of the manifest"
        )
