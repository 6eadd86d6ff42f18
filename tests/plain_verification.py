"""Verification figures by plain loops and exact fractions, each as its source words it: what the fast ones must equal.

Scores and labels are lists here, and nothing is shared with the library.
"""

import bisect
import itertools
import math
from fractions import Fraction


def split(scores, mated) -> tuple[list[float], list[float]]:
    pairs = list(zip(map(float, scores), map(bool, mated), strict=True))
    return sorted(s for s, own in pairs if own), sorted(s for s, own in pairs if not own)


def share(count: int, of: list) -> Fraction:
    return Fraction(count, len(of))


def at_least(own: list, others: list, threshold: float) -> tuple[Fraction, Fraction]:
    """FMR and FNMR when scores from a threshold on are accepted."""
    accepted = len(others) - bisect.bisect_left(others, threshold)
    return share(accepted, others), share(bisect.bisect_left(own, threshold), own)


def curve(own: list, others: list) -> list[tuple[Fraction, Fraction]]:
    """(FMR, FNMR) from "accept none" to "accept all"."""
    thresholds = sorted({*own, *others}, reverse=True)
    return [(Fraction(0), Fraction(1)), *(at_least(own, others, each) for each in thresholds)]


def auc(own, others) -> Fraction:
    wins = sum(Fraction(2 * (a > b) + (a == b), 2) for a in own for b in others)
    return wins / (len(own) * len(others))


def crossing(points) -> Fraction:
    """Where the line through the points meets FMR = FNMR."""
    for (fmr, fnmr), (next_fmr, next_fnmr) in itertools.pairwise(points):
        gap, next_gap = fmr - fnmr, next_fmr - next_fnmr
        if gap <= 0 <= next_gap:
            return fmr if gap == next_gap else fmr + (next_fmr - fmr) * -gap / (next_gap - gap)
    raise AssertionError("a curve from (0, 1) to (1, 0) crosses the diagonal")


def eer(own, others) -> Fraction:
    return crossing(curve(own, others))


def distance(point) -> Fraction:
    return abs(point[0] - point[1])


def eer_nearest(own, others) -> Fraction:
    return sum(min(curve(own, others), key=distance)) / 2


def eer_nearest_max(own, others) -> Fraction:
    from sklearn.metrics import roc_curve

    labels = [True] * len(own) + [False] * len(others)
    # Ranks instead of scores: scikit-learn refuses -inf.
    ranks = {score: rank for rank, score in enumerate(sorted({*own, *others}))}
    _, _, thresholds = roc_curve(labels, [ranks[score] for score in own + others])
    of_ranks = [ranks[s] for s in own], [ranks[s] for s in others]
    return max(min((at_least(*of_ranks, each) for each in thresholds), key=distance))


def eer_speechbrain(own, others) -> Fraction:
    scores = sorted({*own, *others})
    middles = [(low + high) / 2 for low, high in itertools.pairwise(scores)]
    best = None
    for threshold in sorted(scores + middles):
        miss = share(sum(score <= threshold for score in own), own)
        false = share(sum(score > threshold for score in others), others)
        if best is None or abs(false - miss) < distance(best):
            best = false, miss
    return sum(best) / 2


def eer_kaldi(own, others) -> Fraction:
    for place, score in enumerate(own):
        allowed = len(others) * place // len(own)
        if place == len(own) - 1 or others[len(others) - 1 - allowed] < score:
            return share(place, own)
    raise AssertionError("the last mated score ends the search")


def calibrated(own, others) -> list[tuple[int, int]]:
    """Mated and other trials of each block that pooling adjacent violators makes, by rising score."""
    blocks: list[tuple[int, int]] = []
    for score in sorted({*own, *others}):
        blocks.append((own.count(score), others.count(score)))
        while len(blocks) > 1 and Fraction(blocks[-2][0], sum(blocks[-2])) >= Fraction(blocks[-1][0], sum(blocks[-1])):
            (a, b), (c, d) = blocks.pop(), blocks.pop()
            blocks.append((a + c, b + d))
    return blocks


def eer_convex_hull(own, others) -> Fraction:
    fmr, fnmr, points = Fraction(1), Fraction(0), [(Fraction(1), Fraction(0))]
    for mates, strangers in calibrated(own, others):
        fmr, fnmr = fmr - share(strangers, others), fnmr + share(mates, own)
        points.append((fmr, fnmr))
    return crossing(points[::-1])


def eer_midpoint(own, others) -> Fraction:
    points = curve(own, others)
    strictest = next(point for point in points if point[1] <= point[0])
    laxest = next(point for point in reversed(points) if point[1] >= point[0])
    return (sum(strictest) if sum(strictest) <= sum(laxest) else sum(laxest)) / 2


def min_dcf(own, others, prior) -> float:
    return min(prior * float(fnmr) + (1 - prior) * float(fmr) for fmr, fnmr in curve(own, others)) / min(
        prior, 1 - prior
    )


def act_dcf(own, others, prior) -> float:
    fmr, fnmr = at_least(own, others, math.log((1 - prior) / prior))
    return (prior * float(fnmr) + (1 - prior) * float(fmr)) / min(prior, 1 - prior)


def tar_at_far(own, others, rate) -> Fraction:
    return max(1 - fnmr for fmr, fnmr in curve(own, others) if float(fmr) <= rate)


def bits(score: float) -> float:
    """log2(1 + e^-score)."""
    if score == -math.inf:
        return math.inf
    return (math.log1p(math.exp(-abs(score))) + max(-score, 0.0)) / math.log(2)


def cllr(own, others) -> float:
    mated = math.fsum(bits(score) for score in own) / len(own)
    return (mated + math.fsum(bits(-score) for score in others) / len(others)) / 2


def min_cllr(own, others) -> float:
    total = 0.0
    for mates, strangers in calibrated(own, others):
        own_share, other_share = mates / len(own), strangers / len(others)
        if mates and strangers:
            ratio = math.log(own_share / other_share)
            total += own_share * bits(ratio) + other_share * bits(-ratio)
    return total / 2


FIGURES = {
    "AUC": auc,
    "EER": eer,
    "EER(roc-brentq)": eer,
    "EER(nearest)": eer_nearest,
    "EER(nearest-max)": eer_nearest_max,
    "EER(convex-hull)": eer_convex_hull,
    "EER(speechbrain)": eer_speechbrain,
    "EER(kaldi)": eer_kaldi,
    "EER(midpoint)": eer_midpoint,
    "minDCF(0.01)": lambda own, others: min_dcf(own, others, 0.01),
    "minDCF(0.7)": lambda own, others: min_dcf(own, others, 0.7),
    "actDCF(0.3)": lambda own, others: act_dcf(own, others, 0.3),
    "FMR@T=0.5": lambda own, others: at_least(own, others, 0.5)[0],
    "FNMR@T=1": lambda own, others: at_least(own, others, 1.0)[1],
    "FNMR@FMR=0.1": lambda own, others: 1 - tar_at_far(own, others, 0.1),
    "TAR@FAR=0.25": lambda own, others: tar_at_far(own, others, 0.25),
    "Cllr": cllr,
    "minCllr": min_cllr,
}
"""By the name of the measure."""
