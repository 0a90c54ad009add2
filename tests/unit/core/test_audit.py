"""An audit computes figures, bounds and verdicts again, and says where a file or its evidence is another."""

import hashlib
import json
from dataclasses import replace

import pytest
from support.proof import Written, said
from support.runs import FIRST, KEY, MINUTES, PATH, SCOPE, after, neighbour, theirs
from support.worlds import dice, seeds

from reconcile.attribution.attribute import attribute
from reconcile.attribution.evidence import evidence_bytes, evidence_of, read_evidence
from reconcile.errors import ProviderError
from reconcile.insight.audit import (
    Audit,
    Audited,
    AuditOutcome,
    AuditResult,
    Beside,
    attributed_again,
    audit,
    audit_json,
)
from reconcile.insight.differences import differing_read
from reconcile.minutes import MINUTE, Window
from reconcile.runs.metrics import BLOCK
from reconcile.runs.run import CallLog, Finding, LoggedCall, RunKey
from reconcile.runs.seal import digest, seal
from reconcile.runs.state import Guard
from reconcile.usage import Bucket, Usage, total

B = RunKey("chatdev", "b")
V1 = {
    "step_number": 1, "command": "one", "start_timestamp": "2026-01-06T11:50:00Z",
    "end_timestamp": "2026-01-06T12:00:00Z", "tokens_in": 0, "tokens_out": 0,
}  # fmt: skip


def verified(**members):
    return Written(**members).read("00:45", "100 50").read("01:45", "100 50")


def resealed(value, data=None):
    if data:
        value[BLOCK]["evidence"]["sha256"] = digest(data)
    value[BLOCK]["evidence"]["seal"] = seal(value)
    return value


def edited(file, edit):
    """The run's document after an edit, sealed over again by the forger."""
    value = file.value
    edit(value)
    return resealed(value)


# ------------------------------------------------------------------------------------------------- what is sound

STORIES = {
    "a first read": [("00:45", "100")],
    "a verdict": [("00:45", "100 50"), ("01:45", "100 50")],
    "a read too early": [("00:45", "100"), ("00:50", "100"), ("01:45", "100")],
    "a rise after the verdict": [("00:45", "100"), ("01:45", "100"), ("02:45", "300"), ("03:45", "300")],
    "a lower figure that becomes stable": [("00:45", "300"), ("01:45", "300"), ("02:45", "100"), ("03:45", "100")],
    "and returns": [("00:45", "300"), ("01:45", "300"), ("02:45", "100"), ("03:45", "100"), ("04:45", "300")],
    "nothing at all": [("00:45", "."), ("01:45", "."), ("25:00", ".")],
    "a figure and nothing at the cutoff": [("00:45", "100"), ("25:00", ".")],
    "foreign usage beside it, and nothing at the cutoff": [
        ("00:45", "100 . . . . . . . . . +2"), ("01:45", "100 . . . . . . . . . +2"), ("25:00", "."),
    ],
    "a zero in between": [("00:45", "100"), ("01:45", "."), ("02:45", "100")],
    "a read that was overtaken": [("01:45", "100"), ("01:40", "100"), ("02:45", "100")],
}  # fmt: skip


@pytest.mark.parametrize("evidence", [True, False], ids=["required", "not required"])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_was_written_is_sound_after_every_read_of(story, evidence):
    for members in ({}, {"steps": [V1, {**V1, "step_number": 2}]}, {"recorded_usage": {"api_calls": 1}}):
        file = Written(**members)
        for clock, shown in story:
            file.read(clock, shown)
            assert file.audit(required=evidence) == AuditResult(outcome=AuditOutcome.SOUND), clock


def test_a_forced_read_that_waits_leaves_a_figure_that_is_sound():
    file = verified(recorded_usage={"tokens_in": 160, "tokens_out": 15, "api_calls": 2})
    file.read("02:45", "100 50", forced=True)
    assert file.run.state.status == "pending"
    assert file.audit().outcome is AuditOutcome.SOUND


def test_a_verdict_that_a_late_claim_took_back_is_sound():
    file = verified().claimed_late("02:45")
    assert (file.run.state.reasons, file.audit().outcome) == (("shared_minutes",), AuditOutcome.SOUND)


def test_a_file_without_a_metric_of_its_own_is_sound():
    assert verified(aggregate_metrics={"TOK_IN": 0, "TOK_OUT": 0}).audit().outcome is AuditOutcome.SOUND


