"""Everything that an audit looks for."""

from vfsearch.data.findings import FindingKind
from vfsearch.trials.audit.candidates import ITSELF, REPEATED_CANDIDATE
from vfsearch.trials.audit.groups import ALIKE_NEGATIVES, GROUP_RULE
from vfsearch.trials.audit.items import (
    MISSING_ITEMS,
    SPELLINGS,
    TRAINING_IDENTITIES,
    TRAINING_ITEMS,
    UNKNOWN_IDENTITIES,
)
from vfsearch.trials.audit.labels import FALSE_MATED, FALSE_NON_MATED, LABEL_BALANCE, LABEL_SHARE, MATE_FIRST
from vfsearch.trials.audit.order import BY_PERIOD, BY_PLACE, BY_PREVIOUS
from vfsearch.trials.audit.popularity import BY_NAME, BY_POPULARITY, ONE_LABEL
from vfsearch.trials.audit.repeats import CONTRADICTORY, DUPLICATES, MIRRORED
from vfsearch.trials.audit.retrieval import BOTH_SIDES, WITHOUT_MATE, WITHOUT_PROBE
from vfsearch.trials.audit.run import EMPTY
from vfsearch.trials.audit.sources import SAME_SOURCE

OF_SOME_TRIALS: tuple[FindingKind, ...] = (
    FALSE_MATED, FALSE_NON_MATED, ITSELF, REPEATED_CANDIDATE, CONTRADICTORY, MISSING_ITEMS, DUPLICATES, MIRRORED,
    SAME_SOURCE, GROUP_RULE, UNKNOWN_IDENTITIES, TRAINING_IDENTITIES, TRAINING_ITEMS, BOTH_SIDES, WITHOUT_MATE,
    WITHOUT_PROBE,
)  # fmt: skip
"""Findings that say which trials are at fault, so that a list can be written without them."""
OF_THE_LIST: tuple[FindingKind, ...] = (
    EMPTY, SPELLINGS, LABEL_BALANCE, BY_PERIOD, BY_PLACE, BY_PREVIOUS, BY_POPULARITY, BY_NAME, ONE_LABEL, LABEL_SHARE,
    ALIKE_NEGATIVES, MATE_FIRST,
)  # fmt: skip
"""Findings of a list as a whole."""
KINDS = (*OF_SOME_TRIALS, *OF_THE_LIST)
