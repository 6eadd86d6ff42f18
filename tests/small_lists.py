"""Lists of trials made of a few rows of names."""

import numpy as np

from vfsearch.data.trial_list import VERIFICATION, Names, TrialBlock, TrialList


def make_list(rows, kind=VERIFICATION, mated=None, scores=None, blocks=2, **more) -> TrialList:
    """A list of rows of names, in some blocks that number names as they come."""
    names = Names()
    parts = np.array_split(np.arange(len(rows)), blocks)

    def read():
        for part in parts:
            if len(part):
                yield TrialBlock(
                    probes=names.numbers(rows[n][0] for n in part),
                    items=np.stack([names.numbers(rows[n][1:]) for n in part]),
                    mated=np.array([-1 if mated is None else mated[n] for n in part]),
                    scores=None
                    if scores is None
                    else np.array([scores[n] for n in part], dtype=float).reshape(len(part), -1),
                    lines=part + 1,
                )

    return TrialList(kind=kind, format="", where="a list", names=names, blocks=read, labelled=mated is not None,
                     scored=scores is not None, **more)  # fmt: skip
