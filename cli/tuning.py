"""What tuning found, for people."""

from vfsearch_cli.terminal import counted, table

NOTHING_TO_SAVE = "nothing to put in force: the exact engine has no search setting"
NOT_SAVED = "not saved: --dry-run"


def tried_table(found):
    """The settings of the frontier, and those of all tried ones that reach the target; fastest first."""
    tuned = found.tuned
    names = [target.name for target in tuned.goal.targets]
    single = tuned.goal.mode == "single"
    best = [dict(each.settings) for each in tuned.frontier]
    shown = [
        each for each in tuned.tried if dict(each.settings) in best or tuned.goal.reached(each.shares, surely=True)
    ]
    rows = [
        (
            _settings(each.settings),
            *(f"{each.shares[name].value:.4f}" for name in names),
            *(f"{each.shares[name].floor:.4f}" for name in names),
            _speed(each.speed, single),
            "frontier" if dict(each.settings) in best else "",
        )
        for each in sorted(shown, key=lambda each: tuned.goal.cost(each.speed))
    ]
    columns = ["setting", *(f">{name}" for name in names), *(f">{name} at least" for name in names),
               ">ms" if single else ">probes/s", ""]  # fmt: skip
    title = (
        f"{counted(len(tuned.tried), 'setting')} tried with {counted(found.counts[0], f'{found.probe} probe')} of "
        f"{_split(found)}; shown: "
        "the frontier and what surely reaches the target"
    )
    return table(columns, rows, title=title)


def _split(found) -> str:
    return "all splits" if found.split in ("all", "") else f"the split {found.split}"


def tuning_lines(found) -> list[str]:
    """What was chosen, how it compares with the exact engine, where it loses, whether it is in force."""
    tuned = found.tuned
    lines = [
        f"{found.folder}: {_settings(tuned.chosen.settings)}: {_shares(tuned.chosen.shares, tuned.goal)} "
        f"on {counted(found.counts[1], 'other probe')} (95 % interval)",
    ]
    if tuned.steps_up:
        lines.append(
            f"raised {_times(tuned.steps_up)}: with the setting chosen first the checking probes missed the target"
        )
    lines += [*_loss(found), *_misled(found), *_beside_exact(found)]
    return [*lines, _saved(found)]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _shares(shares, goal) -> str:
    return ", ".join(f"{each.name} {_share(shares[each.name])}" for each in goal.targets)


def _share(share) -> str:
    low, high = share.interval
    return f"{share.value:.4f} ({low:.4f} to {high:.4f})"


def _loss(found) -> list[str]:
    loss = found.loss
    if loss is None:
        return []
    return [f"loss {loss.total:.3f}: quantisation {loss.quantisation:.3f}, search {loss.search:.3f}"]


def _misled(found) -> list[str]:
    if found.misled is None:
        return []
    name = found.tuned.goal.targets[0].name
    promised, got = found.misled.promised[name], found.misled.got[name]
    return [
        f"tuning with gallery rows as probes would have chosen {_settings(found.misled.settings)}, promised {name} "
        f"{promised.value:.3f} and given {got.value:.3f}"
    ]


def _beside_exact(found) -> list[str]:
    tuned = found.tuned
    speed = (
        f"{tuned.chosen.speed.probes_per_second:,.0f} probes/s, {_milliseconds(tuned.chosen.speed)} ms one at a time"
    )
    if tuned.exact is None:
        return [speed]
    exact = f"the exact engine: {tuned.exact.probes_per_second:,.0f} probes/s, {_milliseconds(tuned.exact)} ms"
    lines = [f"{speed}; {exact}"]
    if found.gain <= 1:
        lines.append(
            f"this index is not faster than the exact engine at this size and recall ({found.gain:.2f} times as fast "
            f"{_mode(tuned)}): {_query(found)} --exact"
        )
    else:
        lines.append(f"{found.gain:.2f} times as fast as the exact engine {_mode(tuned)}")
    return lines


def _mode(tuned) -> str:
    return "in batches" if tuned.goal.mode == "batch" else "one probe at a time"


def _milliseconds(speed) -> str:
    return f"{speed.latency_median_seconds * 1e3:.3f}"


def _speed(speed, single: bool) -> str:
    return _milliseconds(speed) if single else f"{speed.probes_per_second:,.0f}"


def _settings(settings) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items()) or "no setting"


def _query(found) -> str:
    return f"vfsearch query --probe {found.probe} --gallery {found.modality} --index {found.folder}"


def _saved(found) -> str:
    if found.saved:
        return f"in force from now on: {_query(found)}"
    return NOTHING_TO_SAVE if found.tuned.exact is None else NOT_SAVED


def presets_table(found):
    """One row an index that reaches the target, fastest first."""
    goal = found.fastest.tuned.goal
    columns = ["index", "preset", "setting", *(f">{each.name}" for each in goal.targets), ">probes/s", ">median ms",
               ">times exact", ">loss", ">of it quantisation"]  # fmt: skip
    rows = []
    for each in found.tunings:
        speed = found.speeds.get(each.folder, each.tuned.chosen.speed)
        rows.append(
            (
                each.folder.name, each.preset, _settings(each.tuned.chosen.settings),
                *(_share(each.tuned.chosen.shares[target.name]) for target in goal.targets),
                f"{speed.probes_per_second:,.0f}", _milliseconds(speed), f"{found.gain(each):.2f}",
                f"{1 - each.tuned.chosen.recall.value:.3f}",
                "-" if each.loss is None else f"{each.loss.quantisation:.3f}",
            )
        )  # fmt: skip
    probes = counted(found.fastest.counts[1], f"checking {found.fastest.probe} probe")
    title = f"{goal}, {probes} of {_split(found.fastest)}"
    return table(columns, rows, title=title)


def left_out_lines(found) -> list[str]:
    """Kinds of index that do not reach the target, with the reason."""
    return [f"left out: {preset}: {reason}" for preset, reason in found.left_out.items()]


def saved_lines(found) -> list[str]:
    """Whether what was found is in force, and in which indices."""
    saved = [f"{each.folder} ({_settings(each.tuned.chosen.settings)})" for each in found.tunings if each.saved]
    if saved:
        return [f"in force from now on: {', '.join(saved)}"]
    return [NOTHING_TO_SAVE if all(each.tuned.exact is None for each in found.tunings) else NOT_SAVED]


def best_lines(found) -> list[str]:
    """Which is the fastest, and how to ask it."""
    best = found.fastest
    how = (
        f"fastest {_mode(best.tuned)}: {best.folder} with {_settings(best.tuned.chosen.settings)}, "
        f"{found.gain(best):.2f} times as fast as the exact engine"
    )
    if best.tuned.exact is None:
        how = f"no index is faster than the exact engine at this size and recall {_mode(best.tuned)}"
    return [how, *_misled(best), _query(best)]
