"""Several providers in one pass, and one that tells less than the first: single calls, a watermark, no requests."""

from itertools import count

import pytest
from support.bench import at, called, recorded
from support.tiny import UNCOUNTED, Tiny, installed

from reconcile import Scope
from reconcile.attribution.claims import record_of
from reconcile.errors import ProviderError
from reconcile.insight.audit_files import audit_runs
from reconcile.insight.survey import list_runs
from reconcile.passes.apply import run_pass
from reconcile.passes.summary import as_json
from reconcile.passes.tree import read_tree
from reconcile.runs.run import RunKey
from reconcile.usage import KINDS, Call, Usage

NUMBERS = count()


def made(clock, tokens_in=1000, tokens_out=100, key="tiny_a"):
    """A call that the tiny provider tells of."""
    moment = at(clock).timestamp()
    return Call(
        id=f"c{next(NUMBERS)}",
        started=moment - 1,
        ended=moment,
        usage=Usage(tokens_in, tokens_out, 0, 1),
        api_key_id=key,
    )


@pytest.fixture
def tiny(bench, monkeypatch):
    """The second provider, which the runs of one framework use."""
    installed(monkeypatch)
    bench.scopes["tinyagents"] = Scope("tiny", ("tiny_a",))
    return Tiny()


def passed(bench, tiny, clock, watermark=None):
    """One pass that can ask both."""
    bench.simulator.set_now(at(clock))
    tiny.watermark = at(watermark or clock)
    return run_pass(bench.workspace(clock), {"openai": bench.provider(), "tiny": tiny})


def both(bench, tiny):
    """A run on either, in the same minutes, with all that it recorded."""
    ours = [called("12:01", 500, 50, key="key_chatdev")]
    bench.add("chatdev/a", "12:00:10", "12:05", ours, recorded=recorded(ours))
    tiny.calls += [made("12:02"), made("12:03", 2000, 200)]
    bench.add("tinyagents/a", "12:00:10", "12:05", recorded=dict(zip(KINDS, (3000, 300, 0, 2), strict=True)))


def test_each_provider_is_asked_for_its_own_runs_and_both_are_proven(bench, tiny):
    both(bench, tiny)
    for clock in ("13:17", "14:17"):
        passed(bench, tiny, clock)
    assert [bench.verdict(name) for name in ("chatdev/a", "tinyagents/a")] == ["verified: stable"] * 2
    assert [bench.block(name)["proof"] for name in ("chatdev/a", "tinyagents/a")] == ["proven"] * 2
    assert [bench.block(name)["total_tokens_in"] for name in ("chatdev/a", "tinyagents/a")] == [500, 3000]
    assert {query.provider for query in tiny.asked} == {"tiny"}


def test_pages_are_no_wider_than_the_provider_takes(bench, tiny):
    both(bench, tiny)
    passed(bench, tiny, "13:17")
    assert max(query.window.minutes for query in tiny.asked) <= 60


class Away(Tiny):
    def fetch(self, query):
        raise ProviderError("it is away", code="unavailable", remedy="run again later")


def test_a_provider_that_is_away_leaves_the_runs_of_the_others_judged(bench, tiny):
    both(bench, tiny)
    summary = passed(bench, Away(), "13:17")
    assert (bench.verdict("chatdev/a"), bench.verdict("tinyagents/a")) == ("pending: first_read", None)
    assert {error.code for error in summary.errors} == {"unavailable"}


def test_a_run_of_another_provider_is_never_judged_by_the_first_ones_answer(bench, tiny):
    """It recorded that it made no calls, and the provider that is asked knows nothing of it."""
    bench.add("tinyagents/a", "12:00:10", "12:05", recorded={"api_calls": 0, "tokens_in": 0, "tokens_out": 0})
    for clock in ("13:17", "17:17", "18:17"):
        bench.simulator.set_now(at(clock))
        summary = run_pass(bench.workspace(clock), bench.provider())
    assert bench.verdict("tinyagents/a") is None
    assert [error.code for error in summary.errors] == ["no_provider"]


def test_two_reads_of_one_watermark_are_one_read(bench, tiny):
    both(bench, tiny)
    bench.add("tinyagents/a", "12:00:10", "12:05")
    for clock, mark, verdict in (
        ("13:17", "13:15", "pending: first_read"),
        ("14:17", "13:15", "pending: first_read"),
        ("15:17", "15:15", "verified: stable"),
    ):
        passed(bench, tiny, clock, mark)
        assert bench.verdict("tinyagents/a") == verdict, clock


def test_minutes_after_the_watermark_tell_nothing(bench, tiny):
    both(bench, tiny)
    passed(bench, tiny, "13:17", "12:04")
    assert bench.verdict("tinyagents/a") is None


@pytest.fixture
def uncounted(tiny, monkeypatch):
    installed(monkeypatch, UNCOUNTED)
    return tiny


