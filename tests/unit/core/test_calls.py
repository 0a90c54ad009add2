"""Call logs: what a file of lines comes to, and everything that is told of one that is wrong."""

import hashlib
import json

import pytest
from support.worlds import LOGS, NOON, window

from reconcile.minutes import EXACT, Clock
from reconcile.providers.base import Scope
from reconcile.runs.call_log import MAX_LINE, MAX_LINES, MAX_LOG_BYTES, held_to, log_too_large
from reconcile.runs.run import CallLog, Claim, LoggedCall, PlacedCalls, RunKey
from reconcile.runs.seal import digest_of
from reconcile.usage import Recorded, Usage

PATH = "runs/chatdev/a/calls.ndjson"
CALL = {
    "started_at": "2026-01-05T12:00:10.000Z",
    "ended_at": "2026-01-05T12:00:20.000Z",
    "model": "gpt-4o-mini-2024-07-18",
    "input_tokens": 100,
    "output_tokens": 20,
    "cached_tokens": 30,
}


def line(**members):
    """A good line. A member that is None is left out."""
    return json.dumps({name: item for name, item in {**CALL, **members}.items() if item is not None})


def read(*lines):
    return LOGS.check(PATH, "\n".join(lines).encode())


def told(*lines):
    """The findings as `line:column: pointer: message`."""
    found = read(*lines)
    assert isinstance(found, tuple), found
    assert {each.path for each in found} == {PATH}
    return [f"{each.line}:{each.column}: {each.pointer}: {each.message}" for each in found]


# ------------------------------------------------------------------------------------------ good logs


def test_calls_are_kept_one_by_one_and_added_up():
    text = "\n".join([line(), line(input_tokens=31, attempt=2), line(started_at=NOON + 58, ended_at=NOON + 59.5), ""])
    log = LOGS.check(PATH, text.encode())
    assert log == CallLog(
        calls=(
            LoggedCall(NOON + 10, NOON + 20, Usage(100, 20, 30, 1), 1),
            LoggedCall(NOON + 10, NOON + 20, Usage(31, 20, 30, 1), 2),
            LoggedCall(NOON + 58, NOON + 59.5, Usage(100, 20, 30, 1), 3),
        ),
        total=Usage(231, 60, 90, 3),
        complete=False,
        models=frozenset({"gpt-4o-mini-2024-07-18"}),
        digest=digest_of(map(json.loads, text.splitlines())),
    )


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line-ends-of-a-checkout"),
        pytest.param(lambda text: text.replace(": ", ":").replace("\n", "\n\n"), id="other-spaces-and-empty-lines"),
        pytest.param(lambda text: text.replace('"input_tokens": 100', '"input_tokens": 100.0'), id="numbers"),
    ],
)
def test_the_digest_of_a_log_is_of_what_it_says(again):
    text = "\n".join([line(), line(started_at=NOON + 58, ended_at=NOON + 59.5), ""])
    logs = [LOGS.check(PATH, each.encode()) for each in (text, again(text), text.replace("100", "101"))]
    assert logs[0].digest == logs[1].digest != logs[2].digest


def test_a_log_knows_the_digest_of_bytes_that_it_had_with_either_line_ends():
    text = f"{line()}\n{line()}"
    unix, windows = (LOGS.check(PATH, each.encode()) for each in (text, text.replace("\n", "\r\n")))
    for data in (text, text.replace("\n", "\r\n")):
        former = hashlib.sha256(data.encode()).hexdigest()
        assert (unix.is_named(former), windows.is_named(former)) == (True, True)
    assert not unix.is_named(hashlib.sha256(text[:-1].encode()).hexdigest())


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        pytest.param(2, 57.9, (0, 0), id="more than two seconds inside"),
        pytest.param(1.9, 30.5, (-1, 0), id="began in the first two seconds"),
        pytest.param(30, 58.0, (0, 1), id="ended in the last two"),
        pytest.param(30, 57, (0, 1), id="ended in a whole second, which counts to its end"),
        pytest.param(30, 200.5, (0, 3), id="took minutes"),
        pytest.param(10.7, 10, (0, 0), id="an end that was cut to seconds"),
    ],
)
def test_a_call_can_have_been_reported_two_seconds_around_it(start, end, minutes):
    log = read(line(started_at=NOON + start, ended_at=NOON + end))
    assert [(each.first, each.last) for each in log.placed(EXACT)] == [(NOON + 60 * minutes[0], NOON + 60 * minutes[1])]


