"""What the figures share: colours, size, and PNG bytes that depend on nothing but what is drawn."""

import io
import warnings
from collections.abc import Callable

DOTS_PER_INCH = 120
# Told apart with any colour vision. Source: Okabe & Ito, "Color Universal Design", 2008.
BLACK, GREY, LIGHT = "#222222", "#777777", "#dddddd"
BLUE, ORANGE, SKY = "#0072b2", "#d55e00", "#56b4e9"
_STYLE = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "text.color": BLACK,
    "axes.labelcolor": BLACK,
    "xtick.color": BLACK,
    "ytick.color": BLACK,
}


def png(draw: Callable[..., None], width_inches: float, height_inches: float) -> bytes:
    """The PNG bytes of the figure that `draw` draws on an empty `matplotlib.figure.Figure`.

    The user's settings of matplotlib have no influence and stay as they are; no window is needed.
    """
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.style.context(_STYLE, after_reset=True):
        figure = Figure(figsize=(width_inches, height_inches), dpi=DOTS_PER_INCH, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        draw(figure)
        data = io.BytesIO()
        with warnings.catch_warnings():
            # Names in scripts that the font has not are drawn as boxes.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            # Without this the version of matplotlib stands in the file.
            canvas.print_png(data, metadata={"Software": None})
    return data.getvalue()
