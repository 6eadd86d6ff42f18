"""How fast indices were built and searched where that was measured: what plans are estimated from.

Galleries were faces of generated people (`benchmarks/cross_modal.py`), 128 dimensions, ten faces a person. Each kind of
index was asked by voices of these people, which do not follow the distribution of faces (hard probes), and by faces of
the gallery, each less itself (easy probes): real probes are somewhere between. `benchmarks/index_rates.py` measures all
this and prints the lines below; floors of the machine were measured in the same run, so that another machine's figures
follow from its own floors.
"""

import re
from dataclasses import dataclass
from functools import cache
from math import nan

from vfsearch.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class Floors:
    """What a machine does at most, all threads together, in numbers (rows x dimensions) a second.

    Args:
        batch: compared by our exact kernel, 1,024 probes at once.
        single: compared by it, one probe at a time.
        pairs: of single rows anywhere in memory, compared with single probes.
        product: multiplied as float32 matrices by torch.
        threads: that computed.
    """

    batch: float
    single: float
    pairs: float
    product: float
    threads: int

    def __post_init__(self) -> None:
        if min(vars(self).values()) <= 0:
            raise SettingsError(f"floors must be above 0, got {vars(self)}")


@dataclass(frozen=True, kw_only=True)
class RatePoint:
    """One search setting, measured.

    Args:
        hard, easy: recall of the ten exact neighbours, of hard and of easy probes.
        probes_per_second: of 2,000 hard probes at once.
        single_seconds: of one that comes alone, in the median.
        default: an index that was not tuned searches so.
    """

    hard: float
    easy: float
    probes_per_second: float
    single_seconds: float
    default: bool = False


UNKNOWN = RatePoint(hard=nan, easy=nan, probes_per_second=nan, single_seconds=nan)


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """One kind of index at one size.

    Args:
        preset: which kind.
        rows, dimension: of the gallery.
        floors: of the machine, in the same run.
        build_seconds: what building took; NaN where that is not known, as any figure of a point.
        points: search settings, least recall of hard probes first.
    """

    preset: str
    rows: int
    dimension: int
    floors: Floors
    build_seconds: float
    points: tuple[RatePoint, ...]

    @property
    def default(self) -> RatePoint:
        """The setting that an index has from the start; all of it unknown where that was not measured."""
        return next((point for point in self.points if point.default), UNKNOWN)