@pytest.mark.parametrize(
    ("clock", "minutes"),
    [
        pytest.param(Clock(0, 1), (0, 0), id="less than two seconds are two"),
        pytest.param(Clock(0, 31), (-1, 1), id="by what it may be off"),
        pytest.param(Clock(45, 0), (1, 1), id="by what it is off"),
        pytest.param(Clock(-45, 20), (-1, 0), id="by both"),
    ],
)
def test_a_call_can_have_been_reported_as_far_around_it_as_the_clock_may_be_off(clock, minutes):
    log = read(line(started_at=NOON + 30.5, ended_at=NOON + 31.5))
    assert [(each.first, each.last) for each in log.placed(clock)] == [(NOON + 60 * minutes[0], NOON + 60 * minutes[1])]


def test_calls_that_can_have_been_reported_in_the_same_minutes_are_added_up():
    log = read(line(), line(input_tokens=31), line(started_at=NOON + 58, ended_at=NOON + 59.5))
    assert log.placed(EXACT) == (
        PlacedCalls(NOON, NOON, Usage(131, 40, 60, 2)),
        PlacedCalls(NOON, NOON + 60, Usage(100, 20, 30, 1)),
    )


@pytest.mark.parametrize(
    ("first", "complete"), [('{"complete": true}', True), ('{"complete": false}', False), ("", False)]
)
def test_the_first_line_may_say_that_the_log_is_complete(first, complete):
    log = read(first, line(), "", "  ")
    assert (log.complete, log.total.api_calls) == (complete, 1)


def test_a_complete_log_may_be_of_no_call():
    log = read('{"complete": true, "by": "recorder 1.2"}')
    assert (log.complete, log.calls, log.total) == (True, (), Usage())


def test_of_rows_with_one_response_id_the_last_counts_and_the_others_are_counted():
    log = read(
        line(response_id="a", input_tokens=31), line(response_id="b"), line(response_id="a", input_tokens=50), line()
    )
    assert (log.total.tokens_in, log.total.api_calls, log.duplicates) == (50 + 100 + 100, 3, 1)


def test_retries_are_calls_and_aborted_ones_are_only_counted():
    log = read(
        line(attempt=1), line(attempt=2), line(aborted=True, input_tokens=37), line(aborted=False, api_key_id="key_b")
    )
    assert (log.total.api_calls, log.total.tokens_in, log.aborted) == (3, 300, 1)
    assert log.api_key_ids == {"key_b"}


def test_of_rows_with_one_response_id_the_last_with_usage_counts_whatever_was_cut_off_later():
    log = read(
        line(response_id="a", pending=True, input_tokens=0, cached_tokens=0),
        line(response_id="a", input_tokens=50),
        line(response_id="a", aborted=True),
    )
    assert (log.total.tokens_in, log.pending, log.aborted, log.duplicates) == (50, 0, 0, 2)


@pytest.mark.parametrize(
    ("members", "found"),
    [
        pytest.param({"pending": True, "response_id": "resp_1"}, {"pending": 1}, id="a response that has not ended"),
        pytest.param({"unknown": True, "endpoint": "POST /v1/new"}, {"unknown": 1}, id="what nobody knows"),
    ],
)
def test_a_log_is_not_complete_whose_calls_are_not_all_known_whatever_it_states(members, found):
    log = read('{"complete": true, "every_attempt": true}', line(**members), line())
    assert (log.complete, log.every_attempt, log.total.api_calls) == (False, True, 1)
    assert {name: getattr(log, name) for name in ("pending", "unknown") if getattr(log, name)} == found


def test_calls_of_other_endpoints_are_told_by_name_and_not_added_up():
    names = ["images", "embeddings", "embeddings", "chat", "responses", "messages", None]
    log = read('{"complete": true}', *(line(endpoint=name) for name in names))
    assert (log.complete, log.others, log.total.api_calls) == (True, (("embeddings", 2), ("images", 1)), 4)


def test_unknown_members_and_whole_floats_are_read():
    assert read(line(temperature=0.5, tags=["a"], input_tokens=100.0)).total == Usage(100, 20, 30, 1)


def test_lines_may_end_as_on_windows():
    assert LOGS.check(PATH, f"{line()}\r\n{line()}\r\n".encode()).total.api_calls == 2


# ------------------------------------------------------------------------------------------- bad logs


