"""A Vamana graph, searched by Scalable Vector Search (SVS)."""

import json
import tomllib
from pathlib import Path

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.devices import threads
from vfsearch.errors import DamagedError, SettingsError
from vfsearch.index.approximate import ApproximateIndex, refine_knob
from vfsearch.index.base import Opened
from vfsearch.index.graphs import file_with_role, fill_gaps, ladder
from vfsearch.index.settings import BuildSettings, Knob, Parameter
from vfsearch.index.svs_build import build_graph, change_graph, open_graph
from vfsearch.index.svs_files import (
    ABOUT,
    GRAPH,
    GRAPH_FILE,
    LINK,
    ROWS,
    content,
    file_bytes,
    require_file,
    row_pieces,
)
from vfsearch.index.svs_rows import RowFormat
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import IndexWriter
from vfsearch.progress import Progress

WIDEST, EXHAUSTIVE = 100_000, 2000
MOST_LINKS = 1024
FEW_ROWS = 1000
"""A graph of no more rows is built in a fifth of a second."""
CHECKED_AT_ONCE = 65_536
PREFETCH = (16, 4)
"""Rows fetched ahead, and how many more at each step; 8 to 17 % faster than the 4 and 2 of SVS at 50,000 x 128 rows."""
REFINE = {"float16": 1, "int8": 2}


class SvsIndex(ApproximateIndex):
    """A graph of one layer whose rows are whole, of half precision, or of one byte a number.

    With one thread (`--threads 1`) the same rows give the same files; with several the graph differs from run to run.
    LVQ and LeanVec, the compression that comes with SVS, are left out: SVS ends the process that asks for them on a
    processor that is not Intel's.

    Args:
        opened: what the files say.
    """

    backend = "svs"
    parameters = (
        Parameter(name="degree", default=48, low=2, help="most links of a row"),
        Parameter(name="window", default=128, low=1, help="candidates looked at when a row is put in"),
        Parameter(name="alpha", default=0.95, kind=float, help="links that make a detour of less are left out; 0 to 1"),
        Parameter(
            name="compression", default="none", kind=str, choices=("none", "float16", "int8"),
            help="how rows are kept: 4, 2 or 1 bytes a number",
        ),
    )  # fmt: skip

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._graph_path, self._rows_path = file_with_role(opened, GRAPH), file_with_role(opened, ROWS)
        degree, compression = (self.made_with.parameters[name] for name in ("degree", "compression"))
        about = _read_about(file_with_role(opened, ABOUT), len(self), degree)
        self._format, self._width = RowFormat(compression=compression, scale=about["scale"]), degree + 1
        require_file(self._graph_path, len(self), self._width, LINK)
        require_file(self._rows_path, *self.vectors.shape, self._format.dtype)
        self._threads = threads()
        self._graph = open_graph(opened, about, self._format.dtype, dynamic=False)

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """See `Index.knobs`."""
        window = Knob(
            name="window", default=40, low=1, high=WIDEST, ladder=ladder(10, 1000, len(self)),
            help="candidates kept during a search, at least the neighbours wanted",
        )  # fmt: skip
        kind = self._format.compression
        return (window,) if kind == "none" else (window, refine_knob(REFINE[kind]))

    @property
    def exhaustive(self) -> dict[str, int] | None:
        """See `Index.exhaustive`; a window so wide that next to nothing is lost by the search."""
        if self._format.compression == "none":
            return None
        return {"window": max(1, min(len(self), EXHAUSTIVE)), "refine": 0}

    def _apply(self) -> None:
        import svs

        window = svs.SearchBufferConfig(self.settings["window"])
        self._graph.search_parameters = svs.VamanaSearchParameters(window, True, *PREFETCH)

    @classmethod
    def prepared(cls, settings: BuildSettings, rows: int, dimension: int) -> BuildSettings:
        """See `Index.prepared`."""
        chosen = super().prepared(settings, rows, dimension)
        alpha, degree = chosen.parameters["alpha"], chosen.parameters["degree"]
        if not 0 < alpha <= 1:
            raise SettingsError(f"the back end svs: alpha is {alpha}, it must be more than 0 and at most 1")
        if degree > MOST_LINKS:
            raise SettingsError(f"the back end svs: degree is {degree}, it must be at most {MOST_LINKS}")
        return chosen

    @classmethod
    def write(
        cls, rows: VectorFile, settings: BuildSettings, writer: IndexWriter, device: str, progress: Progress
    ) -> None:
        """See `Index.write`; the graph itself is made in one step."""
        if not writer.has(ROWS):
            form = RowFormat.fitting(settings.parameters["compression"], rows, settings.seed)
            writer.add(ROWS, row_pieces(rows, form.encode, progress), scale=form.scale)
        if not writer.has(ABOUT):
            progress("rows in the graph", 0, len(rows))
            build_graph(rows.shape, settings, writer)
            progress("rows in the graph", len(rows), len(rows))

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
        reason = _why_anew(keep, len(rows), settings)
        if not reason and not writer.has(ABOUT):
            about = _read_about(file_with_role(old, ABOUT), len(keep), settings.parameters["degree"])
            if not writer.has(ROWS):
                form = RowFormat(compression=settings.parameters["compression"], scale=about["scale"])
                writer.add(ROWS, row_pieces(rows, form.encode, progress), scale=form.scale)
            reason = change_graph(old, about, keep, rows, writer, progress)
        if reason:
            cls.write(rows, cls.prepared(settings, *rows.shape), writer, device, progress)
            return f"built anew: {reason}"
        return " and ".join(["removed"] * (not keep.all()) + ["added"] * (added > 0)) + " in place"

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        # One query is searched by one thread.
        if len(queries) > 1 and self._threads != threads():
            self._graph.num_threads = self._threads = threads()
        asked, scales = self._format.encode_queries(queries)
        found, scores = self._graph.search(asked, k)
        found = found.view(np.int64)
        # What it did not come across is row 0 with the score 0, at the end.
        gaps = not (scores.item(-1) if len(scores) == 1 else scores[:, -1].all())
        short = (found[:, -1] == 0) & (scores[:, -1] == 0) if gaps else None
        if scales is not None:
            scores = scores * scales
        if gaps and short.any():
            found[short, -1] = NO_ROW
            fill_gaps(queries, self.vectors, found, scores)
        return found, scores

    def inspect(self) -> list[str]:
        """See `Index.inspect`."""
        return [*_link_faults(self._graph_path, len(self), self._width), *self._row_faults()]

    def _row_faults(self) -> list[str]:
        kept = content(self._rows_path, *self.vectors.shape, self._format.dtype)
        for start in range(0, len(self), CHECKED_AT_ONCE):
            part = slice(start, start + CHECKED_AT_ONCE)
            if (self._format.encode(self.vectors[part]) != kept[part]).any():
                return [f"{self._rows_path.name}: an entry holds another row than the one it stands for"]
        return []

    def memory_bytes(self) -> int:
        """See `Index.memory_bytes`."""
        return file_bytes(len(self), self._width, LINK) + file_bytes(*self.vectors.shape, self._format.dtype)


