"""hnswlib's layered graph of whole rows."""

from pathlib import Path

import numpy as np

from vfsearch.devices import threads
from vfsearch.errors import DamagedError, SettingsError
from vfsearch.index.approximate import ApproximateIndex
from vfsearch.index.base import Opened
from vfsearch.index.graphs import file_with_role, ladder, require_written
from vfsearch.index.hnswlib_file import HnswlibHeader, faults
from vfsearch.index.settings import BuildSettings, Knob, Parameter
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import IndexWriter
from vfsearch.progress import Progress

GRAPH, KEPT = "index.hnswlib", ("step-graph-0", "step-graph-1")
MOST_LINKS = 512
WIDEST = 100_000
"""Candidates; more of them than this take longer than comparing with every row."""
ROWS_AT_ONCE = 10_000
LEAST_KEPT, GROWTH = 100_000, 1.25
"""An unfinished graph is written out after so many rows, and again whenever it has grown by a quarter: a killed build
loses a fifth of its work at most, and five times the file is written in all."""


class HnswlibIndex(ApproximateIndex):
    """A graph that hnswlib searches from the top layer down.

    With one thread (`--threads 1`) the same rows and seed give the same file. With several the order of insertion, and
    so the graph, differs from run to run; so does that of a build that was killed and went on.

    Args:
        opened: what the files say.
    """

    backend = "hnswlib"
    parameters = (
        Parameter(name="M", default=16, low=2, help="links of a row; twice as many in the lowest layer"),
        Parameter(name="ef_construction", default=200, low=1, help="candidates looked at when a row is put in"),
    )

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._path = file_with_role(opened, GRAPH)
        self._header = _checked_header(self._path, self.vectors.shape, self.made_with)
        self._graph = _loaded(self._path, self.vectors.shape[1], len(self))

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """See `Index.knobs`."""
        return (
            Knob(
                name="ef", default=64, low=1, high=WIDEST, ladder=ladder(8, 2000, len(self)),
                help="candidates kept during a search, at least the neighbours wanted",
            ),
        )  # fmt: skip

    def _apply(self) -> None:
        self._graph.set_ef(self.settings["ef"])

    @classmethod
    def prepared(cls, settings: BuildSettings, rows: int, dimension: int) -> BuildSettings:
        """See `Index.prepared`."""
        chosen = super().prepared(settings, rows, dimension)
        if chosen.parameters["M"] > MOST_LINKS:
            raise SettingsError(f"the back end hnswlib: M is {chosen.parameters['M']}, it must be at most {MOST_LINKS}")
        return chosen

    @classmethod
    def write(
        cls, rows: VectorFile, settings: BuildSettings, writer: IndexWriter, device: str, progress: Progress
    ) -> None:
        """See `Index.write`."""
        if writer.has(GRAPH):
            return
        _finish(*_begun(rows.shape, settings, writer), rows, writer, progress)

    @classmethod
    def rewrite(
        cls,
        old: Opened,
        keep: np.ndarray,
        added: int,
        rows: VectorFile,
        settings: BuildSettings,
        writer: IndexWriter,
        device: str,
        progress: Progress,
    ) -> str:
        """See `Index.rewrite`."""
        if not keep.all():
            cls.write(rows, cls.prepared(settings, *rows.shape), writer, device, progress)
            return "built anew: hnswlib keeps removed rows in its file"
        if not writer.has(GRAPH):
            begun = _begun(rows.shape, settings, writer) if _kept(writer) else _reopened(old, rows.shape, settings)
            _finish(*begun, rows, writer, progress)
        return "added in place"

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        try:
            labels, distances = self._graph.knn_query(queries, k, num_threads=threads())
        except RuntimeError:
            # It gives nothing for a whole batch if it comes across fewer than k rows for one query.
            from vfsearch.kernels.topk import topk

            found = topk(queries, self.vectors, k)
            return found.rows, found.scores
        return labels.view(np.int64), 1 - distances

    def inspect(self) -> list[str]:
        """See `Index.inspect`."""
        return faults(self._path, self._header, self.vectors)

    def memory_bytes(self) -> int:
        """See `Index.memory_bytes`."""
        return self._graph.index_file_size()


def _checked_header(path: Path, shape: tuple[int, int], settings: BuildSettings) -> HnswlibHeader:
    header = HnswlibHeader.of(path)
    header.require(path, shape, settings.parameters["M"], settings.parameters["ef_construction"])
    return header


def _loaded(path: Path, dimension: int, most: int):
    """The graph of a file whose digest and header were checked, with room for `most` rows."""
    import hnswlib

    graph = hnswlib.Index(space="ip", dim=dimension)
    try:
        graph.load_index(str(path), max_elements=most)
    except RuntimeError as error:
        raise DamagedError(f"hnswlib cannot read {path}: {error}; make it anew with `vfsearch index build`") from error
    return graph


def _begun(shape: tuple[int, int], settings: BuildSettings, writer: IndexWriter):
    """A graph to go on with, and how many rows are in it."""
    import hnswlib

    rows, dimension = shape
    kept = _kept(writer)
    if kept:
        done = writer.facts(kept[-1])["rows"]
        _checked_header(writer.path(kept[-1]), (done, dimension), settings)
        return _loaded(writer.path(kept[-1]), dimension, rows), done
    graph = hnswlib.Index(space="ip", dim=dimension)
    chosen = settings.parameters
    # hnswlib takes 64 bits and its generator 32.
    seed = settings.seed % 2**32
    graph.init_index(rows, M=chosen["M"], ef_construction=chosen["ef_construction"], random_seed=seed)
    return graph, 0


def _reopened(old: Opened, shape: tuple[int, int], settings: BuildSettings):
    """The graph of an index, with room for more rows, and how many are in it."""
    path, done = file_with_role(old, GRAPH), len(old.vectors)
    _checked_header(path, (done, shape[1]), settings)
    return _loaded(path, shape[1], shape[0]), done


def _finish(graph, done: int, rows: VectorFile, writer: IndexWriter, progress: Progress) -> None:
    """Put in what is missing and write the index's file."""
    _insert(graph, done, rows, writer, progress)
    _save(graph, writer, GRAPH)
    for role in _kept(writer):
        writer.drop(role)


def _insert(graph, done: int, rows: VectorFile, writer: IndexWriter, progress: Progress) -> None:
    """Put the rows from number `done` on into the graph, which is written out now and then."""
    total, kept = len(rows), done
    while done < total:
        block = rows.read(done, done + ROWS_AT_ONCE)
        graph.add_items(block, np.arange(done, done + len(block)), num_threads=threads())
        done += len(block)
        progress("rows in the graph", done, total)
        if total > done >= max(LEAST_KEPT, int(kept * GROWTH)):
            _keep(graph, done, writer)
            kept = done


def _keep(graph, done: int, writer: IndexWriter) -> None:
    """Write out an unfinished graph; the one before goes when this one is there for good."""
    for role in _kept(writer)[:-1]:
        writer.drop(role)
    before = _kept(writer)
    _save(graph, writer, next(role for role in KEPT if role not in before), rows=done)
    for role in before:
        writer.drop(role)


def _kept(writer: IndexWriter) -> list[str]:
    """Roles of unfinished graphs, the fullest last."""
    return sorted(filter(writer.has, KEPT), key=lambda role: writer.facts(role)["rows"])


def _save(graph, writer: IndexWriter, role: str, **facts: int) -> None:
    temporary = writer.temporary()
    graph.save_index(str(temporary))
    require_written(temporary, graph.index_file_size(), writer.path(role), "hnswlib")
    writer.adopt(role, temporary, **facts)
