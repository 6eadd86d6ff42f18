import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.index.climbing import Climb, reaching, stepped_up
from vfsearch.index.settings import Knob
from vfsearch.index.share import Share
from vfsearch.index.sweep import Measured, Speed

STEPS = tuple(sorted({round(2 ** (step / 4)) for step in range(33)}))
NPROBE = Knob(name="nprobe", default=8, low=1, high=300, ladder=STEPS, help="")
REFINE = Knob(name="refine", default=4, low=0, high=100, ladder=(1, 2, 4, 8, 16, 32, 64), help="")


class Law:
    """A recall and a cost that rise with both knobs, and how often they were asked for."""

    def __init__(self, half: float, codes: float, each: float, fixed: float) -> None:
        self.half, self.codes, self.each, self.fixed = half, codes, each, fixed
        self.asked: dict[tuple, Measured] = {}

    def recall(self, nprobe: int, refine: int = 10**9) -> float:
        return nprobe / (nprobe + self.half) * (1 - self.codes / (1 + refine))

    def cost(self, nprobe: int, refine: int = 0) -> float:
        return self.fixed + nprobe + self.each * refine

    def measure(self, setting) -> Measured:
        key = tuple(sorted(setting.items()))
        share = Share(value=self.recall(**setting), error=0.0)
        speed = Speed(probes_per_second=1 / self.cost(**setting))
        return self.asked.setdefault(key, Measured(settings=dict(setting), shares={"R@10": share}, speed=speed))

    def climb(self, least: float) -> Climb:
        return Climb(
            measure=self.measure,
            reaches=lambda measured: measured.recall.value >= least,
            cost=lambda measured: 1 / measured.speed.probes_per_second,
        )


@settings(max_examples=200)
@given(half=st.floats(0.01, 500), least=st.floats(0.05, 0.999), fixed=st.floats(0, 50))
def test_one_knob_is_found_to_a_fiftieth(half, least, fixed):
    law = Law(half, 0.0, 0.0, fixed)
    found = reaching([NPROBE], law.climb(least))
    good = [value for value in range(1, 257) if law.recall(value) >= least]
    if not good:
        assert not found
        return
    (only,) = found
    # Between steps of the ladder, and not below its bottom.
    assert law.recall(only.settings["nprobe"]) >= least
    assert only.settings["nprobe"] - good[0] <= max(1, 0.02 * only.settings["nprobe"])
    assert len(law.asked) <= 20


@settings(max_examples=200)
@given(
    half=st.floats(0.5, 60), codes=st.floats(0.01, 1), each=st.floats(0.01, 4), fixed=st.floats(0, 30),
    least=st.floats(0.3, 0.97),
)  # fmt: skip
def test_two_knobs_are_about_as_quick_as_the_quickest_of_all(half, codes, each, fixed, least):
    law = Law(half, codes, each, fixed)
    found = reaching([NPROBE, REFINE], law.climb(least))
    all_costs = [law.cost(n, r) for n in range(1, 257) for r in REFINE.ladder if law.recall(n, r) >= least]
    if not all_costs:
        assert not found
        return
    best = found[0]
    assert best.recall.value >= least
    assert 1 / best.speed.probes_per_second <= 1.06 * min(all_costs) + 1
    costs = [1 / each.speed.probes_per_second for each in found]
    assert costs == sorted(costs)


def test_values_far_too_slow_are_not_tried():
    law = Law(half=20, codes=0.9, each=3.0, fixed=1.0)
    reaching([NPROBE, REFINE], law.climb(0.7))
    tried = {dict(key)["refine"] for key in law.asked}
    assert 64 not in tried and len(law.asked) < 40


def test_a_knob_whose_default_is_off_its_ladder():
    zero = Knob(name="refine", default=0, low=0, high=100, ladder=(1, 2), help="")
    law = Law(half=1, codes=0.0, each=1.0, fixed=0.0)
    (best, *_) = reaching([NPROBE, zero], law.climb(0.9))
    assert best.settings == {"nprobe": 9, "refine": 0}


@pytest.mark.parametrize(("least", "count"), [(1.0, 1), (1.1, 0)])
def test_an_index_without_knobs_is_as_it_is(least, count):
    law = Law(0, 0, 0, 1)
    whole = Measured(settings={}, shares={"R@10": Share(value=1.0, error=0.0)}, speed=Speed(probes_per_second=1.0))
    climb = Climb(measure=lambda _: whole, reaches=lambda each: each.recall.value >= least, cost=law.climb(1).cost)
    assert reaching([], climb) == [whole] * count


def test_stepping_up_ends_at_the_top():
    value, steps = 1, []
    while value is not None:
        steps.append(value)
        value = stepped_up(NPROBE, value)
    assert steps[:4] == [1, 2, 3, 4] and steps[-1] == 300
    assert (np.diff(steps) <= np.maximum(1, 0.08 * np.array(steps[:-1]))).all()
