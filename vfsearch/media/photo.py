"""Photo file -> RGB pixels."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from vfsearch.errors import MediaError
from vfsearch.media.limits import Limits
from vfsearch.media.source import require_regular_file

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")


def read_photo(path: Path, limits: Limits) -> np.ndarray:
    """The pixels of a photo, upright.

    Reads what Pillow reads by itself (not EPS, which runs another program). The EXIF orientation is applied, 16-bit
    grey is scaled to 8, what is transparent lies on white, and of an animation it is the first picture.

    Args:
        path: the file.
        limits: `pixels` is compared with the header, before anything is decoded.
    Returns:
        (height, width, 3) uint8, RGB.
    Raises:
        MediaError: it cannot be read, or is truncated, too large or of a kind that has no 8-bit meaning.
    """
    path = Path(path)
    require_regular_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                require_pixels(image, limits)
                return np.array(_to_rgb(_upright(image)))
    except (MediaError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise MediaError(f"more pixels than Pillow opens ({2 * (Image.MAX_IMAGE_PIXELS or 0):,})") from error
    except UnidentifiedImageError as error:
        raise MediaError("not a photo that can be decoded") from error
    except Exception as error:
        # Pillow's decoders raise SyntaxError, struct.error, IndexError and others on broken files
        raise MediaError(f"the photo cannot be decoded: {str(error) or type(error).__name__}") from error


def require_pixels(image: Image.Image, limits: Limits) -> None:
    """Refuse a photo by its header.

    Raises:
        MediaError: more pixels than the limit, or EPS, which is a program.
    """
    if image.format == "EPS":
        raise MediaError("not a photo that can be decoded: EPS is a program, not pixels")
    if image.width * image.height > limits.pixels:
        raise MediaError(f"{image.width} x {image.height} pixels, more than the limit of {limits.pixels:,}")


def _upright(image: Image.Image) -> Image.Image:
    orientation = 1
    with contextlib.suppress(Exception):  # a broken EXIF block does not make a photo unusable
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_grey_8_bit(np.asarray(image))).convert("RGB")
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("RGB")


def _grey_8_bit(grey: np.ndarray) -> np.ndarray:
    full_scale = 1.0 if grey.dtype.kind == "f" else 65535.0
    if not (grey.min() >= 0 and grey.max() <= full_scale):
        raise MediaError(f"grey values from {grey.min():g} to {grey.max():g}, outside 0 to {full_scale:g}")
    return np.rint(grey * (255.0 / full_scale)).astype(np.uint8)
