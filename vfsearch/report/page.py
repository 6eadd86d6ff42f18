"""The page of a report: one HTML file that needs no network, with its media in it or in a folder beside it.

Texts of manifests and file names reach the page in two ways: through the template, which escapes them, and as JSON, in
which no character can end the element that holds it; the script makes text nodes of them. A content security policy
allows nothing but the page's own script, style, pictures and sounds.
"""

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from functools import cache

from vfsearch.data.page import Page, PageItem, PageSearch
from vfsearch.data.result_table import Column, ResultTable, Row
from vfsearch.report.page_plots import page_plot
from vfsearch.report.tables import figure_text, heading

SCRIPTS = ("dom.js", "tables.js", "plots.js", "player.js", "answers.js", "start.js")
BLOCK = 200
"""Answers and items that are written at once."""


def page_pieces(page: Page, media: Iterable[tuple[str, bytes]] | None = None) -> Iterator[bytes]:
    """The bytes of the file, a part at a time.

    Args:
        page: what it shows.
        media: name and content of each medium, put into the page; None: they are in a folder "media" beside it.
    """
    style = f"\n{_text('page.css')}"
    script = '\n"use strict";\n' + "".join(map(_text, SCRIPTS))
    pieces = _template().generate(
        page=page,
        headings=[heading(column) for column in page.results.columns] if page.results else [],
        results=list(_results(page.results, page.digits)) if page.results else [],
        policy=_policy(style, script),
        style=style,
        script=script,
        data=_data(page),
        media=["null"] if media is None else _media(media),
    )
    for piece in pieces:
        yield piece.encode("utf-8", "backslashreplace")


@cache
def _template():
    import jinja2

    loader = jinja2.PackageLoader("vfsearch.report", "page_files")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("page.html")


@cache
def _text(name: str) -> str:
    from importlib.resources import files

    return files("vfsearch.report").joinpath("page_files", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """What the page may load and run."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    parts = {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashes[0]}'",
        "script-src": f"'sha256-{hashes[1]}'",
        "img-src": "'self' file: data:",
        "media-src": "'self' file: data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def _results(table: ResultTable, digits: int) -> Iterator[tuple[str, list[dict]]]:
    """A direction with its rows, as the template shows them."""
    for direction in dict.fromkeys(row.direction for row in table.rows):
        rows = [row for row in table.rows if row.direction == direction]
        yield (
            direction,
            [
                {
                    "name": row.name,
                    "reported": row.reported,
                    "cells": [_cell(table, row, column, digits) for column in table.columns],
                }
                for row in rows
            ],
        )


def _cell(table: ResultTable, row: Row, column: Column, digits: int) -> dict:
    found = row.values.get(column)
    if found is None or math.isnan(found.value):
        return {"value": "", "text": "-", "interval": "", "best": False}
    known = math.isfinite(found.low) and math.isfinite(found.high)
    low, high = (figure_text(value, column, digits) for value in (found.low, found.high)) if known else ("", "")
    return {
        "value": repr(float(found.value)) if math.isfinite(found.value) else "1e999",
        "text": figure_text(found.value, column, digits),
        "interval": f"{low} to {high}" if known else "",
        "best": table.is_best(row, column),
    }


def _data(page: Page) -> Iterator[str]:
    """The JSON that the script reads."""
    compared = list(dict.fromkeys(reason.column for search in page.searches for reason in search.reasons))
    yield f'{{"compared":{_json(compared)},"plots":{_json(list(map(page_plot, page.plots)))},"items":['
    yield from _listed(map(_item, page.items))
    yield '],"searches":['
    for number, search in enumerate(page.searches):
        yield "," if number else ""
        yield from _search(search)
    yield "]}"


def _item(item: PageItem) -> dict:
    return {
        "modality": item.modality, "name": item.name, "identity": item.identity, "traits": dict(item.traits),
        "media": item.media, "outline": list(item.outline), "seconds": round(item.seconds, 3),
    }  # fmt: skip


def _search(search: PageSearch) -> Iterator[str]:
    about = {"name": search.name, "probe": search.probe, "gallery": search.gallery, "total": search.total}
    yield _json(about)[:-1] + ',"answers":['
    yield from _listed(
        [
            each.probe,
            None if math.isnan(each.best_place) else "inf" if math.isinf(each.best_place) else each.best_place,
            list(each.hits),
            [round(score, 5) for score in each.scores],
        ]
        for each in search.answers
    )
    yield "]}"


def _listed(values: Iterable[object]) -> Iterator[str]:
    """Values with commas between them, some at a time."""
    block: list[str] = []
    first = True
    for value in values:
        block.append(_json(value))
        if len(block) == BLOCK:
            yield ("" if first else ",") + ",".join(block)
            block, first = [], False
    if block:
        yield ("" if first else ",") + ",".join(block)


def _media(media: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    yield "{"
    for number, (name, data) in enumerate(media):
        yield f'{"," if number else ""}{_json(name)}:"{base64.b64encode(data).decode()}"'
    yield "}"


def _json(value: object) -> str:
    """JSON in which nothing can end or open an element, whatever the texts are."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