def test_tokens_that_match_support_a_figure_where_no_requests_are_told(bench, uncounted):
    uncounted.calls += [made("12:02"), made("12:03", 2000, 200)]
    said = {"tokens_in": 3000, "tokens_out": 300, "cached_tokens": 0, "api_calls": 2}
    bench.add("tinyagents/a", "12:00:10", "12:05", recorded=said)
    for clock in ("13:17", "14:17"):
        passed(bench, uncounted, clock)
    block = bench.block("tinyagents/a")
    assert (bench.verdict("tinyagents/a"), block["proof"], block["completeness"]) == (
        "verified: stable",
        "supported",
        "tokens_matched",
    )
    assert (block["total_tokens_in"], block["total_tokens_out"]) == (3000, 300)


def test_calls_that_nobody_told_are_not_written_as_zero(bench, uncounted):
    uncounted.calls.append(made("12:02"))
    bench.add("tinyagents/a", "12:00:10", "12:05", recorded={"tokens_in": 1000, "tokens_out": 100, "cached_tokens": 0})
    for clock in ("13:17", "14:17"):
        passed(bench, uncounted, clock)
    block, value = bench.block("tinyagents/a"), bench.value("tinyagents/a")
    assert "total_api_calls" not in block
    assert all("total_api_calls" not in attempt for attempt in block["attempts"])
    assert "API_CALLS" not in value["aggregate_metrics"]
    summary = list_runs(bench.workspace("15:17"))
    (shown,) = as_json(summary, shown=summary.runs)["runs"]
    assert (shown["tokens_in"], shown["api_calls"]) == (1000, None)


def test_a_figure_that_rests_on_tokens_is_sound_in_an_audit(bench, uncounted):
    uncounted.calls.append(made("12:02"))
    bench.add("tinyagents/a", "12:00:10", "12:05", recorded={"tokens_in": 1000, "tokens_out": 100, "cached_tokens": 0})
    for clock in ("13:17", "14:17"):
        passed(bench, uncounted, clock)
    (audited,) = audit_runs(bench.workspace("15:17")).runs
    assert (audited.found.outcome.value, audited.findings) == ("sound", ())


def test_equal_reads_without_requests_or_records_wait_for_four_hours(bench, uncounted):
    uncounted.calls.append(made("12:02"))
    bench.add("tinyagents/a", "12:00:10", "12:05")
    seen = []
    for clock in ("13:17", "14:17", "15:17", "16:17"):
        passed(bench, uncounted, clock)
        seen.append(bench.verdict("tinyagents/a"))
    assert seen == ["pending: first_read", *["pending: awaiting_stability"] * 2, "verified: stable"]
    assert bench.block("tinyagents/a")["proof"] == "assumed"


def test_usage_beside_a_run_is_seen_though_its_requests_are_not_told(bench, uncounted):
    uncounted.calls += [made("12:02"), made("12:20", 7, 7)]
    bench.add("tinyagents/a", "12:00:10", "12:05")
    for clock in ("13:17", "14:17", "16:17"):
        passed(bench, uncounted, clock)
    assert bench.verdict("tinyagents/a") == "pending: edge_usage"
    assert bench.block("tinyagents/a")["attribution"]["guard"]["requests"] == 1


def test_a_shared_minute_without_requests_is_anybodys(bench, uncounted):
    """One row holds the calls of both: any part of it may be either's."""
    uncounted.calls += [made("12:02:20", 500, 50), made("12:02:40", 700, 70)]
    for name, start, end in (("a", "12:00:10", "12:02:30"), ("b", "12:02:31", "12:05")):
        bench.add(f"tinyagents/{name}", start, end)
    for clock in ("13:17", "14:17", "17:17"):
        passed(bench, uncounted, clock)
    for name in "ab":
        assert bench.verdict(f"tinyagents/{name}") == "warning: shared_minutes"
        assert bench.block(f"tinyagents/{name}")["attribution"]["bounds"]["tokens_in"] == [0, 1200]


def test_a_neighbour_without_requests_is_remembered_with_all_that_it_recorded(bench, uncounted):
    """Its calls are set aside where usage is shared out, and are a part of what it is known by all the same."""
    uncounted.calls += [made("12:02:20", 500, 50), made("12:02:40", 700, 70)]
    bench.add("tinyagents/a", "12:00:10", "12:02:30")
    said = dict(zip(KINDS, (700, 70, 0, 1), strict=True))
    bench.add("tinyagents/b", "12:02:31", "12:05", recorded=said)
    passed(bench, uncounted, "13:17")
    (beside,) = bench.block("tinyagents/a")["attribution"]["neighbours"]
    claim = read_tree(bench.workspace("13:17")).claims[RunKey("tinyagents", "b")]
    assert beside["record"] == record_of(claim)
