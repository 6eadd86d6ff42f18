"""Pages of names that mean harm, and of many probes."""

import numpy as np
import pytest

from vfsearch.data.page import Page, PageAnswer, PageItem, PageSearch, Reason, TextTable
from vfsearch.data.plot import Line, Plot, Shares
from vfsearch.report.page import page_pieces

NASTY = [
    "<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "' onclick=alert(3) x='",
    '"><svg onload=alert(4)>', "${alert(5)} {{7*7}} {% raw %}", "javascript:alert(6)", "&lt;b&gt; & <b>bold</b>",
    "עברית العربية \u202egnp.exe", "n" * 5000, "a\u2028b\x00c\\", "__proto__", "<!-- <script>",
]  # fmt: skip


def search(name, probes, hits, items):
    """Each probe finds the items behind the one of its own place among the faces."""
    answers = [
        PageAnswer(
            probe=place,
            hits=[probes + (place + n) % (items - probes) for n in range(hits)],
            scores=list(np.linspace(0.9, 0.1, hits)),
            best_place=1.0 + place,
        )
        for place in range(probes)
    ]
    reasons = [Reason(column=column, wrong=2, same=1, expected=0.5) for column in (name, "gender")]
    return PageSearch(name=name, probe="voice", gallery="face", total=probes, answers=answers, reasons=reasons)


@pytest.fixture
def nasty(tmp_path):
    items = [
        PageItem(modality=modality, name=text, identity=text, traits={text: text, "gender": text[:3]}, media=media)
        for modality, media in (("voice", ""), ("face", "x\"'<b>.jpg"))
        for text in NASTY
    ]
    plots = [
        Plot(name=text, title=text, x=text, y=text, lines=[Line(name=text, x=np.arange(3.0), y=np.arange(3.0))])
        for text in NASTY
    ]
    shares = [Shares(name=text, title=text, causes=[text], runs=[text], shares=np.ones((1, 1))) for text in NASTY]
    page = Page(title=NASTY[0], speed=TextTable(head=NASTY, rows=[NASTY]), plots=plots, shares=shares, items=items,
                searches=[search(text, len(NASTY), 3, len(items)) for text in NASTY])  # fmt: skip
    path = tmp_path / "nasty.html"
    path.write_bytes(b"".join(page_pieces(page, [("x\"'<b>.jpg", b"no picture")])))
    return path


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_names_are_shown_as_texts_and_do_no_harm(visit, photograph, nasty, size):
    page = visit(nasty, size)
    page.evaluate("document.querySelector('#list').scrollIntoView()")
    page.wait_for_selector(".answer")
    photograph(page, f"nasty-{size}")
    seen = set()
    for number in range(len(NASTY)):
        page.evaluate("(n) => document.querySelectorAll('#list .answer .probe .look')[n]?.scrollIntoView()", number)
        page.wait_for_timeout(60)
        seen |= set(page.evaluate("[...document.querySelectorAll('.probe .name')].map((each) => each.textContent)"))
    # A page has no way to write U+0000.
    assert {text.replace("\x00", "\ufffd") for text in seen} >= {text.replace("\x00", "\ufffd") for text in NASTY}
    page.locator(".probe .look").first.click()
    assert page.evaluate("document.querySelector('#detail').open")
    page.click("#detail-close")
    count = page.evaluate(
        "document.querySelectorAll('script:not([type]), [onerror], [onclick], [onload], b, img[src=x]').length"
    )
    assert count == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    box = page.locator(".answer").first.bounding_box()
    assert box["height"] < 300


def test_of_five_thousand_probes_only_those_that_are_seen_are_drawn(visit, tmp_path):
    count = 5000
    items = [PageItem(modality="voice", name=f"v{n}", identity=f"p{n}", outline=[n % 64] * 80) for n in range(count)]
    items += [PageItem(modality="face", name=f"f{n}", identity=f"p{n}") for n in range(count)]
    path = tmp_path / "many.html"
    path.write_bytes(
        b"".join(page_pieces(Page(title="many", searches=[search("many", count, 10, 2 * count)], items=items)))
    )
    page = visit(path)
    page.wait_for_selector(".answer")
    most = 0
    for share in (0.0, 0.3, 0.6, 1.0):
        page.evaluate("(share) => scrollTo(0, share * document.documentElement.scrollHeight)", share)
        page.wait_for_timeout(100)
        most = max(most, page.locator(".answer").count())
        assert page.locator(".answer").first.is_visible()
    assert most < 30 and page.inner_text(".answer:last-child .name") == "v4999"
    page.keyboard.press("/")
    page.keyboard.type("v4321")
    page.wait_for_timeout(100)
    assert page.inner_text(".probe .name >> nth=0") == "v4321" and page.locator(".answer").count() == 1


def test_printed_it_has_what_is_on_the_screen_and_no_empty_pages(visit, tmp_path):
    items = [PageItem(modality="face", name=f"f{n}", identity=f"p{n}") for n in range(2000)]
    path = tmp_path / "many.html"
    page = Page(title="many", searches=[search("many", 1000, 10, 2000)], items=items)
    path.write_bytes(b"".join(page_pieces(page)))
    page = visit(path)
    page.wait_for_selector(".answer")
    assert 1 <= page.pdf().count(b"/Type /Page\n") <= 4
