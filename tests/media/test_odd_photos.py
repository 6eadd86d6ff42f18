"""Photos as archives have them: each is right, or refused with a reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from memory_peak import peak_bytes
from PIL import Image, PngImagePlugin

from vfsearch.errors import MediaError
from vfsearch.media.limits import Limits
from vfsearch.media.photo import read_photo

SIDE = 64


def picture() -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.stack([rows * 3, columns * 3, (rows * columns) % 200], axis=2).astype(np.uint8)


SAVED = {
    "jpeg": {"format": "JPEG", "quality": 95},
    "progressive": {"format": "JPEG", "quality": 95, "progressive": True},
    "png": {"format": "PNG"},
    "gif": {"format": "GIF"},
    "webp": {"format": "WEBP", "lossless": True},
    "tiff": {"format": "TIFF"},
    "deflated-tiff": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    "bmp": {"format": "BMP"},
    "jpeg2000": {"format": "JPEG2000"},
    "avif": {"format": "AVIF"},
}


def stored(kind: str) -> bytes:
    data = io.BytesIO()
    try:
        Image.fromarray(picture()).save(data, **SAVED[kind])
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow writes no {kind}: {error}")
    return data.getvalue()


@pytest.mark.parametrize("kind", SAVED)
def test_a_photo_cut_anywhere_is_right_or_refused(tmp_path, kind):
    data, path = stored(kind), tmp_path / "a"
    path.write_bytes(data)
    whole, refused = read_photo(path, Limits()), 0
    cuts = sorted(
        {*range(1, 60, 7), *np.linspace(60, len(data) - 1, 60).astype(int), *range(len(data) - 20, len(data))}
    )
    for cut in cuts:
        path.write_bytes(data[:cut])
        try:
            np.testing.assert_array_equal(read_photo(path, Limits()), whole, str(cut))
        except MediaError as error:
            refused += 1
            assert str(error).startswith(("not a photo that can be decoded", "the photo cannot be decoded: "))
    assert refused > len(cuts) // 2


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_an_animation_of_many_pictures_costs_one(tmp_path, name):
    pictures = [Image.new("RGB", (SIDE, SIDE), (number, 200 - number, 9)) for number in range(60)]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:])
    assert np.abs(read_photo(tmp_path / name, Limits()).astype(int) - (0, 200, 9)).max() <= 4


@pytest.mark.parametrize(
    "mode, wanted",
    [("1", (255, 255, 255)), ("L", (200, 200, 200)), ("CMYK", (0, 255, 255)), ("YCbCr", (200, 200, 200)),
     ("I;16", (200, 200, 200)), ("LA", (200, 200, 200)), ("RGBA", (10, 20, 30)), ("P", (10, 20, 30))],
)  # fmt: skip
def test_every_mode_has_its_colour(tmp_path, mode, wanted):
    colours = {"1": 1, "L": 200, "CMYK": (255, 0, 0, 0), "YCbCr": (200, 128, 128), "I;16": 200 * 257,
               "LA": (200, 255), "RGBA": (10, 20, 30, 255)}  # fmt: skip
    image = Image.new(mode, (9, 7), colours.get(mode, 0))
    if mode == "P":
        image.putpalette([10, 20, 30])
    path = tmp_path / ("a.tiff" if mode in ("CMYK", "YCbCr") else "a.png")
    image.save(path)
    np.testing.assert_array_equal(read_photo(path, Limits()), np.broadcast_to(np.uint8(wanted), (7, 9, 3)))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks between its head and its pixels."""
    return data[:33] + b"".join(chunks) + data[33:]


BOMB = zlib.compress(bytes(200_000_000), 9)


@pytest.mark.parametrize("name, head", [(b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0")])
def test_a_chunk_that_swells_is_not_unpacked(tmp_path, name, head):
    path = tmp_path / "a.png"
    path.write_bytes(with_chunk(stored("png"), chunk(name, head + BOMB)))
    before = peak_bytes()
    try:
        np.testing.assert_array_equal(read_photo(path, Limits()), picture())
    except MediaError as error:
        assert str(error).startswith("the photo cannot be decoded: Decompressed data too large")
    assert peak_bytes() - before < 100 * 2**20


def test_many_texts_that_swell_together_are_refused(tmp_path):
    each = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(PngImagePlugin.MAX_TEXT_CHUNK), 9))
    (tmp_path / "a.png").write_bytes(with_chunk(stored("png"), *[each] * 100))
    with pytest.raises(MediaError, match=r"^the photo cannot be decoded: Too much memory used in text chunks"):
        read_photo(tmp_path / "a.png", Limits())


def test_pixels_that_swell_are_refused_by_the_header(tmp_path):
    Image.new("L", (9000, 9000)).save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < 100_000
    before = peak_bytes()
    with pytest.raises(MediaError, match=r"^9000 x 9000 pixels, more than the limit of 50,000,000$"):
        read_photo(tmp_path / "a.png", Limits())
    assert peak_bytes() - before < 50 * 2**20


def test_a_wrong_name_does_not_matter(tmp_path):
    (tmp_path / "a.jpg").write_bytes(stored("png"))
    np.testing.assert_array_equal(read_photo(tmp_path / "a.jpg", Limits()), picture())
