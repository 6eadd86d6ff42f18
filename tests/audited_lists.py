"""Lists of trials made by hand, for audits."""

from collections.abc import Sequence

import numpy as np

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, VERIFICATION, Names, RetrievalSides, TrialBlock, TrialList

PEOPLE = 24
ITEMS = 10


def voice(person: int, clip: int) -> str:
    return f"id{10000 + person}/video--v{person % 100:02d}{clip % 10}/{clip:05d}.wav"


def face(person: int, photo: int) -> str:
    return f"Person_{person}/1.6/video--f{person % 100:02d}{photo % 10}/{photo:07d}.jpg"


def people_table(people: int = PEOPLE) -> IdentityTable:
    """Both names of each person; person 0, 2, ... are women; three nationalities."""
    names = {f"id{10000 + person}": f"Person_{person}" for person in range(people)}
    columns = {
        name: {"gender": "fm"[person % 2], "nationality": ("Chile", "Ghana", "Japan")[person % 3], "set": "test"}
        for person, name in enumerate(names.values())
    }
    return IdentityTable(identities={**names, **{name: name for name in names.values()}}, columns=columns)


def pairs(count: int = 1200, seed: int = 0, gender: bool = True) -> list[tuple[str, str, int]]:
    """Distinct pairs of voice and face, half of them mated, in random order; negatives of one gender if asked for."""
    random = np.random.default_rng(seed)
    rows: dict[tuple[str, str], int] = {}
    while len(rows) < count:
        person, clip, photo = (int(random.integers(limit)) for limit in (PEOPLE, ITEMS, ITEMS))
        mated = 2 * sum(rows.values()) < len(rows)
        step = 0 if mated else int(random.integers(1, PEOPLE // 2)) * 2 if gender else int(random.integers(1, PEOPLE))
        rows.setdefault((voice(person, clip), face((person + step) % PEOPLE, photo)), int(mated))
    listed = [(probe, item, mated) for (probe, item), mated in rows.items()]
    return [listed[place] for place in random.permutation(count)]


def pair_list(
    rows: Sequence[tuple[str, str, int]], block: int = 500, labelled: bool = True, where: str = "pairs.txt"
) -> TrialList:
    """A list of verification, read in blocks."""
    names = Names()

    def blocks():
        for first in range(0, len(rows), block):
            part = rows[first : first + block]
            yield TrialBlock(
                probes=names.numbers(row[0] for row in part),
                items=names.numbers(row[1] for row in part)[:, None],
                mated=np.array([row[2] if labelled else -1 for row in part], dtype=np.int64),
                lines=np.arange(first + 1, first + len(part) + 1),
            )

    return TrialList(kind=VERIFICATION, format="", where=where, names=names, blocks=blocks, labelled=labelled)


def gallery_list(rows: Sequence[Sequence[str]], block: int = 500, where: str = "galleries.txt") -> TrialList:
    """A list of 1:N matching, read in blocks."""
    names = Names()

    def blocks():
        for first in range(0, len(rows), block):
            part = rows[first : first + block]
            numbers = np.array([names.numbers(row) for row in part])
            yield TrialBlock(
                probes=numbers[:, 0],
                items=numbers[:, 1:],
                mated=np.ones(len(part), dtype=np.int64),
                lines=np.arange(first + 1, first + len(part) + 1),
            )

    candidates = len(rows[0]) - 1 if rows else 2
    return TrialList(
        kind=MATCHING, format="", where=where, names=names, blocks=blocks, candidates=candidates
    )  # fmt: skip


def galleries(count: int = 600, candidates: int = 4, seed: int = 0) -> list[list[str]]:
    """1:N trials: a mate and N - 1 faces of other people of the probe's gender, all of one trial different."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        person = int(random.integers(PEOPLE))
        others = (person + 2 * (1 + random.permutation(PEOPLE // 2 - 1)[: candidates - 1])) % PEOPLE
        photos = random.integers(ITEMS, size=candidates).tolist()
        clip = int(random.integers(10 * ITEMS))
        rows.append([voice(person, clip), *map(face, [person, *others.tolist()], photos)])
    return rows


def side_list(probes: Sequence[str], gallery: Sequence[str]) -> TrialList:
    """A list of retrieval."""
    names = Names()

    def sides() -> RetrievalSides:
        return RetrievalSides(probes=names.numbers(probes), gallery=names.numbers(gallery))

    return TrialList(
        kind=RETRIEVAL, format="", where="sides.txt", names=names, blocks=lambda: iter(()), sides=sides, labelled=False
    )  # fmt: skip