def test_edited_times_restart_and_are_sound_once_read():
    file = verified()
    file.text = json.dumps({**file.value, "end_timestamp": "2026-01-06T12:02:00Z"}, indent=2)
    (found,) = said(file.audit())
    assert found.startswith(f"{BLOCK}/query_window: its window was changed since its usage was read; the next pass")
    file.read("02:45", "100 50")
    assert (file.run.state.reasons, file.audit().outcome) == (("first_read",), AuditOutcome.SOUND)


def log(*minutes, complete=True):
    calls = tuple(
        LoggedCall(FIRST + MINUTE * minute, FIRST + MINUTE * minute, Usage(100, 10, 25, 1), 1) for minute in minutes
    )
    return CallLog(digest="a" * 64, complete=complete, calls=calls, total=total(each.usage for each in calls))


def test_a_step_without_the_kinds_of_a_figure_is_sound():
    assert "api_calls" not in verified(steps=[V1]).value["steps"][0]
    assert verified(steps=[{**V1, "api_calls": 0}]).audit().outcome is AuditOutcome.SOUND


def test_a_log_that_came_after_the_verdict_is_no_edit_and_one_that_went_is():
    file = verified()
    file.log = log(0, complete=False)
    assert file.audit().outcome is AuditOutcome.SOUND
    file = Written(log=log(0)).read("00:45", "100")
    assert file.audit().outcome is AuditOutcome.SOUND
    file.log = None
    assert "its call log was changed" in said(file.audit())[0]


LAYOUTS = {
    "line ends of a checkout": lambda data: data.replace(b"\n", b"\r\n"),
    "a formatter that sorts": lambda data: json.dumps(json.loads(data), indent=4, sort_keys=True).encode(),
    "one line": lambda data: json.dumps(json.loads(data), separators=(",", ":")).encode(),
}


