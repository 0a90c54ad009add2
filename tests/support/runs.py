"""One run, told as a story of reads: when usage was read, what the provider showed, and what the file said then.

    00:30   100    pending: first_read    100
    01:30   100    verified: stable       100

A clock counts from the run's end. What was shown is a cell a minute from the run's first minute on: `100` is a request
of 100 input tokens, `3x100` are three, `.` and `0` are none, `+2` two requests that nobody claims five minutes after
the run. The verdict is `-` where nothing is written; the last column, where it is given, is TOK_IN. Every read goes
through the text of the file, as it does in a pass, and every text that comes of it has to be valid.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from support.worlds import LOGS, examples

from reconcile import schemas
from reconcile.attribution.attribute import attribute
from reconcile.minutes import MINUTE, Window, spelled
from reconcile.providers.base import Scope
from reconcile.runs.call_log import held_to
from reconcile.runs.edits import amend
from reconcile.runs.metrics import BLOCK, read_run
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.state import Observation, Policy, State
from reconcile.runs.validation import Checker, Document
from reconcile.usage import Bucket, Recorded, Usage, total
from reconcile.verdict.amendment import amendments
from reconcile.verdict.settlement import settle

KEY = RunKey("chatdev", "a")
PATH = "runs/chatdev/a/metrics.json"
SCOPE = Scope("openai", ("key_a",))
MODEL = "gpt-4o-mini-2024-07-18"

END = datetime(2026, 1, 6, 12, 0, tzinfo=UTC)
MINUTES = 10
FIRST = int(END.timestamp()) - MINUTES * MINUTE
WINDOW = Window(FIRST, FIRST + MINUTES * MINUTE)
WIDE = WINDOW.widened(24 * 60)
HOURLY = Policy(verification_interval=timedelta(minutes=60))

EXAMPLES = examples(300)

CHECKER = Checker(schemas.load("metrics-v1"), schemas.load("metrics-v2"))


def after(clock):
    """The instant `"01:30"` or `"01:30:15"` after the run's end."""
    hours, minutes, *seconds = map(int, clock.split(":"))
    return END + timedelta(hours=hours, minutes=minutes, seconds=sum(seconds))


def clock_of(minute):
    """`90` minutes are `"01:30"`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def buckets(shown, key="key_a"):
    """What `"3x100 . 50 +2"` shows, minute by minute."""
    for index, cell in enumerate(shown.split()):
        extra, calls, tokens = re.fullmatch(r"(\+?)(?:(\d+)x)?(\d+|\.)", cell).groups()
        if extra:
            yield Bucket(WINDOW.end + 5 * MINUTE, Usage(7, 7, 0, int(tokens)), key, MODEL)
        elif calls or tokens.strip("0."):
            yield Bucket(FIRST + index * MINUTE, usage(int(tokens), calls=int(calls or 1)), key, MODEL)


def usage(tokens, *, calls=1):
    return Usage(tokens, tokens // 10, tokens // 4, calls)


def call_log(text, *, complete=True, window=WINDOW):
    """`0:100 3:50!` as a call log: a call of 100 input tokens in the run's first minute, and one that was aborted."""
    lines = [{"complete": complete}]
    for each in text.split():
        minute, tokens = each.rstrip("!").split(":")
        counts = usage(int(tokens))
        start = FIRST + int(minute) * MINUTE + 20.5
        lines.append(
            {
                "started_at": start,
                "ended_at": start + 5,
                "model": MODEL,
                "input_tokens": counts.tokens_in,
                "output_tokens": counts.tokens_out,
                "cached_tokens": counts.cached_tokens,
                "aborted": each.endswith("!"),
            }
        )
    return held_to("calls.ndjson", LOGS.check("calls.ndjson", "\n".join(map(json.dumps, lines)).encode()), window)[0]


def neighbour(name, start, end, *, calls=None, tokens=None, scope=SCOPE, log=None):
    """Another run's claim over minutes `start` to `end`, counted from the first minute of the run in the story."""
    window = Window(FIRST + start * MINUTE, FIRST + end * MINUTE)
    totals = usage(tokens, calls=calls).parts if tokens is not None else (None, None, None, calls)
    read = call_log(log, window=window) if log is not None else None
    return Claim(RunKey("chatdev", name), scope, window, Recorded(*totals), read)


def document(**members):
    """A v2 file of a run that has just ended. A member that is None is left out."""
    value = {
        "run_id": KEY.run_id,
        "start_timestamp": spelled(END - timedelta(minutes=MINUTES)).replace("Z", ".000000Z"),
        "end_timestamp": spelled(END).replace("Z", ".000000Z"),
        "steps": [],
        "aggregate_metrics": {"AUTR": 1.0, "TOK_IN": 0, "TOK_OUT": 0, "API_CALLS": 0, "CACHED_TOKENS": 0, "AEI": 0.0},
        **members,
    }
    return json.dumps({name: item for name, item in value.items() if item is not None}, indent=2)


