import itertools

import numpy as np
import pytest
from builders import make_embeddings, make_space, unit_rows

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.shard import Shard
from vfsearch.errors import ArtefactError
from vfsearch.store.statistics import store_statistics
from vfsearch.store.store import open_store
from vfsearch.store.writer import writing


def store_of(folder, *embeddings, dtype="float32"):
    about = {"spaces": {each.modality: each.space.to_json() for each in embeddings}}
    names = [f"{each.modality}-{number:05d}-{number:012x}.h5" for number, each in enumerate(embeddings)]
    with writing(folder, about, dtype) as writer:
        for name, each in zip(names, embeddings, strict=True):
            writer.add(name, Shard(embeddings=each, failures=(), split="test"))
        writer.finish(names)
    return open_store(folder)


def rows(vectors, identities, modality="voice"):
    vectors = np.asarray(vectors, np.float32)
    ids = [f"{modality}-{row}" for row in range(len(vectors))]
    space = make_space(dimension=vectors.shape[1])
    return Embeddings(
        ids=ids, identities=identities, vectors=vectors, modality=modality, space=space, columns={}
    )  # fmt: skip


def test_every_figure_against_a_plain_loop(tmp_path):
    people = [f"p{row % 7}" for row in range(40)]
    centres = dict(zip(dict.fromkeys(people), unit_rows(7, 6, seed=1), strict=True))
    vectors = np.stack([centres[name] for name in people]) + 0.4 * unit_rows(40, 6, seed=2)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    one, two = rows(vectors[:25], people[:25]), rows(vectors[25:], people[25:])
    faces = rows(unit_rows(10, 6, seed=3), [f"p{row}" for row in range(10)], "face")
    found = store_statistics(store_of(tmp_path, one, two, faces))
    voice, exact = found.of["voice"], vectors.astype(np.float32).astype(np.float64)
    pairs = list(itertools.combinations(range(40), 2))
    mated = [exact[a] @ exact[b] for a, b in pairs if people[a] == people[b]]
    other = [exact[a] @ exact[b] for a, b in pairs if people[a] != people[b]]
    assert voice.cosine_mated == pytest.approx(np.mean(mated), abs=1e-6)
    assert voice.cosine_nonmated == pytest.approx(np.mean(other), abs=1e-6)
    assert voice.cosine_random == pytest.approx(np.mean([*mated, *other]), abs=1e-6)
    values = np.linalg.eigvalsh(np.cov(exact.T, bias=True))
    assert voice.effective_rank == pytest.approx(values.sum() ** 2 / (values**2).sum())
    assert voice.top_share == pytest.approx(values[-1] / values.sum())
    assert voice.mean_length == pytest.approx(np.linalg.norm(exact.mean(axis=0)))
    assert (voice.rows, voice.identities, voice.single, voice.constant, voice.alarms) == (40, 7, 0, 0, ())
    assert (found.of["face"].single, found.of["face"].cosine_mated) == (10, None)
    cross = [exact[a] @ faces.vectors[b] for a in range(40) for b in range(10) if people[a] == f"p{b}"]
    assert found.mated == pytest.approx(np.mean(cross), abs=1e-6)
    worst = min(range(40), key=lambda row: _to_others(exact, people, row))
    id_ = [*one.ids, *two.ids][worst]
    assert voice.outliers[0][:2] == (id_, people[worst])
    assert voice.outliers[0][2] == pytest.approx(_to_others(exact, people, worst), abs=1e-6)


def _to_others(exact, people, row):
    mean = sum(exact[other] for other in range(len(people)) if people[other] == people[row] and other != row)
    return exact[row] @ mean / np.linalg.norm(mean)


def test_duplicates_are_named(tmp_path):
    vectors = unit_rows(8, 5)
    vectors[[3, 5]] = vectors[0]
    vectors[7] = vectors[1]
    figures = store_statistics(store_of(tmp_path, rows(vectors, list("aabbccdd")))).of["voice"]
    assert (figures.duplicates, figures.duplicate_rows, figures.across) == (2, 5, 2)
    assert figures.duplicate_ids == (("voice-0", "voice-3", "voice-5"), ("voice-1", "voice-7"))


COLLAPSED = {
    "one row": (np.tile(unit_rows(1, 8), (12, 1)), "collapsed: two rows have a cosine of 1.000 on average"),
    "nearly one": (unit_rows(12, 8) * 0.01 + unit_rows(1, 8, seed=9), "collapsed: two rows have a cosine of 1.000"),
    "a line": (np.outer(np.tile([1, -1], 6), unit_rows(1, 8)), "collapsed: the rows vary in 1.0 directions"),
    "few": (np.repeat(unit_rows(4, 8), 3, axis=0)[np.random.default_rng(0).permutation(12)],
            "3 rows have one and the same vector"),
}  # fmt: skip


@pytest.mark.parametrize(("vectors", "said"), COLLAPSED.values(), ids=COLLAPSED)
def test_a_collapse_is_said(tmp_path, vectors, said):
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = store_statistics(store_of(tmp_path, rows(vectors, list("aaabbbcccddd"))))
    assert any(said in alarm for alarm in found.alarms), found.alarms


def test_mates_that_are_no_nearer(tmp_path):
    found = store_statistics(store_of(tmp_path, rows(unit_rows(1000, 64), [f"p{row % 10}" for row in range(1000)])))
    assert any("rows of one identity are no nearer to one another" in alarm for alarm in found.alarms)


def test_lengths_are_those_of_the_files(tmp_path):
    figures = store_statistics(store_of(tmp_path, make_embeddings(50), dtype="float16")).of["voice"]
    assert 0.999 < figures.norms[0] < 1.0 < figures.norms[1] < 1.001


def test_a_store_without_such_rows(tmp_path):
    with pytest.raises(ArtefactError, match="has no row of 'train'"):
        store_statistics(store_of(tmp_path, make_embeddings(4)), "train")
