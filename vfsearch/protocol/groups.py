"""What is measured of groups of people beside the figures of all."""

from collections.abc import Mapping, Sequence

from vfsearch.data.outcome import GroupDifference, GroupFigures
from vfsearch.measure.kind import Measure
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.slices import Scored, contrasts, slices


def told_apart(
    scored: Scored,
    columns: Mapping[str, Mapping[str, str]],
    measures: Sequence[Measure],
    resampling: Resampling,
) -> dict[str, tuple]:
    """The figures of each group, and the differences between groups.

    Args:
        scored: trials of one family.
        columns: column -> identity -> what it says of this person.
        measures: of that family.
        resampling: of the identities.
    Returns:
        {"groups": GroupFigures..., "differences": GroupDifference...}, for a Measurement.
    """
    groups, differences = [], []
    for column, values in columns.items():
        found = slices(scored, column, values, measures, resampling)
        groups += [
            GroupFigures(
                column=column, value=each.value, identities=each.identities, trials=each.trials,
                values={name: estimate.to_value() for name, estimate in each.estimates.items()},
            )
            for each in found
        ]  # fmt: skip
        differences += [
            GroupDifference(
                column=column, left=each.left, right=each.right, measure=each.measure, difference=each.difference
            )
            for each in contrasts(found)
        ]
    return {"groups": tuple(groups), "differences": tuple(differences)}