def theirs(*reads, status="pending"):
    """The block of another tool that read these figures."""
    attempts = [
        {"timestamp": after(clock).isoformat(), "total_tokens_in": tokens, "total_tokens_out": tokens // 10,
         "total_cached_tokens": tokens // 4, "total_api_calls": 1}
        for clock, tokens in reads
    ]  # fmt: skip
    figures = {"TOK_IN": reads[-1][1], "TOK_OUT": reads[-1][1] // 10, "AUTR": 1.0}
    block = {"verification_status": status, "attempts": attempts}
    return {"aggregate_metrics": figures, "usage_api_reconciliation": block}


def attribution_of(shown, *others, run=None, covered=(WIDE,)):
    """What the run of the story gets of what is shown, beside the claims of others."""
    window, recorded, log = (run.window, run.recorded, run.log) if run else (WINDOW, Recorded(), None)
    claim = Claim(KEY, SCOPE, window, recorded, log)
    return attribute([claim, *others], list(buckets(shown)), covered).by_run[KEY]


def valid(text, run=KEY):
    """The document, after the validation that every file of a pass goes through."""
    found = CHECKER.check(PATH, run, text.encode())
    assert isinstance(found, Document), found
    return found


class Tale:
    """A run's file from read to read. `neighbours` are the claims of others today, `log` what lies beside the file."""

    def __init__(self, text=None, *, policy=None, neighbours=(), log=None, **members):
        self.log = log
        self.text = text or document(**members)
        self.policy = policy or Policy()
        self.neighbours = neighbours

    @property
    def value(self):
        return json.loads(self.text)

    @property
    def run(self):
        found = valid(self.text)
        return replace(read_run(KEY, PATH, found.value, found.generation), log=self.log)

    @property
    def block(self):
        return self.value.get(BLOCK, {})

    @property
    def tokens(self):
        return self.value["aggregate_metrics"]["TOK_IN"]

    @property
    def status(self):
        """As in `verified: stable`."""
        return f"{self.block['verification_status']}: {', '.join(self.block['reasons'])}"

    def read(self, clock, shown, *, forced=False, unreadable=0):
        """Settle after a complete read, and write what there is to write. The verdict as a story tells it."""
        run = self.run
        read = attribution_of(shown, *self.neighbours, run=run)
        outcome = settle(run, read, after(clock), self.policy, forced=forced, unreadable=unreadable)
        return self._write(run, outcome.verdict)

    def claimed_late(self):
        """What happens where a claim came late and the read that was made for it showed nothing."""
        run = self.run
        read = attribution_of(".", *(self.neighbours or [neighbour("late", 0, MINUTES)]), run=run)
        return self._write(run, settle(run, read, after("22:00"), self.policy).verdict)

    def put(self, name, item):
        """Somebody edits a member of the file."""
        self.text = json.dumps({**self.value, name: item}, indent=2)

    def _write(self, run, verdict):
        if verdict is None:
            return "-"
        self.text = amend(self.text, amendments(self.value, run, verdict, self.policy))
        valid(self.text)
        return self.status

    def tell(self, story):
        """The story as it really goes."""
        return [self._line(*columns) for columns in scenes(story)]

    def _line(self, clock, shown, _, tokens=None):
        clock_only = clock.removesuffix(" forced")
        verdict = self.read(clock_only, shown, forced=clock != clock_only)
        return (clock, shown, verdict, *([str(self.tokens)] if tokens else []))


def run_after(*clocks, shown="100 200", **members):
    """The run as its file is after reads of the same at these clocks; `members` are those of its `Tale`."""
    told = Tale(**members)
    for clock in clocks:
        told.read(clock, shown)
    return told.run


def scenes(story):
    """The columns of each line."""
    return [tuple(re.split(r" {2,}", line.strip())) for line in story.strip().splitlines()]


def remembered(run, verdict):
    """The run after a verdict without a file in between: what the text must say when it is read again."""
    state = run.state or State(status=verdict.status)
    read, shown = verdict.observation, verdict.attribution
    if shown:
        state = replace(state, figure=shown.figure, exact=shown.exact, bounds=None if shown.exact else shown.bounds)
        state = replace(state, window=run.window, neighbours=shown.neighbours)
    kept = sorted([*state.observations, *([read] if read else [])], key=lambda observation: observation.at)
    state = replace(state, status=verdict.status, reasons=verdict.reasons, restatement=verdict.restatement)
    return replace(run, state=replace(state, observations=tuple(kept)))


def observed(read, *, status="pending", forced=False, window_changed=False):
    """`"01:30 3x100"` as an observation. Status None makes it another tool's."""
    clock, shown = read.split(" ", 1)
    reported = total(bucket.usage for bucket in buckets(shown))
    return Observation(
        at=after(clock),
        figure=reported,
        reported=reported,
        status=status,
        forced=forced,
        window_changed=window_changed,
    )
