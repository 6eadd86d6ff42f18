"""The answers of a run, read back one at a time."""

from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.answers import Answer, Hit, ShownItem
from vfsearch.data.manifest import Item, Manifest
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.ranks import MateRanks
from vfsearch.errors import ArtefactError
from vfsearch.files import is_there
from vfsearch.measure.ranking_best import best_rank
from vfsearch.pipeline.list_run import BLOCKS
from vfsearch.pipeline.reports.runs import ReportedRun
from vfsearch.pipeline.runs import RAW_NAME, read_run_artefact
from vfsearch.pipeline.workspace import Workspace
from vfsearch.tables import get_array, get_texts, reading


class Answers(Sequence[Answer]):
    """The probes of a run with what its search returned.

    Args:
        run: of `vfsearch query` without lists.
        manifest: where the media are; None: not known.

    Attributes:
        probes, gallery: the two sides, by row.
        places: (q,) see `Answer.best_place`.

    Raises:
        ArtefactError: the run searched nothing.
        DamagedError: a file of the run is damaged.
    """

    def __init__(self, run: ReportedRun, manifest: Manifest | None = None) -> None:
        self.run = run
        settings = run.outcome.settings
        artefact = read_run_artefact(run.folder)
        with reading(artefact.read(RAW_NAME), str(run.folder / RAW_NAME)) as file:
            if "search" not in file:
                raise ArtefactError(f"the run {run.folder} holds no answers of a search (it was of lists)")
            searched = file["search"]
            self._rows, self._scores = (get_array(searched, name) for name in ("rows", "scores"))
            self._exact = get_array(searched, "exact-rows") if "exact-rows" in searched else None
            self._gallery_row = _inverse(get_array(searched, "gallery-rows"))
            self.probes = Side(file["probes"], settings["probe"], manifest)
            self.gallery = Side(file["gallery"], settings["gallery"], manifest)
            self.places = _places(file, len(self._rows))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> Answer:
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        found = [
            (row, score) for row, score in zip(self._rows[place], self._scores[place], strict=True) if row != NO_ROW
        ]
        hits = [Hit(item=self.gallery[int(self._gallery_row[row])], score=float(score)) for row, score in found]
        return Answer(probe=self.probes[place % len(self)], hits=tuple(hits), best_place=float(self.places[place]))

    @property
    def first_rows(self) -> np.ndarray:
        """(q,) int64 row of the gallery that is first; -1 where nothing was found."""
        return self._gallery_rows(self._rows[:, 0])

    @property
    def first_exact_rows(self) -> np.ndarray:
        """(q,) what an exact search of the same index puts first."""
        return self.first_rows if self._exact is None else self._gallery_rows(self._exact[:, 0])

    def _gallery_rows(self, rows: np.ndarray) -> np.ndarray:
        return np.where(rows == NO_ROW, NO_ROW, self._gallery_row[np.maximum(rows, 0)])

    def has(self, id_: str) -> bool:
        """Whether a probe has an id."""
        return self.probes.place(id_) is not None

    def chosen(self, count: int, seed: int = 1, ids: Sequence[str] = ()) -> list[int]:
        """Places of some probes.

        Args:
            count: how many are drawn, in their order; all where there are no more.
            seed: of the draw.
            ids: of those wanted, as far as they are there; none: drawn.
        """
        if ids:
            return [self.probes.place(id_) for id_ in ids if self.has(id_)]
        drawn = np.random.default_rng(seed).permutation(len(self))[:count]
        return sorted(drawn.tolist())


def searches(workspace: Workspace, runs: Sequence[ReportedRun], ids: Sequence[str] = ()) -> list[Answers]:
    """The answers of those runs that searched: runs of lists have none.

    Args:
        workspace: with the manifest that says where the media are, if there is one.
        runs: any.
        ids: of probes that some run must have.
    Raises:
        ArtefactError: no run has a probe of an id.
        InputError: the manifest cannot be read, or the one that was named is not there.
    """
    # A list that was named must be there; without any, answers are shown without their media.
    listed = workspace.manifest is not None or is_there(workspace.manifest_path)
    manifest = workspace.read_manifest() if listed else None
    found = [Answers(run, manifest) for run in runs if "lists" not in run.outcome.counts]
    for id_ in ids:
        if not any(answers.has(id_) for answers in found):
            names = ", ".join(str(run.folder) for run in runs)
            example = f"; the first of {found[0].run.folder} is {found[0][0].probe.id!r}" if found else ""
            raise ArtefactError(f"no run has a probe {id_!r} ({names}){example}")
    return found


class Side:
    """The items of one side, by row.

    Attributes:
        identities: of each.
    """

    def __init__(self, group, modality: str, manifest: Manifest | None) -> None:
        self._ids, self.identities = get_texts(group, "ids"), get_texts(group, "identities")
        self._modality, self._manifest = modality, manifest
        wanted = set(self._ids)
        self._listed: dict[str, Item] = {item.id: item for item in _of(manifest, modality) if item.id in wanted}

    def __getitem__(self, row: int) -> ShownItem:
        item = self._listed.get(self._ids[row])
        known = {} if item is None else {
            "path": self._manifest.media_path(item), "start_seconds": item.start_seconds,
            "end_seconds": item.end_seconds, "columns": item.columns,
        }  # fmt: skip
        return ShownItem(id=self._ids[row], identity=self.identities[row], modality=self._modality, **known)

    def __len__(self) -> int:
        return len(self._ids)

    def values(self, column: str) -> list[str]:
        """What the manifest says of each item; "" where it says nothing."""
        found = (self._listed.get(id_) for id_ in self._ids)
        return ["" if item is None else item.columns.get(column, "") for item in found]

    def place(self, id_: str) -> int | None:
        """The row of an id; None: no item has it."""
        return self._ids.index(id_) if id_ in self._ids else None


def _of(manifest: Manifest | None, modality: str) -> Iterator[Item]:
    return (item for item in manifest or () if item.modality == modality)


def _inverse(rows: np.ndarray) -> np.ndarray:
    """Row of the index -> row of the gallery."""
    held = np.flatnonzero(rows != NO_ROW)
    inverse = np.full(int(rows.max(initial=-1)) + 1, NO_ROW)
    inverse[rows[held]] = held
    return inverse


def _places(file, count: int) -> np.ndarray:
    """(q,) where the best mate of each probe stands; NaN where retrieval was not measured."""
    if "retrieval" not in file:
        return np.full(count, np.nan)
    columns = {name: get_array(file["retrieval"], name).astype(np.int64) for name in (*BLOCKS, "mates")}
    gallery = np.full(len(columns["mates"]), len(get_texts(file["gallery"], "ids")))
    found = best_rank(MateRanks(**columns, gallery=gallery))
    return np.where(np.isnan(found), np.inf, found)
