import os
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from vfsearch.errors import MediaError
from vfsearch.media.limits import Limits
from vfsearch.media.photo import read_photo


def gradient(height: int = 40, width: int = 30) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 6, columns * 8, np.full_like(rows, 90)], axis=2).astype(np.uint8)


def saved(path, pixels, mode=None, **how):
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **how)
    return path


def refused(reason: str):
    return pytest.raises(MediaError, match=f"^{re.escape(reason)}")


def png_head(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">II", zlib.crc32(body), 9) + b"IDAT"


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.ppm", "a.webp"])
def test_pixels_come_back(tmp_path, name):
    path = saved(tmp_path / name, gradient(), **({"lossless": True} if name.endswith("webp") else {}))
    pixels = read_photo(path, Limits())
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, gradient())


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = gradient()[..., 0]
    np.testing.assert_array_equal(read_photo(saved(tmp_path / "a.png", grey), Limits()), np.stack([grey] * 3, axis=2))


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.pgm"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path, name):
    grey = gradient()[..., 0]
    path = saved(tmp_path / name, grey.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_photo(path, Limits())[..., 1], grey)


def test_floating_point_grey_is_from_0_to_1(tmp_path):
    values = np.linspace(0, 1, 200, dtype=np.float32).reshape(10, 20)
    pixels = read_photo(saved(tmp_path / "a.tiff", values), Limits())
    np.testing.assert_array_equal(pixels[..., 0], np.rint(values * 255))
    with refused("grey values from 0 to 7, outside 0 to 1"):
        read_photo(saved(tmp_path / "b.tiff", values * 7), Limits())
    with refused("grey values from nan to nan, outside 0 to 1"):
        read_photo(saved(tmp_path / "c.tiff", values * np.nan), Limits())


@pytest.mark.parametrize("mode, name, tolerance", [("CMYK", "a.jpg", 12), ("CMYK", "a.tiff", 1), ("P", "a.png", 60)])
def test_other_colour_modes(tmp_path, mode, name, tolerance):
    pixels = read_photo(saved(tmp_path / name, gradient(), mode), Limits())
    assert np.abs(pixels.astype(int) - gradient()).mean() <= tolerance


def test_what_is_transparent_lies_on_white(tmp_path):
    alpha = np.zeros((40, 30, 1), np.uint8)
    alpha[:20] = 255
    pixels = read_photo(saved(tmp_path / "a.png", np.concatenate([gradient(), alpha], axis=2)), Limits())
    np.testing.assert_array_equal(pixels[:20], gradient()[:20])
    assert (pixels[20:] == 255).all()


def test_a_transparent_palette_colour_lies_on_white(tmp_path):
    image = Image.new("P", (4, 4), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((0, 0), 1)
    image.save(tmp_path / "a.png", transparency=0)
    pixels = read_photo(tmp_path / "a.png", Limits())
    assert pixels[0, 0].tolist() == [40, 50, 60]
    assert pixels[1, 1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("orientation", range(10))
def test_the_exif_orientation_is_applied(tmp_path, orientation):
    stored = {
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }.get(orientation, lambda p: p)(gradient())
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.png", np.ascontiguousarray(stored), exif=exif)
    np.testing.assert_array_equal(read_photo(path, Limits()), gradient())


def test_a_broken_exif_block_is_ignored(tmp_path):
    path = saved(tmp_path / "a.jpg", gradient(), quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    assert read_photo(path, Limits()).shape == (40, 30, 3)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_of_an_animation_it_is_the_first_picture(tmp_path, name):
    pictures = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (200, 100, 0)]
    how = {"lossless": True} if name == "a.webp" else {}
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], **how)
    pixels = read_photo(tmp_path / name, Limits())
    np.testing.assert_array_equal(pixels, np.full((8, 8, 3), 200))


def _pipe(folder):
    os.mkfifo(folder / "a.png")
    return folder / "a.png"


def _bytes(data):
    def make(folder):
        (folder / "a.png").write_bytes(data)
        return folder / "a.png"

    return make


def _cut(name):
    def make(folder):
        noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3)).astype(np.uint8)
        data = saved(folder / name, noise).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])
        return folder / name

    return make


@pytest.mark.parametrize(
    "make, reason",
    [
        (lambda folder: folder / "none.png", "no such file"),
        (lambda folder: folder, "is a directory, not a file"),
        (_pipe, "is a pipe, a socket or a device, not a regular file"),
        (_bytes(b""), "is empty (0 bytes)"),
        (_bytes(b"path,modality,identity\n"), "not a photo that can be decoded"),
        (_bytes(b"\x89PNG\r\n\x1a\n"), "not a photo that can be decoded"),
        (_bytes(png_head(8000, 8000)), "8000 x 8000 pixels, more than the limit of 50,000,000"),
        (_bytes(png_head(60_000, 60_000)), "more pixels than Pillow opens (178,956,970)"),
        (_bytes(png_head(20, 20)), "the photo cannot be decoded: "),
        (
            _bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"),
            "not a photo that can be decoded",
        ),
        (_cut("a.png"), "the photo cannot be decoded: "),
        (_cut("a.jpg"), "the photo cannot be decoded: image file is truncated"),
        (_cut("a.bmp"), "the photo cannot be decoded: image file is truncated"),
        (_cut("a.ppm"), "the photo cannot be decoded: "),
    ],
)
def test_what_is_no_photo_is_refused_with_its_reason(tmp_path, make, reason):
    with refused(reason) as caught:
        read_photo(make(tmp_path), Limits())
    assert "\n" not in str(caught.value)


def test_bytes_drawn_at_random_raise_nothing_but_media_errors(tmp_path):
    rng = np.random.default_rng(2)
    good = [saved(tmp_path / f"a.{kind}", gradient()).read_bytes() for kind in ("png", "jpg", "gif", "tiff")]
    for trial in range(200):
        data = bytearray(good[trial % len(good)])
        for position in rng.integers(0, len(data), 6):
            data[position] = rng.integers(256)
        path = tmp_path / "b"
        path.write_bytes(data)
        try:
            assert read_photo(path, Limits()).shape[2] == 3
        except MediaError:
            pass
