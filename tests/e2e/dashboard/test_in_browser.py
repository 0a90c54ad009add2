"""The dashboard in a real browser, from a file: what it shows, what is done with it, and what its text cannot do."""

import csv
import io
import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from support.browser import NARROW, opened, write
from support.dashed import HOSTILE_RUN, MODELS, document, named, place_of

from reconcile.report.phrases import printable

DOCUMENT = document()
RUNS = DOCUMENT["runs"]
TAME = [run for run in RUNS if run["framework"] != HOSTILE_RUN[0]]
SHARED = next(run for run in TAME if run["status"] == "warning")

VIEWS = {
    "board": "#/",
    "runs": "#/runs?framework=ghspec",
    "run": place_of(SHARED),
    "hostile run": place_of(RUNS[0]),
    "unknown run": "#/run/nobody/nothing",
    "usage": "#/usage",
    "timing": "#/timing",
    "gap": "#/gap",
    "comparisons": "#/comparisons",
}

MANY, MOST_ELEMENTS, MOST_BYTES = 1_000, 2_500, 1_500_000
"""Of so many runs no view has more elements: what is not shown is not drawn. Nor has their page more bytes."""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("dashboard"), DOCUMENT)


@pytest.fixture(scope="module")
def seen(chromium, file):
    """One page for all tests: each goes where it looks."""
    return opened(chromium, file)


@pytest.fixture(scope="module")
def narrow(chromium, file):
    return opened(chromium, file, size=NARROW)


def shown(seen):
    """The runs of the table, as they are named there."""
    return seen.texts("tbody th a")


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_drawn_without_a_complaint_or_a_request_and_axe_finds_nothing(seen, name):
    seen.go(VIEWS[name])
    asked = {url.partition("?")[0] for url in seen.requests}
    assert (seen.texts("h2") != [], seen.complaints, asked) == (True, [], {seen.address})
    assert seen.violations() == []


def test_no_view_is_wider_than_the_narrowest_phone(narrow):
    wider = {}
    for name, place in VIEWS.items():
        narrow.go(place)
        wider[name] = narrow.overflow()
    assert wider == dict.fromkeys(VIEWS, 0)


@pytest.mark.parametrize("run", [run for run in RUNS if run not in TAME], ids=lambda run: ascii(run["run_id"])[:30])
def test_text_of_others_is_shown_as_text(seen, run):
    seen.go(place_of(run))
    elements = "main :is(img, script, iframe, object, embed, style, link, details h1)"
    assert [seen.page.inner_text("h2 >> nth=0"), seen.texts(".verdict > p")[1]] == [
        printable(named(run)),
        printable(run["run_id"]),
    ]
    assert (seen.page.locator(elements).count(), seen.complaints) == (0, [])


def test_the_board_counts_the_runs_and_leads_to_them(seen):
    for group in DOCUMENT["board"]["groups"]:
        seen.go("#/")
        card = seen.page.locator(f".card.{group['group']}")
        assert card.locator(".total").inner_text() == str(group["total"])
        card.click()
        assert len(shown(seen)) == min(group["total"], 50)


def test_filters_are_in_the_address_which_shows_the_same_again(seen):
    seen.go("#/runs")
    seen.page.select_option("#filter-framework", "chatdev")
    seen.page.select_option("#filter-group", "verified")
    seen.page.select_option("#filter-proof", "proven")
    seen.page.select_option("#filter-model", MODELS[0])
    seen.page.fill("#filter-text", "STABLE")
    wanted = [
        named(run)
        for run in reversed(TAME)
        if (run["framework"], run.get("proof")) == ("chatdev", "proven") and run["by_model"][0][0] == 0
    ]
    assert shown(seen) == wanted != []
    seen.page.reload()
    assert shown(seen) == wanted
    assert seen.page.input_value("#filter-text") == "STABLE"
    seen.page.click("text=Show all")
    assert seen.texts(".found") == [f"All {len(RUNS)} runs."]


