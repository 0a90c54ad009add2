"""An audit as text: differences with their places, what was not computed again and why, and the count."""

from support.proof import Written

from reconcile.errors import ProviderError
from reconcile.insight.audit import Audit, Audited, AuditOutcome, AuditResult
from reconcile.report.phrases import painter
from reconcile.report.terminal import audit_text
from reconcile.runs.run import Finding, RunKey


def audited(outcome, why="", *findings, name="a"):
    run = Written().run
    object.__setattr__(run, "key", RunKey("chatdev", name))
    return Audited(run=run, found=AuditResult(outcome=outcome, why=why), findings=findings)


def shown(*runs, errors=()):
    return audit_text(Audit(runs=runs, errors=errors), painter(colour=False), 120)


def test_a_sound_tree_is_one_line():
    assert shown(audited(AuditOutcome.SOUND), audited(AuditOutcome.SOUND)) == "2 runs: 2 sound."
    assert shown() == "0 runs: none."


def test_everything_that_is_not_sound_is_listed():
    finding = Finding("runs/chatdev/a/metrics.json", 3, 5, "/x", "is 2, and the evidence comes to 1")
    text = shown(
        audited(AuditOutcome.DIFFERENT, "", finding),
        audited(AuditOutcome.UNAUDITED, "evidence is off", name="\x1b[31mlong"),
        audited(AuditOutcome.UNREAD),
        errors=(ProviderError("no answer", code="timeout", remedy="try again"),),
    )
    assert "Differences\nruns/chatdev/a/metrics.json:3:5: /x: is 2, and the evidence comes to 1" in text
    assert "Not computed again\n  chatdev/" in text
    assert "evidence is off" in text
    assert "\x1b" not in text
    assert "timeout" in text
    assert text.endswith("3 runs: 1 different, 1 unaudited, 1 unread.")