def _read_about(path: Path, rows: int, degree: int) -> dict:
    """The settings that SVS wrote, and the scale of the rows; SVS believes what they say.

    Raises:
        DamagedError: they are not of a graph of so many rows and links.
    """
    try:
        about = json.loads(path.read_text("utf-8"))
        graph, config = (tomllib.loads(about[name])["object"] for name in ("graph", "config"))
        got = (graph["binary_file"], graph["num_vertices"], graph["max_degree"], config["entry_point"] < rows)
        if got != (GRAPH_FILE, rows, degree, True) or not 0 < float(about["scale"]) < float("inf"):
            raise ValueError(f"wanted a graph of {rows} rows with {degree} links")
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedError(f"{path} is not what SVS wrote for this index: {error}; make it anew") from error
    return about


def _link_faults(path: Path, rows: int, width: int) -> list[str]:
    """What is wrong with the links: how many of each row, and where they lead."""
    links, places = content(path, rows, width, LINK), np.arange(width - 1)
    for start in range(0, rows, CHECKED_AT_ONCE):
        part = links[start : start + CHECKED_AT_ONCE]
        there = places < part[:, :1]
        if (part[:, 0] >= width).any() or (part[:, 1:][there] >= rows).any():
            return [f"{path.name}: an entry links to none of the {rows} entries"]
    return []


def _why_anew(keep: np.ndarray, rows: int, settings: BuildSettings) -> str:
    """Why a graph cannot be changed, or not well; empty where it can."""
    if settings.parameters["compression"] == "int8":
        return "SVS changes no graph of int8 rows"
    if min(keep.sum(), rows) < FEW_ROWS:
        return f"a graph of fewer than {FEW_ROWS} rows is soon built"
    if keep.sum() * 2 < len(keep):
        return "more than half of the rows were removed"
    return ""