@pytest.mark.parametrize("version", ["today's", "the first"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_evidence_that_says_the_same_in_another_layout_is_sound(layout, version):
    file = verified()
    value = file.value
    if version == "the first":  # which named the bytes
        value[BLOCK]["evidence"]["sha256"] = hashlib.sha256(file.data).hexdigest()
    value = resealed(value)
    assert file.audit(value=value, data=layout(file.data)).outcome is AuditOutcome.SOUND
    other = layout(file.data.replace(b'"surplus_nearby": false', b'"surplus_nearby": true'))
    assert "usage_evidence.json is another one" in said(file.audit(value=value, data=other))[0]


def test_a_log_by_the_digest_of_its_bytes_is_still_the_one_it_was_read_with():
    file = Written(log=log(0)).read("00:45", "100")
    file.log = replace(log(0), digest="b" * 64, former=("c" * 64, "a" * 64))
    assert file.audit().outcome is AuditOutcome.SOUND
    file.log = replace(log(0), digest="b" * 64, former=("c" * 64,))
    assert "its call log was changed" in said(file.audit())[0]


@pytest.mark.parametrize("newer", [KEY, B], ids=["its own", "the other's"])
def test_evidence_from_before_an_upgrade_and_evidence_from_after_it_fit_together(newer):
    old = {KEY: log(0), B: replace(log(MINUTES - 1), digest="d" * 64)}
    new = {key: replace(each, digest=each.digest.upper(), former=(each.digest,)) for key, each in old.items()}
    claim = verified().attributed("100").by_run[KEY].claim
    other = neighbour("b", MINUTES - 2, MINUTES + 5)
    rows = verified().attributed("100 . . . . . . . . 3x400").by_run[KEY].rows
    known = {}
    for logs, keys in ((old, {KEY, B} - {newer}), (new, {newer})):
        claims = [replace(each, log=logs[each.run]) for each in (claim, other)]
        attributed = attribute(claims, list(rows), [Window(FIRST - 6000, FIRST + 60_000)]).by_run
        known |= {key: evidence_of(attributed[key], after("00:45")) for key in keys}
    for key in known:
        assert attributed_again(known[key], known, new).why_not == ""


def test_a_verdict_of_version_one_that_came_earlier_than_it_would_today_is_sound():
    """It took two zeros of a run without calls for the truth, where today the run must grow old as well."""
    file = Written(recorded_usage={"api_calls": 0}).read("00:45", ".").read("01:45", ".")
    assert file.run.state.status == "pending"
    evidence = file.document
    del evidence["feed"]
    data = json.dumps(evidence).encode()
    value = file.value
    value[BLOCK] |= {"verification_status": "verified", "reasons": ["no_api_calls"], "completeness": "calls_matched"}
    assert file.audit(value=resealed(value, data), data=data).outcome is AuditOutcome.SOUND


# ------------------------------------------------------------------------------------------- what is not audited


def test_a_run_that_nobody_has_read_is_unread():
    assert Written().audit().outcome is AuditOutcome.UNREAD


def test_a_run_that_was_made_again_in_the_same_folder_is_told_to_leave_no_evidence_of_the_old_one():
    old = verified()
    new = Written(end_timestamp="2026-01-06T13:30:00Z", aggregate_metrics={"TOK_IN": 9, "TOK_OUT": 9})
    (found,) = said(new.audit(data=old.data))
    assert found.endswith("if the run was made again, delete usage_evidence.json")


def test_a_killed_writer_leaves_a_run_unread_or_unaudited():
    file = verified()
    before = Written()
    assert before.audit(data=file.data, cut_off=True).outcome is AuditOutcome.UNREAD
    first = Written().read("00:45", "100 50")
    found = first.audit(data=file.data, cut_off=True)
    assert (found.outcome, found.why) == (
        AuditOutcome.UNAUDITED, "a writer was killed in the middle of it; the next pass mends it",
    )  # fmt: skip
    value = first.value
    value[BLOCK]["total_tokens_in"] += 1
    assert first.audit(value=value, data=file.data, cut_off=True).outcome is AuditOutcome.DIFFERENT


def test_what_another_tool_read_is_not_audited():
    file = Written(**theirs(("00:45", 100), status="verified"))
    found = file.audit()
    assert (found.outcome, found.why) == (AuditOutcome.UNAUDITED, "another tool read it, and left no evidence")


def test_a_verdict_without_evidence_is_a_difference_unless_evidence_is_off():
    file = Written().read("00:45", "100", evidence=False)
    (found,) = said(file.audit())
    assert found.startswith(f"{BLOCK}: names no evidence; restore it from version control, or read it again with")
    assert file.audit(required=False).why == "evidence is off"


# ------------------------------------------------------------------------------------------------ what is found


def test_an_edit_breaks_the_seal_and_other_bytes_the_digest():
    file = verified()
    value = file.value
    value[BLOCK]["total_tokens_in"] += 1
    found = said(file.audit(value=value))
    assert found[0].startswith(f"{BLOCK}/total_tokens_in: is 151, and the evidence comes to 150; ")
    assert found[-1].startswith(f"{BLOCK}/evidence/seal: a figure, a verdict or a record was edited")
    other = file.data.replace(b'"surplus_nearby": false', b'"surplus_nearby": true')
    assert said(file.audit(data=other))[0].startswith(f"{BLOCK}/evidence/sha256: usage_evidence.json is an")


def test_evidence_that_is_gone_or_is_none_is_a_difference():
    file = verified()
    gone = file.audit(evidence=None, data=None)
    assert gone.outcome is AuditOutcome.DIFFERENT
    subject = replace(file.subject(), data=None, evidence=None)
    unreadable = replace(subject, data=b"{")
    assert [each.evidence for each in (subject, unreadable)] == [None, None]
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
    for data, why in ((None, "is not there; restore"), (b"{", "is no evidence; restore"), (pointer, "is a Git LFS p")):
        (found,) = said(
            audit(replace(subject, data=data), Beside(known={}, logs={}, policy=file.policy), required=True)
        )
        assert found.startswith(f"{BLOCK}/evidence: usage_evidence.json {why}")


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        pytest.param(lambda v: v[BLOCK].update(total_tokens_in=151), f"{BLOCK}/total_tokens_in", id="total"),
        pytest.param(lambda v: v["aggregate_metrics"].update(TOK_OUT=1), "aggregate_metrics/TOK_OUT", id="metric"),
        pytest.param(lambda v: v["aggregate_metrics"].update(AEI=3), "aggregate_metrics/AEI", id="AEI"),
        pytest.param(lambda v: v.update(verification_status="failed"), "verification_status", id="copied status"),
        pytest.param(lambda v: v[BLOCK].update(completeness="calls_matched"), f"{BLOCK}/completeness", id="complete"),
        pytest.param(lambda v: v[BLOCK].update(assumes=[]), f"{BLOCK}/assumes", id="assumption"),
        pytest.param(lambda v: v[BLOCK].update(reasons=["log_matched"]), f"{BLOCK}/verification_status", id="reason"),
        pytest.param(lambda v: v[BLOCK].pop("policy"), f"{BLOCK}", id="policy"),
        pytest.param(lambda v: v[BLOCK].pop("attribution"), f"{BLOCK}/attribution/batch", id="attribution"),
        pytest.param(lambda v: v["steps"][0].update(tokens_in=9), "steps/0/tokens_in", id="step"),
        pytest.param(lambda v: v.update(recorded_usage={"api_calls": 2}), "recorded_usage", id="record"),
    ],
)
def test_an_edit_that_was_sealed_again_is_found_by_computing_it_again(edit, place):
    untimed = {"step_number": 2, "command": "two", "start_timestamp": None, "end_timestamp": None}
    file = verified(steps=[V1, untimed], verification_status="pending")
    assert file.audit().outcome is AuditOutcome.SOUND
    found = said(file.audit(value=edited(file, edit)))
    assert place in [each.split(": ")[0] for each in found]


