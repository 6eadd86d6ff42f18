"""Drawn trials as lists of named items, which any file format can take."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from vfsearch.data.embeddings import numbered
from vfsearch.data.manifest import Item
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, VERIFICATION, Names, RetrievalSides, TrialBlock, TrialList
from vfsearch.trials.make import MatchingDraw, Sides, verification_blocks


class ListedItems:
    """The items of both sides with their names.

    Args:
        probes, gallery: the items of either side; one that is on both has the same id there.
    Attributes:
        sides: who they are, for drawing.
    """

    def __init__(self, probes: Sequence[Item], gallery: Sequence[Item]) -> None:
        self.probes, self.gallery = probes, gallery
        self.names = Names()
        self.probe_numbers = self.names.numbers(item.id for item in probes)
        self.gallery_numbers = self.names.numbers(item.id for item in gallery)
        self._identities = {item.id: item.identity for item in (*probes, *gallery)}
        self.sides = self._sides()

    def _sides(self) -> Sides:
        probes, gallery = numbered(*([item.identity for item in side] for side in (self.probes, self.gallery)))
        rows = np.full(len(self.names), NO_ROW, dtype=np.int64)
        rows[self.gallery_numbers] = np.arange(len(gallery))
        return Sides(probes=probes, gallery=gallery, itself=rows[self.probe_numbers])

    def matching(self, drawn: MatchingDraw, where: str, about: Mapping[str, object]) -> TrialList:
        """1:N queries.

        Args:
            drawn: the queries, over `sides`.
            where: what to call the list.
            about: what it shall say of itself; JSON.
        """

        def blocks() -> Iterator[TrialBlock]:
            start = 1
            for block in drawn.blocks():
                yield self._block(block.probes, block.candidates, np.ones(len(block), dtype=np.int64), start)
                start += len(block)

        return self._list(MATCHING, where, about, blocks, candidates=drawn.candidates)

    def verification(
        self, pairs: MatchingDraw, seed: int, stream: Sequence[int], where: str, about: Mapping[str, object]
    ) -> TrialList:
        """One trial from each 1:2 query.

        Args:
            pairs: 1:2 queries, over `sides`.
            seed: of which candidate is taken.
            stream: further numbers that name its stream.
            where: what to call the list.
            about: what it shall say of itself; JSON.
        """

        def blocks() -> Iterator[TrialBlock]:
            start = 1
            for block in verification_blocks(pairs.blocks(), seed, stream=stream):
                yield self._block(block.probes, block.items[:, None], block.mated.astype(np.int64), start)
                start += len(block)

        return self._list(VERIFICATION, where, about, blocks)

    def retrieval(self, where: str, about: Mapping[str, object]) -> TrialList:
        """Every probe against every gallery item.

        Args:
            where: what to call the list.
            about: what it shall say of itself; JSON.
        """
        sides = RetrievalSides(probes=self.probe_numbers, gallery=self.gallery_numbers)
        return self._list(RETRIEVAL, where, about, lambda: iter(()), sides=lambda: sides)

    def _block(self, probes: np.ndarray, items: np.ndarray, mated: np.ndarray, start: int) -> TrialBlock:
        return TrialBlock(
            probes=self.probe_numbers[probes],
            items=self.gallery_numbers[items],
            mated=mated,
            lines=np.arange(start, start + len(probes)),
        )

    def _list(
        self, kind: str, where: str, about: Mapping[str, object], blocks: Callable[[], Iterator[TrialBlock]],
        **more: object,
    ) -> TrialList:  # fmt: skip
        return TrialList(
            kind=kind, format="", where=where, names=self.names, blocks=blocks, labelled=True, about=about,
            identities=self._identities.get, **more,
        )  # fmt: skip