def test_how_a_verdict_is_held_comes_first(seen):
    held = next(run for run in TAME if run.get("proof") == "proven")
    seen.go(place_of(held))
    assert "proven (verified)" in seen.texts(".verdict .badge")[0]
    assert "all of its own calls and tokens were reported, and nothing else" in seen.texts(".verdict dl")[0]
    seen.go("#/")
    counts = [sum(run.get("proof") == grade for run in RUNS) for grade in ("proven", "supported", "assumed")]
    assert "{} proven, {} supported, {} assumed".format(*counts) in seen.texts(".lead")[0]


@pytest.mark.parametrize("filters", ["framework=nobody", "status=<img>&text=%E0%A4", "model=__proto__"])
def test_filters_that_nothing_passes_say_so(seen, filters):
    seen.go(f"#/runs?{filters}")
    assert (seen.texts(".found"), seen.texts("tbody"), seen.complaints) == (
        [f"0 of {len(RUNS)} runs."],
        ["None."],
        [],
    )


def test_a_heading_sorts_by_keyboard_and_what_nothing_tells_comes_last(seen):
    seen.go("#/runs?text=/run-")
    seen.page.focus(".scroll")
    for _ in range(4):
        seen.page.keyboard.press("Tab")
    read = sorted((run for run in TAME if "figure" in run), key=lambda run: run["figure"][0])
    unread = [named(run) for run in reversed(TAME) if "figure" not in run]
    for order, direction in ((read[::-1], "descending"), (read, "ascending")):
        seen.page.keyboard.press("Enter")
        assert seen.page.locator(f"th[aria-sort={direction}]").inner_text() == "Tokens in"
        assert shown(seen) == [*map(named, order), *unread][:50]


def test_pages_go_on_and_end_and_keep_the_focus(seen):
    seen.go("#/runs")
    told = []
    for _ in range(2):
        seen.page.focus("text=Next")
        seen.page.keyboard.press("Enter")
        told.append(
            (seen.texts(".pages span"), len(shown(seen)), seen.page.evaluate("document.activeElement.innerText"))
        )
    assert told == [([f"51 to {len(RUNS)} of {len(RUNS)}"], len(RUNS) - 50, "Next")] * 2


def test_a_download_holds_the_rows_that_are_shown_in_their_order(seen, tmp_path):
    seen.go(f"#/runs?{quote('framework')}={quote(HOSTILE_RUN[0])}")
    seen.page.click("thead >> text=Tokens out")
    saved = {}
    for kind in ("json", "csv"):
        with seen.page.expect_download() as started:
            seen.page.click(f".downloads >> text={kind.upper()}")
        assert started.value.suggested_filename == f"runs.{kind}"
        saved[kind] = tmp_path / kind
        started.value.save_as(saved[kind])
    found = json.loads(saved["json"].read_bytes())
    assert [printable(named(run)) for run in found] == shown(seen)
    truth = {run["run_id"]: run for run in RUNS if run not in TAME}
    for run in found:
        figure = truth[run["run_id"]].get("figure", [None] * 4)
        assert [run[key] for key in ("tokens_in", "tokens_out", "cached_tokens", "api_calls")] == figure
    rows = list(csv.DictReader(io.StringIO(saved["csv"].read_bytes().decode(), newline="")))
    assert [(row["run_id"].removeprefix("'"), row["tokens_in"]) for row in rows] == [
        (run["run_id"], "" if run["tokens_in"] is None else str(run["tokens_in"])) for run in found
    ]
    assert [row["run_id"] for row in rows if row["run_id"][:1] in {*"=+-@\t\r"}] == []


def test_all_pages_of_a_table_are_downloaded(seen):
    seen.go("#/runs")
    with seen.page.expect_download() as started:
        seen.page.click(".downloads >> text=JSON")
    assert len(json.loads(started.value.path().read_bytes())) == len(RUNS) > 50


