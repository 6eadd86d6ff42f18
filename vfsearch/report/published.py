"""Results of publications, to stand beside one's own: of other media, so that they are no rivals.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, VoxCeleb1 and VGGFace, 924 / 112 / 189 identities.
"""

import math

from vfsearch.data.outcome import Value
from vfsearch.data.result_table import Column, Row

NAME = "Wen et al., CVPR 2021"
NOTE = (
    f"{NAME}: as reported there, on VoxCeleb1 and VGGFace (189 test identities), without intervals; other media than "
    "those of the other rows, unless these are of the same list."
)
_FIGURES = {
    ("matching", 2, "U", "accuracy"): (0.872, 0.865),
    ("matching", 2, "G", "accuracy"): (0.777, 0.753),
    ("verification", None, "U", "AUC"): (0.872, 0.870),
    ("verification", None, "G", "AUC"): (0.775, 0.761),
    ("retrieval", None, "U", "mAP"): (0.055, 0.058),
}
_DIRECTIONS = ("voice to face", "face to voice")


def published_rows(columns: list[Column], directions: list[str]) -> list[Row]:
    """The reported figures of some columns and directions, as far as there are any."""
    rows = []
    for place, direction in enumerate(_DIRECTIONS):
        found = {column: _value(column, place) for column in columns if _key(column) in _FIGURES}
        if found and direction in directions:
            rows.append(Row(name=NAME, direction=direction, values=found, reported=True))
    return rows


def _key(column: Column) -> tuple:
    """What a figure is of; lists of the field say the group in their names (match_g_2_test)."""
    group = "G" if "_g_" in column.list else column.group
    return (column.protocol, column.candidates, group, column.measure)


def _value(column: Column, place: int) -> Value:
    return Value(value=_FIGURES[_key(column)][place], low=math.nan, high=math.nan, chance=math.nan)
