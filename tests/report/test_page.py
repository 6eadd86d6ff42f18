import base64
import hashlib
import html.parser
import json
import math
import re

import numpy as np
import pytest

from vfsearch.data.outcome import Value
from vfsearch.data.page import Page, PageAnswer, PageItem, PageSearch, Reason, TextTable
from vfsearch.data.plot import Line, Plot, Shares
from vfsearch.data.result_table import Column, ResultTable, Row
from vfsearch.report.page import page_pieces

NASTY = "</script><img src=x onerror=alert(1)> \"'&\u2028 עברית \udcff"
COLUMN = Column(protocol="matching", candidates=2, group="U", list="", measure="accuracy", percent=True,
                higher_is_better=True)  # fmt: skip


def value(number, low=math.nan, high=math.nan):
    return Value(value=number, low=low, high=high, chance=0.5)


def row(name, number, **more):
    settings = {"direction": "voice to face", "values": {COLUMN: value(number, number - 0.1, number + 0.1)},
                "asked": {COLUMN: (9, None)}}  # fmt: skip
    return Row(name=name, **{**settings, **more})


def a_page(text="a", **more):
    items = [PageItem(modality="voice", name=text, identity=text, traits={text: text}, media="a.mp3", outline=(1, 63)),
             PageItem(modality="face", name=text, identity=text, media="b.jpg")]  # fmt: skip
    answers = [PageAnswer(probe=0, hits=[1, 1], scores=[0.123456789, -1.0], best_place=place)
               for place in (1.5, math.inf, math.nan)]  # fmt: skip
    reason = Reason(column=text, wrong=4, same=3, expected=0.5)
    plot = Plot(name="p", title=text, x=text, y="y", lines=[Line(name=text, x=np.arange(2.0), y=np.arange(2.0))])
    shares = Shares(name="s", title=text, causes=[text, "b"], runs=[text], shares=np.array([[0.25, 0.75]]))
    settings = {
        "title": text,
        "results": ResultTable(columns=[COLUMN], rows=[row(text, 0.9), row("b", 0.8)], notes=[text]),
        "speed": TextTable(head=["run", text], rows=[[text, "1"]]),
        "plots": [plot],
        "shares": [shares],
        "searches": [PageSearch(name=text, probe="voice", gallery="face", total=7, answers=answers,
                                reasons=[reason])],
        "items": items,
    }  # fmt: skip
    return Page(**{**settings, **more})


class Elements(html.parser.HTMLParser):
    """Elements with their attributes, texts, and what scripts hold."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.held = [], [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in ("script", "style") and not self.texts_after_end:
            self.held.setdefault(self.tags[-1][1].get("id") or self.tags[-1][0], data)
        elif data.strip():
            self.texts.append(data.strip())

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.tags.append(("end", {}))

    @property
    def texts_after_end(self):
        return self.tags[-1][0] == "end"


def elements(page, media=None):
    return Elements(b"".join(page_pieces(page, media)).decode())


def test_texts_stay_texts():
    plain, nasty = elements(a_page()), elements(a_page(NASTY))
    assert [tag for tag, _ in plain.tags] == [tag for tag, _ in nasty.tags]
    assert not any(name.startswith("on") for _, attributes in nasty.tags for name in attributes)
    shown = NASTY.encode("utf-8", "backslashreplace").decode()
    assert shown in nasty.texts and any(shown == attributes.get("title") for _, attributes in nasty.tags)
    items = json.loads(nasty.held["data"])["items"]
    assert items[0]["name"] == NASTY and items[0]["traits"] == {NASTY: NASTY}


def test_the_data_are_what_was_given():
    data = json.loads(elements(a_page()).held["data"])
    assert data["compared"] == ["a"] and data["items"][0]["outline"] == [1, 63]
    (search,) = data["searches"]
    assert search["total"] == 7
    assert [answer[:2] for answer in search["answers"]] == [[0, 1.5], [0, "inf"], [0, None]]
    assert search["answers"][0][2:] == [[1, 1], [0.12346, -1.0]]


def test_many_answers_are_one_list():
    many = PageSearch(name="m", probe="voice", gallery="face", total=1,
                      answers=[PageAnswer(probe=n % 2, hits=(), scores=()) for n in range(901)])  # fmt: skip
    items = [PageItem(modality="face", name=str(n), identity="x") for n in range(400)]
    data = json.loads(elements(a_page(searches=[many, many], items=items)).held["data"])
    assert [len(search["answers"]) for search in data["searches"]] == [901, 901] and len(data["items"]) == 400


def test_media_inside_and_beside():
    held = elements(a_page(), [("a.mp3", b"\xff\x00"), ("b.jpg", b"x")]).held
    assert {name: base64.b64decode(text) for name, text in json.loads(held["media"]).items()} == {
        "a.mp3": b"\xff\x00", "b.jpg": b"x",
    }  # fmt: skip
    assert elements(a_page()).held["media"] == "null"


def test_the_policy_allows_its_own_script_and_style_alone():
    found = elements(a_page())
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    for kind in ("script", "style"):
        mark = base64.b64encode(hashlib.sha256(found.held[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{mark}'" in policy
    assert policy.startswith("default-src 'none'") and "http" not in policy
    text = b"".join(page_pieces(a_page())).decode()
    assert not re.search(r'(?:src|href)="(?!#|data:)', text.split('<script type="application/json"')[0])
    assert set(re.findall(r"https?://[^\"' )]*", text)) == {"http://www.w3.org/2000/svg"}


def test_results_intervals_and_the_best():
    texts = elements(a_page()).texts
    assert "90.0" in texts and "80.0 to 100.0" in texts and texts.count("★") == 2
    rows = [row("a", math.nan, values={COLUMN: value(math.inf)}), row("r", 0.5, reported=True, values={})]
    found = elements(a_page(results=ResultTable(columns=[COLUMN], rows=rows)))
    values = [attributes["data-value"] for _, attributes in found.tags if "data-value" in attributes]
    assert values == ["1e999", ""] and "(reported)" in found.texts


def test_parts_that_are_not_there():
    text = b"".join(page_pieces(Page(title="t"))).decode()
    assert "<section" not in text and "<audio" not in text and "<dialog" not in text


@pytest.mark.parametrize("redacted", [False, True])
def test_it_says_when_names_are_hidden(redacted):
    assert ("Names are hidden" in " ".join(elements(a_page(redacted=redacted)).texts)) is redacted