@pytest.mark.parametrize(
    ("lines", "findings"),
    [
        pytest.param([""], ["1:1: : the file is empty; let the run log its calls, or take it out"], id="empty"),
        pytest.param(
            [line(), '{"started_at": '],
            ["2:16: : this is not JSON: expecting value; mend it or let the run write its file again"],
            id="cut off in the middle",
        ),
        pytest.param(
            ["[1]"],
            ["1:1: : the document is a list, not an object; write an object for each call, one a line"],
            id="a list",
        ),
        pytest.param(
            ['{"complete": "yes"}'],
            ['1:14: /complete: complete is "yes", not true or false; write true or false without quotes'],
            id="a statement that is text",
        ),
        pytest.param(
            [line(), '{"complete": true}'],
            ["2:14: /complete: complete does not belong here; only the first line may say it"],
            id="a statement behind a call",
        ),
        pytest.param(
            [line(complete=True)],
            ["1:194: /complete: complete stands in a call; give it a line of its own, the first"],
            id="a statement in a call",
        ),
        pytest.param(
            [line(model=None)],
            ["1:1: /model: model is missing; add it: the model, as the response names it"],
            id="a member missing",
        ),
        pytest.param(
            [line(started_at=None)],
            ["1:1: /started_at: started_at is missing; add it: when the request was sent"],
            id="a time missing",
        ),
        pytest.param(
            [line(started_at="2026-01-05T12:00:10")],
            [
                (
                    '1:16: /started_at: started_at is "2026-01-05T12:00:10", which is not in the right form; write '
                    "RFC 3339 with its UTC offset, such as 2026-01-05T14:17:03Z, or Unix seconds, such as 1767622623"
                )
            ],
            id="a time without its offset",
        ),
        pytest.param(
            [line(started_at="2026-02-30T12:00:10Z")],
            [
                (
                    '1:16: /started_at: started_at is "2026-02-30T12:00:10Z", which no clock or calendar shows; write '
                    "the true instant"
                )
            ],
            id="a day that never was",
        ),
        pytest.param(
            [line(ended_at="2026-01-05T11:59:10.5Z")],
            [
                (
                    '1:56: /ended_at: ended_at is "2026-01-05T11:59:10.5Z", before started_at, which is '
                    '"2026-01-05T12:00:10.000Z"; write both as they were'
                )
            ],
            id="an end before its start",
        ),
        pytest.param(
            [line(pending=True)],
            [
                (
                    "1:193: /pending: pending stands in a call without response_id; write the id by which its end can "
                    "be told"
                )
            ],
            id="a response that has not ended and has no name",
        ),
        pytest.param(
            [line(cached_tokens=101)],
            [
                (
                    "1:178: /cached_tokens: cached_tokens is 101, more than input_tokens, which is 100 and includes "
                    "cached tokens; correct the wrong one"
                )
            ],
            id="more cached than input",
        ),
        pytest.param(
            [line(input_tokens=-1, cached_tokens=0), line(), line(output_tokens="20")],
            [
                "1:135: /input_tokens: input_tokens is -1, less than 0; write a whole number from 0 up, without quotes",
                (
                    '3:157: /output_tokens: output_tokens is "20", not a whole number; write a whole number from 0 up, '
                    "without quotes"
                ),
            ],
            id="each line is told of",
        ),
        pytest.param(
            [line().replace("100", "NaN")],
            [
                (
                    "1:135: /input_tokens: input_tokens is NaN, which JSON does not have; write a number or "
                    "take the member out"
                )
            ],
            id="no number",
        ),
        pytest.param(
            [line()[:-1] + ', "model": "x"}'],
            ["1:182: /model: model is there twice, and readers differ on which counts; keep one of them"],
            id="a key twice",
        ),
        pytest.param(
            [line(prompt="x" * MAX_LINE)],
            [
                (
                    f"1:1: : the line has {MAX_LINE + 194} characters, more than the {MAX_LINE} that are read; "
                    "log no prompts"
                )
            ],
            id="a line too long",
        ),
        pytest.param(
            [line(api_key_id="sk-secret")],
            [
                (
                    '1:196: /api_key_id: api_key_id is "sk-...", which is not in the right form; write the id of '
                    "the key, such as key_abc123, which stands beside it on the provider's page; never the secret key"
                )
            ],
            id="a secret",
        ),
    ],
)
def test_what_is_told_of_a_bad_log(lines, findings):
    assert told(*lines) == findings


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        pytest.param(b'{"complete": true}\n\xff', (2, 1, "byte 0xff is not UTF-8; save the file as UTF-8"), id="bytes"),
        pytest.param(
            b"\xef\xbb\xbf{}",
            (1, 1, "the file begins with a byte order mark; save it as UTF-8 without one"),
            id="a byte order mark",
        ),
        pytest.param(
            b"\n" * (MAX_LINES + 1), (MAX_LINES + 1, 1, f"more than {MAX_LINES} lines; log one line a call"), id="lines"
        ),
    ],
)
def test_what_is_told_of_bytes_that_are_no_log(data, finding):
    assert [(each.line, each.column, each.message) for each in LOGS.check(PATH, data)] == [finding]


