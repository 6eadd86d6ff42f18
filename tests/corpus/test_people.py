import numpy as np
import pytest

from vfsearch.corpus.people import AGES, GENDERS, NATIONALITIES, PRIVATE, SHARED, Person, draw_people
from vfsearch.errors import SettingsError


def latents(people: list[Person]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p.voice_latent for p in people]), np.array([p.face_latent for p in people])


def correlations(people: list[Person]) -> np.ndarray:
    """(latents, latents) correlation of each voice latent with each face latent."""
    voice, face = latents(people)
    size = SHARED + PRIVATE
    return np.corrcoef(voice.T, face.T)[:size, size:]


def test_same_seed_same_people_and_more_people_keep_the_first():
    few = draw_people(people=5, seed=3, sharing=0.9)
    assert few == draw_people(people=9, seed=3, sharing=0.9)[:5]
    assert few != draw_people(people=5, seed=4, sharing=0.9)


def test_names_and_groups_are_the_documented_ones():
    people = draw_people(people=60, seed=1, sharing=0.9)
    assert [p.identity for p in people[:2]] == ["person0000", "person0001"]
    assert {p.gender for p in people} == set(GENDERS)
    assert {p.nationality for p in people} == set(NATIONALITIES)
    assert {p.age for p in people} == set(AGES)


def test_latents_are_about_standard_normal():
    voice, face = latents(draw_people(people=2000, seed=1, sharing=0.9))
    for latent in (voice, face):
        assert np.abs(latent.mean(axis=0)).max() < 0.12
        assert np.abs(latent.std(axis=0) - 1).max() < 0.12


@pytest.mark.parametrize("sharing", [0.5, 0.9])
def test_sharing_is_the_correlation_of_the_shared_latents_only(sharing):
    found = correlations(draw_people(people=2000, seed=1, sharing=sharing))
    assert np.abs(np.diag(found)[:SHARED] - sharing).max() < 0.1
    assert np.abs(found[SHARED:]).max() < 0.1


def test_full_sharing_gives_equal_shared_latents():
    voice, face = latents(draw_people(people=20, seed=1, sharing=1.0))
    assert np.allclose(voice[:, :SHARED], face[:, :SHARED])
    assert not np.allclose(voice[:, SHARED:], face[:, SHARED:])


def test_without_sharing_a_face_says_nothing_about_voice_gender_age_or_nationality():
    people = draw_people(people=3000, seed=2, sharing=0.0)
    assert np.abs(correlations(people)).max() < 0.09
    face = latents(people)[1]
    for attribute in ("gender", "age", "nationality"):
        values = np.array([getattr(p, attribute) for p in people])
        means = np.array([face[values == value].mean(axis=0) for value in np.unique(values)])
        assert np.ptp(means, axis=0).max() < 0.2, attribute


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_personalised_share_is_spread_evenly(share):
    marks = [p.personalised for p in draw_people(people=40, seed=1, sharing=0.9, personalised=share)]
    assert sum(marks) == round(40 * share)
    assert abs(sum(marks[:20]) - 20 * share) <= 1


def test_personalised_people_keep_their_voice_and_get_an_unrelated_face():
    plain = draw_people(people=600, seed=1, sharing=1.0)
    mixed = draw_people(people=600, seed=1, sharing=1.0, personalised=0.5)
    assert [p.voice_latent for p in plain] == [p.voice_latent for p in mixed]
    apart = [p for p in mixed if p.personalised]
    assert np.abs(np.diag(correlations(apart))).max() < 0.2
    voice, face = latents([p for p in mixed if not p.personalised])
    assert np.allclose(voice[:, :SHARED], face[:, :SHARED])


@pytest.mark.parametrize("wrong", [{"sharing": 1.2}, {"personalised": -0.1}, {"people": 0}, {"seed": -1}])
def test_numbers_out_of_range_are_named(wrong):
    settings = {"people": 2, "seed": 1, "sharing": 0.5} | wrong
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        draw_people(**settings)
