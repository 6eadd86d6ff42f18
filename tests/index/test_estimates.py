"""Estimates from measured sizes, on tables made up so that the answer is known."""

import numpy as np
import pytest
from rate_tables import HERE, LINES, made_up

from vfsearch.errors import SettingsError
from vfsearch.index import estimates
from vfsearch.index.estimates import Range, estimate, growth_of
from vfsearch.index.presets import PRESETS
from vfsearch.index.rates import FLOORS, TABLE, Floors, lines, read_line


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    with made_up(monkeypatch):
        yield


def close(found: Range, value: float, factor: float = estimates.SPREAD) -> bool:
    return found.low == pytest.approx(value / factor) and found.high == pytest.approx(value * factor)


def test_what_was_measured_comes_back():
    found = estimate("hnsw", 10_000, 128, HERE)
    assert close(found.build_seconds, 2) and close(found.probes_per_second, 20_000)
    assert close(found.single_seconds, 100e-6)
    assert found.recall.low < 0.95 < 0.98 < found.recall.high


def test_between_two_sizes_by_their_ratio():
    found = estimate("hnsw", 100_000, 128, HERE)
    assert close(found.build_seconds, (2 * 800) ** 0.5) and close(found.probes_per_second, (20_000 * 10_000) ** 0.5)


def test_beyond_the_largest_ranges_widen():
    found = estimate("hnsw", 10_000_000, 128, HERE)
    factor = estimates.SPREAD * 10**estimates.SPREAD_OF_ROWS
    assert close(found.build_seconds, 800 * 10 ** growth_of("hnsw").build, factor)
    inside, outside = (estimate("hnsw", rows, 128, HERE).recall for rows in (1_000_000, 10_000_000))
    assert outside.low < inside.low and outside.high < 1
    assert estimate("exact", 1_000_000, 128, HERE).probes_per_second.middle == pytest.approx(5000)


def test_below_the_smallest():
    assert estimate("exact", 10_000, 128, HERE).probes_per_second.middle == pytest.approx(50_000 * 10**0.5)


def test_another_machine_by_its_floors():
    twice = Floors(batch=2e12, single=2e10, pairs=2e9, product=1e11, threads=4)
    found = estimate("hnsw", 10_000, 128, twice)
    # One graph search, and faiss putting rows into a graph, keep one thread busy: as quick as before.
    assert close(found.probes_per_second, 40_000) and close(found.single_seconds, 100e-6)
    assert close(found.build_seconds, 2)
    assert close(estimate("exact", 100_000, 128, twice).single_seconds, 0.5e-3)


def test_longer_rows_take_longer():
    short, long_ = (estimate("exact", 100_000, dimension, HERE).probes_per_second for dimension in (128, 512))
    assert short.middle / long_.middle == pytest.approx((512 + 4) / (128 + 4))
    assert long_.high / long_.low > short.high / short.low


def test_the_quickest_setting_that_finds_enough():
    at = estimate("hnsw", 10_000, 128, HERE, 0.95)
    # Easy probes are between the first two settings, hard ones at the second.
    assert at.probes_per_second.low == pytest.approx(20_000 / estimates.SPREAD)
    assert 20_000 < at.probes_per_second.high / estimates.SPREAD < 40_000
    assert at.recall.low >= 0.95
    more = estimate("hnsw", 10_000, 128, HERE, 0.99)
    assert more.probes_per_second.middle < at.probes_per_second.middle
    assert more.single_seconds.middle > at.single_seconds.middle


def test_what_nobody_measured_and_what_finds_too_little():
    assert estimate("svs", 10_000, 128, HERE) is None
    assert estimate("ivf", 100_000, 128, HERE, 0.99) is None
    assert estimate("exact", 100_000, 128, HERE, 1.0).recall == Range(low=1.0, high=1.0)


def test_figures_that_nobody_measured_are_left_to_other_sizes(monkeypatch):
    more = "quiet hnsw 100000 128 -; .7 - 30000 -; .95 - 8000 -"
    with made_up(monkeypatch, LINES + more):
        found, at = estimate("hnsw", 100_000, 128, HERE), estimate("hnsw", 100_000, 128, HERE, 0.95)
    # The settings are none that an index has from the start, and only hard probes asked.
    assert close(found.probes_per_second, (20_000 * 10_000) ** 0.5) and close(found.build_seconds, 40)
    assert at.probes_per_second.low == pytest.approx(8000 / estimates.SPREAD)
    assert at.probes_per_second.high > 8000 * estimates.SPREAD


def test_lines_that_are_none():
    with pytest.raises(SettingsError, match="no line of measured rates: 'quiet hnsw 10 128'"):
        read_line("quiet hnsw 10 128", {"quiet": HERE})
    with pytest.raises(SettingsError, match="no line of measured rates"):
        read_line("other hnsw 10 128 1; .9 .9 1 1 *", {"quiet": HERE})
    with pytest.raises(SettingsError, match="floors must be above 0"):
        Floors(batch=0, single=1, pairs=1, product=1, threads=1)


def test_the_table_that_is_shipped():
    read = [read_line(line, FLOORS) for line in lines(TABLE)]
    assert {line.preset for line in read} <= set(PRESETS)
    for line in read:
        assert sum(point.default for point in line.points) <= 1 and len(line.points) >= 1
        assert all(0 < point.hard <= 1 and not point.easy > 1 for point in line.points)
        assert all(point.probes_per_second > 0 and not point.single_seconds > 10 for point in line.points)
    whole = {line.preset for line in read if np.isfinite([line.build_seconds, *vars(line.default).values()]).all()}
    assert whole == {line.preset for line in read}
    assert {"exact", "hnsw", "ivf", "ivf-pq"} <= {line.preset for line in read}
