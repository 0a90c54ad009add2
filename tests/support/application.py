"""An application that logs its calls, and the provider that bills them: a small month, and what can go wrong with it.

The truth is the drawn calls. The log is what an application writes of them as bytes on a disk, the provider is a
simulator with real HTTP.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from click.testing import CliRunner
from support.worlds import dice as thrown

from reconcile import cli
from reconcile.simulator.calls import BilledCall

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = ("--start", "2026-03-01", "--end", "2026-03-31")
NOW = datetime(2026, 4, 5, 12, tzinfo=UTC)
MINI, LARGE, UNHEARD = "gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06", "my-model-x"
FOREIGN = "key_other"

CONFIGURATION = """\
logs:
  files: log.ndjson
  fields:
    timestamp: at
    model: model
    input_tokens: prompt
    output_tokens: completion
    cached_tokens: cached
    batch: batch
"""


def traffic(seed=7, *, days=31, models=(MINI, MINI, LARGE), batch=0.1, foreign=0.0):
    """Some ten calls a day, in working hours mostly, some of them a day before and after the month."""
    dice = thrown(seed)
    calls = []
    for hour in range(-24, 24 * (days + 1)):
        busy = 7 <= hour % 24 < 20
        calls += [
            _call(dice, hour, models, batch, foreign) for _ in range(dice.choice([0, 1, 2] if busy else [0] * 9 + [1]))
        ]
    return calls


def _call(dice, hour, models, batch, foreign):
    given = dice.randint(200, 4000)
    return BilledCall(
        at=FIRST.timestamp() + 3600 * hour + dice.uniform(0, 3599),
        tokens_in=given,
        tokens_out=dice.randint(20, 900),
        cached_tokens=dice.choice([0, 0, given // 128 * 64]),
        api_key_id=FOREIGN if dice.random() < foreign else "key_app",
        model=dice.choice(models),
        batch=dice.random() < batch,
    )


def line_of(call, **changes):
    """What the application writes of a call."""
    known = {
        "at": stamp(call.at), "model": call.model, "prompt": call.tokens_in, "completion": call.tokens_out,
        "cached": call.cached_tokens, "batch": call.batch,
    }  # fmt: skip
    return known | changes


def response_to(call):
    """The provider's answer to a call, as far as a log keeps it."""
    usage = {
        "prompt_tokens": call.tokens_in, "completion_tokens": call.tokens_out,
        "total_tokens": call.tokens_in + call.tokens_out,
        "prompt_tokens_details": {"cached_tokens": call.cached_tokens},
    }  # fmt: skip
    return {"created": int(call.at), "model": call.model, "usage": usage}


def stamp(at, *, off=0.0, zone=None):
    """`2026-03-01T14:17:03Z`, so many hours off, or in local time that claims to be UTC's."""
    moment = datetime.fromtimestamp(at, UTC) + timedelta(hours=off)
    return moment.astimezone(ZoneInfo(zone) if zone else UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def every_line(calls):
    return [line_of(call) for call in calls]


def without(calls, share, seed=3):
    dice = thrown(seed)
    return [line_of(call) for call in calls if dice.random() >= share]


FAULTS = {
    "a clock 5 h behind": ("time_zone", {}, lambda calls: [line_of(c, at=stamp(c.at, off=-5)) for c in calls]),
    "a log in local time": (
        "time_zone", {}, lambda calls: [line_of(c, at=stamp(c.at, zone="Europe/Berlin")) for c in calls],
    ),
    "cached counted twice": (
        "cached_counted_twice", {}, lambda calls: [line_of(c, prompt=c.tokens_in + c.cached_tokens) for c in calls],
    ),
    "3 % of lines lost": ("missing_log", {}, lambda calls: without(calls, 0.03)),
    "lines written twice": ("duplicate_lines", {}, lambda calls: [line for c in calls for line in [line_of(c)] * 2]),
    "a foreign key": (
        "foreign_key", {"foreign": 0.15}, lambda calls: [line_of(c) for c in calls if c.api_key_id != FOREIGN],
    ),
    "batch priced as standard": ("batch_price", {}, lambda calls: [line_of(c, batch=False) for c in calls]),
    "a model without a price": ("unpriced_model", {"models": (MINI, MINI, UNHEARD)}, every_line),
}  # fmt: skip
"""A fault, the code that names it, how the traffic is then, and what the application writes."""


class Application:
    """A working folder with a log and its mapping, and a provider with the calls."""

    def __init__(self, folder, simulator, monkeypatch):
        self.folder = folder
        self.simulator = simulator
        simulator.set_now(NOW)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("RECONCILE_OPENAI_URL", simulator.base_url)
        monkeypatch.setenv("OPENAI_ADMIN_KEY", simulator.admin_key)
        (folder / "reconcile.yml").write_text(CONFIGURATION)

    def calls(self, calls, lines=None):
        self.simulator.ledger.add(calls)
        self.log(every_line(calls) if lines is None else lines)
        return calls

    def log(self, lines, name="log.ndjson"):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    def says(self, *arguments, now=NOW):
        """What the program prints and exits with."""
        self.simulator.set_now(now)
        return Said(CliRunner().invoke(cli.main, [*arguments, "--now", now.isoformat()]))

    def document(self, *arguments, **given):
        return json.loads(self.says(*arguments, "--json", **given).out)


class Said:
    def __init__(self, result):
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr
        self.flat = " ".join(self.out.split())
        """What is printed, without its line breaks."""
        self.flat_err = " ".join(self.err.split())
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception


def in_month(calls):
    return [call for call in calls if FIRST.timestamp() <= call.at < FIRST.timestamp() + 31 * 86400]


def moved(calls, **changes):
    return [replace(call, **changes) for call in calls]
