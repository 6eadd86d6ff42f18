import io
import struct
import subprocess
import sys

import matplotlib as mpl
import numpy as np
from PIL import Image

from vfsearch.report.drawing import png


def draw(figure):
    axes = figure.subplots()
    axes.plot([1, 3, 2], label="a")
    axes.set_title("a title")


def chunks(data: bytes) -> list[bytes]:
    found, place = [], 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        found.append(data[place + 4 : place + 8])
        place += 12 + length
    return found


def test_it_is_a_picture_of_that_size():
    image = Image.open(io.BytesIO(png(draw, 3, 2)))
    assert image.size == (360, 240)
    assert len(np.unique(np.asarray(image.convert("L")))) > 10


def test_no_text_and_no_date_stand_in_the_file():
    assert set(chunks(png(draw, 3, 2))) == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


def test_settings_of_the_user_neither_matter_nor_change():
    plain = png(draw, 3, 2)
    wild = {"font.size": 31, "lines.linewidth": 9, "axes.facecolor": "red", "savefig.dpi": 30, "axes.grid": False}
    with mpl.rc_context(wild):
        before = dict(mpl.rcParams)
        assert png(draw, 3, 2) == plain
        assert dict(mpl.rcParams) == before


def test_settings_come_back_after_an_error():
    before = dict(mpl.rcParams)
    try:
        png(lambda figure: 1 / 0, 3, 2)
    except ZeroDivisionError:
        pass
    assert dict(mpl.rcParams) == before


def test_nothing_but_drawing_is_loaded():
    code = (
        "import sys; from vfsearch.report.drawing import png; assert 'matplotlib' not in sys.modules;"
        "png(lambda figure: figure.subplots(), 2, 2); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