def test_the_days_that_are_shown_are_in_the_address_and_can_be_changed(seen):
    seen.page.goto(f"{seen.address}?start_date=2026-02-20&end_date=2026-02-24#/usage")
    seen.page.fill("#start_date", "2026-02-10")
    seen.page.press("#end_date", "Enter")
    days = {str(datetime.fromtimestamp(run["end"], UTC).date()) for run in RUNS if "figure" in run}
    wanted = sorted(day for day in days if "2026-02-10" <= day <= "2026-02-24")
    table = seen.page.get_by_role("table", name="Usage by day")
    for _ in range(2):
        assert sorted(table.locator("tbody th").all_inner_texts()) == wanted
        assert seen.page.evaluate("location.search") == "?start_date=2026-02-10&end_date=2026-02-24"
        seen.page.reload()
    seen.page.goto(f"{seen.address}?start_date=1999-01-01&end_date=1999-01-02#/usage")
    assert "from 1999-01-01 to 1999-01-02" in seen.texts(".outside")[0]
    seen.page.goto(f"{seen.address}#/")


def test_a_neighbour_on_the_timeline_leads_to_its_run(seen):
    seen.go(place_of(SHARED))
    other = RUNS[SHARED["neighbours"][0][0]]
    seen.page.click(f".lanes >> text={named(other)}")
    assert seen.page.inner_text("h2 >> nth=0") == named(other)
    assert seen.page.evaluate("document.activeElement.id") == "main"
    seen.page.go_back()
    assert seen.page.inner_text("h2 >> nth=0") == named(SHARED)
    assert seen.texts(".lanes li")[-1].startswith(f"{SHARED['neighbours'][-1][1]} (its file is gone)")


def test_the_timeline_has_a_bar_for_each_kind_of_each_minute(seen):
    seen.go(place_of(SHARED))
    assert seen.page.locator(".bars rect").count() == 2 * len(SHARED["minutes"])
    assert f"{len(SHARED['minutes'])} bars" in seen.page.get_attribute(".bars svg", "aria-label")


def test_the_way_past_the_navigation_keeps_the_view(seen):
    seen.go("#/timing")
    seen.page.focus(".skip")
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("[document.activeElement.id, location.hash]") == ["main", "#/timing"]


def test_a_thousand_runs_are_drawn_a_page_at_a_time(chromium, tmp_path):
    file = write(tmp_path, document(MANY))
    assert file.stat().st_size < MOST_BYTES
    many = opened(chromium, file)
    elements = {}
    for name, place in VIEWS.items():
        many.go(place)
        elements[name] = many.page.evaluate("document.querySelectorAll('*').length")
    assert {name: count for name, count in elements.items() if count > MOST_ELEMENTS} == {}
    assert many.complaints == []


def test_a_page_without_runs_says_so(chromium, tmp_path):
    empty = document(1)
    empty["runs"], empty["invalid"], empty["errors"], empty["comparisons"] = [], [], [], []
    empty["board"] = {
        **empty["board"],
        "groups": [{**group, "total": 0, "by_age": [0] * 6} for group in empty["board"]["groups"]],
        "frameworks": [],
        "invalid": 0,
    }
    empty["lag"]["curves"] = []
    page = opened(chromium, write(tmp_path, empty))
    assert page.texts(".lead") == ["There is no run yet."]
    for place in VIEWS.values():
        page.go(place)
        assert page.complaints == []


def test_a_kind_that_another_tool_left_out_is_no_zero(chromium, tmp_path):
    """Some runs do not tell their calls: a sum with them is so much or more, and of them alone it is unknown."""
    runs = [
        {**run, "figure": [*run["figure"][:3], None], "exact": True, "by_model": []}
        if run["framework"] == TAME[0]["framework"] and "figure" in run
        else run
        for run in RUNS
    ]
    page = opened(chromium, write(tmp_path, {**DOCUMENT, "runs": runs}))
    untold = next(run for run in runs if run.get("figure", [0])[-1] is None)
    page.go(place_of(untold))
    assert page.complaints == []
    page.go("#/usage?by=framework")
    told = dict(zip(page.texts("dl.figures dt"), page.texts("dl.figures dd"), strict=True))
    assert told["Calls"].endswith(" or more")
    assert not told["Tokens in"].endswith(" or more")
    assert "unknown, and no zero" in " ".join(page.texts("main p"))
