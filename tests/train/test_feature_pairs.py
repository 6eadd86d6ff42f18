import numpy as np
import pytest
import torch

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.space import Space
from vfsearch.errors import ManifestError
from vfsearch.train.batch import whole
from vfsearch.train.feature_pairs import FeaturePairs
from vfsearch.train.sampling import PairSampler

PEOPLE = [f"p{row % 7}" for row in range(21)]


def side(modality: str, d: int, names=PEOPLE) -> Embeddings:
    rows = np.random.default_rng(d).normal(size=(len(names), d))
    return Embeddings(
        ids=[f"{modality} {row}" for row in range(len(names))],
        identities=names,
        vectors=(rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32),
        modality=modality,
        space=Space(name=modality, fingerprint="0" * 64, dimension=d),
    )


VOICES, FACES = side("voice", 6), side("face", 5, PEOPLE[::-1])


def test_a_batch_is_the_features_of_the_rows_drawn():
    pairs, sampler = FeaturePairs(VOICES, FACES, 3, 1), PairSampler(VOICES.identities, FACES.identities, 3, 1)
    assert pairs.identities == sampler.identities
    for run, step in ((0, 0), (0, 5), (1, 5)):
        batch, (voices, faces, labels) = pairs.batch(run, step), sampler.batch(step, run)
        np.testing.assert_array_equal(batch.voices, VOICES.vectors[voices])
        np.testing.assert_array_equal(batch.faces, FACES.vectors[faces])
        np.testing.assert_array_equal(batch.labels, labels)
        assert batch.labels.dtype == np.int64
        assert (batch.size, batch.share) == (len(labels), slice(0, len(labels))) == (len(labels), whole(len(labels)))


def test_the_shares_of_several_processes_make_the_batch():
    alone = FeaturePairs(VOICES, FACES, 7, 1).batch(1, 4)
    shares = (lambda n: slice(0, n // 2), lambda n: slice(n // 2, n))
    halves = [FeaturePairs(VOICES, FACES, 7, 1, share=share).batch(1, 4) for share in shares]
    assert [half.share for half in halves] == [slice(0, 3), slice(3, 7)]
    for half in halves:
        assert half.size == 7
        np.testing.assert_array_equal(half.labels, alone.labels)
    assert torch.equal(torch.cat([half.voices for half in halves]), alone.voices)
    assert torch.equal(torch.cat([half.faces for half in halves]), alone.faces)


def test_features_are_on_the_device():
    batch = FeaturePairs(VOICES, FACES, 3, 1, device="meta").batch(0, 0)
    assert batch.voices.device.type == batch.faces.device.type == "meta"


def test_one_identity_is_refused():
    with pytest.raises(ManifestError, match="at least 2 identities"):
        FeaturePairs(VOICES, side("face", 5, ["p1"] * 3), 3, 1)