FLOORS = {
    "one-thread": Floors(
        batch=188000000000.0, single=37800000000.0, pairs=3500000000.0, product=52700000000.0, threads=1
    ),
}
"""Name of a run -> floors of its machine."""
# Runs at 1, 3 and 10 million rows go into both tables: `python benchmarks/index_rates.py --rows 1000000` prints them.
TABLE = """
one-thread exact 10000 128 0.0354; 1.0000 1.0000 8.992e+04 111.9 *
one-thread clustered 10000 128 0.622; 0.5984 0.6564 3.195e+05 103.9 *; 0.7323 0.7540 2.85e+05 107; 0.8035 0.8100
  2.663e+05 106.5; 0.8636 0.8622 2.371e+05 110.5; 0.9184 0.9117 2.08e+05 112.9; 0.9584 0.9526 1.919e+05 115.5; 0.9843
  0.9794 1.675e+05 120.9; 0.9977 0.9946 1.375e+05 128.5; 1.0000 1.0000 1.252e+05 135.6
one-thread flat 10000 128 0.0863; 1.0000 1.0000 3.833e+04 78.57 *
one-thread sq8 10000 128 0.0476; 0.9918 0.9978 1.274e+04 107.7; 1.0000 1.0000 1.219e+04 111.8 *
one-thread ivf 10000 128 1.65; 0.5277 0.7518 3.658e+05 15.64; 0.6088 0.7970 3.162e+05 16.09; 0.7165 0.8482 2.32e+05
  17.51; 0.8370 0.9003 1.364e+05 20.5; 0.8988 0.9305 9.719e+04 24.36; 0.9310 0.9490 7.244e+04 28.26; 0.9520 0.9651
  5.517e+04 32.94 *; 0.9620 0.9717 4.837e+04 36.38; 0.9785 0.9815 3.56e+04 45.64; 0.9954 0.9944 2.121e+04 69.17;
  0.9982 0.9980 1.557e+04 88.72; 1.0000 0.9998 1.127e+04 115.6
one-thread ivf-sq8 10000 128 1.51; 0.5274 0.7514 3.631e+05 26.33; 0.6088 0.7970 2.433e+05 28.25; 0.7740 0.8733
  1.802e+05 30.02; 0.8346 0.8990 1.459e+05 31.78; 0.8949 0.9289 1.009e+05 35.74; 0.9258 0.9472 7.414e+04 41.26; 0.9520
  0.9651 5.654e+04 46.81 *; 0.9620 0.9717 4.575e+04 53.89; 0.9785 0.9815 3.331e+04 64.91; 0.9885 0.9888 2.811e+04
  67.46; 0.9982 0.9980 1.643e+04 100.1; 1.0000 0.9998 1.149e+04 134.9
one-thread ivf-pq 10000 128 2.05; 0.5277 0.7518 1.561e+05 30.98; 0.5277 0.7518 1.467e+05 48.17; 0.7165 0.8482
  1.447e+05 34.6; 0.7758 0.8742 1.086e+05 39.44; 0.8370 0.9003 8.641e+04 59.72; 0.9307 0.9489 7.295e+04 44.44; 0.9520
  0.9651 5.007e+04 59.64 *; 0.9616 0.9715 6.896e+04 78.56; 0.9881 0.9885 3.782e+04 88.54; 0.9954 0.9942 2.485e+04
  79.11; 0.9981 0.9978 2.252e+04 89.78; 0.9989 0.9990 1.612e+04 116.4; 1.0000 0.9997 1.209e+04 122.7
one-thread ivf-pq-disk 10000 128 4.25; 0.5277 0.7518 1.093e+05 36.28; 0.7165 0.8482 5.04e+04 54.85; 0.7758 0.8743
  6.651e+04 45.56; 0.8988 0.9305 4.381e+04 55.98; 0.8988 0.9305 3.413e+04 70.61; 0.9310 0.9490 2.721e+04 77.35; 0.9520
  0.9651 2.53e+04 65.83; 0.9520 0.9651 2.123e+04 84.37 *; 0.9620 0.9717 1.725e+04 90.61; 0.9785 0.9815 2.151e+04
  83.31; 0.9885 0.9888 1.239e+04 119.7; 0.9953 0.9943 1.377e+04 110.8; 0.9998 0.9995 9317 172.4
one-thread ivf-rabitq 10000 128 1.66; 0.5277 0.7518 1.494e+05 31.55; 0.6088 0.7970 6.695e+04 37.86; 0.7747 0.8740
  6.695e+04 38.6; 0.8369 0.9003 4.18e+04 50.64; 0.9203 0.9483 3.63e+04 51.14; 0.9497 0.9647 2.47e+04 69.21 *; 0.9592
  0.9713 2.204e+04 74.39; 0.9673 0.9866 2.169e+04 79.53; 0.9774 0.9814 1.403e+04 108.8; 0.9880 0.9888 1.076e+04 121.6;
  0.9929 0.9975 1.122e+04 127.4; 0.9945 0.9992 8476 154.5; 0.9990 0.9996 6778 182.1
one-thread hnsw 10000 128 0.515; 0.8226 0.9829 1.693e+05 17.66; 0.8935 0.9945 1.413e+05 20.68; 0.9332 0.9977 8.812e+04
  23.54; 0.9598 0.9986 8.934e+04 27.6; 0.9772 0.9991 6.907e+04 34.85; 0.9871 0.9993 4.13e+04 40.32; 0.9931 0.9993
  3.075e+04 55.74; 0.9961 0.9995 2.485e+04 67.3; 0.9973 0.9995 1.656e+04 75.37 *; 0.9980 0.9995 1.573e+04 98.42;
  0.9992 0.9996 1.088e+04 117.9; 0.9997 0.9996 8538 166.4
one-thread hnsw-sq8 10000 128 0.609; 0.8187 0.9837 1.594e+05 33.06; 0.8928 0.9945 8.766e+04 38.19; 0.9287 0.9956
  9.426e+04 54.17; 0.9543 0.9966 7.313e+04 44.17; 0.9699 0.9970 5.348e+04 49.47; 0.9797 0.9971 3.721e+04 56.55; 0.9870
  0.9993 3.675e+04 59.03; 0.9896 0.9973 1.728e+04 104.9; 0.9928 0.9993 2.708e+04 105.9; 0.9970 0.9995 1.669e+04 112.7;
  0.9970 0.9995 1.968e+04 134.2 *; 0.9977 0.9995 1.446e+04 110.6; 0.9997 0.9996 8863 208
one-thread hnswlib 10000 128 1.04; 0.8979 0.9958 1.101e+05 21.74; 0.9489 0.9988 9.336e+04 28.92; 0.9719 0.9993
  1.149e+05 34.79; 0.9861 0.9997 9.169e+04 38.12; 0.9932 0.9999 4.567e+04 52.56 *; 0.9938 1.0000 4.535e+04 56.21;
  0.9965 1.0000 3.581e+04 64.29; 0.9982 1.0000 2.147e+04 101.2
one-thread svs 10000 128 2.56; 0.9318 0.9998 1.085e+05 28.2; 0.9599 0.9999 6.294e+04 31.99; 0.9780 1.0000 6.445e+04
  38.48; 0.9893 1.0000 4.144e+04 46.86; 0.9942 1.0000 2.991e+04 57.68 *; 0.9947 1.0000 2.14e+04 58.43; 0.9980 1.0000
  1.748e+04 77.04; 0.9991 1.0000 1.404e+04 109.2; 0.9993 1.0000 1.121e+04 112.3
one-thread svs-int8 10000 128 2.11; 0.9241 0.9958 8.476e+04 45.59; 0.9535 0.9961 5.705e+04 49.82; 0.9784 1.0000
  4.741e+04 55.51; 0.9946 1.0000 3.129e+04 69.96; 0.9946 1.0000 2.939e+04 71.23 *; 0.9954 1.0000 2.866e+04 70.75;
  0.9979 1.0000 2.59e+04 87.5; 0.9990 1.0000 1.762e+04 100.1; 0.9993 1.0000 1.088e+04 126.9
"""
"""A line: run, preset, rows, dimensions, seconds of building, then for each setting the recall of hard and of easy
probes, probes a second, and microseconds of a single probe; a star stands behind those of the default,
and - for what is not known."""