def test_a_verdict_that_was_taken_out_is_found_by_its_evidence():
    file = verified()
    value = file.value
    del value[BLOCK]
    assert "says no verdict" in said(file.audit(value=value))[0]
    assert "says no verdict" in said(file.audit(value={**file.value, BLOCK: {}}))[0]


def test_rows_that_were_edited_and_named_again_do_not_fit_the_fingerprint():
    file = verified()
    evidence = file.document
    evidence["rows"][0][8] -= 1
    data = json.dumps(evidence).encode()
    found = said(file.audit(value=resealed(file.value, data), data=data))
    assert "the rows of usage_evidence.json are not those that it was made of" in found[0]


def test_evidence_of_another_run_is_found():
    file = verified()
    evidence = file.document
    evidence["claim"]["run"] = "chatdev/b"
    data = json.dumps(evidence).encode()
    assert said(file.audit(value=resealed(file.value, data), data=data))[0].startswith(": its run was changed")


def test_a_run_without_a_verdict_again_says_so():
    """No second read: a zero after a figure is no verdict, so none can have been written for it."""
    file = verified()
    evidence = file.document
    evidence |= {"read_at": "2026-01-06T12:46:00Z"}
    data = json.dumps(evidence).encode()
    found = said(file.audit(value=resealed(file.value, data), data=data))
    assert found == [] or "verification_status" in found[0]


# ------------------------------------------------------------------------------------------------- beside others


def beside(shown, *, calls=None):
    """The run of the stories and a neighbour over its last minutes, read together; and what each has for evidence."""
    other = neighbour("b", MINUTES - 2, MINUTES + 5, calls=calls)
    file = Written(other).read("00:45", shown)
    theirs_ = file.attributed(shown).by_run[B]
    return file, {B: evidence_of(theirs_, after("00:45"))}


def test_a_run_beside_another_is_computed_again_with_the_others_evidence():
    file, known = beside("100 . . . . . . . . 3x400")
    assert file.audit(known=known).outcome is AuditOutcome.SOUND
    assert file.run.state.bounds is not None


def test_bounds_that_were_edited_are_found():
    file, known = beside("100 . . . . . . . . 3x400")
    value = edited(file, lambda v: v[BLOCK]["attribution"]["bounds"].update(tokens_in=[100, 1000]))
    assert f"{BLOCK}/attribution/bounds" in said(file.audit(value=value, known=known))[0]


def test_bounds_that_do_not_hold_a_figure_that_was_read_are_found():
    file = verified().read("02:45", "20").read("03:45", "20")
    assert (file.run.state.reasons, file.audit().outcome) == (("restated",), AuditOutcome.SOUND)
    value = edited(file, lambda v: v[BLOCK]["attribution"]["bounds"].update(tokens_in=[60, 150]))
    assert said(file.audit(value=value))[0].startswith(f"{BLOCK}/attribution/bounds: do not hold 20 in, 2 out")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(lambda _: {}, "it rests on chatdev/b too, which has no evidence", id="no evidence"),
        pytest.param(
            lambda each: {B: replace(each, rows=tuple(replace(row, usage=Usage(1, 1, 0, 1)) for row in each.rows))},
            "usage of minutes that it shares has changed since", id="another reading of a shared minute",
        ),
        pytest.param(
            lambda each: {B: replace(each, own=replace(each.own, log_digest="b" * 64))},
            "a call log beside it is not the one it was made with", id="a log that is gone",
        ),
        pytest.param(
            lambda each: {B: replace(each, own=replace(each.own, claim=replace(
                each.own.claim, window=Window(each.own.claim.window.start, each.own.claim.window.end + MINUTE))))},
            "claims or usage around it have changed since", id="another window",
        ),
    ],
)  # fmt: skip
def test_where_something_changed_around_a_run_it_is_not_computed_again(change, why):
    file, known = beside("100 . . . . . . . . 3x400")
    found = file.audit(known=change(known[B]))
    assert (found.outcome, found.why) == (AuditOutcome.UNAUDITED, why)
    value = file.value
    value[BLOCK]["total_tokens_in"] += 1
    assert file.audit(value=value, known=change(known[B])).outcome is AuditOutcome.DIFFERENT


