"""The qualitative figure: each probe beside the best of the gallery, matched and mismatched marked by colour and sign.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, supplement, section 4.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from vfsearch.data.answers import Answer, Hit, ShownItem
from vfsearch.report.drawing import BLUE, FORMATS, GREY, LIGHT, ORANGE, plain, rendered

CELL_INCHES, PROBE_INCHES, MARGIN_INCHES = 0.92, 1.5, 0.75
MATCHED, MISMATCHED = (BLUE, "\N{CHECK MARK}"), (ORANGE, "\N{BALLOT X}")
LONGEST_NAME = 24
Picture = Callable[[ShownItem], np.ndarray | None]
"""Gives what is shown of an item: (h, w, 3) uint8 of a face, (bins, 2) of a clip's outline; None: nothing."""


def answers_files(
    answers: Sequence[Answer],
    picture: Picture,
    title: str,
    formats: tuple[str, ...] = FORMATS,
    named: bool = True,
) -> dict[str, bytes]:
    """The figure in several formats.

    Args:
        answers: at least one, a line each.
        picture: of probes and hits.
        title: what is shown.
        formats: "png", "svg", "pdf".
        named: show the ids of the probes.
    Returns:
        Format -> bytes.
    """
    across = max((len(answer.hits) for answer in answers), default=0)
    width = PROBE_INCHES + CELL_INCHES * max(1, across)
    height = MARGIN_INCHES + (CELL_INCHES + 0.3) * len(answers)

    def draw(figure) -> None:
        widths = [PROBE_INCHES] + [CELL_INCHES] * max(1, across)
        axes = figure.subplots(len(answers), len(widths), squeeze=False, width_ratios=widths)
        for line, answer in zip(axes, answers, strict=True):
            _draw_line(line, answer, picture, named)
        figure.suptitle(plain(title), x=0.01, ha="left", fontsize=10.5)
        figure.supxlabel(
            f"{MATCHED[1]} of the probe's identity   {MISMATCHED[1]} of another   numbers: similarity",
            fontsize=8.5, color=GREY,
        )  # fmt: skip

    return rendered(draw, width, height, formats)


def _draw_line(line, answer: Answer, picture: Picture, named: bool) -> None:
    for axes in line:
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.set_axis_off()
    _draw_item(line[0], picture(answer.probe), LIGHT)
    line[0].set_title(_of_probe(answer, named), loc="left", fontsize=7.5)
    for axes, hit in zip(line[1:], answer.hits, strict=False):
        _draw_hit(axes, answer, hit, picture)


def _draw_hit(axes, answer: Answer, hit: Hit, picture: Picture) -> None:
    colour, sign = MATCHED if answer.is_mated(hit) else MISMATCHED
    _draw_item(axes, picture(hit.item), colour)
    axes.set_title(f"{sign} {hit.score:z.2f}", fontsize=8, color=colour, pad=3)


def _draw_item(axes, shown: np.ndarray | None, colour: str) -> None:
    axes.set_axis_on()
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=2.2)
    if shown is None:
        axes.text(0.5, 0.5, "?", transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=14)
    elif shown.ndim == 3:
        axes.imshow(shown, interpolation="antialiased")
    else:
        most = max(1e-6, float(np.abs(shown).max()))
        axes.fill_between(np.arange(len(shown)), shown[:, 0] / most, shown[:, 1] / most, color=GREY, linewidth=0.4)
        axes.set(xlim=(0, len(shown) - 1), ylim=(-1.05, 1.05))


def _of_probe(answer: Answer, named: bool) -> str:
    place = answer.best_place
    of_mate = "" if math.isnan(place) else "no mate in the gallery" if math.isinf(place) else f"best mate: {place:g}"
    id_ = answer.probe.id if len(answer.probe.id) <= LONGEST_NAME else f"...{answer.probe.id[3 - LONGEST_NAME :]}"
    return "\n".join(filter(None, [plain(id_) if named else "", of_mate]))
