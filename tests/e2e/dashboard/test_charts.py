"""Charts, sums and comparisons of the dashboard in a real browser: its figures are those of its document."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import pytest
from support.browser import opened, write
from support.dashed import HOSTILE_RUN, MODELS, document, place_of
from support.week import calls, compared, listed, official

from reconcile.ledger.comparison_json import comparison_json
from reconcile.ledger.table import By
from reconcile.money.entry import Period
from reconcile.report.phrases import printable

MINUS = "\N{MINUS SIGN}"
WEEK = ("2026-03-02", "2026-03-08")
EVIL = "=cmd()<img src=x onerror=alert(1)>"


def day(run):
    return str(datetime.fromtimestamp(run["end"], UTC).date())


def saved():
    """Below, above, equal and nothing; the third has a hostile name, and so has its key."""
    week = calls()
    evil = [
        replace(entry, who=replace(entry.who, api_key_id=EVIL)) for entry in week if entry.who.api_key_id == "key_app"
    ]
    return {
        "less.json": compared([replace(entry, cost=listed(entry)) for entry in week[20:]]),
        "more.json": compared([replace(entry, requests=entry.requests + 1) for entry in week]),
        HOSTILE_RUN[0]: compared(evil, official(evil), by=By.KEY),
        "nothing.json": compared([]),
    }


@cache
def comparisons():
    """Made when a test asks for them: every worker imports this file, and one runs its tests."""
    return {name: comparison_json(found) for name, found in saved().items()}


def files():
    """The comparisons as a page has them."""
    return [{"name": name, "document": found} for name, found in comparisons().items()]


DOCUMENT = document()
RUNS = DOCUMENT["runs"]
HALVED = next(run for run in reversed(RUNS) if run["status"] == "verified" and run["recorded"][0] is not None)
HALVED["recorded"] = [HALVED["figure"][0] // 2, HALVED["figure"][1] // 2, None, HALVED["figure"][3]]
FIRST, LAST = min(map(day, RUNS)), max(map(day, RUNS))
READ = [run for run in RUNS if "figure" in run and run["status"] != "data_not_available"]


@pytest.fixture(scope="module")
def seen(chromium, tmp_path_factory):
    """One page for all tests, which shows all days."""
    return opened(chromium, write(tmp_path_factory.mktemp("charts"), {**DOCUMENT, "comparisons": files()}))


@pytest.fixture
def everything(seen):
    """From a view, with all days shown."""

    def go(view, start=FIRST, end=LAST):
        asked = f"?start_date={start}&end_date={end}"
        if seen.page.evaluate("location.search") == asked:
            seen.go(f"#/{view}")
        else:
            seen.page.goto(f"{seen.address}{asked}#/{view}")
        return seen

    return go


def rows(page, name):
    """A table by its caption: the texts of its rows."""
    found = page.get_by_role("table", name=name, exact=True).locator("tbody tr")
    return found.evaluate_all("rows => rows.map(row => [...row.children].map(cell => cell.innerText.trim()))")


def low_high(runs, kind):
    """What runs used, as a table says it: a shared minute may be a run's or not."""
    low = sum(run["bounds"][0][kind] if run.get("bounds") else run["figure"][kind] for run in runs)
    high = sum(run["bounds"][1][kind] if run.get("bounds") else run["figure"][kind] for run in runs)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def save(seen, button):
    with seen.page.expect_download() as started:
        button.click()
    return started.value.suggested_filename, started.value.path().read_bytes().decode()


# ------------------------------------------------------------------------------------------------ charts


