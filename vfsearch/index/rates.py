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
# Lines of other sizes and machines: `python benchmarks/index_rates.py --rows 1000000 --run NAME` prints them.
TABLE = """
one-thread exact 10000 128 0.0315; 1.0000 1.0000 9.124e+04 107.5 *
one-thread clustered 10000 128 0.588; 0.5984 0.6564 3.429e+05 17.27; 0.7323 0.7540 3.192e+05 18.06; 0.8035 0.8100
  3.094e+05 18.84; 0.9184 0.9117 2.25e+05 22.27; 0.9584 0.9526 2.144e+05 24.33; 0.9817 0.9766 1.92e+05 27.12 *; 0.9977
  0.9946 1.57e+05 33.07; 1.0000 1.0000 1.345e+05 38.65
one-thread flat 10000 128 0.106; 1.0000 1.0000 4.144e+04 66.57 *
one-thread sq8 10000 128 0.0393; 0.9918 0.9978 1.669e+04 77.61; 1.0000 1.0000 1.586e+04 81.75 *
one-thread ivf 10000 128 1.48; 0.6088 0.7970 4.243e+05 11.76; 0.7165 0.8482 3.062e+05 12.9; 0.8370 0.9003 1.508e+05
  15.9; 0.8988 0.9305 1.131e+05 19.76; 0.9310 0.9490 7.909e+04 24.04; 0.9520 0.9651 5.86e+04 28.54 *; 0.9620 0.9717
  5.079e+04 31.56; 0.9785 0.9815 3.666e+04 39.35; 0.9954 0.9944 2.219e+04 61.32; 0.9982 0.9980 1.621e+04 79.88; 1.0000
  0.9998 1.303e+04 105.3
one-thread ivf-sq8 10000 128 1.45; 0.5274 0.7514 3.921e+05 15.01; 0.6088 0.7970 2.233e+05 17.06; 0.7740 0.8733
  1.99e+05 18.02; 0.8370 0.9003 1.278e+05 21.25; 0.8988 0.9305 7.533e+04 27.33; 0.9310 0.9490 6.314e+04 30.3; 0.9520
  0.9651 5.593e+04 30.95 *; 0.9620 0.9717 5.262e+04 34.23; 0.9785 0.9815 3.973e+04 40.3; 0.9878 0.9919 2.642e+04
  55.55; 0.9904 0.9954 1.956e+04 70.55; 0.9982 0.9980 1.917e+04 72.13; 1.0000 0.9998 1.386e+04 95.69
one-thread ivf-pq 10000 128 1.73; 0.5277 0.7518 1.8e+05 18.9; 0.7165 0.8482 1.587e+05 21.5; 0.7758 0.8742 1.34e+05
  22.42; 0.9307 0.9489 7.896e+04 30.09; 0.9517 0.9649 6.675e+04 34.1; 0.9520 0.9651 4.878e+04 38.73 *; 0.9781 0.9813
  4.467e+04 42.47; 0.9881 0.9885 4.293e+04 51.05; 0.9972 0.9973 2.956e+04 72.54; 0.9988 0.9988 2.38e+04 91.46; 1.0000
  0.9997 1.336e+04 109.5
one-thread ivf-pq-disk 10000 128 4.12; 0.5277 0.7518 1.254e+05 22.84; 0.6088 0.7970 1.037e+05 24.69; 0.7758 0.8743
  7.108e+04 30.7; 0.8370 0.9003 4.059e+04 44.01; 0.8988 0.9305 3.355e+04 50; 0.9520 0.9651 2.426e+04 64.07 *; 0.9619
  0.9717 2.915e+04 55.42; 0.9785 0.9815 2.34e+04 64.93; 0.9885 0.9888 1.818e+04 78.73; 0.9953 0.9943 1.507e+04 94.73;
  0.9980 0.9978 1.168e+04 119.4; 0.9998 0.9995 8568 154
one-thread ivf-rabitq 10000 128 1.49; 0.5277 0.7518 1.428e+05 20.96; 0.6088 0.7970 8.576e+04 25.98; 0.8340 0.8999
  6.613e+04 32.43; 0.8984 0.9304 3.466e+04 46.26; 0.9299 0.9488 2.995e+04 53.32; 0.9479 0.9647 2.757e+04 58.96; 0.9497
  0.9647 2.715e+04 60 *; 0.9592 0.9794 2.686e+04 59.61; 0.9747 0.9811 1.922e+04 72.5; 0.9874 0.9937 1.501e+04 90.15;
  0.9925 0.9974 1.202e+04 111.2; 0.9963 0.9978 9532 138.2
one-thread hnsw 10000 128 0.494; 0.8226 0.9829 1.728e+05 18.77; 0.8935 0.9945 1.544e+05 21.36; 0.9332 0.9977 1.065e+05
  17.92; 0.9598 0.9986 8.023e+04 23.99; 0.9772 0.9991 6.232e+04 28.76; 0.9871 0.9993 4.347e+04 35.8; 0.9931 0.9993
  3.392e+04 49.18; 0.9961 0.9995 2.497e+04 65.31; 0.9973 0.9995 2.159e+04 68.86 *; 0.9980 0.9995 1.834e+04 78.87;
  0.9992 0.9996 1.274e+04 113.9; 0.9997 0.9996 9113 137.7
one-thread hnsw-sq8 10000 128 0.644; 0.8187 0.9837 1.828e+05 21.38; 0.8928 0.9945 9.888e+04 24.49; 0.9329 0.9977
  8.213e+04 28.04; 0.9699 0.9970 5.578e+04 37.67; 0.9765 0.9992 4.569e+04 43.85; 0.9870 0.9993 3.837e+04 50.27; 0.9928
  0.9993 2.69e+04 64.28; 0.9960 0.9995 2.014e+04 73.63; 0.9970 0.9995 1.822e+04 84.19 *; 0.9977 0.9995 1.487e+04
  98.08; 0.9988 0.9996 1.157e+04 122.7; 0.9997 0.9996 8232 175.7
one-thread hnswlib 10000 128 1.16; 0.8430 0.9923 1.6e+05 15.88; 0.9489 0.9988 1.434e+05 19.2; 0.9719 0.9993 7.212e+04
  29.46; 0.9861 0.9997 5.014e+04 34.96; 0.9932 0.9999 3.817e+04 47.62 *; 0.9938 1.0000 3.591e+04 49.08; 0.9965 1.0000
  2.385e+04 61.32; 0.9982 1.0000 1.743e+04 82.72; 0.9993 1.0000 1.464e+04 99.21; 0.9999 1.0000 1.187e+04 139.7
one-thread svs 10000 128 2.08; 0.9318 0.9998 1.1e+05 17.2; 0.9599 0.9999 8.757e+04 19.88; 0.9780 1.0000 6.612e+04
  24.6; 0.9893 1.0000 4.596e+04 33.09; 0.9942 1.0000 3.802e+04 40.16 *; 0.9947 1.0000 3.698e+04 40.93; 0.9980 1.0000
  2.785e+04 54.25; 0.9991 1.0000 2.147e+04 70.41; 0.9993 1.0000 1.653e+04 87.06
one-thread svs-int8 10000 128 1.94; 0.9241 0.9958 1.122e+05 24.26; 0.9535 0.9961 8.823e+04 27.14; 0.9784 1.0000
  6.637e+04 31.96; 0.9896 1.0000 4.852e+04 38.76; 0.9946 1.0000 3.824e+04 44.73 *; 0.9954 1.0000 3.715e+04 45.01;
  0.9990 1.0000 2.143e+04 69.76; 0.9993 1.0000 1.63e+04 87.61
one-thread exact 300000 128 0.751; 1.0000 1.0000 9029 1817 *
one-thread clustered 300000 128 8.29; 0.6967 0.8248 1.06e+05 32.92; 0.8877 0.9184 8.13e+04 52.14; 0.9626 0.9630
  5.782e+04 82.29 *; 0.9699 0.9678 7.184e+04 88.24; 0.9847 0.9788 4.248e+04 122; 0.9914 0.9852 3.929e+04 168.5; 0.9958
  0.9903 2.637e+04 235.7; 0.9982 0.9942 2.328e+04 323.5; 0.9998 0.9993 1.418e+04 708.9
one-thread svs-int8 300000 128 89.3; 0.8097 0.9902 4.473e+04 38.35; 0.8606 0.9906 2.941e+04 46.45; 0.9383 0.9989
  2.642e+04 65.74 *; 0.9384 0.9989 2.3e+04 70.42; 0.9404 0.9989 2.06e+04 71.98; 0.9488 0.9912 1.735e+04 94.76; 0.9798
  0.9997 1.364e+04 122.4; 0.9900 0.9997 7827 156.5; 0.9951 0.9998 5749 214.1; 0.9991 0.9999 2539 388.2; 0.9996 0.9999
  1896 572.5
one-thread hnsw 300000 128 43.3; 0.5673 0.9368 3.745e+04 33.52; 0.6789 0.9620 2.895e+04 42.48; 0.7540 0.9750 2.163e+04
  57.65; 0.8121 0.9838 1.577e+04 70.81; 0.8592 0.9871 1.222e+04 100.4; 0.9019 0.9899 9770 123.4; 0.9330 0.9914 6729
  178.2; 0.9570 0.9929 5045 233.1; 0.9651 0.9932 4275 256.2 *; 0.9726 0.9935 3680 306; 0.9827 0.9947 2656 399.7
one-thread ivf-pq 300000 128 6.86; 0.5977 0.7633 5.527e+04 45.11; 0.8204 0.8768 3.905e+04 64.16; 0.8812 0.9122
  2.885e+04 77.88; 0.9212 0.9321 1.933e+04 99.72; 0.9501 0.9546 1.81e+04 115.8; 0.9583 0.9557 1.555e+04 134.8 *;
  0.9664 0.9619 1.502e+04 150.5; 0.9761 0.9802 1.094e+04 200.2; 0.9888 0.9825 8351 251.1; 0.9977 0.9937 4824 404.6;
  0.9993 0.9983 2811 648.6
one-thread ivf 300000 128 5.74; 0.9597 0.9598 2852 413.7 *
one-thread ivf-sq8 300000 128 5.72; 0.9597 0.9598 5853 257 *
one-thread ivf-pq-disk 300000 128 9.65; 0.9591 0.9598 4102 297.9 *
one-thread ivf-rabitq 300000 128 6.03; 0.9079 0.9552 7518 240.3 *
one-thread flat 300000 128 0.986; 1.0000 1.0000 1667 6182 *
one-thread sq8 300000 128 0.991; 1.0000 1.0000 523.5 2200 *
one-thread hnsw-sq8 300000 128 40.2; 0.9644 0.9935 5235 239.1 *
one-thread hnswlib 300000 128 76.4; 0.9236 0.9967 8564 120.2 *
one-thread svs 300000 128 125; 0.9388 0.9995 1.749e+04 77.93 *
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
