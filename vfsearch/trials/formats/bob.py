"""bob's files of scores: a trial is mated where the claimed identity is the real one."""

from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.trial_list import UNKNOWN, TrialBlock, TrialList
from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import ITEM, ITEM_IDENTITY, PROBE, PROBE_IDENTITY, Layout, layout
from vfsearch.trials.owners import Owners, implied_labels


class Bob5(FieldFormat):
    """`claimed_id model_label real_id test_label score`: the test sample is the probe, the model the item."""

    name = "bob5"
    summary = "claimed_id model_label real_id test_label score"
    source = "bob.bio.base.score: five_column"
    writes_scores = True
    layouts = (layout(f"{ITEM_IDENTITY} {ITEM} {PROBE_IDENTITY} {PROBE} score"),)
    wanted = "claimed_id, model_label, real_id, test_label and a score"

    def completed(self, trials: TrialList) -> Iterator[TrialBlock]:
        """The trials, whose labels must be those that the identities imply."""
        owners = Owners(trials.names, trials.identities)
        for block in trials.blocks():
            self._require_implied(trials, block, owners)
            yield block

    def _require_implied(self, trials: TrialList, block: TrialBlock, owners: Owners) -> None:
        implied = implied_labels(block, owners)
        wrong = np.flatnonzero((block.mated != UNKNOWN) & (implied != UNKNOWN) & (block.mated != implied))
        if len(wrong):
            raise self.cannot_write(
                f"{trials.where}, line {block.lines[wrong[0]]},",
                "its labels follow from the identities, and that of this trial does not",
            )


class Bob4(Bob5):
    """`claimed_id real_id test_label score`: the model has no name but its identity."""

    name = "bob4"
    summary = "claimed_id real_id test_label score"
    source = "bob.bio.base.score: four_column"
    layouts = (layout(f"{ITEM} {PROBE_IDENTITY} {PROBE} score"),)
    wanted = "claimed_id, real_id, test_label and a score"

    def certainty(self, layout: Layout, rows: Sequence[Sequence[str]]) -> int:
        """Typical where identities are claimed that are real ones as well, and test labels are no 1 or 0."""
        claimed, real, labels = (layout.column(rows, role) for role in (ITEM, PROBE_IDENTITY, PROBE))
        return 1 if set(labels) <= {"1", "0"} or set(claimed).isdisjoint(real) else 2

    def _require_implied(self, trials: TrialList, block: TrialBlock, owners: Owners) -> None:
        super()._require_implied(trials, block, owners)
        for place, number in enumerate(block.items[:, 0].tolist()):
            name = trials.names.texts[number]
            if trials.identities(name) != name:
                raise self.cannot_write(
                    f"{trials.where}, line {block.lines[place]},",
                    f"it names models by identity alone, and {name!r} is none; the format bob5 holds both",
                )
