"""The least search settings that are good enough: recall rises with every knob, and so does the time of a search."""

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vfsearch.index.settings import Knob
from vfsearch.index.sweep import Measured

TOO_SLOW, CONTENDS = 1.5, 1.3
"""Times the cost of the best setting so far: above the first nothing is tried further, above the second not refined."""
FINE = 0.02
"""Steps of a knob below this share of its value move the cost by less than can be measured."""

Measure = Callable[[Mapping[str, int]], Measured]


@dataclass(frozen=True, kw_only=True)
class Climb:
    """How settings are judged.

    Args:
        measure: measures a setting; asked for the same one again it gives what it gave.
        reaches: whether that is good enough; once it is, more of any knob is too.
        cost: what a search costs, roughly.
    """

    measure: Measure
    reaches: Callable[[Measured], bool]
    cost: Callable[[Measured], float]


def reaching(knobs: Sequence[Knob], climb: Climb) -> list[Measured]:
    """Settings that are good enough, the quickest of all such ones among them.

    With the other knobs at their defaults, the least good value of the first is looked for: from its default by
    doubling, then by bisection. The same follows for neighbouring values of the others as long as it is about as quick
    as the best so far; more of the others never wants more of the first, and what is far too slow before it is good
    enough is given up. Where it contends for the quickest, the first is refined between the steps of its ladder.

    Args:
        knobs: of the index, that of the search before those of what follows it (`refine`).
        climb: how settings are judged.
    Returns:
        At most one setting for each value of the other knobs, cheapest first; empty: nothing is good enough.
    """
    if not knobs:
        only = climb.measure({})
        return [only] if climb.reaches(only) else []
    main, *others = knobs
    walks = _walks(main, others, climb)
    best = _best(walks, climb)
    contending = [each for each in walks if each.reached and climb.cost(each.reached) <= CONTENDS * best]
    return sorted((_between(main, each, climb) for each in contending), key=climb.cost)


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """The main knob at one value of each other one.

    Args:
        values: of the others.
        place: on the main knob's ladder, up to which nothing less is good enough.
        reached: what was measured there; None: it is not good enough, and no more was tried.
    """

    values: tuple[int, ...]
    place: int
    reached: Measured | None


def _walks(main: Knob, others: Sequence[Knob], climb: Climb) -> list[_Walk]:
    """Walks at values of the other knobs: their defaults, then the neighbours of those that are among the quickest."""
    ladders = [sorted({*knob.ladder, knob.default}) for knob in others]
    waiting = [tuple(ladder.index(knob.default) for ladder, knob in zip(ladders, others, strict=True))]
    seen, walks = set(waiting), []
    while waiting:
        places = waiting.pop(0)
        values = tuple(ladder[place] for ladder, place in zip(ladders, places, strict=True))
        walk = _walk(main, others, values, walks, climb)
        walks.append(walk)
        fresh = [each for each in _next_to(places, walk, _best(walks, climb), climb) if each not in seen]
        fresh = [each for each in fresh if all(0 <= a < len(ladder) for a, ladder in zip(each, ladders, strict=True))]
        waiting += fresh
        seen.update(fresh)
    return walks


def _next_to(places: tuple[int, ...], walk: _Walk, best: float, climb: Climb) -> Iterator[tuple[int, ...]]:
    """Where to look next: on all sides of what is among the quickest; upwards while nothing is good enough."""
    if walk.reached is None and best < float("inf"):
        return
    if walk.reached is not None and climb.cost(walk.reached) > CONTENDS * best:
        return
    for knob in range(len(places)):
        for step in (1, -1) if walk.reached else (1,):
            yield tuple(place + step * (other == knob) for other, place in enumerate(places))


def _best(walks: Sequence[_Walk], climb: Climb) -> float:
    return min((climb.cost(each.reached) for each in walks if each.reached), default=float("inf"))


def _walk(main: Knob, others: Sequence[Knob], values: tuple[int, ...], before: Sequence[_Walk], climb: Climb) -> _Walk:
    """The least good step of the main knob's ladder, less than which other walks say is not good enough."""
    rest = {knob.name: value for knob, value in zip(others, values, strict=True)}
    last, most = len(main.ladder) - 1, TOO_SLOW * _best(before, climb)
    low = max((each.place for each in before if _all_at_least(each.values, values)), default=0)
    # Good enough with less of the others, and so with these.
    high = min((each.place for each in before if each.reached and _all_at_least(values, each.values)), default=None)
    place, failed = low if before else _place_of_default(main), low - 1

    def at(step: int) -> Measured:
        return climb.measure({main.name: main.ladder[step], **rest})

    while not climb.reaches(at(place)):
        if place == last or climb.cost(at(place)) > most:
            return _Walk(values=values, place=place, reached=None)
        failed, place = place, _doubled(main, place) if high is None or high <= place else high
    while place - failed > 1:
        middle = (failed + place) // 2
        failed, place = (failed, middle) if climb.reaches(at(middle)) else (middle, place)
    return _Walk(values=values, place=place, reached=at(place))


def _all_at_least(values: tuple[int, ...], others: tuple[int, ...]) -> bool:
    return all(value >= other for value, other in zip(values, others, strict=True))


def _place_of_default(knob: Knob) -> int:
    return min(bisect.bisect_left(knob.ladder, knob.default), len(knob.ladder) - 1)


def _doubled(knob: Knob, place: int) -> int:
    """The place of about twice the value: what overshoots costs at most as much again as all before."""
    twice = bisect.bisect_right(knob.ladder, 2 * knob.ladder[place]) - 1
    return min(len(knob.ladder) - 1, max(place + 1, twice))


def _between(main: Knob, walk: _Walk, climb: Climb) -> Measured:
    """The least good value above the step of the ladder before the one that is good."""
    reached = walk.reached
    if not walk.place:
        return reached
    low, high = main.ladder[walk.place - 1], main.ladder[walk.place]
    while high - low > max(1, FINE * high):
        middle = (low + high) // 2
        measured = climb.measure({**reached.settings, main.name: middle})
        if climb.reaches(measured):
            high, reached = middle, measured
        else:
            low = middle
    return reached


def stepped_up(knob: Knob, value: int) -> int | None:
    """A twentieth more of a knob, at least one more; None where there is no more.

    Example:
        >>> window = Knob(name="window", default=40, low=1, high=100, ladder=(10, 100), help="")
        >>> stepped_up(window, 40), stepped_up(window, 99), stepped_up(window, 100)
        (42, 100, None)
    """
    return None if value >= knob.high else min(knob.high, max(value + 1, round(value * 1.05)))
