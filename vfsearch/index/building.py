"""Making an index of rows that come block by block."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.embeddings import Embeddings, require_unit_rows
from vfsearch.data.row_source import RowSource
from vfsearch.data.space import require_same_space
from vfsearch.data.text_places import first_repeated
from vfsearch.data.texts import Texts
from vfsearch.errors import ArtefactError, MismatchError, VectorError
from vfsearch.index.backends import BACKENDS, require_device
from vfsearch.index.base import Gallery, Index
from vfsearch.index.items import pack_items
from vfsearch.index.layout import ITEMS, VECTORS
from vfsearch.index.settings import BuildSettings
from vfsearch.index.vector_file import VectorFile, npy_header
from vfsearch.index.writer import IndexWriter, writing_index
from vfsearch.progress import Progress, silent


def build_index(
    folder: Path,
    source: RowSource,
    settings: BuildSettings,
    device: str = "cpu",
    progress: Progress = silent,
    split: str | None = None,
) -> Artefact:
    """Index rows; a build that was killed goes on where it was.

    Args:
        folder: of the index; what is there is replaced once the new one is whole.
        source: the rows.
        settings: what to build.
        device: where to build.
        progress: called with rows done.
        split: the split that the rows are of; None: all.
    Raises:
        ArtefactError: there are no rows.
        LockedError: another process writes there.
        SettingsError, UnknownNameError, MissingExtraError: the settings do not go with these rows or this machine.
        SpaceMismatchError: a block is of another space than the source says.
        VectorError: a row is not finite or not of unit length, or two rows have one id.
        VfsearchError: a file cannot be written.
    """
    if not len(source):
        raise ArtefactError(f"there are no {source.modality} rows to index")
    kind: type[Index] = BACKENDS.load(settings.backend)
    require_device(kind, settings.backend, device)
    chosen = kind.prepared(settings, len(source), source.space.dimension)
    about = about_index(chosen, source, len(source), split)
    with writing_index(folder, about) as writer:
        if not writer.has(ITEMS):
            write_rows([source], writer, progress)
        kind.write(VectorFile(writer.path(VECTORS)), chosen, writer, device, progress)
        return writer.finish(about)


def about_index(settings: BuildSettings, source: RowSource, rows: int, split: str | None = None) -> dict:
    """What a fresh index says of itself: how it was built, and of what; it is not tuned yet."""
    return {
        "backend": settings.backend,
        "modality": source.modality,
        "space": source.space.to_json(),
        "store": source.origin,
        "split": split,
        "rows": rows,
        "settings": settings.to_json(),
        "search": {},
        "tuned": None,
        **({} if source.pooling is None else {"pooling": source.pooling.to_json()}),
    }


def write_rows(sources: list[RowSource], writer: IndexWriter, progress: Progress) -> None:
    """Write the vectors of sources of one space, one after another, and what is known of the rows.

    Memory holds one block of vectors, and the texts.

    Raises:
        MismatchError, SpaceMismatchError: a block is not what its source says.
        VectorError: a row is not finite or not of unit length, or two rows have one id.
    """
    parts: list[Gallery] = []
    total = sum(map(len, sources))

    def pieces() -> Iterator[bytes]:
        yield npy_header((total, sources[0].space.dimension))
        done = 0
        for source in sources:
            for block in checked_blocks(source):
                parts.append(gallery_of(block, source.origin))
                yield np.ascontiguousarray(block.vectors, "<f4").tobytes()
                done += len(block)
                progress("rows read", done, total)

    writer.add(VECTORS, pieces())
    _require_each_once(parts)
    writer.add(ITEMS, pack_items(*parts))


def checked_blocks(source: RowSource) -> Iterator[Embeddings]:
    """Each block of a source in turn, checked.

    Raises:
        MismatchError, SpaceMismatchError: it is not what the source says.
        VectorError: a row is not finite or not of unit length.
    """
    for number, (size, block) in enumerate(zip(source.sizes, source.blocks(), strict=True)):
        if len(block) != size or block.modality != source.modality:
            raise MismatchError(
                f"block {number} has {len(block)} {block.modality} rows, its source says {size} {source.modality} rows"
            )
        require_same_space(block.space, f"block {number}", source.space, "its source")
        require_unit_rows(block.vectors, block.ids)
        yield block


def _require_each_once(parts: Sequence[Gallery]) -> None:
    twice = first_repeated(Texts.joined([part.ids for part in parts]))
    if twice is not None:
        raise VectorError(
            f"two {parts[0].modality} rows have the id {twice!r}: an answer could not say which is meant; "
            "give each item an id of its own and embed anew"
        )


def gallery_of(block: Embeddings, store: str) -> Gallery:
    """What is known of the rows of a block, in little memory."""
    return Gallery(
        ids=Texts.of(block.ids),
        identities=Texts.of(block.identities),
        columns={name: Texts.of(values) for name, values in block.columns.items()},
        modality=block.modality,
        space=block.space,
        store=store,
    )
