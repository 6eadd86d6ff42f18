"""Who the numbers of a comparison's identities are."""

import numpy as np

from vfsearch.protocol.comparison import Comparison


def identity_names(comparison: Comparison) -> list[str]:
    """The identities of both sides by their numbers; "" for a number that nobody has."""
    numbers = np.concatenate([comparison.sides.gallery, comparison.sides.probes])
    names = [""] * (int(numbers.max(initial=-1)) + 1)
    people = [*comparison.gallery.identities, *comparison.probes.identities]
    for number, name in zip(numbers.tolist(), people, strict=True):
        names[number] = name
    return names
