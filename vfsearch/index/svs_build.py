"""Making, changing and opening a graph of SVS."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from vfsearch.devices import threads
from vfsearch.errors import DamagedError, VfsearchError
from vfsearch.index.base import Opened
from vfsearch.index.graphs import file_with_role, require_written
from vfsearch.index.settings import BuildSettings
from vfsearch.index.svs_change import Renumbered, change, numbers_after, static_settings
from vfsearch.index.svs_files import (
    ABOUT,
    CONFIG,
    GRAPH,
    GRAPH_FILE,
    LINK,
    ROWS,
    ROWS_FILE,
    file_bytes,
    laid_out,
    remove_uuid,
    without_uuid,
)
from vfsearch.index.svs_rows import RowFormat
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import IndexWriter
from vfsearch.progress import Progress


def open_graph(opened: Opened, about: Mapping, dtype: np.dtype, dynamic: bool):
    """What SVS makes of files whose digests and headers were checked: svs.Vamana, or svs.DynamicVamana to change it.

    Raises:
        DamagedError: SVS refuses them.
    """
    import svs

    links = {f"graph/{GRAPH_FILE}": file_with_role(opened, GRAPH), f"rows/{ROWS_FILE}": file_with_role(opened, ROWS)}
    texts = {f"graph/{CONFIG}": about["graph"], f"config/{CONFIG}": about["config"]}
    more = {"debug_load_from_static": True} if dynamic else {}
    with laid_out(links, texts) as folder:
        try:
            return (svs.DynamicVamana if dynamic else svs.Vamana)(
                str(folder / "config"), svs.GraphLoader(str(folder / "graph")),
                _loader(folder / "rows" / ROWS_FILE, dtype, opened.vectors.shape[1]),
                distance=svs.DistanceType.MIP, num_threads=threads(),
                query_type=svs.DataType.int8 if dtype == np.int8 else svs.DataType.float32, **more,
            )  # fmt: skip
        except RuntimeError as error:
            raise DamagedError(f"SVS cannot read the index {opened.folder}: {error}; make it anew") from error


def build_graph(shape: tuple[int, int], settings: BuildSettings, writer: IndexWriter) -> None:
    """Build the graph of rows that the writer has, and write it; SVS holds the rows once."""
    import svs

    chosen = settings.parameters
    asked = svs.VamanaBuildParameters(
        alpha=chosen["alpha"], graph_max_degree=chosen["degree"], window_size=chosen["window"]
    )
    dtype = RowFormat(compression=chosen["compression"]).dtype
    with laid_out({f"rows/{ROWS_FILE}": writer.path(ROWS)}, {}) as folder:
        loader = _loader(folder / "rows" / ROWS_FILE, dtype, shape[1])
        graph = svs.Vamana.build(asked, loader, svs.DistanceType.MIP, num_threads=threads())
    with _saved(graph, writer) as folder:
        _take_over(folder, file_bytes(shape[0], chosen["degree"] + 1, LINK), writer)


def change_graph(
    old: Opened, about: Mapping, keep: np.ndarray, rows: VectorFile, writer: IndexWriter, progress: Progress
) -> str:
    """Change the graph of an index, and write it.

    Args:
        old, about: the index as it is, and what it says of its graph.
        keep, rows: as for `Index.rewrite`.
        writer, progress: as for `Index.rewrite`.
    Returns:
        Why nothing was written; empty if it was.
    """
    chosen = old.made_with.parameters
    graph = open_graph(old, about, RowFormat(compression=chosen["compression"]).dtype, dynamic=True)
    change(graph, keep, rows, progress)
    numbers = numbers_after(keep, len(rows) - int(keep.sum()))
    with _saved(graph, writer) as folder:
        del graph
        after = Renumbered(folder, numbers, len(rows), chosen["degree"])
        if not after.whole:
            return "SVS left links to rows that were removed"
        writer.add(GRAPH, after.pieces())
        _add_about(static_settings(about["graph"], about["config"], len(rows), after.entry), writer)
    return ""


def _loader(path: Path, dtype: np.dtype, dimension: int):
    import svs

    return svs.VectorDataLoader(str(path), getattr(svs.DataType, dtype.name), dims=dimension)


@contextlib.contextmanager
def _saved(graph, writer: IndexWriter) -> Iterator[Path]:
    """What SVS writes of a graph, in a folder that is gone afterwards; it writes the rows too, which are of no use."""
    folder = writer.temporary()
    try:
        folder.mkdir(mode=0o700)
        graph.save(*(str(folder / name) for name in ("config", "graph", "rows")))
        shutil.rmtree(folder / "rows")
        yield folder
    except (OSError, RuntimeError) as error:
        raise VfsearchError(f"cannot write {writer.path(GRAPH)}: {error}; free some space and run it again") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take_over(folder: Path, size: int, writer: IndexWriter) -> None:
    """Make the graph that SVS saved a file of the index."""
    written = folder / "graph" / GRAPH_FILE
    require_written(written, size, writer.path(GRAPH), "SVS")
    remove_uuid(written)
    about = {name: without_uuid((folder / name / CONFIG).read_text("utf-8")) for name in ("graph", "config")}
    writer.adopt(GRAPH, written)
    _add_about(about, writer)


def _add_about(about: Mapping[str, str], writer: IndexWriter) -> None:
    writer.add(ABOUT, [json.dumps({**about, "scale": writer.facts(ROWS)["scale"]}).encode()])
