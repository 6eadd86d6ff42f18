"""Which search settings of an index are worth measuring: its ladder climbed, what something else beats left out."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from vfsearch.index.base import Index
from vfsearch.index.settings import Knob
from vfsearch.index.sweep import Measured, SearchProblem, measure_setting

RATIO = 1.4
"""Between values of the first knob that are tried: their figures differ by more than the clock's scatter."""
FULL, GAIN = 0.9995, 0.0005
"""Recall above which more is no more, and the least that a step must give to be followed by another."""
SLACK = 1.3
"""What is so many times as fast and finds as much surely beats a setting, whatever else the machine was doing."""
LEAST_RECALL = 0.5
MOST_POINTS = 12


def rungs(knob: Knob) -> list[int]:
    """Values of the first knob to try: its ladder with wider steps, and its default.

    Example:
        >>> rungs(Knob(name="ef", default=10, low=1, high=20, ladder=(4, 5, 6, 7, 8, 9, 11, 13, 20), help=""))
        [4, 6, 9, 10, 13, 20]
    """
    chosen: list[int] = []
    for value in knob.ladder:
        if not chosen or value >= RATIO * chosen[-1]:
            chosen.append(value)
    return sorted({*chosen, knob.default, knob.ladder[-1]})


def beside(knob: Knob) -> list[int]:
    """Values of a further knob to try: its default and the next ones on its ladder.

    Example:
        >>> beside(Knob(name="refine", default=16, low=0, high=64, ladder=(1, 2, 4, 8, 16, 32, 64), help=""))
        [8, 16, 32]
    """
    lower = [value for value in knob.ladder if value < knob.default]
    higher = [value for value in knob.ladder if value > knob.default]
    return [*lower[-1:], knob.default, *higher[:1]]


def swept(index: Index, problem: SearchProblem, slow: float) -> list[Measured]:
    """What settings of an index find, and roughly how fast; the default is among them.

    With each setting of the further knobs the first is raised until it finds nearly all, finds no more than before, or
    is slow.

    Args:
        index: to be searched.
        problem: probes and their exact neighbours.
        slow: probes a second; below, more of the first knob than its default is not tried.
    """
    if not index.knobs:
        return [measure_setting(index, {}, problem, "batch")]
    main, *others = index.knobs
    combined = itertools.product(*map(beside, others))
    named = [{knob.name: value for knob, value in zip(others, values, strict=True)} for values in combined]
    return [each for values in named for each in _climbed(index, main, values, problem, slow)]


def _climbed(
    index: Index, main: Knob, others: Mapping[str, int], problem: SearchProblem, slow: float
) -> Iterator[Measured]:
    before = -1.0
    for value in rungs(main):
        measured = measure_setting(index, {main.name: value, **others}, problem, "batch")
        yield measured
        found, rate = measured.recall.value, measured.speed.probes_per_second
        if value >= main.default and (found >= FULL or found - before < GAIN or rate < slow):
            return
        before = found


def worth_timing(found: Sequence[Measured], default: Mapping[str, int]) -> list[Measured]:
    """Settings that none surely beats both in what it finds and in speed, and the default; least recall first.

    Args:
        found: what was swept.
        default: knob -> value.
    """
    best = [each for each in found if each.recall.value >= LEAST_RECALL and not _beaten(each, found)]
    best.sort(key=lambda each: each.recall.value)
    spread = best if len(best) <= MOST_POINTS else _spread(best)
    usual = [each for each in found if dict(each.settings) == dict(default)]
    chosen = {tuple(sorted(each.settings.items())): each for each in (*spread, *usual[:1])}
    return sorted(chosen.values(), key=lambda each: each.recall.value)


def _beaten(one: Measured, found: Sequence[Measured]) -> bool:
    rate = SLACK * one.speed.probes_per_second
    return any(each.recall.value >= one.recall.value and each.speed.probes_per_second > rate for each in found)


def _spread(found: Sequence[Measured]) -> list[Measured]:
    """As many as are timed, the first and the last among them."""
    step = (len(found) - 1) / (MOST_POINTS - 1)
    return [found[round(place * step)] for place in range(MOST_POINTS)]
