"""Documents of the dashboard by hand: runs of every kind, drawn from dice, some with names that want to be markup.

They are packed as reports/dashboard_data.py packs them.
"""

import random
from dataclasses import replace
from functools import cache
from itertools import count
from urllib.parse import quote

from support.hostile import HOSTILE
from support.week import calls, compared

from reconcile.ledger.comparison_json import comparison_json

MADE = 1772971200
"""2026-03-08 12:00Z, when the page is made."""

HOUR, DAY = 3600, 86400
FRAMEWORKS = ("chatdev", "ghspec", "baes", "metagpt")
MODELS = ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06", "o3-2025-04-16")
BANDS = ("under 1 h", "1 to 4 h", "4 to 24 h", "1 to 7 d", "7 to 30 d", "over 30 d")
ENDS = (HOUR, 4 * HOUR, DAY, 7 * DAY, 30 * DAY)

HOSTILE_RUN = ("<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>")
HOSTILE_IDS = (
    HOSTILE_RUN[1],
    "../../etc/passwd",
    "\u202egnp.exe",
    "x" * 200,
    '=HYPERLINK("https://evil.example","x")',
    "{{script}}",
    "100 % of a/b?c#d&e",
    *(HOSTILE[name] for name in ("markup", "controls", "bidirectional", "of no width", "expressions")),
)

GRADES = ("proven", "supported", "assumed")

GROUPS = {
    "verified": "verified",
    "inherited": "verified",
    "pending": "waiting",
    "data_not_available": "waiting",
    "warning": "broken",
    "failed": "broken",
    "skipped": "missed",
}

REASONS = {
    "verified": ("stable", "Data stable across 61 minute interval", "nothing: it is settled"),
    "inherited": ("stable", "Verified by another tool", "verified by another tool, not by this one"),
    "pending": ("first_read", "Read 84,604 tokens in, 1 of 2 reads", "the next pass reads it again"),
    "data_not_available": ("no_usage_yet", "No usage was reported yet", "the next pass reads it again"),
    "warning": ("shared_minutes", "3 minutes with usage are shared with another run", "nothing: it is settled"),
    "failed": ("cutoff_passed", "Not stable 24 hours after the run ended", "nothing: it is settled"),
    "skipped": (None, None, "past the cutoff of 1 d, and was not read"),
}


TEXTS = [
    "all recorded calls were reported, nobody else used the key",
    *(message for _, message, _ in REASONS.values() if message),
    *HOSTILE_IDS,
]


def document(size=60):
    """The whole document; its runs come newest last, the hostile ones first."""
    dice = random.Random(size)  # noqa: S311  the same runs each time
    runs = [_run(dice, number, size) for number in range(size)]
    for run, number in zip(runs, count()):
        _meet(run, number, runs)
    for run, run_id in zip(runs, HOSTILE_IDS, strict=False):
        run |= {"framework": HOSTILE_RUN[0], "run_id": run_id, "message": TEXTS.index(run_id)}
    return {
        "schema_version": 1,
        "generated_at": MADE,
        "program": "0.1.0",
        "policy": {
            "min_stable_verifications": 2,
            "verification_interval_minutes": 30,
            "min_age_minutes": 30,
            "max_age_minutes": 1440,
        },
        "board": _board(runs),
        "keys": ["key_a", "key_b", HOSTILE_RUN[0]],
        "models": [*MODELS, HOSTILE_RUN[1]],
        "texts": TEXTS,
        "root": "runs",
        "runs": [{name: value for name, value in run.items() if value is not None} for run in runs],
        "invalid": [
            {
                "path": f"runs/{HOSTILE_RUN[0]}/r1/metrics.json",
                "line": 12,
                "column": 7,
                "pointer": "/aggregate_metrics/TOK_IN",
                "message": "-5 is less than the minimum of 0",
            },
            {
                "path": "runs/chatdev/torn/metrics.json",
                "line": 1,
                "column": 1,
                "pointer": "",
                "message": HOSTILE_RUN[1],
            },
        ],
        "differences": [],
        "errors": [{"code": "unreadable", "message": HOSTILE_RUN[1], "remedy": "give read permission"}],
        "lag": _lag(),
        "comparisons": [{"name": HOSTILE_RUN[0], "document": _comparison()}],
    }


def named(run):
    return f"{run['framework']}/{run['run_id']}"


def place_of(run):
    """The address of a run's page."""
    return f"#/run/{quote(run['framework'], safe='')}/{quote(run['run_id'], safe='')}"


