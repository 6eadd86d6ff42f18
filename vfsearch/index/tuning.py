"""The fastest search setting of an index that reaches a target on probes like those that will come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import Artefact
from vfsearch.errors import DoesNotFitError, MismatchError, SettingsError
from vfsearch.files import writer_lock
from vfsearch.index.base import Index
from vfsearch.index.climbing import Climb, reaching, stepped_up
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.settings import Knob
from vfsearch.index.share import Share
from vfsearch.index.sweep import RUNS, Measured, Mode, SearchProblem, Speed, measure_setting, timed_by_turns
from vfsearch.index.targets import Target
from vfsearch.progress import Progress, silent

FOR = ("batch", "single")
FINALISTS = 4
USUAL_TRIES = 24
"""For the progress: how many settings it takes, about."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a search shall be.

    Args:
        targets: all of them must be reached.
        mode: "batch": as many probes a second as can be; "single": as little time a probe that comes alone.
        max_latency_seconds: the most that a single probe may take, in the median; None: any time.
    Raises:
        SettingsError: there is no target, or one is out of range.
    """

    targets: tuple[Target, ...]
    mode: Mode = "batch"
    max_latency_seconds: float | None = None

    def __post_init__(self) -> None:
        if not self.targets:
            raise SettingsError("tuning wants a target, for example R@10>=0.95")
        if self.mode not in FOR:
            raise SettingsError(f"tuning is for {' or '.join(FOR)}, not for {self.mode!r}")
        if self.max_latency_seconds is not None and not self.max_latency_seconds > 0:
            raise SettingsError(f"the most latency is {self.max_latency_seconds} seconds, it must be above 0")

    def cost(self, speed: Speed) -> float:
        """Seconds of a probe, as the mode counts them."""
        return speed.latency_median_seconds if self.mode == "single" else 1.0 / speed.probes_per_second

    def reached(self, shares: Mapping[str, Share], surely: bool = False) -> bool:
        """Whether all targets are: by what was measured, or with 95 % confidence."""
        return all((shares[each.name].floor if surely else shares[each.name].value) >= each.least
                   for each in self.targets)  # fmt: skip

    def margin(self, shares: Mapping[str, Share]) -> float:
        """By how much the target that is farthest is reached (or missed, below 0)."""
        return min(shares[each.name].value - each.least for each in self.targets)

    def __str__(self) -> str:
        return " and ".join(map(str, self.targets))


@dataclass(frozen=True, kw_only=True, eq=False)
class Halves:
    """Probes to choose a setting with, and others to check it.

    Args:
        tune: with these a setting is chosen.
        check: with these it is checked; what is promised is measured on them.
    """

    tune: SearchProblem
    check: SearchProblem


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What tuning chose.

    Args:
        goal: what was wanted.
        chosen: the setting; its shares are those of the checking probes, its speed was measured by turns.
        tuning: its shares on the tuning probes.
        steps_up: how often the setting was raised because the checking probes missed the target.
        tried: every setting that was measured with the tuning probes; speeds as they happened to be in one run.
        exact: the speed of the exact engine, by turns with that of the setting; None: it was not measured.
    """

    goal: Goal
    chosen: Measured
    tuning: Mapping[str, Share]
    steps_up: int
    tried: tuple[Measured, ...]
    exact: Speed | None

    @property
    def frontier(self) -> list[Measured]:
        """Of what was tried, the settings that none beats both in what it finds and in speed, fastest first."""
        return frontier(self.tried, self.goal)

    @property
    def times_exact(self) -> float | None:
        """How many times as fast as the exact engine the setting is; None where that was not measured."""
        return None if self.exact is None else self.goal.cost(self.exact) / self.goal.cost(self.chosen.speed)

    def to_json(self) -> dict:
        """What tuning chose, from what."""
        return {
            "targets": [str(each) for each in self.goal.targets],
            "for": self.goal.mode,
            "max_latency_seconds": self.goal.max_latency_seconds,
            "chosen": self.chosen.to_json(),
            "tuning_shares": {name: share.to_json() for name, share in self.tuning.items()},
            "steps_up": self.steps_up,
            "tried": [each.to_json() for each in self.tried],
            "frontier": [dict(each.settings) for each in self.frontier],
            "exact": None if self.exact is None else self.exact.to_json(),
            "times_exact": self.times_exact,
        }


