"""Committed runs in the place of a log."""

from dataclasses import replace

import pytest
from support.proof import Written

from reconcile.attribution.evidence import read_evidence
from reconcile.ledger.charge_back import figures_of_run
from reconcile.providers.base import Scope
from reconcile.usage import Tokens


@pytest.fixture(scope="module")
def written():
    return Written().read("00:45", "100 50").read("01:45", "100 50")


def test_an_exact_figure_stands_by_the_minute(written):
    entries = figures_of_run(written.run, Scope("openai"), read_evidence(written.document))
    assert sum(entry.requests for entry in entries) == written.run.state.figure.api_calls
    assert {entry.who.framework for entry in entries} == {written.run.key.framework}


def test_without_evidence_it_stands_where_the_run_began(written):
    scope = Scope("openai", ("key_a",), (), ("gpt-4o", "o3"))
    (entry,) = figures_of_run(written.run, scope, None)
    figure = written.run.state.figure
    assert entry.start == written.run.window.start // 900 * 900
    assert entry.tokens == Tokens(figure.tokens_in - figure.cached_tokens, figure.cached_tokens, 0, figure.tokens_out)
    assert (entry.who.api_key_id, entry.who.model) == ("key_a", None)


def test_what_another_tool_left_out_is_told_of_the_figure(written):
    state = replace(written.run.state, unknown=frozenset({"api_calls"}))
    (entry,) = figures_of_run(replace(written.run, state=state), Scope("openai"), None)
    assert entry.untold == {"api_calls"}


def test_a_run_without_a_figure_says_nothing(written):
    assert figures_of_run(replace(written.run, state=None), Scope("openai"), None) == ()
