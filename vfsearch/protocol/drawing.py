"""The trials that a protocol draws of a comparison: those of `vfsearch trials make` on the same items."""

from collections.abc import Iterator, Mapping, Sequence

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.trials import MatchingTrials
from vfsearch.errors import SettingsError
from vfsearch.protocol.comparison import Comparison
from vfsearch.trials.constraints import Group, group_labels, group_stream, parse_group, require_columns
from vfsearch.trials.make import matching_trials

UNRESTRICTED = parse_group("U")


def suffix(group: Group) -> str:
    """What a group adds to the name of its trials: nothing where it is no constraint."""
    return f"-{group.name}" if group.columns else ""


def stream_of(comparison: Comparison, group: Group) -> tuple[int, ...]:
    """The random stream of a comparison's trials."""
    return group_stream(group, comparison.probes.modality, comparison.gallery.modality)


def drawn(comparison: Comparison, candidates: int, seed: int, group: Group) -> MatchingTrials:
    """1:N queries whose candidates are of the probe's group.

    Args:
        comparison: both sides, with the columns of the group.
        candidates: N.
        seed: of the draw.
        group: what candidates have in common with their probe.
    Raises:
        ManifestError: no item has one of the group's columns.
        SettingsError: a probe has fewer than N - 1 items of other identities of its group.
    """
    sides = (comparison.probes, comparison.gallery)
    require_columns(group.columns, f"the group {group.name}", [side.columns for side in sides], "the store")
    labels = group_labels(group, *(_items(side, group.columns) for side in sides))
    stream = stream_of(comparison, group)
    try:
        return matching_trials(comparison.sides, candidates, seed, groups=labels, stream=stream)
    except SettingsError as error:
        raise SettingsError(f"group {group.name}: {error}" if group.columns else str(error)) from error


def _items(rows: Embeddings, columns: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """What each row says in some columns, one row at a time: there may be millions."""
    known = {name: rows.columns[name] for name in columns if name in rows.columns}
    values = zip(*known.values(), strict=True) if known else ((),) * len(rows)
    return (dict(zip(known, each, strict=True)) for each in values)
