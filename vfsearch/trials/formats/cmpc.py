"""The lists of CMPC: matching, and its copy of the verification lists of Learnable PINs.

Source: Zhu et al., "Unsupervised Voice-Face Representation Learning by Cross-Modal Prototype Contrast", IJCAI 2022,
the files of its repository; Nagrani et al., "Learnable PINs", ECCV 2018 for the verification lists.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import (
    MATCHING,
    VERIFICATION,
    Names,
    TrialBlock,
    TrialList,
)
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.base import Format, Head
from vfsearch.trials.formats.lines import first_lines, line_blocks
from vfsearch.trials.formats.name_lines import like_the_first, matching_list, name_lines
from vfsearch.trials.formats.pins_layout import as_voxceleb, has_voxceleb_ids
from vfsearch.trials.formats.tables_beside import cmpc_tables, identities_of, said_of
from vfsearch.trials.formats.told import Told
from vfsearch.trials.formats.written import Written, owner_speller, without_blanks, without_separator
from vfsearch.trials.identities import read_identities

_SOURCE = "CMPC (Zhu et al., IJCAI 2022)"
_VERIFICATION_HEADER = ("id", "voice-speaker-id", "face-speaker-id", "label", "voice-path", "face-path")
_LABELS = {"1": 1, "0": 0}
AS_IN_FILE, AS_IN_VOXCELEB = "as in the file", "as in VoxCeleb1"


class CmpcMatching(Format):
    """Probe, its mate, others, parted by blanks in spite of the suffix; photos are frames of a video."""

    name = "cmpc-matching"
    summary = "probe, its mate, others, parted by blanks; photos as NAME/1.6/VIDEO/FRAME.jpg"
    kinds = (MATCHING,)
    source = f"{_SOURCE}, data/matching"
    suffix = ".csv"

    def recognise(self, head: Head) -> int:
        """By photos in folders named 1.6."""
        rows = like_the_first([line.split() for line in head.lines])
        if not rows or len(rows[0]) < 3:
            return 0
        return 3 if all(any("/1.6/" in name for name in row) for row in rows) else 0

    def read(self, path: Path) -> TrialList:
        """The list in a file of CMPC; identities are looked for in `vox1_meta.csv` there or in the folder above."""
        tables = cmpc_tables(path)
        return matching_list(
            path, format=self.name, where=str(path), identities=identities_of(tables), about=said_of(tables)
        )  # fmt: skip

    def write(self, trials: TrialList) -> Iterator[bytes]:
        """A line a trial."""
        self.require_holds(trials)
        names = Written(trials.names, without_blanks(self.name, trials.where))
        return (name_lines(block, names) for block in trials.blocks())


class CmpcVerification(Format):
    """Pairs of a clip and a photo with a label, parted by commas; names as in Learnable PINs."""

    name = "cmpc-verification"
    summary = "commas, header id,voice-speaker-id,face-speaker-id,label,voice-path,face-path"
    kinds = (VERIFICATION,)
    source = f"{_SOURCE}, data/veriflist; Nagrani et al., Learnable PINs, ECCV 2018"

    def recognise(self, head: Head) -> int:
        """By the header."""
        return 3 if head.lines and _is_verification_header(head.lines[0]) else 0

    def read(self, path: Path) -> TrialList:
        """The list in a file; the clip is the probe, and the columns of speakers tell the identities.

        With `vox1_meta.csv` beside it, or in the folder above, names are turned into those of VoxCeleb1; without, they
        stay as they are (`as_voxceleb` turns them); `about` says which.
        """
        first = first_lines(path, 1)
        if not first or not _is_verification_header(first[0]):
            raise TrialListError(f"{path}, line 1: wanted the header {','.join(_VERIFICATION_HEADER)}")
        names, told = Names(), Told()
        trials = TrialList(
            kind=VERIFICATION,
            format=self.name,
            where=str(path),
            names=names,
            blocks=functools.partial(_verification_blocks, path, names, told),
            identities=told.get,
            about={"names": AS_IN_FILE},
        )
        tables = cmpc_tables(path)
        return with_voxceleb_names(trials, read_identities(tables)) if tables else trials

    def write(self, trials: TrialList) -> Iterator[bytes]:
        """Header and rows; where the list had no ids of trials, they count from 1."""
        self.require_holds(trials)
        return self._rows(trials)

    def problem(self, trials: TrialList) -> str:
        """Why a list cannot be held: it needs labels."""
        return super().problem(trials) or ("" if trials.labelled else "it needs labels, and the list has none")

    def _rows(self, trials: TrialList) -> Iterator[bytes]:
        yield f"{','.join(_VERIFICATION_HEADER)}\n".encode()
        spell = without_separator(",", self.name, trials.where)
        names, owners = Written(trials.names, spell), Written(trials.names, owner_speller(trials, spell))
        counted = itertools.count(1)
        for block in trials.blocks():
            if np.any(block.mated < 0):
                line = block.lines[np.flatnonzero(block.mated < 0)[0]]
                raise self.cannot_write(trials.where, f"it needs labels, and line {line} has none")
            items = block.items[:, 0]
            ids = block.extra.get("id") or [str(next(counted)) for _ in items]
            columns = [ids, owners.texts(block.probes), owners.texts(items), list(map(str, block.mated.tolist())),
                       names.texts(block.probes), names.texts(items)]  # fmt: skip
            yield "".join(f"{','.join(row)}\n" for row in zip(*columns, strict=True)).encode()


def with_voxceleb_names(trials: TrialList, table: IdentityTable) -> TrialList:
    """A verification list of CMPC with names as in VoxCeleb1; one that has them already stays as it is.

    Args:
        trials: the list as it was read.
        table: has the id of each person; one without any such id changes nothing.
    Raises:
        TrialListError: while blocks are read: the table has no id of a person.
    """
    if trials.about.get("names") != AS_IN_FILE or not has_voxceleb_ids(table):
        return trials
    return dataclasses.replace(as_voxceleb(trials, table), about={**trials.about, "names": AS_IN_VOXCELEB})


def _is_verification_header(line: str) -> bool:
    return tuple(cell.strip() for cell in line.split(",")) == _VERIFICATION_HEADER


def _verification_blocks(path: Path, names: Names, told: Told) -> Iterator[TrialBlock]:
    for lines in line_blocks(path, skip=1):
        columns = lines.columns(len(_VERIFICATION_HEADER), f"{','.join(_VERIFICATION_HEADER)}", ",")
        ids, voice_owners, face_owners, labels, voices, faces = columns
        mated = [_LABELS.get(label.strip()) for label in labels]
        if None in mated:
            raise lines.bad(mated.index(None), "the label 1 or 0 in the fourth column")
        told.learn(lines, voices, voice_owners)
        told.learn(lines, faces, face_owners)
        yield TrialBlock(
            probes=names.numbers(voices),
            items=names.numbers(faces)[:, None],
            mated=np.array(mated, dtype=np.int64),
            lines=lines.line_numbers(),
            extra={"id": ids},
        )