@pytest.mark.parametrize(("view", "charts"), [("usage", 3), ("timing", 2), ("gap", 3)])
def test_a_chart_has_a_sentence_and_its_numbers_and_is_drawn(everything, view, charts):
    page = everything(view).page
    assert page.locator("figure > .chart > canvas[role=img]").count() == charts
    for figure in page.locator("figure").all():
        title, canvas = figure.locator("figcaption").inner_text(), figure.locator("canvas")
        assert len(canvas.get_attribute("aria-label").split()) > 5
        canvas.scroll_into_view_if_needed()
        page.wait_for_function("canvas => Chart.getChart(canvas)", arg=canvas.element_handle())
        figure.locator("details").evaluate("details => { details.open = true }")
        figure.get_by_role("table", name=f"Numbers: {title}").wait_for()
        drawn = canvas.evaluate("canvas => Chart.getChart(canvas).data.labels.length")
        assert figure.locator("tbody tr").count() == min(drawn, 50)


def test_axe_finds_nothing_in_numbers_that_are_open(everything):
    seen = everything("timing")
    seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert (seen.violations(), seen.complaints) == ([], [])


def test_a_chart_follows_the_colours_of_the_system(everything):
    page = everything("usage").page
    drawn = "colour => Chart.getChart(document.querySelector('canvas'))?.data.datasets[0].backgroundColor === colour"
    for scheme, colour in (
        ("light", "rgb(11, 87, 208)"),
        ("dark", "rgb(138, 180, 248)"),
        ("light", "rgb(11, 87, 208)"),
    ):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(drawn, arg=colour)


def test_the_charts_of_a_view_that_is_left_are_gone(everything):
    seen = everything("usage")
    seen.page.wait_for_function("Object.keys(Chart.instances).length > 0")
    seen.go("#/comparisons")
    assert seen.page.evaluate("Object.keys(Chart.instances).length") == 0


# ------------------------------------------------------------------------------------------------ days


def test_a_quick_choice_changes_the_days_and_the_address_and_keeps_the_focus(everything):
    page = everything("usage").page
    page.click("text=Last 7 days")
    ended = sorted({day(run) for run in READ if WEEK[0] <= day(run) <= WEEK[1]}, reverse=True)
    assert [row[0] for row in rows(page, "Usage by day")] == ended
    assert page.evaluate("[location.search, document.activeElement.id]") == [
        "?start_date={}&end_date={}".format(*WEEK), "last_7"
    ]  # fmt: skip
    assert page.get_attribute("#last_7", "aria-pressed") == "true"


@pytest.mark.parametrize(("view", "first"), [("usage", FIRST), ("gap", FIRST), ("comparisons", WEEK[0])])
def test_days_outside_the_data_say_so_and_lead_to_the_data(everything, view, first):
    page = everything(view, "2020-01-01", "2020-01-07").page
    said = page.locator(".outside").first
    assert "from 2020-01-01 to 2020-01-07. The " in said.inner_text()
    assert f"from {first} to {LAST}." in said.inner_text()
    said.get_by_role("button", name="Show all of them").click()
    assert page.locator("table").count() > 0


# ------------------------------------------------------------------------------------------------ usage


def test_usage_by_framework_is_the_sum_of_its_runs_with_both_bounds(everything):
    seen = everything("usage")
    told = {row[0]: row[1:7] for row in rows(seen.page, "Usage by framework")}
    truth = {}
    for name in {run["framework"] for run in READ}:
        runs = [run for run in READ if run["framework"] == name]
        verified = sum(run["status"] == "verified" for run in runs)
        truth[name] = [f"{len(runs)}", f"{verified}", *(low_high(runs, kind) for kind in (0, 2, 1, 3))]
    assert told == truth


def test_usage_by_model_is_told_of_exact_runs_alone(everything):
    seen = everything("usage")
    told = {row[0]: row[3] for row in rows(seen.page, "Usage by model")}
    exact = [run for run in READ if run["exact"]]
    truth = {
        model: low_high([run for run in exact if run["by_model"][0][0] == number], 0)
        for number, model in enumerate(MODELS)
    }
    assert told == truth | {"(not told)": low_high([run for run in READ if not run["exact"]], 0)}


