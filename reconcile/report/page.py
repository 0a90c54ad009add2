"""The dashboard: one page that holds its data, its style and its scripts, and loads nothing.

Its policy admits the style and the scripts of the page itself, by their hashes, and nothing else. What runs, people and
the provider wrote is in the page as data only, which no browser takes for markup or for a script.

The data are a document that is small, because a page of a thousand runs has to load at once. Usage is
`[tokens_in, tokens_out, cached_tokens, api_calls]`; instants are seconds since the epoch, those of a timeline its parts
from the start of the window; keys, models and texts are numbers of a list, and so is a neighbour that claims just the
window of its run. dashboard/scripts/data.js unpacks it. `reconcile list --all --json` is the document for programs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import chain

from reconcile.insight.account import Account
from reconcile.insight.board import board_json, board_of, group_of
from reconcile.insight.dashboard import Dashboard, hashed, part_width, timeline, whole_by_model
from reconcile.insight.lag import lag_json
from reconcile.minutes import Window
from reconcile.passes.summary import SCHEMA_VERSION, error_json, finding_json, graded, standing
from reconcile.report.held import rests_on
from reconcile.report.next_step import at_rest, next_step
from reconcile.runs.metrics import policy_json
from reconcile.runs.run import Claim, Json, RunKey
from reconcile.runs.state import Observation, State
from reconcile.usage import KINDS, Bounds, Usage

INERT = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&"})
"""What could end the element that holds the data. JSON has them inside of texts only, where they may be spelled so."""


def page(document: Mapping[str, Json], *, frame: str, style: str, library: str, script: str) -> str:
    """The page. `frame` has a place for each part, as `{{style}}`."""
    inside = {
        "policy": _policy(style, (library, script)),
        "style": style,
        "data": json.dumps(document, separators=(",", ":")).translate(INERT),
        "library": library,
        "script": script,
    }
    return re.sub(r"\{\{([a-z]+)\}\}", lambda match: inside[match[1]], frame)


def _policy(style: str, scripts: tuple[str, ...]) -> str:
    rules = (
        "default-src 'none'",
        f"script-src {' '.join(map(_source, scripts))}",
        f"style-src {_source(style)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


Numbers = Mapping[str | None, int | None]
"""The place of a name in its list."""
Windows = Mapping[RunKey, tuple[int, Window]]
"""The place of a run in its list, and its window."""

CODES = frozenset(
    (
        *("program", "bands", "models", "now", "origin", "code"),
        *("status", "proof", "group", "reasons", "observations", "cost", "evidence"),
        *("verdict", "period", "by", "outside", "metric", "explains", "amount", "odd_counts"),
        *("local", "official", "difference", "percent", "tolerance", "cost_difference", "bill"),
    )
)
"""Members of the document, and of a comparison, that hold codes, amounts, instants and names of models: no ids."""


def dashboard_json(dashboard: Dashboard, *, program: str) -> dict[str, Json]:
    """The document that the page holds. `program`: the version that made it."""
    summary, accounts = dashboard.summary, dashboard.accounts
    keys = _numbered(chain.from_iterable(map(_keys, accounts)))
    models = _numbered(chain.from_iterable(map(_models, accounts)))
    texts = _numbered(chain.from_iterable(map(_texts, accounts)))
    runs = {account.report.run.key: (number, account.report.run.window) for number, account in enumerate(accounts)}
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": _seconds(summary.now),
        "program": program,
        "policy": policy_json(summary.policy),
        "board": board_json(board_of(summary)),
        "keys": _names(keys),
        "models": _names(models),
        "texts": _names(texts),
        "root": next((account.report.run.path.rsplit("/", 3)[0] for account in accounts), None),
        "runs": [_run(account, keys, models, texts, runs) for account in accounts],
        "invalid": [finding_json(finding) for finding in summary.findings],
        "differences": [finding_json(finding) for finding in dashboard.differences],
        "errors": [error_json(error) for error in summary.errors],
        "lag": lag_json(dashboard.lag),
        "comparisons": [{"name": name, "document": document} for name, document in dashboard.comparisons],
    }


def with_hashed_keys(document: Mapping[str, Json], dashboard: Dashboard) -> dict[str, Json]:
    """The same document without any id of a key or a project."""
    scopes = [account.claim.scope for account in dashboard.accounts if account.claim]
    rows = [row for account in dashboard.accounts if account.evidence for row in account.evidence.rows]
    ids = chain(
        chain.from_iterable((*scope.api_key_ids, *scope.project_ids) for scope in scopes),
        (name for row in rows for name in (row.api_key_id, row.project_id) if name),
        chain.from_iterable(_payers(comparison) for _, comparison in dashboard.comparisons),
    )
    done = hashed(document, ids, CODES)
    return dict(done) if isinstance(done, Mapping) else {}


def _payers(comparison: Json) -> Iterable[str]:
    """What the rows of a comparison by key or project are called."""
    match comparison:
        case {"by": "key" | "project", "rows": [*rows]}:
            return [name for row in rows if isinstance(row, Mapping) and isinstance(name := row.get("name"), str)]
        case _:
            return []


def _keys(account: Account) -> Iterable[str | None]:
    scope = account.claim.scope.api_key_ids if account.claim else ()
    return chain(scope, (row.api_key_id for row in account.evidence.rows) if account.evidence else ())


def _models(account: Account) -> Iterable[str | None]:
    return (row.model for row in account.evidence.rows) if account.evidence else ()


def _texts(account: Account) -> Iterable[str | None]:
    """What many runs say in the same words."""
    state = account.report.run.state
    return (_rests(state), state.message) if state else ()


def _rests(state: State) -> str | None:
    return rests_on(state) if state.completeness else None


def _numbered(names: Iterable[str | None]) -> Numbers:
    """Names by the order in which they first come; what has no name has no number."""
    known = dict.fromkeys(name for name in names if name is not None)
    return {None: None, **{name: number for number, name in enumerate(known)}}


def _names(numbers: Numbers) -> Json:
    return [name for name in numbers if name is not None]


def _run(account: Account, keys: Numbers, models: Numbers, texts: Numbers, runs: Windows) -> Json:
    run, state = account.report.run, account.report.run.state
    evidence = account.evidence
    width = part_width(run.window, len(runs))
    scope = account.claim.scope.api_key_ids if account.claim else ()
    # The rows of a run whose times were changed since are those of another window.
    parts = timeline(run, evidence.rows, width) if evidence and not run.edited else None
    found: dict[str, Json] = {
        "framework": run.key.framework,
        "run_id": run.key.run_id,
        "status": standing(run),
        "proof": graded(run),
        "group": group_of(account.report).value,
        "reasons": list(state.reasons) if state else [],
        "rests": texts[_rests(state)] if state else None,
        "message": texts[state.message] if state else None,
        "next": None if at_rest(account.report) else next_step(account.report, account.policy, account.now),
        "start": _seconds(run.started_at),
        "end": _seconds(run.ended_at),
        "window": [run.window.start, run.window.end],
        "figure": _told(state.figure, state.unknown) if state else None,
        "exact": state.exact if state else False,
        "bounds": _bounds(state.bounds) if state else None,
        "recorded": list(run.known.parts),
        "due": _moment(account.report.due_at),
        "reconciled": _moment(state.reconciled_at) if state else None,
        "verified": _moment(state.verified_at) if state and standing(run) in {"verified", "inherited"} else None,
        "cost": str(run.cost_usd) if run.cost_usd is not None else None,
        "keys": [keys[name] for name in scope],
        "by_model": [[models[model], *usage.parts] for model, usage in whole_by_model(account)],
        "observations": [_observation(each) for each in state.observations] if state else [],
        "unclaimed": None if account.claim else True,
        "neighbours": [_neighbour(claim, runs) for claim in account.neighbours],
        "minutes": None
        if parts is None
        else [
            [(row.minute - run.window.start) // (60 * width), keys[row.api_key_id], models[row.model], *row.usage.parts]
            for row in parts
        ],
        "minutes_each": width,
        "guard": [state.guard.minutes, state.guard.requests] if state and state.guard else None,
        "evidence": state.evidence if state and evidence else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _bounds(bounds: Bounds | None) -> Json:
    return [list(bounds.low.parts), list(bounds.high.parts)] if bounds else None


def _observation(each: Observation) -> Json:
    """All that was reported is told where the run has not all of it."""
    reported = [] if each.reported == each.figure else _told(each.reported, each.unknown)
    return [_seconds(each.at), each.status, *_told(each.figure, each.unknown), *reported]


def _told(usage: Usage, unknown: Collection[str]) -> list[int | None]:
    """Kind by kind, and null for those that nobody told."""
    return [None if kind in unknown else part for kind, part in zip(KINDS, usage.parts, strict=True)]


def _neighbour(claim: Claim, runs: Windows) -> Json:
    number, window = runs.get(claim.run, (None, None))
    if claim.window == window and not claim.gone:
        return number
    return [number, str(claim.run), claim.window.start, claim.window.end, claim.gone]


def _moment(at: datetime | None) -> int | None:
    return _seconds(at) if at else None


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