def test_a_log_of_nothing_but_defects_is_told_of_in_short():
    assert len(read(*["1"] * 3000)) == 1000


def test_a_number_that_is_no_time_is_left_to_the_schema():
    assert [each.split(": ")[1] for each in told(line(started_at=1e300, ended_at=True))] == ["/started_at", "/ended_at"]


def test_a_pointer_of_git_lfs_is_named_as_such():
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
    assert told(pointer) == ["1:1: : is a Git LFS pointer; keep run files out of LFS"]


def test_a_log_too_large_is_not_read():
    finding = log_too_large(PATH, MAX_LOG_BYTES + 1)
    assert (
        finding.message
        == "the file has 64000001 bytes, more than the 64000000 that are read; leave it out or log less of a call"
    )


# ----------------------------------------------------------------------------------- beside its run


def test_calls_outside_the_run_are_told_of_and_counted():
    text = [
        line(),
        line(started_at=NOON + 600.5, ended_at=NOON + 601.5),
        line(started_at=NOON + 603, ended_at=NOON + 604),
    ]
    log, findings = held_to(PATH, read(*text), window(0, 5))
    assert log.strays == 2
    assert [(each.line, each.message) for each in findings] == [
        (
            2,
            (
                "call outside the run: it was made 2026-01-05T12:10:00.500000Z to 2026-01-05T12:10:01.500000Z, the run "
                "is 2026-01-05T12:00:00Z to 2026-01-05T12:05:00Z; correct the log or the run"
            ),
        ),
        (
            3,
            (
                "call outside the run: it was made 2026-01-05T12:10:03Z to 2026-01-05T12:10:05Z, the run is "
                "2026-01-05T12:00:00Z to 2026-01-05T12:05:00Z; correct the log or the run"
            ),
        ),
    ]


@pytest.mark.parametrize(("start", "inside"), [(300.5, True), (301.9, True), (302.5, False)])
def test_two_seconds_outside_the_run_are_the_clocks(start, inside):
    log, findings = held_to(PATH, read(line(started_at=NOON + start, ended_at=NOON + start + 1)), window(0, 5))
    assert (log.strays == 0, findings == ()) == (inside, inside)


# --------------------------------------------------------------------------- what a run knows by its log

TWO_CALLS = [line(), line()]
STATED = '{"complete": true}'


def known(recorded, *lines, strays=False):
    log = held_to(PATH, read(*lines), window(10, 12) if strays else window(0, 5))[0]
    claim = Claim(RunKey("chatdev", "a"), Scope("openai", ("key_a",)), window(0, 5), recorded, log)
    return claim.doubted, claim.known.parts


@pytest.mark.parametrize(
    ("recorded", "lines", "doubted", "expected"),
    [
        pytest.param(Recorded(), [STATED, *TWO_CALLS], False, (200, 40, 60, 2), id="a complete log tells everything"),
        pytest.param(Recorded(), TWO_CALLS, False, (None, None, None, None), id="another log does not"),
        pytest.param(Recorded(api_calls=3), TWO_CALLS, False, (None, None, None, 3), id="the file has more calls"),
        pytest.param(Recorded(api_calls=1), TWO_CALLS, True, (None, None, None, 2), id="the log has more calls"),
        pytest.param(Recorded(300, 60, 90, 3), TWO_CALLS, False, (300, 60, 90, 3), id="the file has the totals"),
        pytest.param(Recorded(199, 60, 90, 3), TWO_CALLS, True, (None, None, None, 3), id="fewer tokens than its log"),
        pytest.param(Recorded(200, 40, 60, 2), [STATED, *TWO_CALLS], False, (200, 40, 60, 2), id="both say the same"),
        pytest.param(Recorded(201), [STATED, *TWO_CALLS], True, (None, None, None, 2), id="more tokens than all calls"),
        pytest.param(
            Recorded(api_calls=3), [STATED, *TWO_CALLS], True, (None, None, None, 3), id="more calls than all"
        ),
        pytest.param(
            Recorded(210, 40, 60, 3),
            [STATED, *TWO_CALLS, line(aborted=True)],
            False,
            (210, 40, 60, 3),
            id="the file counts an aborted call",
        ),
        pytest.param(
            Recorded(api_calls=4),
            [STATED, *TWO_CALLS, line(aborted=True)],
            True,
            (None, None, None, 4),
            id="the file counts more than the aborted call",
        ),
    ],
)
def test_what_a_run_knows_by_its_file_and_its_log(recorded, lines, doubted, expected):
    assert known(recorded, *lines) == (doubted, expected)


def test_a_log_with_calls_outside_the_run_only_counts():
    assert known(Recorded(), STATED, *TWO_CALLS, strays=True) == (True, (None, None, None, 2))
