"""Open-set identification: what scores without information give.

Such scores are drawn alike for every pair, so that each of N candidates is returned with one chance p, whoever is
searched for: FPIR = 1 - (1 - p)^N.
"""

import math

import numpy as np

from vfsearch.data.searches import Searches
from vfsearch.measure.identification import false_positive_rate
from vfsearch.measure.kind import Measure


def chance_level(measure: Measure, searches: Searches) -> float:
    """The value of a measure for scores without information.

    Args:
        measure: of identification.
        searches: of which only the number, the gallery's size and the share of missing probes are looked at; for
            FNIR at a threshold also the FPIR there.
    Returns:
        A fraction; NaN for FPIR at a threshold, which is no sign of information.
    """
    name, _, _ = measure.kind.template.partition("@")
    number, gallery = measure.parameter, searches.gallery
    there = _present(searches, searches.mated)
    if name == "FPIR" or not gallery:
        return math.nan
    if name == "mated-rank-{}":
        return there * min(number, gallery) / gallery
    if measure.kind.parameter == "score":
        number = false_positive_rate(searches, number)
    returned = _returned(number, searches)
    if name == "FNIR":
        return 1.0 - there * returned
    rank = int(name.partition("-")[2] or 1)
    return there * _first(min(rank, gallery), gallery, returned) / gallery


def _present(searches: Searches, part: np.ndarray) -> float:
    """The share of some searches that are not missing; NaN of none."""
    return 1.0 - float(searches.missing[part].mean()) if part.any() else math.nan


def _returned(fpir: float, searches: Searches) -> float:
    """p, the chance that a candidate is returned, of a search that is not missing."""
    present = _present(searches, ~searches.mated)
    if not present > 0:
        return math.nan if math.isnan(present) else 1.0
    fpir = min(1.0, fpir / present)
    return 1.0 if fpir == 1.0 else -math.expm1(math.log1p(-fpir) / searches.gallery)


def _first(rank: int, gallery: int, returned: float) -> float:
    """The mean of min(R, B), B of N candidates being returned: R - sum over i < R of (R - i) P(B = i)."""
    if math.isnan(returned) or returned == 1.0:
        return rank * returned
    few = range(rank)
    chances = [math.comb(gallery, i) * returned**i * (1.0 - returned) ** (gallery - i) for i in few]
    return rank - math.fsum((rank - i) * chance for i, chance in zip(few, chances, strict=True))
