"""Random open-set searches with ties and missing probes, and their measures as plain loops."""

import math
from itertools import groupby

import numpy as np

from vfsearch.data.searches import NOBODY, Searches


def searches_of(table: np.ndarray, probes: np.ndarray, missing: np.ndarray, people: int, listed: int = 32) -> Searches:
    """Searches of a gallery of the identities 0, 1, ...: the columns of a table of scores."""
    gallery = table.shape[1]
    mated = probes < gallery
    mate = np.where(mated & ~missing, table[np.arange(len(probes)), np.minimum(probes, gallery - 1)], np.nan)
    order = np.argsort(-table, axis=1, kind="stable")[:, :listed]
    scores = np.take_along_axis(table, order, axis=1)
    return Searches(
        scores=np.where(missing[:, None], -np.inf, scores), candidates=np.where(missing[:, None], NOBODY, order),
        probes=probes, mated=mated, mate_scores=mate, above=(table > mate[:, None]).sum(axis=1),
        tied=np.where(np.isnan(mate), 0, (table == mate[:, None]).sum(axis=1) - 1), missing=missing, gallery=gallery,
        identities=[f"p{number:03d}" for number in range(people)],
    )  # fmt: skip


def random_table(seed: int, count: int = 40, gallery: int = 6, people: int = 12, levels: int = 6):
    """A table of scores (s, N), whom each search is for, and whether its probe is missing."""
    random = np.random.default_rng(seed)
    table = random.integers(0, levels, (count, gallery)) / 4 if levels else random.normal(size=(count, gallery))
    return table.astype(float), random.integers(0, people, count), random.random(count) < 0.1


def returned(row, threshold):
    """Numbers of the candidates at or above a threshold, best first, in blocks of equal scores."""
    listed = sorted((-score, number) for number, score in enumerate(row) if score >= threshold)
    return [[number for _, number in block] for _, block in groupby(listed, key=lambda each: each[0])]


def chance_found(row, mate, threshold, rank):
    """That the mate is among the first `rank` of those returned."""
    above = 0
    for block in returned(row, threshold):
        if mate in block:
            return min(max(rank - above, 0), len(block)) / len(block)
        above += len(block)
    return 0.0


def plain_fpir(table, probes, missing, threshold):
    others = [(row, gone) for row, probe, gone in zip(table, probes, missing, strict=True) if probe >= table.shape[1]]
    alarms = sum(bool(returned(row, threshold)) and not gone for row, gone in others)
    return alarms / len(others) if others else math.nan


def plain_detection(table, probes, missing, threshold, rank):
    """TPIR(T, R, N)."""
    mated = [each for each in zip(table, probes, missing, strict=True) if each[1] < table.shape[1]]
    found = [0.0 if gone else chance_found(row, probe, threshold, rank) for row, probe, gone in mated]
    return math.fsum(found) / len(found) if found else math.nan


def plain_threshold(table, probes, missing, fpir):
    """The smallest number of float64 whose FPIR is low enough: each best score, and the number after it, is tried."""
    best = {max(row) for row in table.tolist()}
    tried = {-math.inf, *best, *(math.nextafter(score, math.inf) for score in best)}
    good = [threshold for threshold in tried if plain_fpir(table, probes, missing, threshold) <= fpir]
    return min(good) if good else math.nan
