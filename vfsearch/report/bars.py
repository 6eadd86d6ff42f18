"""What became of all that was asked, as bars in parts, told apart by colour and hatching."""

from vfsearch.data.plot import Shares
from vfsearch.report.drawing import BLUE, FORMATS, GREY, LIGHT, ORANGE, PURPLE, SKY, plain, rendered

WIDTH_INCHES, BAR_INCHES, MARGIN_INCHES = 7.2, 0.42, 1.5
PARTS = ((BLUE, ""), (SKY, "//"), (ORANGE, ""), (PURPLE, "\\\\"), (LIGHT, ".."), (GREY, "xx"), (LIGHT, ""))
LEAST_NUMBERED = 0.06
"""A smaller part has no room for its number."""
_NUMBER = {
    "ha": "center", "va": "center", "fontsize": 8.5, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.2},
}  # fmt: skip


def shares_files(shares: Shares, formats: tuple[str, ...] = FORMATS) -> dict[str, bytes]:
    """A diagram in several formats.

    Args:
        shares: what it shows.
        formats: "png", "svg", "pdf".
    Returns:
        Format -> bytes.
    """
    height = MARGIN_INCHES + BAR_INCHES * len(shares.runs)
    return rendered(lambda figure: _draw(figure, shares), WIDTH_INCHES, height, formats)


def _draw(figure, shares: Shares) -> None:
    axes = figure.subplots()
    axes.set_title(plain(shares.title), loc="left")
    places = range(len(shares.runs))
    for number, cause in enumerate(shares.causes):
        colour, hatch = PARTS[number % len(PARTS)]
        left = shares.shares[:, :number].sum(axis=1)
        widths = shares.shares[:, number]
        axes.barh(places, widths, left=left, height=0.7, color=colour, hatch=hatch, edgecolor="white", linewidth=0.6,
                  label=plain(cause))  # fmt: skip
        for place in places:
            if widths[place] >= LEAST_NUMBERED:
                middle = left[place] + widths[place] / 2
                axes.text(middle, place, f"{100 * widths[place]:.1f}", **_NUMBER)
    axes.set_yticks(places, [plain(run) for run in shares.runs])
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100 %"])
    axes.set(xlim=(0, 1), ylim=(len(shares.runs) - 0.5, -0.5))
    axes.grid(visible=False)
    figure.legend(loc="outside lower left", ncols=2, fontsize=8.5)
