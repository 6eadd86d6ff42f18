import numpy as np
import pytest

from vfsearch.corpus.drawing import Grid, ellipse, paint, rotated_grid
from vfsearch.corpus.faces import PHOTO_PIXELS, draw_view, face_traits
from vfsearch.corpus.people import PRIVATE, SHARED, draw_people
from vfsearch.corpus.portrait import draw_portrait


def latent(**values: float) -> tuple[float, ...]:
    row = [0.0] * (SHARED + PRIVATE)
    for name, value in values.items():
        row[int(name[1:])] = value
    return tuple(row)


def photo(seed: int = 0, **values: float) -> np.ndarray:
    return draw_portrait(face_traits(latent(**values)), draw_view(np.random.default_rng(seed)))


def cheek(picture: np.ndarray) -> float:
    """Brightness of the middle of the face."""
    return float(picture[85:105, 60:100].mean())


def test_shape_and_type():
    picture = photo()
    assert picture.shape == (PHOTO_PIXELS, PHOTO_PIXELS, 3)
    assert picture.dtype == np.uint8


def test_same_view_same_photo_and_photos_of_one_face_differ():
    assert np.array_equal(photo(1), photo(1))
    assert np.abs(photo(1).astype(int) - photo(2)).mean() > 5


@pytest.mark.parametrize("number", range(SHARED))
def test_each_shared_latent_changes_the_photo(number):
    name = f"z{number}"
    assert np.abs(photo(3, **{name: 1.2}).astype(int) - photo(3, **{name: -1.2})).mean() > 0.4


def test_skin_latent_lightens_the_skin():
    assert cheek(photo(z4=-1.5)) < cheek(photo()) < cheek(photo(z4=1.5))


def test_beards_grow_on_men_only_and_lines_with_age():
    assert face_traits(latent(z0=1.0)).beard > 0.3
    assert face_traits(latent(z0=-1.0)).beard == 0
    assert face_traits(latent(z1=1.2)).lines > face_traits(latent(z1=-1.2)).lines


def test_every_drawn_person_has_a_sane_face():
    for person in draw_people(people=300, seed=5, sharing=0.9):
        traits = face_traits(person.face_latent)
        assert 0.55 < traits.width < 0.9
        assert traits.eye_distance > traits.eye_width + 0.03
        assert traits.eye_distance + traits.eye_width < traits.width
        assert traits.nose_level + 0.1 < traits.mouth_level < 0.75
        assert traits.hairline < traits.brow_level
        assert ((traits.skin >= 0) & (traits.skin <= 255)).all()


def test_ellipse_covers_its_area():
    grid = rotated_grid(200, (100, 100), 50.0, 0.3)
    area = ellipse(grid, (0.1, -0.2), (0.8, 0.4)).sum() / 50**2
    assert area == pytest.approx(np.pi * 0.8 * 0.4, rel=0.02)


def test_paint_replaces_by_the_mask():
    picture = np.zeros((1, 2, 3), np.float32)
    paint(picture, np.array([[0.5, 1.0]]), (10, 20, 30))
    assert picture.tolist() == [[[5, 10, 15], [10, 20, 30]]]


def test_grid_turns_with_the_head():
    grid: Grid = rotated_grid(3, (1, 1), 1.0, np.pi / 2)
    assert (grid.u[2, 1], grid.v[1, 0]) == (pytest.approx(1), pytest.approx(1))