def test_what_is_verified_of_a_sum_is_never_rounded_up(everything):
    seen = everything("usage")
    sums = [sum((run["bounds"][1] if run.get("bounds") else run["figure"])[:2]) for run in READ]
    good = [sum(run["figure"][:2]) for run in READ if run["status"] == "verified"]
    share = 1000 * sum(good) // sum(sums) / 10
    assert (
        f"Of {len(READ)} runs with a figure {len(good)} are verified, and so at least {share} % of the tokens"
        in seen.texts("main .note")[1]
    )


def test_costs_are_added_digit_by_digit(everything):
    seen = everything("usage")
    seen.page.select_option("#measure", "cost")
    assert seen.texts("figcaption")[0] == "Cost by framework"
    table = seen.page.locator(".table", has=seen.page.get_by_role("table", name="Usage by framework"))
    name, text = save(seen, table.get_by_role("button", name="JSON"))
    assert name == f"usage-by-framework-{FIRST}-{LAST}.json"
    truth = {}
    for run in READ:
        truth[run["framework"]] = truth.get(run["framework"], 0) + Decimal(run["cost"])
    found = json.loads(text)
    assert {row["framework"]: Decimal(row["cost_usd"]) for row in found} == truth
    assert {type(row["cost_usd"]) for row in found} == {str}
    seen.page.select_option("#measure", "tokens")


# ------------------------------------------------------------------------------------------------ timing and gap


