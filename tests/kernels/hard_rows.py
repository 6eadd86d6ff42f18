"""Queries and galleries that approximate products get wrong, on purpose."""

from collections.abc import Callable

import numpy as np
from builders import unit_rows

Rows = tuple[np.ndarray, np.ndarray]


def cast(rows: np.ndarray) -> np.ndarray:
    """float32; what gets smaller than its least number becomes zero without a word."""
    with np.errstate(under="ignore"):
        return np.asarray(rows).astype(np.float32)


def across(query: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """(count, d) unit rows perpendicular to a query."""
    drawn = random.normal(size=(count, len(query)))
    drawn -= np.outer(drawn @ query, query) / (query @ query)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def with_scores(query: np.ndarray, scores: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Unit rows in all directions that have these scores with a query, but for rounding to float32."""
    query = query.astype(np.float64)
    rest = np.sqrt(np.maximum(0, 1 - scores**2))
    return cast(scores[:, None] * query + rest[:, None] * across(query, len(scores), random))


def near_ties(
    spread: float, best: float, n: int = 4500, d: int = 128, queries: int = 3, seed: int = 0, close: int | None = None
) -> Rows:
    """Rows within `spread` below the best score of each query; the rows of the queries take turns.

    Args:
        spread: between the best and the last of them.
        best: their best score, about.
        n, d, queries: how many.
        seed: of what is drawn.
        close: how many rows of a query; the others score at least 0.2 less. None: all, more than any list of candidates
            has room for, so that approximate products must be given up.
    """
    random = np.random.default_rng(seed)
    asked = unit_rows(queries, d, seed + 1)
    vectors = np.empty((n, d), np.float32)
    for query in range(queries):
        scores = best - spread * random.random(len(vectors[query::queries]))
        if close is not None:
            far = random.permutation(len(scores))[close:]
            scores[far] = random.uniform(-0.9, best - 0.2, len(far))
        vectors[query::queries] = with_scores(asked[query], scores, random)
    return asked, vectors


def ever_closer(n: int = 4000, d: int = 129, seed: int = 0) -> Rows:
    """Distances to the best score from 2^-3 down to 2^-30, as many of each size."""
    random = np.random.default_rng(seed)
    asked = unit_rows(2, d, seed + 1)
    gaps = 2.0 ** -random.uniform(3, 30, n)
    return asked, np.concatenate([with_scores(row, 0.9 - gaps[i::2], random) for i, row in enumerate(asked)])


def against_rounding(midpoints: np.ndarray, step: np.ndarray, many: int, few_first: bool) -> Rows:
    """Rows whose entries all lie beside the middle of two representable numbers, so that errors do not cancel.

    The many lie above it in every dimension and are rounded up; the few lie below it and are rounded down, but one of
    their entries is a step higher, which makes them the best. The query weighs all dimensions alike. All other rows
    score clearly less.

    Args:
        midpoints: (d,) positive entries half way between two numbers.
        step: (d,) from one number to the next.
        many: how many; above the room of a list of candidates they must be decided otherwise.
        few_first: whether the few stand in front of the many or behind them.
    """
    random = np.random.default_rng(many)
    d = len(midpoints)
    query = np.full((1, d), d**-0.5, np.float32)
    order = np.argsort(random.random((3300, d)), axis=1)
    beside = step / (8 * d)
    rows = (midpoints + beside)[order]
    rows[many:] *= random.uniform(0.3, 0.8, (len(rows) - many, 1))
    few = (midpoints - beside)[order[:20]]
    lowest = np.argmin(midpoints)
    few[order[:20] == lowest] += step[lowest]
    return query, cast(np.concatenate([few, rows] if few_first else [rows[many:], rows[:many], few]))


def against_bfloat16(many: int, few_first: bool, d: int = 256) -> Rows:
    """`against_rounding` where numbers have 8 bits; entries of three binades, a query without an error of its own."""
    binade = d**-0.5 / np.array([1, 2, 4])[np.arange(d) % 3]
    place = np.random.default_rng(d).integers(0, 30, d)
    step = binade / 128
    return against_rounding(binade + (place + 0.5) * step, step, many, few_first)


def beside_a_large_entry(many: int, few_first: bool) -> Rows:
    """`against_bfloat16`, smaller, beside an entry of 1/2 that the query does not see: too fine for 8-bit steps."""
    query, vectors = against_bfloat16(many, few_first)
    random = np.random.default_rng(29)
    small = vectors.astype(np.float64) / 8
    others = np.linalg.norm(small, axis=1) < 0.9 * np.linalg.norm(small, axis=1).max()
    small[others] = small[~others][random.integers(0, 100, others.sum())] * random.uniform(
        0.85, 0.97, (others.sum(), 1)
    )
    whole = np.concatenate([np.full((len(small), 1), 0.5), small], axis=1)
    return np.concatenate([np.zeros((1, 1), np.float32), query], axis=1), cast(whole)


def against_steps(steps: int, many: int, few_first: bool, d: int = 127) -> Rows:
    """`against_rounding` where the largest entry of every row is divided into that many steps, both signs."""
    largest = 2 * d**-0.5
    step = largest / steps
    places = np.random.default_rng(d).integers(steps // 6, steps // 2, d)
    _, vectors = against_rounding((places + 0.5) * step, np.full(d, step), many, few_first)
    vectors = np.concatenate([vectors, np.full((len(vectors), 1), largest, np.float32)], axis=1)
    return np.full((1, d + 1), (d + 1) ** -0.5, np.float32), vectors


def against_running_sums(many: int = 120, few_first: bool = False) -> Rows:
    """Each step of a float32 sum in the order of the dimensions is rounded up by almost half a unit, or down.

    The first product is 1/4; the sum stays below 1/2, where a unit is 2^-25. Each further product is half a unit and a
    little more for the many, a little less for the few, above whole units. The others are too close for bfloat16 only.
    """
    random = np.random.default_rng(30)
    whole = random.integers(30_000, 40_000, (3300, 192)) * 2.0**-25
    whole += (0.2 - whole.sum(axis=1, keepdims=True)) / 192
    whole = np.floor(whole * 2**25) * 2.0**-25
    short = np.round((0.2 - whole.sum(axis=1)) * 2**25).astype(int)
    whole[:, :1] += short[:, None] * 2.0**-25
    products = whole + 2.0**-26 + 2.0**-30
    few = whole[:20] + 2.0**-26 - 2.0**-30
    few[:, 1] += 50 * 2.0**-25
    products[many:, 2:100] -= np.round(random.uniform(1, 20, (3300 - many, 1))) * 2.0**-23
    products = np.concatenate([few, products] if few_first else [products, few])
    query = np.concatenate([[0.5], np.full(192, 2.0**-4)])[None]
    return cast(query), cast(np.concatenate([np.full((len(products), 1), 0.5), products * 16], axis=1))


def last_places(n: int = 3400, d: int = 128, seed: int = 0) -> Rows:
    """One row again and again with a few entries moved by one unit in the last place."""
    random = np.random.default_rng(seed)
    base = unit_rows(1, d, seed)
    vectors = np.repeat(base, n, axis=0)
    for row in vectors:
        for column in random.integers(0, d, 3):
            row[column] = np.nextafter(row[column], np.float32(random.choice([-1, 1])))
    return np.concatenate([base, unit_rows(4, d, seed + 1)]), vectors


def one_row() -> Rows:
    """All rows equal."""
    return unit_rows(6, 65, 1), np.repeat(unit_rows(1, 65, 2), 3400, axis=0)


def few_rows_often() -> Rows:
    """3,500 rows, 9 of them different; some queries are among them."""
    rows = unit_rows(9, 33, 3)
    return np.concatenate([rows[:4], unit_rows(3, 33, 4)]), rows[np.random.default_rng(5).integers(0, 9, 3500)]


def dominant_entry(same_column: bool, size: float = 1e-3, n: int = 3400, d: int = 96) -> Rows:
    """One entry near 1 in each row; the others, which decide, are lost in steps of the largest."""
    random = np.random.default_rng(6)
    vectors = random.normal(size=(n, d)) * size
    columns = np.zeros(n, int) if same_column else random.integers(0, d, n)
    vectors[np.arange(n), columns] = 0
    vectors[np.arange(n), columns] = np.sqrt(1 - (vectors**2).sum(axis=1))
    asked = unit_rows(5, d, 7)
    asked[0] = np.eye(d)[0]
    return asked, cast(vectors)


def one_large_among_tiny(size: float, n: int = 3400, d: int = 40) -> Rows:
    """One row with an entry of 1 among rows of tiny entries: one scale for all rows would make them zeros."""
    vectors = np.random.default_rng(8).normal(size=(n, d)) * size
    vectors[n // 2] = np.eye(d)[3]
    return np.concatenate([unit_rows(5, d, 9), -np.eye(d)[3:4]]).astype(np.float32), cast(vectors)


def tiny_rows(size: float, n: int = 3400, d: int = 31) -> Rows:
    """Rows of hardly any length."""
    return unit_rows(6, d, 10), cast(unit_rows(n, d, 11).astype(np.float64) * size)


def tiny_before_low(size: float, n: int = 3400, d: int = 31) -> Rows:
    """128 rows of hardly any length are the best of all: the others score below -0.2."""
    asked, tiny = tiny_rows(size, 128, d)
    low = with_scores(asked[0], np.random.default_rng(31).uniform(-0.9, -0.2, n - 128), np.random.default_rng(32))
    return asked[:1], np.concatenate([tiny, low])


def lengths_mixed(n: int = 3400, d: int = 64) -> Rows:
    """Rows of every length from 1 down to denormals, and zeros of both signs."""
    vectors = unit_rows(n, d, 12).astype(np.float64) * 10.0 ** -(np.arange(n) % 46)[:, None]
    vectors[::17], vectors[5::17] = 0.0, -0.0
    return unit_rows(7, d, 13), cast(vectors)


def denormals_beside_ones(n: int = 3300) -> Rows:
    """Rows that differ in denormals alone: all tie."""
    vectors = np.zeros((n, 3), np.float32)
    vectors[:, 0], vectors[:, 1] = 1.0, np.arange(n) * 1e-45
    return np.array([[1.0, 1e-44, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]], np.float32), vectors


def zeros() -> Rows:
    """A gallery of zeros, half of them negative."""
    vectors = np.zeros((3300, 16), np.float32)
    vectors[::2] *= -1
    return unit_rows(6, 16, 14), vectors


def sparse() -> Rows:
    """Rows of four equal entries with signs among zeros: few scores, many ties, all at middles of 8-bit steps."""
    random = np.random.default_rng(15)
    vectors = np.zeros((3500, 64), np.float32)
    for row in vectors:
        row[random.choice(64, 4, replace=False)] = random.choice([-0.5, 0.5], 4)
    return np.concatenate([vectors[:4], unit_rows(3, 64, 16)]), vectors


def all_negative() -> Rows:
    """Every score is below zero."""
    return np.abs(unit_rows(6, 50, 17)), -np.abs(unit_rows(3400, 50, 18))


def opposite() -> Rows:
    """Every score is -1 as far as float32 rows go, and the same."""
    row = np.full((1, 64), 0.125, np.float32)
    return np.repeat(row, 6, axis=0), np.repeat(-row, 3300, axis=0)


def in_order(descending: bool, n: int = 5000, d: int = 128) -> Rows:
    """Scores of the first query that only rise, or only fall, with the row; those of its neighbours almost so."""
    random = np.random.default_rng(19)
    base = unit_rows(1, d, 20)
    scores = np.sort(random.uniform(-0.9, 0.9, n))
    vectors = with_scores(base[0], scores[::-1] if descending else scores, random)
    asked = np.repeat(base, 7, axis=0) + random.normal(size=(7, d)) * 1e-3 * (np.arange(7) > 0)[:, None]
    return cast(asked / np.linalg.norm(asked, axis=1, keepdims=True)), vectors


def best_last(n: int = 4000, d: int = 32) -> Rows:
    """Everything ties until the last 70 rows, which are all better."""
    base = unit_rows(2, d, 21)
    random = np.random.default_rng(22)
    filler = np.repeat(with_scores(base[0], np.array([0.1]), random), n - 70, axis=0)
    return base, np.concatenate([filler, with_scores(base[0], np.linspace(0.2, 0.21, 70), random)])


def signs() -> Rows:
    """One dimension: every row is 1 or -1."""
    return np.array([[1.0], [-1.0]], np.float32), unit_rows(3333, 1, 23)


def whole_steps(d: int = 640, n: int = 2400, best: float = 1.0) -> Rows:
    """Rows that 8-bit numbers hold exactly, so that only the rounding of bounds is left to go wrong.

    The query weighs all dimensions alike; a score is a whole number of steps, with ties, near `best` of the most.
    """
    random = np.random.default_rng(d)
    places = np.round(best * random.integers(100, 128, (n, d)))
    places[np.arange(n), random.integers(0, d, n)] = 127
    return np.full((1, d), d**-0.5, np.float32), cast(places * 2.0 ** -np.ceil(np.log2(127 * d**0.5)))


# Rows of any length, for distances


def any_length(scale: float, n: int = 3400, d: int = 48) -> Rows:
    """Queries and rows of about one length."""
    random = np.random.default_rng(24)
    return cast(random.normal(size=(6, d)) * scale), cast(random.normal(size=(n, d)) * scale)


def lengths_of_all_sizes(n: int = 3400, d: int = 40) -> Rows:
    """Queries and rows of lengths from 1e-18 to 1e6, mixed."""
    random = np.random.default_rng(25)
    scales = [10.0 ** random.integers(-18, 7, (count, 1)) for count in (7, n)]
    return tuple(cast(random.normal(size=(len(scale), d)) * scale) for scale in scales)


def far_from_the_origin(offset: float, spread: float, n: int = 3400, d: int = 64) -> Rows:
    """Rows close to one another and far from zero: |q|^2 - 2 q x + |x|^2 keeps hardly a digit of their distances."""
    random = np.random.default_rng(26)
    centre = random.normal(size=d) * offset
    return cast(centre + random.normal(size=(6, d)) * spread), cast(centre + random.normal(size=(n, d)) * spread)


def spheres(spread: float, n: int = 4500, d: int = 100) -> Rows:
    """Rows at almost one distance from each query."""
    random = np.random.default_rng(27)
    asked = random.normal(size=(2, d)) * 3
    around = random.normal(size=(n, d))
    around *= (5 * (1 + spread * random.random(n)) / np.linalg.norm(around, axis=1))[:, None]
    return cast(asked), cast(asked[np.arange(n) % 2] + around)


def shells(size: float, spread: float, n: int = 3400, d: int = 60) -> Rows:
    """Queries near the origin, 128 rows at almost one distance from it, and others half as far again."""
    random = np.random.default_rng(33)
    lengths = np.where(np.arange(n) < 128, 1 + spread * random.random(n), random.uniform(1.5, 2, n)) * size
    return cast(random.normal(size=(5, d)) * 1e-6 * size), cast(unit_rows(n, d, 34) * lengths[:, None])


def rows_below_the_last_digit(n: int = 3400, d: int = 48) -> Rows:
    """Rows so short that float64 hardly tells their distances to long queries; 128 are nearer than the others."""
    random = np.random.default_rng(35)
    asked = unit_rows(1, d, 36) * 1e3
    near = random.normal(size=(128, d)) * 1e-13
    far = -asked * random.uniform(0.001, 0.002, (n - 128, 1))
    return cast(asked), cast(np.concatenate([near, far]))


def small_integers(n: int = 3500, d: int = 12) -> Rows:
    """Few distances, many ties, some of them zero."""
    random = np.random.default_rng(28)
    vectors = random.integers(-1, 2, (n, d))
    return cast(np.concatenate([vectors[:4], np.zeros((2, d))])), cast(vectors)


def far_row_among_near(n: int = 3400, d: int = 30) -> Rows:
    """One row at 1e6, the rest within 1e-4 of the queries."""
    asked, vectors = far_from_the_origin(0.0, 1e-4, n, d)
    vectors[n // 3] = 1e6
    return asked, vectors


def the_row_itself(d: int = 33) -> Rows:
    """Queries that are rows, some of them several times."""
    asked, vectors = any_length(100.0, 3400, d)
    vectors[[7, 70, 700]] = asked[0]
    vectors[799] = asked[1]
    return asked, vectors


UNIT_ROWS: dict[str, Callable[[], Rows]] = {
    **{f"within 2^-{bits} of {best}": lambda bits=bits, best=best: near_ties(2.0**-bits, best, seed=bits)
       for bits in (5, 7, 8, 9, 12, 16, 20, 22, 24, 26) for best in (0.8,)},
    **{f"within 2^-{bits} of {best}": lambda bits=bits, best=best: near_ties(2.0**-bits, best, seed=bits)
       for bits in (8, 21) for best in (0.9999,)},
    **{f"within 2^-{bits} of {best}": lambda bits=bits, best=best: near_ties(2.0**-bits, best, seed=bits, queries=1)
       for bits in (8, 21) for best in (0.0, -0.5)},
    **{f"100 within 2^-{bits} of {best}": lambda bits=bits, best=best: near_ties(2.0**-bits, best, seed=bits, close=100)
       for bits in (4, 6, 8, 10, 14, 18, 21, 23, 25) for best in (0.6, 0.95)},
    "few dimensions, within 2^-9": lambda: near_ties(2.0**-9, 0.7, d=3),
    "many dimensions, within 2^-22": lambda: near_ties(2.0**-22, 0.7, n=2400, d=640),
    "ever closer": ever_closer,
    "last places": last_places,
    "all rows equal": one_row,
    "few rows often": few_rows_often,
    "dominant entry in one column": lambda: dominant_entry(True),
    "dominant entry anywhere": lambda: dominant_entry(False),
    "dominant entry, the rest below float32's steps": lambda: dominant_entry(True, 1e-7),
    "sparse": sparse,
    "all negative": all_negative,
    "all minus one": opposite,
    "ascending": lambda: in_order(False),
    "descending": lambda: in_order(True),
    "best last": best_last,
    "one dimension": signs,
    "denormals beside ones": denormals_beside_ones,
}  # fmt: skip
"""Name -> unit queries and unit rows."""

SHORT_ROWS: dict[str, Callable[[], Rows]] = {
    **{f"{named}, {many} up, best {'first' if first else 'last'}":
       lambda make=make, many=many, first=first: make(many, first)
       for named, make in (("bfloat16", against_bfloat16), ("beside a large entry", beside_a_large_entry))
       for many in (120, 3000) for first in (False, True)},
    **{f"{steps} steps, {many} up": lambda steps=steps, many=many: against_steps(steps, many, steps % 2 == 0)
       for steps in (63, 64, 127, 128, 254, 255) for many in (120, 3000)},
    "running sums, best first": lambda: against_running_sums(few_first=True),
    "running sums, best last": against_running_sums,
    **{f"tiny rows of {size:g} before low ones": lambda size=size: tiny_before_low(size)
       for size in (1e-6, 2e-7, 6e-8, 1e-20)},
    **{f"whole 8-bit steps, up to {best:g}": lambda best=best: whole_steps(best=best)
       for best in (-1.0, -0.2, 0.5, 1.0)},
    **{f"one large among {size:g}": lambda size=size: one_large_among_tiny(size)
       for size in (1e-2, 1e-4, 1e-7, 1e-20, 1e-41)},
    **{f"rows of length {size:g}": lambda size=size: tiny_rows(size) for size in (0.3, 1e-4, 1e-7, 1e-20, 1e-43)},
    "lengths mixed": lengths_mixed,
    "zeros": zeros,
}  # fmt: skip
"""Name -> unit queries and rows of any length up to one."""

ANY_ROWS: dict[str, Callable[[], Rows]] = {
    **{f"rows of size {scale:g}": lambda scale=scale: any_length(scale) for scale in (1e-30, 1e-18, 1.0, 1e6)},
    **{f"{offset:g} from the origin, {spread:g} apart": lambda offset=offset, spread=spread:
       far_from_the_origin(offset, spread) for offset, spread in ((1.0, 1e-3), (1e3, 1e-2), (1e6, 1.0))},
    **{f"spheres within 2^-{bits}": lambda bits=bits: spheres(2.0**-bits) for bits in (6, 9, 16, 22, 26)},
    **{f"shells of {size:g} within 2^-{bits}": lambda size=size, bits=bits: shells(size, 2.0**-bits)
       for size in (1e-3, 1e3) for bits in (8, 18, 22, 24)},
    "rows below the last digit": rows_below_the_last_digit,
    "lengths of all sizes": lengths_of_all_sizes,
    "small integers": small_integers,
    "far row among near": far_row_among_near,
    "the row itself": the_row_itself,
}  # fmt: skip
"""Name -> queries and rows of any length."""