def tune(
    index: Index, halves: Halves, goal: Goal, exact: Index | None = None, runs: int = RUNS, progress: Progress = silent
) -> Tuned:
    """Find the fastest setting that reaches a goal; it stays in force.

    A setting is chosen whose shares are with 95 % confidence at least those wanted, as the tuning probes tell. If the
    checking probes miss them all the same, its first knob is raised by twentieths until they do not.

    Args:
        index: to be tuned.
        halves: the probes.
        goal: what is wanted.
        exact: searches the same rows exactly, to be timed beside the setting; None: leave that out.
        runs: how often the last settings are timed.
        progress: called with settings tried.
    Raises:
        DoesNotFitError: no setting reaches the goal; the message says how far they go.
    """
    trial = _Trial(index, halves.tune, goal, progress)
    found = reaching(index.knobs, trial.climb)
    if not found:
        raise DoesNotFitError(_not_reached(index, trial.tried, goal))
    mode: Mode = goal.mode if goal.max_latency_seconds is None else "both"
    last = found[:FINALISTS]
    speeds = timed_by_turns([(index, each.settings) for each in last], halves.tune, mode, runs)
    best = _fastest(index, last, speeds, goal)
    checked, steps = _checked(index, best, halves.check, goal)
    ways = [(index, checked.settings)] + ([] if exact is None else [(exact, {})])
    mine, *beside = timed_by_turns(ways, halves.check, "both", runs)
    index.use(checked.settings)
    progress("settings tried", len(trial.tried), len(trial.tried))
    return Tuned(
        goal=goal,
        chosen=Measured(settings=checked.settings, shares=checked.shares, speed=mine),
        tuning=trial.climb.measure(checked.settings).shares if steps else best.shares,
        steps_up=steps,
        tried=tuple(trial.tried),
        exact=beside[0] if beside else None,
    )


class _Trial:
    """Settings of an index, each measured once with the same probes.

    Args:
        index: whose settings.
        problem: the probes.
        goal: decides what is good enough and what is slow.
        progress: called with settings tried.
    """

    def __init__(self, index: Index, problem: SearchProblem, goal: Goal, progress: Progress) -> None:
        self._measured: dict[tuple, Measured] = {}
        self._index, self._problem, self._progress = index, problem, progress
        self._mode: Mode = "single" if goal.mode == "single" else "recall"
        self.climb = Climb(
            measure=self._measure,
            reaches=lambda measured: goal.reached(measured.shares, surely=True),
            cost=lambda measured: goal.cost(measured.speed),
        )

    @property
    def tried(self) -> list[Measured]:
        return list(self._measured.values())

    def _measure(self, settings: Mapping[str, int]) -> Measured:
        key = tuple(sorted(settings.items()))
        if key not in self._measured:
            self._measured[key] = measure_setting(self._index, settings, self._problem, self._mode, runs=1)
            count = len(self._measured)
            self._progress("settings tried", count, max(USUAL_TRIES, count + 1))
        return self._measured[key]


def _not_reached(index: Index, tried: Sequence[Measured], goal: Goal) -> str:
    best = max(tried, key=lambda each: goal.margin(each.shares))
    got = ", ".join(f"{each.name} {shown(best.shares[each.name])}" for each in goal.targets)
    return (
        f"no setting of the index {index.folder} reaches {goal} with 95 % confidence: the best of {len(tried)} is "
        f"{got} with {settings_text(best.settings)}; ask for less, give more probes, or build an index that keeps more "
        "of its rows"
    )


def _check_missed(index: Index, measured: Measured, goal: Goal) -> str:
    got = ", ".join(f"{each.name} {shown(measured.shares[each.name])}" for each in goal.targets)
    return (
        f"the index {index.folder} reaches {goal} with the tuning probes, but with the checking probes it is at most "
        f"{got} with {settings_text(measured.settings)}; ask for less, or give more probes"
    )


def _fastest(index: Index, measured: Sequence[Measured], speeds: Sequence[Speed], goal: Goal) -> Measured:
    most = goal.max_latency_seconds
    fits = [place for place, speed in enumerate(speeds) if most is None or speed.latency_median_seconds <= most]
    if not fits:
        quickest = min(speeds, key=lambda speed: speed.latency_median_seconds).latency_median_seconds
        raise DoesNotFitError(
            f"no setting of the index {index.folder} reaches {goal} within {most * 1e3:g} ms a probe: the quickest "
            f"that reaches it takes {quickest * 1e3:.3f} ms in the median"
        )
    return measured[min(fits, key=lambda place: goal.cost(speeds[place]))]


def _checked(index: Index, best: Measured, problem: SearchProblem, goal: Goal) -> tuple[Measured, int]:
    """A setting that reaches the goal on the checking probes too, and how often it was raised for that."""
    settings, steps = dict(best.settings), 0
    while True:
        measured = measure_setting(index, settings, problem, "recall")
        if goal.reached(measured.shares):
            return measured, steps
        knob: Knob | None = index.knobs[0] if index.knobs else None
        more = None if knob is None else stepped_up(knob, settings[knob.name])
        # The widest step of the ladder is the widest that is worth a try.
        if more is None or more > max(knob.ladder[-1], knob.default) * 1.05:
            raise DoesNotFitError(_check_missed(index, measured, goal))
        settings, steps = {**settings, knob.name: more}, steps + 1


