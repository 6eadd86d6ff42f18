"""Who the numbers of a comparison's identities are."""

from collections.abc import Sequence

import numpy as np

from vfsearch.data.texts import Texts
from vfsearch.protocol.comparison import Comparison


def identity_names(comparison: Comparison) -> Sequence[str]:
    """The identities of both sides by their numbers; "" for a number that nobody has."""
    numbers = np.concatenate([comparison.sides.gallery, comparison.sides.probes])
    people = (comparison.gallery.identities, comparison.probes.identities, [""])
    row = np.full(int(numbers.max(initial=-1)) + 1, len(numbers))
    row[numbers] = np.arange(len(numbers))
    return Texts.joined([Texts.of(each) for each in people]).take(row)
