"""What a job publishes: the pass first, and of a comparison what there is room for."""

import pytest
from support.runs import after
from support.week import calls, compared, official

from reconcile.passes.summary import Summary
from reconcile.report.compared_as import ROOM_FOR_VERDICT, published_markdown
from reconcile.report.markdown import Links, summary_markdown
from reconcile.runs.run import Finding
from reconcile.runs.state import Policy

MISMATCH = compared(calls()[1:], official(calls()))
LIMIT = 12_000


def summary(findings):
    found = tuple(Finding(f"runs/chatdev/{place}/metrics.json", 1, 1, "", "is broken") for place in range(findings))
    return Summary(now=after("02:00"), policy=Policy(), discovered=findings, runs=(), findings=found)


def published(findings, comparison=MISMATCH, lead="<!-- ours -->\n"):
    return published_markdown(summary(findings), comparison, Links(), LIMIT, lead)


def test_without_a_comparison_it_is_the_pass():
    whole = summary_markdown(summary(3), Links(), LIMIT, "<!-- ours -->\n")
    assert published(3, None) == whole


def test_a_comparison_stands_below_the_pass():
    whole = summary_markdown(summary(3), Links(), LIMIT, "<!-- ours -->\n")
    assert published(3).startswith(f"{whole}\n### Log and provider, 2026-03-02 to 2026-03-08: mismatch\n")


@pytest.mark.parametrize("findings", [0, 10, 40, 55, 60, 65, 70, 80, 500])
def test_however_long_the_pass_is_the_verdict_is_told_within_the_limit(findings):
    shown = published(findings)
    assert len(shown) <= LIMIT
    assert "2026-03-02 to 2026-03-08" in shown
    assert "mismatch" in shown.lower()


def test_a_long_pass_loses_no_row_to_a_comparison_but_for_its_verdict():
    alone = summary_markdown(summary(500), Links(), LIMIT - ROOM_FOR_VERDICT, "<!-- ours -->\n")
    assert published(500) == (
        f"{alone}\n### MISMATCH  2026-03-02 to 2026-03-08 (UTC)\n\nNo room for more: the summary of the job has more.\n"
    )
