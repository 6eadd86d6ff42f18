"""Probes against a gallery: the two sides that every protocol asks its questions of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.embeddings import Embeddings, numbered
from vfsearch.data.failure import FailedItem
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.space import require_same_space
from vfsearch.kernels.memory import require_memory
from vfsearch.protocol.ranking import Ranking, RankingHere
from vfsearch.trials.make import Sides


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Rows of one modality against rows of another, or of the same one.

    Make it with `compare`.

    Args:
        probes, gallery: the rows.
        sides: identities as numbers, and which gallery row is the probe itself.
        missing: (m,) identity numbers of the probes that could not be embedded and have a mate in the gallery.
        device: where to compute scores.
        max_memory: bytes that computing them may use beside rows and results; None: 1 GiB.
        ranked: ranks mates among the gallery, elsewhere; None: this process does.
    Raises:
        DoesNotFitError: that is too little memory.
    """

    probes: Embeddings
    gallery: Embeddings
    sides: Sides
    missing: np.ndarray
    device: str = "cpu"
    max_memory: int | None = None
    ranked: Ranking | None = None

    def __post_init__(self) -> None:
        require_memory(self.max_memory, self.gallery.space.dimension)

    def ranking(self) -> Ranking:
        """What ranks mates among the gallery."""
        if self.ranked is not None:
            return self.ranked
        return RankingHere(self.gallery.vectors, self.sides.gallery, self.device, self.max_memory)

    @property
    def direction(self) -> str:
        """For example "voice to face"."""
        return f"{self.probes.modality} to {self.gallery.modality}"


def compare(
    probes: Embeddings,
    gallery: Embeddings,
    failed_probes: Sequence[FailedItem] = (),
    device: str = "cpu",
    max_memory: int | None = None,
    itself: np.ndarray | None = None,
) -> Comparison:
    """Set probes against a gallery.

    An item that is on both sides (same modality, same id) is never compared with itself. A probe that could not be
    embedded counts as a miss if its identity is in the gallery, as a person who is asked for is.

    Args:
        probes, gallery: the rows.
        failed_probes: the items of the probe side without a row.
        device: where to compute scores.
        max_memory: bytes that computing them may use beside rows and results; None: 1 GiB.
        itself: (p,) the gallery row that each probe is never compared with, -1 for none; None: that of its own id.
    Raises:
        SpaceMismatchError: the sides are in different spaces.
        DoesNotFitError: `max_memory` is too little to compute anything with.
    """
    require_same_space(probes.space, f"the {probes.modality} probes", gallery.space, f"the {gallery.modality} gallery")
    of_gallery, of_probes, of_failed = numbered(
        gallery.identities, probes.identities, [failure.identity for failure in failed_probes]
    )
    missing = of_failed[np.isin(of_failed, of_gallery)]
    itself = _itself(probes, gallery) if itself is None else itself
    sides = Sides(probes=of_probes, gallery=of_gallery, itself=itself)
    return Comparison(
        probes=probes, gallery=gallery, sides=sides, missing=missing, device=device, max_memory=max_memory
    )


def _itself(probes: Embeddings, gallery: Embeddings) -> np.ndarray:
    if probes.modality != gallery.modality:
        return np.full(len(probes), NO_ROW)
    rows = {id_: row for row, id_ in enumerate(gallery.ids)}
    return np.array([rows.get(id_, NO_ROW) for id_ in probes.ids], dtype=np.int64)