def frontier(measured: Sequence[Measured], goal: Goal) -> list[Measured]:
    """Settings that none beats both in what it finds and in speed, fastest first."""
    kept: list[Measured] = []
    for each in sorted(measured, key=lambda each: (goal.cost(each.speed), -goal.margin(each.shares))):
        if not kept or goal.margin(each.shares) > goal.margin(kept[-1].shares):
            kept.append(each)
    return kept


@dataclass(frozen=True, kw_only=True)
class Misled:
    """What tuning with other probes than those that come would have done.

    Args:
        settings: what it would have chosen.
        promised: shares that it would have promised.
        got: shares that the probes get with it.
    """

    settings: Mapping[str, int]
    promised: Mapping[str, Share]
    got: Mapping[str, Share]

    def to_json(self) -> dict:
        """The two beside each other."""
        return {
            "settings": dict(self.settings),
            "promised": {name: share.to_json() for name, share in self.promised.items()},
            "got": {name: share.to_json() for name, share in self.got.items()},
        }


def misled_by(index: Index, others: SearchProblem, check: SearchProblem, goal: Goal) -> Misled | None:
    """What would come of tuning with probes that are not like those that come (gallery rows, for example).

    Args:
        index: its setting afterwards is any.
        others: the wrong probes.
        check: the right ones.
        goal: what is wanted.
    Returns:
        None where no setting reaches the goal with the wrong probes.
    """
    trial = _Trial(index, others, goal, silent)
    found = reaching(index.knobs, trial.climb)
    if not found:
        return None
    got = measure_setting(index, found[0].settings, check, "recall")
    return Misled(settings=got.settings, promised=found[0].shares, got=got.shares)


@dataclass(frozen=True, kw_only=True)
class LossSplit:
    """Where recall is lost.

    Args:
        total: 1 less the recall of the setting.
        quantisation: 1 less the recall of a search that looks at everything, the candidates that are scored exactly
            being as many as with the setting.
        search: what is lost beside that because not everything is looked at.
    """

    total: float
    quantisation: float
    search: float

    def to_json(self) -> dict:
        """The loss and its two parts."""
        return dict(vars(self))


def loss_split(index: Index, chosen: Measured, problem: SearchProblem) -> LossSplit | None:
    """Where the loss of a setting comes from; the setting is in force afterwards.

    Args:
        index: to be searched.
        chosen: its shares are those of the problem's probes.
        problem: the probes.
    Returns:
        None where the index cannot be searched so that only quantisation loses.
    """
    if index.exhaustive is None:
        return None
    # As many candidates are scored exactly: else what that repairs would count against the search.
    kept = {name: value for name, value in chosen.settings.items() if name == "refine"}
    whole = measure_setting(index, {**index.exhaustive, **kept}, problem, "recall")
    index.use(chosen.settings)
    total, quantisation = 1.0 - chosen.recall.value, 1.0 - whole.recall.value
    return LossSplit(total=total, quantisation=quantisation, search=total - quantisation)


def save_tuning(folder: Path, search: Mapping[str, int], tuned: Mapping, tuned_files: Mapping | None = None) -> None:
    """Make a setting the one that an index is searched with; only its manifest is written.

    Args:
        folder: of the index.
        search: knob -> value.
        tuned: how the setting was found; JSON.
        tuned_files: the files of the index that was tuned; None: whatever is there.
    Raises:
        LockedError: another process writes there.
        MismatchError: the index has been built anew meanwhile.
    """
    with writer_lock(folder):
        artefact = read_index_artefact(folder)
        if tuned_files is not None and dict(tuned_files) != artefact.files:
            raise MismatchError(f"the index {folder} has been changed while it was tuned; tune it again")
        about = {**artefact.about, "search": dict(search), "tuned": dict(tuned)}
        Artefact(
            folder=folder, kind=artefact.kind, schema=artefact.schema, about=about, files=artefact.files
        ).write()  # fmt: skip


def shown(share: Share) -> str:
    """A share for people.

    Example:
        >>> shown(Share(value=0.95, error=0.01))
        '0.9500 (0.9304 to 0.9696)'
    """
    low, high = share.interval
    return f"{share.value:.4f} ({low:.4f} to {high:.4f})"


def settings_text(settings: Mapping[str, int]) -> str:
    """Settings for people.

    Example:
        >>> settings_text({"nprobe": 8, "refine": 4}), settings_text({})
        ('nprobe=8, refine=4', 'no setting')
    """
    return ", ".join(f"{name}={value}" for name, value in settings.items()) or "no setting"
