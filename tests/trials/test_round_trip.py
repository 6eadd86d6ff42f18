"""Written, then read, is equal: every format, whatever the list."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from builders import rounds
from hypothesis import given, settings
from hypothesis import strategies as st
from trials.examples import ALL
from trials.rows import extra, pairs, read, rows, sides, written

from vfsearch.data.trial_list import Names, RetrievalSides, TrialBlock, TrialList
from vfsearch.trials.formats.catalog import FORMATS, load_format

ANY_NAME = st.text(min_size=1, max_size=8)
NAME = ANY_NAME.filter(
    lambda name: name.split() == [name] and "\0" not in name and name[0] != "\ufeff" and is_text(name)
)
CELL = ANY_NAME.filter(
    lambda name: name.strip() and not set(name) & set("\t\r\n\0") and name[0] != "\ufeff" and is_text(name)
)
SCORE = st.floats(allow_nan=False)
SIX_DECIMALS = st.integers(-(10**9), 10**9).map(lambda number: 0.0 - number / 1e6)
LABEL = st.sampled_from((0, 1))
GRADE = st.integers(-(2**31) + 1, 2**31 - 1)
UNKNOWN, NONE = st.just(-1), st.none()
often = settings(max_examples=rounds(40, 1000), deadline=None)


def is_text(name):
    return name.isascii() or name.encode("utf-8", "replace").decode() == name


def lists(names=NAME, label=UNKNOWN, score=NONE):
    return st.lists(st.tuples(names, names, label, score), min_size=1, max_size=8)


def again(format, trials):
    """The list, once written and read."""
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), format, written(format, trials))
        return found, found.kind if found.kind == "retrieval" else rows(found)


def require_same(format, made, trials):
    found, its_rows = again(format, trials)
    assert its_rows == rows(trials), format
    assert (found.kind, found.scored, found.labelled) == (trials.kind, trials.scored, trials.labelled)
    assert len(its_rows) == len(made)


LINES = [
    ("voxceleb", {"label": LABEL}),
    ("voxsrc", {"label": LABEL}),
    ("voxsrc", {"score": SCORE}),
    ("kaldi", {"label": LABEL}),
    ("kaldi", {"score": SCORE}),
    ("voices", {"label": LABEL}),
    ("wespeaker", {"label": LABEL, "score": SCORE}),
    ("speechbrain", {"label": LABEL, "score": SCORE}),
    ("nist", {"names": CELL}),
    ("nist", {"names": CELL, "label": LABEL}),
    ("nist", {"names": CELL, "score": SCORE}),
    ("vfal-eva", {"names": st.text(min_size=1, max_size=8), "label": LABEL}),
    ("vfsearch", {"names": ANY_NAME}),
    ("vfsearch", {"names": ANY_NAME, "label": LABEL, "score": SCORE}),
]


@pytest.mark.parametrize(("format", "parts"), LINES, ids=[f"{name}-{'-'.join(parts)}" for name, parts in LINES])
@often
@given(data=st.data(), blocks=st.integers(1, 3))
def test_pairs(format, parts, data, blocks):
    made = data.draw(lists(**parts))
    require_same(format, made, pairs(made, blocks))


@often
@given(lists(label=GRADE))
def test_relevance(made):
    require_same("trec-qrels", made, pairs(made, kind="relevance", labelled=True))


@often
@given(lists(score=SCORE), st.integers(1, 4))
def test_a_run_and_its_ranks(made, blocks):
    made = sorted(made, key=lambda row: row[0])
    trials = pairs(made, blocks, kind="ranking")
    require_same("trec-run", made, trials)
    ranks = extra(again_list("trec-run", trials))["rank"]
    for probe in {row[0] for row in made}:
        mine = [
            (score, item.encode("utf-8", "surrogatepass"), int(rank))
            for (name, item, _, score), rank in zip(made, ranks, strict=True)
            if name == probe
        ]
        assert sorted(rank for *_, rank in mine) == list(range(1, len(mine) + 1))
        by_rank = sorted(mine, key=lambda each: each[2])
        keys = [(score, item) for score, item, _ in by_rank]
        assert keys == sorted(keys, reverse=True)


def again_list(format, trials):
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), format, written(format, trials))
        blocks = list(found.blocks())
    return TrialList(kind=found.kind, format=format, where="kept", names=found.names, blocks=lambda: iter(blocks))


@often
@given(lists())
def test_fame_lists_keep_their_keys(made):
    keys = [f"k{number}" for number in range(len(made))]
    trials = pairs(made, extra={"key": keys})
    require_same("fame-list", made, trials)
    assert extra(again_list("fame-list", trials))["key"] == keys


@often
@given(st.lists(st.tuples(NAME, SIX_DECIMALS), min_size=1, max_size=8), st.booleans())
def test_fame_scores_and_labels(made, scored):
    keys = [key for key, _ in made]
    made_rows = [
        (key, key, -1 if scored else number % 2, score if scored else None) for number, (key, score) in enumerate(made)
    ]
    trials = pairs(made_rows, extra={"key": keys})
    require_same("fame-scores", made_rows, trials)


@often
@given(st.lists(st.tuples(LABEL, SCORE), min_size=1, max_size=8))
def test_scores_without_names(made):
    made_rows = [(f"line {number}", f"line {number}", *row) for number, row in enumerate(made, start=1)]
    require_same("kaldi", made_rows, pairs(made_rows, about={"named_by": "line"}))


@often
@given(st.lists(st.tuples(NAME, st.sampled_from("pqr"), NAME, st.sampled_from("pqr"), SCORE), min_size=1, max_size=8))
def test_bob(made):
    # A name is of one person, whichever side it stands on.
    owner = {}
    for probe, probe_owner, item, item_owner, _ in made:
        owner.setdefault(probe, probe_owner)
        owner.setdefault(item, item_owner)
    made_rows = [(probe, item, int(owner[probe] == owner[item]), score) for probe, _, item, _, score in made]
    trials = pairs(made_rows, identities=owner.get)
    require_same("bob5", made_rows, trials)
    found, _ = again("bob5", trials)
    assert {name: found.identities(name) for name in owner} == owner

    # With four columns the model is called as its person is.
    by_person = {
        **{f"test {probe}".replace(" ", "-"): owner[probe] for probe, *_ in made_rows},
        "p": "p",
        "q": "q",
        "r": "r",
    }
    made_rows = [(f"test-{probe}", owner[item], mated, score) for probe, item, mated, score in made_rows]
    require_same("bob4", made_rows, pairs(made_rows, identities=by_person.get))


def matching(probes, candidates, **changes):
    names = Names()
    block = TrialBlock(
        probes=names.numbers(probes),
        items=np.stack([names.numbers(column) for column in zip(*candidates, strict=True)], axis=1),
        mated=np.ones(len(probes), dtype=np.int64), lines=np.arange(1, len(probes) + 1), extra=changes.pop("extra", {}),
    )  # fmt: skip
    return TrialList(kind="matching", format="", where="made", names=names, blocks=lambda: iter([block]),
                     candidates=len(candidates[0]), **changes)  # fmt: skip


TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.tuples(NAME, st.lists(NAME, min_size=width, max_size=width)), min_size=1, max_size=6)
)


@pytest.mark.parametrize("format", ["vfal-eva", "vfal-eva-f2v", "vfsearch", "wen2021"])
@often
@given(made=TABLES)
def test_matching(format, made):
    if format == "vfal-eva-f2v" and format not in FORMATS.entries():
        format = "vfsearch.trials.formats.vfal_eva:VfalEvaF2V"
    probes, candidates = zip(*made, strict=True)
    others = {f"other_probe_{column}": [f"o{row}{column}" for row in range(len(made))]
              for column in range(1, len(candidates[0]))} if "vfal" in format.lower() else {}  # fmt: skip
    trials = matching(probes, candidates, extra=others)
    found, its_rows = again(format, trials)
    assert its_rows == rows(trials)
    assert (found.kind, found.candidates) == ("matching", len(candidates[0]))
    assert extra(again_list(format, trials)) == others


@often
@given(st.lists(st.sampled_from("pqr"), min_size=1, max_size=6))
def test_galleries(people):
    names = Names()
    voices, faces = ([f"{side}{place}" for place in range(len(people))] for side in "vf")
    both = RetrievalSides(probes=names.numbers(voices), gallery=names.numbers(faces))
    trials = TrialList(
        kind="retrieval", format="", where="made", names=names, blocks=lambda: iter(()), sides=lambda: both,
        labelled=False, identities=lambda name: people[int(name[1:])],
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), "vfal-eva", written("vfal-eva", trials))
        assert sides(found) == (voices, faces)
        assert [found.identities(name) for name in (*voices, *faces)] == people * 2


@pytest.mark.parametrize("example", ALL)
def test_every_example(tmp_path, example):
    name, file, data = ALL[example]
    if example == "cmpc-retrieval":
        (tmp_path / "wav_20k.csv").write_bytes(b"VoxCeleb1 ID\twav\nid10002\tid10002/0_laIeN-Q44/00001.wav\n")
    trials = read(tmp_path, name, data, file)
    (tmp_path / "again").mkdir()
    files = {each: b"".join(pieces) for each, pieces in load_format(name).files(trials, Path(file).stem).items()}
    for each, content in files.items():
        (tmp_path / "again" / each).write_bytes(content)
    found = load_format(name).read(tmp_path / "again" / next(iter(files)))
    if trials.kind == "retrieval":
        assert sides(found) == sides(trials)
    else:
        assert rows(found) == rows(trials)
        assert extra(found) == extra(trials)
    assert (found.kind, found.scored, found.labelled) == (trials.kind, trials.scored, trials.labelled)
