"""What the figures share: colours, size, and bytes that depend on nothing but what is drawn."""

import io
import warnings
from collections.abc import Callable, Sequence

DOTS_PER_INCH = 120
# Told apart with any colour vision. Source: Okabe & Ito, "Color Universal Design", 2008.
BLACK, GREY, LIGHT = "#222222", "#777777", "#dddddd"
BLUE, ORANGE, SKY = "#0072b2", "#d55e00", "#56b4e9"
GREEN, PURPLE = "#009e73", "#cc79a7"
FORMATS = ("png", "svg", "pdf")
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
    # Letters stay letters in a PDF; names of things in an SVG are the same each time.
    "pdf.fonttype": 42,
    "svg.hashsalt": "vfsearch",
}
# Without these the version of matplotlib and the time stand in the files.
_NOTHING = {
    "png": {"Software": None},
    "svg": {"Creator": None, "Date": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


def png(draw: Callable[..., None], width_inches: float, height_inches: float) -> bytes:
    """The PNG bytes of the figure that `draw` draws on an empty `matplotlib.figure.Figure`; see `rendered`."""
    return rendered(draw, width_inches, height_inches, ("png",))["png"]


def rendered(
    draw: Callable[..., None], width_inches: float, height_inches: float, formats: Sequence[str] = FORMATS
) -> dict[str, bytes]:
    """A figure in several formats, drawn once.

    The user's settings of matplotlib have no influence and stay as they are; no window is needed.

    Args:
        draw: draws on an empty `matplotlib.figure.Figure`.
        width_inches, height_inches: of the figure.
        formats: of `FORMATS`.
    Returns:
        Format -> bytes.
    """
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    files = {}
    with matplotlib.style.context(_STYLE, after_reset=True):
        figure = Figure(figsize=(width_inches, height_inches), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        with warnings.catch_warnings():
            # Names in scripts that the font has not are drawn as boxes.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            for format_ in formats:
                data = io.BytesIO()
                figure.savefig(data, format=format_, metadata=_NOTHING[format_])
                files[format_] = data.getvalue()
    return files


def plain(text: str) -> str:
    """A text that matplotlib takes for no formula, on one line."""
    return " ".join(text.split()).replace("$", r"\$")