def _run(dice, number, size):
    end = MADE - 600 - int((size - 1 - number) * 40 * DAY / size) // 60 * 60 - dice.randrange(60)
    start = end - dice.randrange(3, 40) * 60 - dice.randrange(60)
    age = MADE - end
    status = _status(dice, age)
    window = [start // 60 * 60, end // 60 * 60 + 60]
    minutes = _minutes(dice, number, window)
    figure = _sum(minutes)
    shared = status == "warning"
    read = status != "skipped"
    reason, message, following = REASONS[status]
    return {
        "framework": FRAMEWORKS[number % len(FRAMEWORKS)],
        "run_id": f"run-{number:04}",
        "status": status,
        "proof": GRADES[number % len(GRADES)] if status == "verified" else None,
        "group": GROUPS[status],
        "reasons": [reason] if reason else [],
        "rests": 0 if status == "verified" else None,
        "message": None if message is None else TEXTS.index(message),
        "next": following,
        "start": start,
        "end": end,
        "window": window,
        "figure": figure if read else None,
        "exact": read and not shared,
        "bounds": [[part // 2 for part in figure], figure] if read and shared else None,
        "recorded": [figure[0], figure[1], None, figure[3] - shared] if number % 3 else [None] * 4,
        "due": MADE + 1200 if status in {"pending", "data_not_available"} else None,
        "reconciled": end + 2 * HOUR if read else None,
        "verified": end + 6000 + number % 50 * 60 if status == "verified" else None,
        "cost": f"0.{figure[0] % 10_000:04}" if read else None,
        "keys": [number % 2],
        "by_model": [[number % len(MODELS), *figure]] if read and not shared else [],
        "observations": [[end + 3600 + look * 3660, ("pending", status)[look], *figure] for look in range(2 * read)],
        "neighbours": [],
        "minutes": [[(at - window[0]) // 60, *row] for at, *row in minutes] if read else None,
        "minutes_each": 1,
        "guard": [60, number % 5] if read else None,
        "evidence": f"{number:064x}" if read else None,
    }


def _status(dice, age):
    if age < HOUR:
        return "pending" if age % 2 else "data_not_available"
    if age < 3 * HOUR:
        return "pending"
    return dice.choices(
        ("verified", "inherited", "warning", "failed", "skipped"), weights=(80, 6, 8, 3, 3 if age > DAY else 0)
    )[0]


def _minutes(dice, number, window):
    return [
        [
            at,
            number % 2,
            number % len(MODELS),
            900 + dice.randrange(4000),
            100 + dice.randrange(900),
            dice.randrange(800),
            1 + dice.randrange(4),
        ]
        for at in range(window[0], window[1], 60)
        if dice.random() < 0.8 or at == window[0]
    ]


def _sum(minutes):
    return [sum(row[column] for row in minutes) for column in range(3, 7)]


def _meet(run, number, runs):
    """Where minutes are shared, the runs before and after this one on its key, and one whose file is gone."""
    if run["status"] != "warning":
        return
    for other in (number - 2, number + 2):
        if 0 <= other < len(runs):
            near = runs[other]
            start = run["window"][0] + (other - number) * 120
            run["neighbours"].append([other, f"{near['framework']}/{near['run_id']}", start, start + 900, False])
    run["neighbours"].append([None, f"gone/{HOSTILE_RUN[0]}", run["window"][1] - 120, run["window"][1] + 600, True])


def _board(runs):
    def band(run):
        return sum(MADE - run["end"] >= end for end in ENDS)

    groups = ("verified", "waiting", "missed", "broken")
    frameworks = sorted({run["framework"] for run in runs})
    return {
        "bands": list(BANDS),
        "groups": [
            {
                "group": group,
                "total": sum(run["group"] == group for run in runs),
                "by_age": [
                    sum(run["group"] == group and band(run) == number for run in runs) for number in range(len(BANDS))
                ],
            }
            for group in groups
        ],
        "frameworks": [
            {
                "framework": framework,
                **{
                    group: sum(run["group"] == group and run["framework"] == framework for run in runs)
                    for group in groups
                },
                "invalid": int(framework == "chatdev"),
            }
            for framework in frameworks
        ],
        **{grade: sum(run["proof"] == grade for run in runs) for grade in GRADES},
        "inherited": sum(run["status"] == "inherited" for run in runs),
        "invalid": 2,
    }


@cache
def _comparison():
    """The log has a call more than the provider, of each that it has."""
    return comparison_json(compared([replace(call, requests=call.requests + 1) for call in calls()]))


def _lag():
    shares = [(age, min(0.99, 1 - 2.0 ** (-age / 15))) for age in range(5, 125, 10)]
    return {
        "schema_version": 1,
        "now": "2026-03-08T12:00:00Z",
        "policy": {
            "min_stable_verifications": 2,
            "verification_interval_minutes": 30,
            "min_age_minutes": 30,
            "max_age_minutes": 1440,
        },
        "confidence": 0.95,
        "curves": [
            {
                "origin": "own",
                "runs": 220,
                "reads": 540,
                "days": 31,
                "final": 210,
                "proven": 180,
                "seen_short": 14,
                "youngest_read_minutes": 5.0,
                "quantiles": [
                    {"share": 0.5, "minutes": 15.0, "low_minutes": 5.0, "high_minutes": 25.0, "runs_needed": 20},
                    {"share": 0.9, "minutes": 55.0, "low_minutes": 45.0, "high_minutes": None, "runs_needed": 100},
                    {"share": 0.99, "minutes": None, "low_minutes": None, "high_minutes": None, "runs_needed": 700},
                ],
                "points": [
                    {
                        "minutes": float(age),
                        "runs": 220,
                        "share": share,
                        "low": max(0.0, share - 0.08),
                        "high": min(1.0, share + 0.06),
                    }
                    for age, share in shares
                ],
            }
        ],
        "left_out": {},
        "invalid": 0,
        "errors": [],
    }