def test_times_to_verify_are_those_of_verified_runs_and_say_who_is_missing(everything):
    seen = everything("timing")
    times = sorted((run["verified"] - run["window"][1]) // 60 for run in RUNS if run["status"] == "verified")
    [row] = rows(seen.page, "Time to verify by verdict")

    def span(minutes):
        return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")

    half, most = times[(len(times) + 1) // 2 - 1], times[-(-9 * len(times) // 10) - 1]
    assert row == ["Verified", str(len(times)), *map(span, (times[0], half, most, times[-1]))]
    for group, text in (("waiting", "still wait"), ("broken", "are broken"), ("missed", "were missed")):
        assert f"{sum(run['group'] == group for run in RUNS)} {text}" in seen.texts("main .note")[0]


def test_the_lag_says_what_is_not_known_and_its_band_only_widens(everything):
    seen = everything("timing")
    [caption] = [each for each in seen.texts("caption") if each.startswith("How old runs are")]
    assert [row[1] for row in rows(seen.page, caption)] == [
        "by 15 min",
        "not known: too few runs were complete when they were read",
        "not known: it takes 700 runs or more, and 210 are final",
    ]
    figure = seen.page.locator("figure", has_text="Share of runs")
    figure.locator("details").evaluate("details => { details.open = true }")
    point = DOCUMENT["lag"]["curves"][0]["points"][1]
    told = figure.locator("tbody tr").nth(1).locator("td").all_inner_texts()
    share, low, high = (Decimal(text.removesuffix(" %")) / 100 for text in told)
    assert low <= Decimal(str(point["low"])) < low + Decimal("0.001")
    assert high - Decimal("0.001") < Decimal(str(point["high"])) <= high
    assert share <= Decimal(str(point["share"]))


def test_recorded_and_reported_usage_is_compared_of_settled_exact_runs_that_recorded_it(everything):
    seen = everything("gap")
    truth = {}
    for run in READ:
        if run["group"] in {"verified", "broken"} and run["exact"] and run["recorded"][0] is not None:
            sums = truth.setdefault(day(run), [0, 0, 0])
            sums[0] += 1
            sums[1] += sum(run["recorded"][:2])
            sums[2] += sum(run["figure"][:2])
    told = {row[0]: row[1:5] for row in rows(seen.page, "Recorded and reported, by day")}
    assert {name: row[:3] for name, row in told.items()} == {
        name: [f"{of:,}" for of in row] for name, row in truth.items()
    }
    below = [name for name, row in told.items() if row[3].startswith(MINUS)]
    assert (below, {row[3] for name, row in told.items() if name not in below}) == ([day(HALVED)], {"= 0.00 %"})


def test_the_gap_of_days_is_shown_for_comparisons_by_day_only(everything):
    seen = everything("gap")
    assert seen.texts("h3") == [name for name, found in comparisons().items() if found["by"] == "day"]
    told = rows(seen.page, "Log, provider and bill by day: less.json")
    assert [row[0] for row in told] == [row["name"] for row in comparisons()["less.json"]["rows"]]


# ------------------------------------------------------------------------------------------------ comparisons


def card(seen, name):
    return seen.page.locator(f".comparison:has(h3:text-is({json.dumps(name)}))")


@pytest.mark.parametrize(
    ("name", "whole", "badge", "tone", "mark"),
    [
        ("less.json", "✗ Mismatch", "✗ Not within 0", ("below", "rgb(164, 14, 38)"), MINUS),
        ("more.json", "✗ Mismatch", "✗ Not within 0", ("above", "rgb(17, 99, 41)"), "+"),
        (HOSTILE_RUN[0], "✓ Reconciled", "✓ Reconciled (within 0)", ("equal", "rgb(87, 96, 106)"), "= "),
        ("nothing.json", "\N{EN DASH} No data", "not tested: ", ("below", "rgb(164, 14, 38)"), MINUS),
    ],
)
def test_a_difference_has_a_colour_a_sign_and_a_badge(everything, name, whole, badge, tone, mark):
    seen = everything("comparisons")
    seen.page.emulate_media(color_scheme="light")
    found = card(seen, name)
    assert found.locator(".whole").inner_text() == whole
    requests = found.locator(".metrics tbody tr").first
    assert badge in requests.locator("th").inner_text()
    gap = requests.locator("td").nth(2).locator("span")
    colour = gap.evaluate("node => getComputedStyle(node).color")
    amount = comparisons()[name]["difference"]["requests"]
    assert ((gap.get_attribute("class"), colour), gap.inner_text()) == (tone, f"{mark}{abs(amount):,}")


def test_a_share_that_is_allowed_is_named_in_the_badge(everything):
    found = card(everything("comparisons"), "more.json").locator(".metrics tbody tr").nth(1)
    assert "✓ Reconciled (within 5%)" in found.inner_text()


def test_why_they_may_differ_is_shown_with_its_arithmetic_and_remedy(everything):
    found = card(everything("comparisons"), "less.json").locator(".breaks li").first.inner_text()
    [first, *_] = comparisons()["less.json"]["breaks"]
    for text in (first["code"].replace("_", " "), first["arithmetic"][1:], f"To do: {first['remedy'][0].upper()}"):
        assert text in found


def test_rows_of_other_days_are_neither_shown_nor_saved_and_every_digit_is(everything):
    seen = everything("comparisons", "2026-03-03", "2026-03-04")
    found = card(seen, "less.json")
    assert "5 rows of other days are not shown" in found.inner_text()
    name, text = save(seen, found.locator(".downloads button").nth(0))
    truth = comparisons()["less.json"]
    kept = [row for row in truth["rows"] if row["name"] in {"2026-03-03", "2026-03-04"}]
    assert (name, json.loads(text)) == ("less.json", {**truth, "rows": kept})
    _, text = save(seen, found.locator(".downloads button").nth(1))
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    costs = {
        (line["of"], line["name"]): (line["local"], line["difference"])
        for line in lines
        if line["metric"] == "cost_usd"
    }
    both = [(("all", ""), truth), *((("day", row["name"]), row) for row in kept)]
    assert costs == {key: (of["local"]["cost_usd"], of["difference"]["cost_usd"]) for key, of in both}


def test_comparisons_of_other_days_are_named(chromium, tmp_path):
    later = comparison_json(compared(calls(), period=Period(date(2026, 4, 1), date(2026, 4, 2))))
    found = {**document(3), "comparisons": [*files()[:1], {"name": "later.json", "document": later}]}
    page = opened(chromium, write(tmp_path, found), place="#/comparisons")
    assert page.texts("h3") == ["less.json"]
    assert page.texts("main .note")[-1] == "Of other days, and not shown: later.json (2026-04-01 to 2026-04-02)."


def test_names_of_others_stay_text_in_comparisons(everything):
    seen = everything("comparisons")
    found = card(seen, HOSTILE_RUN[0])
    assert EVIL in found.inner_text()
    _, text = save(seen, found.locator(".downloads button").nth(1))
    assert f"'{EVIL}" in {line["name"] for line in csv.DictReader(io.StringIO(text, newline=""))}
    assert (seen.page.locator("main img").count(), seen.complaints) == (0, [])


# ------------------------------------------------------------------------------------------------ odd documents


def test_a_document_that_tells_nothing_is_shown_as_such(chromium, tmp_path):
    found = document(4)
    kept = ("framework", "run_id", "reasons", "start", "end", "window", "keys")
    untold = {"group": "missed", "status": "skipped", "exact": False, "recorded": [None] * 4, "minutes_each": 1}
    empty = {name: [] for name in ("by_model", "observations", "neighbours")}
    found["runs"] = [{**{name: run[name] for name in kept}, **untold, **empty} for run in found["runs"]]
    found["comparisons"], found["lag"]["curves"] = [], []
    seen = opened(chromium, write(tmp_path, found))
    for view, text in {
        "usage": "none of them has a figure yet",
        "timing": "No run is verified yet.",
        "gap": "Of 1 run of these days 0 are in it.",
        "comparisons": "reconcile compare --logs",
    }.items():
        seen.go(f"#/{view}")
        assert text in seen.texts("main")[0]
    assert seen.complaints == []


def test_a_run_whose_times_were_changed_and_one_of_the_same_window(chromium, tmp_path):
    found = document(4)
    first, second = found["runs"][:2]
    first.update(neighbours=[1], evidence="0" * 64, cost="0.00000123")
    first.pop("minutes", None)
    second["unclaimed"] = True
    seen = opened(chromium, write(tmp_path, found), place=place_of(first))
    text = seen.texts("main")[0]
    assert "Its times were changed after it was read" in text
    assert "$0.0000012 by list prices" in text
    assert seen.texts(".lanes li")[1].startswith(f"{second['framework']}/{printable(second['run_id'])}")
    seen.go(place_of(second))
    assert "it is not known which other runs claim its minutes" in seen.texts("main")[0]
    assert seen.complaints == []


def test_verified_runs_without_a_time_are_told_of(chromium, tmp_path):
    found = document(4)
    for run in found["runs"]:
        run |= {"group": "verified", "status": "inherited"}
        run.pop("verified", None)
        run.pop("proof", None)
    seen = opened(chromium, write(tmp_path, found), place="#/timing")
    said = "No file has a time of its verdict. Of 4 verified runs the file does not tell when."
    assert said in seen.texts("main .note")[0]


def test_a_run_that_does_not_follow_from_its_evidence_is_told_of(chromium, tmp_path):
    found = document(20)
    last = found["runs"][-1]
    path = f"runs/{last['framework']}/{last['run_id']}/metrics.json"
    found["differences"] = [{"path": path, "line": 3, "column": 5, "pointer": "/a", "message": "was edited"}]
    seen = opened(chromium, write(tmp_path, found))
    assert "The file of one run does not follow from its evidence." in seen.texts(".lead")[0]
    assert rows(seen.page, "Files that do not follow from their evidence") == [[path, "3", "5", "/a", "was edited"]]
    seen.go(place_of(last))
    assert "does not follow from the evidence beside it" in seen.texts(".verdict")[0]
    assert (seen.complaints, seen.violations()) == ([], [])
