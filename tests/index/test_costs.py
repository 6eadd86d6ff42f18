"""Bytes that are told before a build, held against those of real small indices."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from faiss_galleries import faces_and_voices, source

from vfsearch.artefact import MANIFEST_NAME
from vfsearch.errors import SettingsError
from vfsearch.index.backends import BACKENDS, open_index
from vfsearch.index.building import build_index
from vfsearch.index.costs import MANIFEST_BYTES, PROCESS_BYTES, Costs, Size, costs, panel_bytes
from vfsearch.index.faiss_costs import faiss_costs
from vfsearch.index.presets import PRESETS
from vfsearch.index.settings import BuildSettings

CPU = [name for name, preset in PRESETS.items() if preset.device == "cpu"]
ROWS = 4000


def text_bytes(gallery) -> int:
    columns = [gallery.ids, gallery.identities, *gallery.columns.values()]
    return round(sum(8 * len(column) + sum(map(len, column)) for column in columns) / len(gallery.ids))


def told(settings: BuildSettings, rows: int, dimension: int, text: int = 40) -> Costs:
    kind = BACKENDS.load(settings.backend)
    return costs(kind.prepared(settings, rows, dimension), Size(rows=rows, dimension=dimension, text_bytes=text))


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dimension", [20, 64])
def test_bytes_of_real_indices(tmp_path, name, dimension):
    preset = PRESETS[name]
    if preset.backend in ("hnswlib", "svs"):
        pytest.importorskip(preset.backend)
    rows, _ = faces_and_voices(n=ROWS, d=dimension)
    artefact = build_index(tmp_path / "index", source(rows), preset.settings())
    index = open_index(tmp_path / "index")
    found = told(preset.settings(), ROWS, dimension, text_bytes(index.gallery))
    manifest = (tmp_path / "index" / MANIFEST_NAME).stat().st_size
    assert manifest < MANIFEST_BYTES
    disk = sum(facts["size"] for facts in artefact.files.values())
    assert found.disk - MANIFEST_BYTES == pytest.approx(disk, rel=0.03)
    if name == "exact":
        assert index.memory_bytes() <= found.memory
    elif name == "ivf-pq":
        # Room that faiss takes beyond what it writes to its file.
        assert index.memory_bytes() <= found.memory < 1.5 * index.memory_bytes()
    else:
        assert found.memory == pytest.approx(index.memory_bytes(), rel=0.05)
    assert found.mapped in (0, *range(rows.nbytes, 3 * rows.nbytes))


def test_what_the_exact_engine_keeps():
    from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8
    from vfsearch.kernels.search_gallery import search_gallery

    rows, _ = faces_and_voices(n=ROWS, d=20)
    quickest = next(kind for kind in (INT8, BF16, FLOAT32) if kind.here or kind is FLOAT32)
    panels = search_gallery(rows).panels(quickest)
    assert panel_bytes(Size(rows=ROWS, dimension=20)) == pytest.approx(panels.words.nbytes, rel=0.02)
    # More than the engine keeps is packed anew in each search.
    assert panel_bytes(Size(rows=10**8, dimension=128)) == 0


def test_worked_by_hand():
    exact = told(BuildSettings(backend="exact"), 1000, 16, 40)
    assert exact.disk == 1000 * 16 * 4 + 1000 * 40 + MANIFEST_BYTES and exact.mapped == 64_000
    # Links: 64 of the lowest layer and 32/31 of those above; level and offset; the row.
    assert faiss_costs("HNSW32,Flat", 1000, 1000, 16).file == 1000 * (64 + 4 + 8 + 256) + int(4000 * 32 / 31) + 150
    lists = faiss_costs("IVF64,PQ8", 5000, 5000, 16)
    assert lists.mapped == 5000 * (8 + 8) and lists.memory == 64 * (64 + 8) + 256 * 16 * 4 + 150
    assert lists.file == lists.mapped + lists.memory


@pytest.mark.parametrize("name", [name for name in CPU if PRESETS[name].backend in ("exact", "faiss", "clustered")])
def test_more_rows_never_take_less(name):
    sizes = [told(PRESETS[name].settings(), rows, 32) for rows in (1000, 10_000, 100_000, 1_000_000)]
    for less, more in itertools.pairwise(sizes):
        assert less.disk < more.disk and less.memory <= more.memory and less.build <= more.build


def test_ten_million_rows():
    packed = told(PRESETS["ivf-pq"].settings(), 10_000_000, 128)
    assert PROCESS_BYTES + packed.memory < 2 * 2**30 and PROCESS_BYTES + packed.build < 4 * 2**30
    graph = told(PRESETS["hnsw"].settings(), 10_000_000, 128)
    assert graph.memory > 7 * 2**30


def test_text_counts_on_disk_and_while_building():
    plain, wordy = (told(BuildSettings(backend="exact"), 1000, 16, text) for text in (0, 100))
    assert wordy.disk - plain.disk == 100_000 and wordy.build - plain.build == 360_000


def test_what_is_not_known():
    with pytest.raises(SettingsError, match=r"what an index of own:Index takes is not known before it is built"):
        costs(BuildSettings(backend="own:Index"), Size(rows=10, dimension=2))
    with pytest.raises(SettingsError, match=r"what a faiss index 'NSG32' takes is not known: Flat, SQ8, IVF and HNSW"):
        told(BuildSettings(backend="faiss", parameters={"factory": "NSG32"}), 1000, 16)


@pytest.mark.parametrize("change", [{"rows": 0}, {"dimension": 0}, {"text_bytes": -1}])
def test_sizes_check_themselves(change):
    with pytest.raises(SettingsError, match="want at least one row and dimension, got"):
        replace(Size(rows=10, dimension=2), **change)


def test_a_single_row():
    for name in ("exact", "flat", "hnsw"):
        assert told(PRESETS[name].settings(), 1, 4).disk > 16
    assert np.isfinite(told(PRESETS["ivf"].settings(), 1, 4).memory)