@cache
def anchors(preset: str) -> tuple[Anchor, ...]:
    """What was measured of a kind of index, fewest rows first; () where nothing was."""
    found = [read_line(line, FLOORS) for line in lines(TABLE) if line.split()[1] == preset]
    return tuple(sorted(found, key=lambda anchor: anchor.rows))


def lines(table: str) -> list[str]:
    """The lines of a table; what is indented goes on with the line before.

    Example:
        >>> lines("one: 1;\\n  2\\ntwo: 3")
        ['one: 1; 2', 'two: 3']
    """
    return [" ".join(line.split()) for line in re.split(r"\n(?=\S)", table.strip())] if table.strip() else []


def read_line(line: str, floors: dict[str, Floors]) -> Anchor:
    """A line of the table.

    Raises:
        SettingsError: it is none.

    Example:
        >>> here = Floors(batch=1e12, single=1e10, pairs=1e9, product=1e11, threads=2)
        >>> read_line("quiet hnsw 10000 128 1.5; .9 .95 20000 80 *; .99 1 9000 170", {"quiet": here}).default.easy
        0.95
    """
    try:
        head, *points = line.split(";")
        run, preset, rows, dimension, seconds = head.split()
        read = [point.split() for point in points]
        return Anchor(
            preset=preset, rows=int(rows), dimension=int(dimension), floors=floors[run], build_seconds=_number(seconds),
            points=tuple(
                RatePoint(hard=_number(each[0]), easy=_number(each[1]), probes_per_second=_number(each[2]),
                          single_seconds=_number(each[3]) * 1e-6, default=each[4:] == ["*"])
                for each in read
            ),
        )  # fmt: skip
    except (ValueError, KeyError, IndexError) as error:
        raise SettingsError(f"no line of measured rates: {line!r} ({error})") from error


def _number(text: str) -> float:
    return nan if text == "-" else float(text)
