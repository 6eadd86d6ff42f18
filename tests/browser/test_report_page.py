"""The page of a report as a person has it: seen, heard, filtered, by keyboard, on a phone, in the dark."""

import pytest
from builders import write_media

from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.reports.answers import Answers
from vfsearch.pipeline.reports.make import ReportSettings, make_report
from vfsearch.pipeline.reports.runs import reported_runs

PAGE = ReportSettings(parts=("page",), workers=0)


@pytest.fixture
def place(built):
    for probe, gallery, name in (("voice", "face", "v2f"), ("face", "voice", "f2v")):
        query(built, QuerySettings(probe=probe, gallery=gallery, n=(2, 3), k=10), name=name)
    write_media(built, seconds=1.5)
    return built


@pytest.fixture
def path(place, tmp_path):
    return make_report(place, ["v2f", "f2v"], tmp_path / "r", PAGE).files[0]


def until(page, expression, tries=100):
    """Waits for something to become true; Playwright's own waiting evaluates texts, which the page's policy forbids."""
    for _ in range(tries):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def to_answers(page):
    page.evaluate("document.querySelector('#answers').scrollIntoView()")
    page.wait_for_selector(".answer")


def choose(page, name, value):
    page.select_option(f"#{name}", value)


def shown(page):
    """How many probes the list says that it shows."""
    return int(page.inner_text("#count").split()[0].replace(",", ""))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_it_is_seen_and_has_no_serious_violation(visit, photograph, path, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(path, size, scheme)
    photograph(page, f"{size}-{scheme}-top")
    page.evaluate("document.querySelector('#curves').scrollIntoView()")
    photograph(page, f"{size}-{scheme}-curves")
    to_answers(page)
    photograph(page, f"{size}-{scheme}-answers")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_a_click_plays_the_clip(visit, path):
    page = visit(path)
    to_answers(page)
    button = page.locator(".probe button.clip").first
    name = page.inner_text(".probe .name >> nth=0")
    button.click()
    until(page, "document.querySelector('#player').currentTime > 0.2")
    state = page.evaluate(
        "(({paused, duration, error}) => [paused, duration, error])(document.querySelector('#player'))"
    )
    assert state[0] is False and state[1] == pytest.approx(1.5, abs=0.06) and state[2] is None
    assert button.get_attribute("aria-pressed") == "true" and page.inner_text("#playing") == name
    assert page.locator(".probe .over").first.evaluate("(each) => each.style.clipPath") != "inset(0px 100% 0px 0px)"
    button.click()
    until(page, "document.querySelector('#player').paused")
    until(page, "document.querySelector('.probe .clip').getAttribute('aria-pressed') === 'false'")
    button.click()
    until(page, "document.querySelector('#player').ended")
    until(page, "document.querySelector('.probe .clip').getAttribute('aria-pressed') === 'false'")


def test_media_beside_the_page_are_found(visit, place, tmp_path, monkeypatch):
    from vfsearch.pipeline.reports import page as report_page

    monkeypatch.setattr(report_page.PageMedia.__init__, "__defaults__", (0,))
    page = visit(make_report(place, ["v2f"], tmp_path / "r", PAGE).files[0])
    to_answers(page)
    page.locator(".probe button.clip").first.click()
    until(page, "document.querySelector('#player').currentTime > 0.1")
    assert page.locator(".hit img").first.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 128


def test_filters_and_sorting_agree_with_the_run(visit, place, path):
    answers = list(Answers(reported_runs(place, ["v2f"])[0], place.read_manifest()))
    first = [answer.is_mated(answer.hits[0]) for answer in answers]
    found = [any(map(answer.is_mated, answer.hits)) for answer in answers]
    page = visit(path)
    to_answers(page)
    assert shown(page) == len(answers)
    for value, count in (("hits", sum(first)), ("misses", len(first) - sum(first)), ("lost", found.count(False)),
                         ("hardest", -(-len(first) // 10)), ("all", len(first))):  # fmt: skip
        choose(page, "show", value)
        assert shown(page) == count, value
    choose(page, "sort", "hardest")
    hardest = max(answer.best_place for answer in answers)
    assert page.inner_text(".place >> nth=0") == f"best match: place {hardest:g}"
    choose(page, "sort", "sure")
    surest = max(answers, key=lambda answer: answer.hits[0].score)
    assert page.inner_text(".probe .name >> nth=0") == surest.probe.id
    page.fill("#identity", answers[3].probe.identity)
    same = {
        answer.probe.id for answer in answers if answers[3].probe.identity in (answer.probe.identity, answer.probe.id)
    }
    assert {*page.locator(".probe .name").all_inner_texts()} >= same and shown(page) >= len(same)
    page.fill("#identity", "nobody at all")
    assert shown(page) == 0 and page.is_visible("#none") and page.locator(".answer").count() == 0
    page.click("button[type=reset]")
    page.wait_for_selector(".answer")
    assert shown(page) == len(answers) and page.input_value("#identity") == ""


def test_groups_are_chosen_by_what_the_list_says(visit, place, path):
    manifest = {item.id: item for item in place.read_manifest()}
    probes = [answer.probe.id for answer in Answers(reported_runs(place, ["v2f"])[0])]
    columns = {name for id_ in probes for name in manifest[id_].columns}
    page = visit(path)
    offered = page.locator("#groups select").evaluate_all("(all) => all.map((each) => each.dataset.column)")
    assert set(offered) <= columns
    for column in offered:
        values = [manifest[id_].columns.get(column, "") for id_ in probes]
        page.select_option(f"#groups select[data-column='{column}']", f"={values[0]}")
        assert shown(page) == values.count(values[0])
        page.select_option(f"#groups select[data-column='{column}']", "")


def test_hits_are_marked_by_frame_sign_and_words(visit, place, path):
    answers = list(Answers(reported_runs(place, ["v2f"])[0], place.read_manifest()))
    page = visit(path)
    to_answers(page)
    row = page.locator(".answer").first
    for rank, hit in enumerate(answers[0].hits):
        tile, mated = row.locator(".hit").nth(rank), answers[0].is_mated(hit)
        assert ("match" in tile.get_attribute("class")) is mated
        label = tile.locator(".look").get_attribute("aria-label")
        assert label.startswith(f"Rank {rank + 1}, {'matched' if mated else 'mismatched'}, {hit.score:.2f}")
        assert tile.locator(".score").inner_text() == f"{hit.score:.2f}"
        frame = tile.locator(".look").evaluate("(each) => getComputedStyle(each).borderTopStyle")
        assert frame == ("solid" if mated else "dashed") and tile.locator(".sign svg").count() == 1


def test_the_other_direction_plays_its_gallery(visit, path):
    page = visit(path)
    page.select_option("#search", label="f2v: face to voice")
    to_answers(page)
    assert page.locator(".probe img").count() > 0
    page.locator(".hit button.clip").nth(2).click()
    until(page, "document.querySelector('#player').currentTime > 0.1")


def test_by_keyboard(visit, place, path):
    answers = list(Answers(reported_runs(place, ["v2f"])[0], place.read_manifest()))
    page = visit(path)
    to_answers(page)
    focused = "document.activeElement.closest('.answer').querySelector('.name').textContent"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "identity"
    page.locator(".probe button").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == answers[1].probe.id
    page.keyboard.press("End")
    assert page.evaluate(focused) == answers[-1].probe.id
    page.keyboard.press("k")
    assert page.evaluate(focused) == answers[-2].probe.id
    page.keyboard.press("Home")
    assert page.evaluate(focused) == answers[0].probe.id
    page.keyboard.press("Enter")
    until(page, "!document.querySelector('#player').paused")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Rank 2, ")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('#detail').open")
    assert page.inner_text("#detail-title") == answers[0].hits[1].item.id
    page.keyboard.press("Escape")
    assert not page.evaluate("document.querySelector('#detail').open")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Rank 2, ")


def test_curves_give_values_and_lines_hide(visit, path):
    page = visit(path)
    figure = page.locator("figure").first
    figure.locator("svg[tabindex]").focus()
    page.keyboard.press("ArrowRight")
    assert "false match rate → true match rate. v2f: " in figure.locator(".readout").inner_text()
    box = figure.locator("svg[tabindex]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert figure.locator("circle").count() == 1
    name = figure.locator(".names button")
    name.click()
    assert name.get_attribute("aria-pressed") == "false" and figure.locator("svg[tabindex] path.curve").count() == 0
    name.click()
    assert figure.locator("svg[tabindex] path.curve").count() == 1
    figure.locator("summary").click()
    figure.locator("details tbody tr").first.wait_for()
    assert figure.locator("details tbody tr").count() > 2


def test_tables_are_sorted(visit, place, tmp_path):
    query(place, QuerySettings(probe="voice", gallery="face", n=(2,), k=10, seed=5), name="again")
    page = visit(make_report(place, ["v2f", "again"], tmp_path / "r", PAGE).files[0])
    heading = page.locator("#results th button", has_text="1:2 accuracy").first
    for direction, sign in (("descending", -1), ("ascending", 1)):
        heading.click()
        assert heading.locator("..").get_attribute("aria-sort") == direction
        cells = page.locator("#results tbody").first.locator("tr td:nth-child(2)")
        values = [float(text) for text in cells.evaluate_all("(all) => all.map((each) => each.dataset.value)")]
        assert values == sorted(values, key=lambda value: sign * value)
