"""What an index is tuned with: probes, what an exact search finds for them, figures of the end task."""

from collections.abc import Sequence

import numpy as np

from vfsearch.data.embeddings import Embeddings, numbered
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.text_places import places_of
from vfsearch.errors import SettingsError
from vfsearch.index.base import Index
from vfsearch.index.sweep import SearchProblem
from vfsearch.index.targets import RECALL, Target
from vfsearch.index.tuning import Halves
from vfsearch.pipeline.task_figures import mates_of, task_figure
from vfsearch.pipeline.tuning_probes import TuningProbes

_GALLERY = 2


class Problems:
    """Makes the problems of one index.

    Args:
        index: to be tuned.
        true: searches its rows exactly.
        targets: what is to be told.
    """

    def __init__(self, index: Index, true: Index, targets: Sequence[Target]) -> None:
        self._index, self._true = index, true
        self._recalls = tuple(sorted({each.k for each in targets if each.measure == RECALL}))
        self._tasks = [each for each in targets if each.measure != RECALL]
        self._k = max(each.k for each in targets)

    def halves(self, probes: TuningProbes) -> Halves:
        """The problems of two sets of probes.

        Raises:
            SettingsError: a target is of a figure that is 0 for the exact neighbours themselves.
        """
        halves = Halves(tune=self.of_probes(probes.tune), check=self.of_probes(probes.check))
        for problem in (halves.tune, halves.check):
            self._require_figures(problem)
        return halves

    def _require_figures(self, problem: SearchProblem) -> None:
        for name, figure in problem.figures.items():
            if not np.nansum(figure(problem.truth)) > 0:
                raise SettingsError(
                    f"of {len(problem)} probes none finds its identity among the {self._k} exact neighbours in "
                    f"{self._index.folder}: {name} cannot be a target here; ask for recall, for example R@10>=0.95, "
                    "or name another split with --split"
                )

    def of_probes(self, probes: Embeddings) -> SearchProblem:
        """The problem of some probes."""
        itself = None
        if probes.modality == self._index.gallery.modality:
            itself = places_of(probes.ids, self._index.gallery.ids)
        return self._problem(probes.vectors, probes.identities, itself)

    def of_gallery_rows(self, count: int, seed: int) -> SearchProblem:
        """Rows of the index as if they were probes: what many tune with."""
        size = len(self._index)
        rows = np.sort(np.random.default_rng([seed, _GALLERY]).choice(size, min(count, size), replace=False))
        names = self._index.gallery.identities
        return self._problem(np.array(self._index.vectors[rows]), [names[int(row)] for row in rows], rows)

    def _problem(self, queries: np.ndarray, identities: Sequence[str], itself: np.ndarray | None) -> SearchProblem:
        (groups,) = numbered(identities)
        truth = self._true.search(queries, self._k, exclude=itself)
        figures = {}
        if self._tasks:
            gallery, probes = numbered(self._index.gallery.identities, identities)
            mates = mates_of(gallery, probes, itself)
            figures = {each.name: task_figure(each, gallery, probes, mates) for each in self._tasks}
        return SearchProblem(
            queries=queries,
            truth=truth,
            groups=groups,
            exclude=itself if itself is not None and (itself != NO_ROW).any() else None,
            cuts=tuple(sorted({*self._recalls, self._k})),
            figures=figures,
        )
