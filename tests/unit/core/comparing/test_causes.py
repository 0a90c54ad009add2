"""Each way in which a kept log goes wrong line by line has its own reason, which explains it to the token; and a sound
log has none."""

import json
from dataclasses import replace
from random import Random

import pytest
from support.kept import KEPT, MODEL, calls, compared, first, official, read
from support.week import START, WEEK, price

from reconcile.ledger import doubts
from reconcile.ledger.comparison import ComparisonVerdict, compare
from reconcile.ledger.figures import Metric
from reconcile.ledger.log import Suspicion, UsageLog
from reconcile.ledger.reasons.codes import BreakCode
from reconcile.money.entry import HOUR, Official
from reconcile.usage import Tokens

MADE = calls()
LINES = [call.line() for call in MADE]


def with_ids(extra=()):
    return [call.line(id=f"resp_{call.number}", **dict(extra)) for call in MADE]


def repeated():
    """Every fourth call told by a second handler too."""
    return [*with_ids(), *(call.line(id=f"resp_{call.number}", handler="b") for call in MADE[::4])]


def chunked():
    """Each answer in three parts whose counts grow."""
    return [
        call.line(id=f"resp_{call.number}", out=call.answered * part // 3, thought=0)
        for call in MADE
        for part in (1, 2, 3)
    ]


def deltas():
    """Each answer in two parts that add up."""
    lines = []
    for call in MADE:
        half = call.answered // 2
        lines.append(call.line(id=f"r{call.number}", out=half, thought=0))
        rest = {"in": 0, "cached": 0, "out": call.answered - half, "thought": 0}
        lines.append(call.line(id=f"r{call.number}", **rest))
    return lines


def marked(every, **said):
    """Every so many calls a line beside the call's own, which says something of itself."""
    lines = []
    for call in MADE:
        lines.append(call.line())
        if call.number % every == 0:
            lines.append(call.line(at=call.at + 30, **said))
    return lines


def nested(**said):
    """After every five calls a line that sums them."""
    lines = []
    for place in range(0, len(MADE), 5):
        group = MADE[place : place + 5]
        name = f"run{place}"
        lines += [call.line(kind="LLM", span_id=f"s{call.number}", parent_span_id=name) for call in group]
        sums = {"in": "given", "out": "answered", "cached": "cached", "thought": "thought"}
        total = {member: sum(getattr(call, of) for call in group) for member, of in sums.items()}
        lines.append(group[-1].line(span_id=name, **total, **said))
    return lines


def running():
    """Counts that run on in conversations of four calls."""
    lines, so_far = [], {}
    for call in MADE:
        if call.number % 4 == 0:
            so_far = dict.fromkeys(("in", "out", "cached", "thought"), 0)
        so_far = {name: count + call.line()[name] for name, count in so_far.items()}
        lines.append(call.line(conversation_id=call.number // 4, **so_far))
    return lines


def again():
    """Some events written once more a little later."""
    lines = []
    for call in MADE:
        lines.append(call.line(ordinal=2 * call.number))
        if call.number % 2:
            lines.append(call.line(at=call.at + 5, ordinal=2 * call.number + 1))
    return lines


def outlying():
    lines = list(LINES)
    lines[60] = MADE[60].line(**{"in": 5_000_000})
    return lines


CASES = {
    "ids that come again": (repeated(), "repeated_ids"),
    "parts of a stream": (chunked(), "streamed_chunks"),
    "answers of a cache": (marked(3, cache_hit="True"), "cache_hits"),
    "answers of a cache, told below": (marked(3, metadata={"from_cache": True}), "cache_hits"),
    "calls that failed": (marked(4, status="failure", out=0, thought=0), "failed_calls"),
    "calls that failed, by an error": (marked(4, error={"code": 500}), "failed_calls"),
    "calls that failed, by a status of HTTP": (marked(4, status_code=503), "failed_calls"),
    "calls that did not succeed": (marked(4, success=False), "failed_calls"),
    "spans around spans, by kind": (nested(kind="AGENT"), "nested_spans"),
    "spans around spans, by parent": (nested(), "nested_spans"),
    "totals that run on": (running(), "running_totals"),
    "events written again": (again(), "duplicate_lines"),
    "a line that is far too large": (outlying(), "outlier_line"),
    "output without reasoning": ([c.line(out=c.answered - c.thought) for c in MADE], "reasoning_left_out"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_fault_of_lines_is_the_first_reason_and_explains_it_to_the_token(case):
    lines, code = CASES[case]
    assert first(lines, MADE) == (code, 0)


def test_a_sound_log_has_no_reason():
    for lines in (LINES, with_ids(), with_ids({"cache_hit": "False", "status": "success", "kind": "LLM"}.items())):
        found = compared(lines, MADE)
        assert (found.verdict, found.breaks) == (ComparisonVerdict.RECONCILED, ())


def test_parts_of_a_stream_that_add_up_are_requests_too_many():
    found = compared(deltas(), MADE).breaks[0]
    assert (found.code, found.explains) == (BreakCode.STREAMED_CHUNKS, 0)
    assert "as requests of their own" in found.arithmetic


def test_input_without_cached_tokens_that_are_told_beside_it():
    made = [replace(call, cached=min(call.cached, call.given // 3)) for call in MADE]
    lines = [call.line(**{"in": call.given - call.cached}) for call in made]
    assert first(lines, made) == ("cached_left_out", 0)


def test_input_without_cached_tokens_that_are_told_nowhere():
    lines = [call.line(**{"in": call.given - call.cached, "cached": 0}) for call in MADE]
    found = compared(lines, MADE).breaks[0]
    assert found.code is BreakCode.CACHED_LEFT_OUT
    assert "log cached tokens too" in found.remedy


# ------------------------------------------------------------------------------------------------------ what is missing


def test_lines_that_could_not_be_read_are_named_before_any_loss():
    torn = [b'{"at": 17' + json.dumps(line).encode() if n % 9 == 0 else line for n, line in enumerate(LINES)]
    assert first(torn, MADE) == ("refused_lines", 0)
    assert "could not be read" in compared(torn, MADE).breaks[0].arithmetic


def test_a_log_of_which_no_line_could_be_read_was_not_rotated_away():
    found = compared([b"{"] * 120, MADE)
    assert (found.verdict, [each.code for each in found.breaks]) == (
        ComparisonVerdict.NO_DATA,
        [BreakCode.REFUSED_LINES],
    )


def test_a_refused_line_of_another_day_does_not_explain_hours_of_silence():
    lines = [
        line
        for call, line in zip(MADE, LINES, strict=True)
        if call.at >= START + 12 * HOUR or call.at < START + 9 * HOUR
    ]
    found = compared([*lines, b"{", b"{", b"{", b"{", b"{", b"{", b"{"], MADE).breaks[0]
    assert found.code is BreakCode.MISSING_LOG


def test_refused_lines_are_too_few_for_what_is_missing():
    assert first([b"{", *LINES[::2]], MADE)[0] == "missing_log"


def test_calls_made_again_after_a_time_out_have_the_input_of_logged_ones():
    dice = Random(7)  # noqa: S311  a test that can be repeated
    retried = [replace(call, answered=dice.randrange(20, 700)) for call in MADE for _ in range(call.number % 3)]
    assert first(LINES, [*MADE, *retried]) == ("timeout_retries", 0)


def test_lines_that_were_dropped_are_no_calls_made_again():
    assert first([line for n, line in enumerate(LINES) if n % 3], MADE) == ("missing_log", 0)


def test_calls_that_all_ask_the_same_cannot_be_told_from_dropped_lines():
    made = [replace(call, given=1000, cached=0) for call in MADE]
    assert first([call.line() for call in made if call.number % 3], made) == ("missing_log", 0)


def test_hours_that_the_provider_lacks_are_a_gap_of_its_own():
    kept = [call for call in MADE if not START + 33 * HOUR <= call.at < START + 36 * HOUR]
    assert first(LINES, kept) == ("provider_gap", 0)


# -------------------------------------------------------------------------------------------------- below the total


def test_a_loss_and_doubles_that_cancel_are_both_found():
    other = calls(seed=2, key="key_jobs")
    lines = [call.line() for call in [*MADE, *other]]
    local = (
        [line for n, line in enumerate(lines[:120]) if n % 8] + lines[120:] + [lines[120 + n] for n in range(0, 120, 8)]
    )
    found = compared(local, [*MADE, *other])
    assert found.verdict is ComparisonVerdict.MISMATCH
    assert {part.name for part in found.parts_outside} == {"key_app", "key_jobs"}
    assert [each.code for each in found.breaks][:2] == [BreakCode.DUPLICATE_LINES, BreakCode.MISSING_LOG]


def test_calls_under_another_model_are_no_agreement():
    lines = [call.line(model="o3-2025-04-16") for call in MADE]
    found = compared(lines, MADE)
    assert found.verdict is ComparisonVerdict.MISMATCH
    assert {part.what for part in found.parts_outside} == {"model"}
    (reason,) = found.breaks
    assert (reason.code, reason.metric, reason.explains) == (BreakCode.MODEL_SPELLING, Metric.TOTAL, 0)
    assert f"under o3-2025-04-16 that the provider reports under {MODEL}" in reason.arithmetic


@pytest.mark.parametrize("spelled", ["openai/gpt-4o", "openrouter/openai/gpt-4o-2024-08-06", "openai:gpt-4o", "GPT-4o"])
def test_a_model_with_the_provider_before_its_name_is_the_same(spelled):
    found = compared([call.line(model=spelled) for call in MADE], MADE)
    assert (found.verdict, found.breaks, found.parts_outside) == (ComparisonVerdict.RECONCILED, (), ())


def test_keys_that_a_log_calls_by_names_of_its_own_tell_nothing():
    found = compared([call.line(key="the app's") for call in MADE], MADE)
    assert found.parts_outside == ()


# ------------------------------------------------------------------------------------------- what explains nothing


def test_a_unit_is_named_only_where_its_factor_fits():
    lines = [call.line(**{"in": call.given * 3, "out": call.answered * 3, "cached": 0}) for call in MADE[:1]]
    assert {each.code for each in compared(lines, MADE[:1]).breaks} <= {
        BreakCode.UNEXPLAINED,
        BreakCode.CACHED_LEFT_OUT,
    }


def test_a_unit_whose_factor_fits_is_named():
    names = {"in": "given", "out": "answered", "cached": "cached", "thought": "thought"}
    lines = [call.line(**{name: getattr(call, of) * 1000 for name, of in names.items()}) for call in MADE]
    assert first(lines, MADE) == ("units", 0)


def test_one_line_makes_no_time_zone():
    alone = [replace(MADE[0], at=START + 10 * HOUR)]
    assert first([alone[0].line(at=START + 12 * HOUR)], alone)[0] != "time_zone"


def test_a_line_too_large_at_another_time_makes_no_time_zone():
    hourly = [replace(MADE[0], number=n, at=START + (8 + n) * HOUR + 300) for n in range(10)]
    lines = [call.line() for call in hourly[:-1]]
    lines.append(hourly[-1].line(at=START + 167 * HOUR, **{"in": 9_000_000}))
    assert first(lines, hourly)[0] == "outlier_line"


# --------------------------------------------------------------------------------------------------------- the reading


def test_a_log_with_too_many_lines_is_not_kept_line_by_line(monkeypatch):
    monkeypatch.setattr(doubts, "MOST_SINGLES", 50)
    assert read(LINES).singles == ()


def test_stretches_of_refused_lines_are_told_by_the_lines_around_them(monkeypatch):
    found = read([b"{", LINES[0], b"{", b"[", LINES[119], b"{"])
    assert [(each.since, each.until, each.lines) for each in found.refused] == [
        (None, MADE[0].at // 900 * 900, 1),
        (MADE[0].at // 900 * 900, MADE[119].at // 900 * 900, 2),
        (MADE[119].at // 900 * 900, None, 1),
    ]
    monkeypatch.setattr(doubts, "MOST_REFUSED", 1)
    assert len(read([b"{", LINES[0], b"{"]).refused) == 1


def test_a_member_of_many_words_is_no_kind_and_a_line_of_many_members_is_looked_at_in_part():
    many = [call.line(kind=f"k{call.number}", **{f"m{n}": n for n in range(200)}) for call in MADE]
    assert not [each for each in read(many).doubts if each.suspicion is Suspicion.NESTED_SPANS]


def test_without_prices_another_name_is_told_by_its_tokens():
    log = read([call.line(model="o3-2025-04-16") for call in MADE])
    found = compare(log, official(MADE), WEEK, settled_until=WEEK.end)
    assert [each.code for each in found.breaks] == [BreakCode.MODEL_SPELLING]


def test_a_log_that_was_not_looked_into_line_by_line_still_names_refused_lines():
    whole = read(LINES[1:])
    log = UsageLog(entries=whole.entries, lines=120, bad_lines=1)
    found = compare(log, official(MADE), WEEK, settled_until=WEEK.end, price_of=price)
    assert found.breaks[0].code is BreakCode.REFUSED_LINES


def test_versions_of_a_call_of_which_the_last_counts_are_in_no_doubt():
    assert read(chunked(), replace(KEPT, once=("id",), latest_wins=True)).doubts == ()


def test_lines_outside_the_period_are_in_no_reason():
    before = [call.line(at=call.at - 2 * 24 * HOUR - 10 * HOUR, cache_hit=True) for call in MADE[:40]]
    found = compared([*before, *LINES[5:]], MADE)
    assert BreakCode.CACHE_HITS not in {each.code for each in found.breaks}


def test_calls_of_one_size_in_a_busy_hour_fit_any_sum():
    made = [replace(call, at=START + call.number // 30 * HOUR, given=call.number + 100, cached=0) for call in MADE]
    assert first([call.line() for call in made if call.number % 10], made) == ("missing_log", 0)


def test_what_is_remembered_of_lines_has_an_end(monkeypatch):
    monkeypatch.setattr(doubts, "MOST_SINGLES", 0)
    assert not [each for each in read(nested()).doubts if each.suspicion is Suspicion.NESTED_SPANS]
    monkeypatch.setattr(doubts, "MOST_KINDS", 2)
    states = read([call.line(status=f"failed {call.number}") for call in MADE]).doubts
    assert len([each for each in states if each.suspicion is Suspicion.FAILED_CALLS]) == 2


def test_members_far_down_in_a_line_and_lists_are_not_looked_at():
    deep = {"a": {"b": {"c": {"d": {"cache_hit": True}}}}}
    found = read([call.line(event_id=call.number, tags=["x"], nothing=None, error={}, **deep) for call in MADE])
    assert {each.suspicion for each in found.doubts} <= {Suspicion.RUNNING_TOTALS}


def test_cache_writes_that_the_log_leaves_out():
    log = read(LINES)
    theirs = tuple(replace(entry, tokens=entry.tokens + Tokens(cache_write=40)) for entry in official(MADE).usage)
    found = compare(log, Official(usage=theirs, costs=None), WEEK, settled_until=WEEK.end, price_of=price)
    assert found.breaks[0].code is BreakCode.CACHE_WRITES_LEFT_OUT
    assert found.breaks[0].explains == -40 * len(MADE)