def test_a_run_that_had_not_ended_then_is_left_out():
    """The neighbour was read again later, when a third run had come over its end."""
    file, known = beside("100 . . . . . . . . 3x400")
    later = neighbour("c", MINUTES + 4, MINUTES + 60)
    own = known[B].own.claim
    rows = [*file.attributed("100 . . . . . . . . 3x400").by_run[B].rows]
    attributed = attribute([own, later], rows, [Window(FIRST - 6000, FIRST + 60_000)])
    newer = evidence_of(attributed.by_run[B], after("05:00"))
    newer = replace(newer, neighbours=(*known[B].neighbours, *newer.neighbours))
    assert file.audit(known={B: newer}).outcome is AuditOutcome.SOUND


def test_an_attribution_is_the_same_again():
    for seed in seeds(30):
        random = dice(seed)
        cells = " ".join(random.choice([".", "100", "2x50", "3x400"]) for _ in range(MINUTES))
        others = [neighbour(f"n{i}", random.randrange(10), 10 + random.randrange(9), calls=random.choice([None, 2]))
                  for i in range(random.randrange(4))]  # fmt: skip
        attributed = Written(*others).attributed(cells)
        known = {key: evidence_of(each, after("00:45")) for key, each in attributed.by_run.items()}
        for key, each in attributed.by_run.items():
            assert attributed_again(known[key], known, {}).attribution == each, seed
        made = {}
        assert {key: attributed_again(known[key], known, {}, made).attribution for key in known} == attributed.by_run


# ---------------------------------------------------------------------------------------------------- its outcome


def test_a_fresh_read_that_shows_other_usage_is_a_difference():
    evidence = read_evidence(verified().document)
    assert differing_read(evidence, evidence.rows, None) is None
    more = [*evidence.rows, Bucket(FIRST, Usage(1000, 0, 0, 1), "key_a")]
    pointer, message = differing_read(evidence, more, None)
    assert pointer == ()
    assert message == (
        "the provider reports other usage today: tokens_in 150 then, 1,150 now, api_calls 2 then, 3 now; "
        "read it again with --force"
    )


def test_a_fresh_read_with_the_same_sum_in_another_minute_is_a_difference():
    evidence = read_evidence(verified().document)
    moved = [replace(evidence.rows[0], minute=FIRST + 5 * MINUTE), *evidence.rows[1:]]
    _, message = differing_read(evidence, moved, None)
    assert message.startswith("the provider reports other rows today, from 2026-01-06T11:50:00Z on, though they add up")


@pytest.mark.parametrize(("requests", "told"), [(0, False), (2, True)], ids=["as quiet", "not quiet any more"])
def test_a_fresh_read_with_usage_around_it_that_no_run_claims_is_a_difference(requests, told):
    evidence = read_evidence(verified().document)
    found = differing_read(evidence, evidence.rows, Guard(120, requests))
    assert (found is not None and "2 requests that no run claims today" in found[1]) is told


def test_the_audit_as_json():
    finding = Finding(PATH, 3, 1, "/x", "is 2, and the evidence comes to 1")
    run = verified().run
    done = Audit(
        runs=(
            Audited(run=run, found=AuditResult(outcome=AuditOutcome.DIFFERENT), findings=(finding,)),
            Audited(run=run, found=AuditResult(outcome=AuditOutcome.UNAUDITED, why="evidence is off")),
        ),
        errors=(ProviderError("no", code="x", remedy="y"),),
    )
    document = audit_json(done)
    assert document["counts"] == {"sound": 0, "different": 1, "unaudited": 1, "unread": 0}
    assert [each["why"] for each in document["runs"]] == [None, "evidence is off"]
    assert document["runs"][0]["differences"][0]["line"] == 3
    assert document["errors"][0]["code"] == "x"
    assert evidence_bytes(read_evidence(verified().document)) == verified().data
    assert (SCOPE.provider, KEY.framework) == ("openai", "chatdev")
