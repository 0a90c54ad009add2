"""A charge-back as it is printed, whole: text, and CSV for a spreadsheet."""

from datetime import date

from support.money import at_list, billed, official, used

from reconcile.ledger.charge_back import bill_charged, runs_charged
from reconcile.money.charges import Labels
from reconcile.money.entry import Period
from reconcile.report.charged import charged_csv, charged_text
from reconcile.report.phrases import painter

WEEK = Period(date(2026, 1, 5), date(2026, 1, 11))
LABELS = Labels(api_key_ids={"key_a": {"team": "research"}, "key_b": {"team": "=1+1,\x1b[31m"}})
PLAIN = painter(colour=False)

COSTS = [
    billed("1.23456789", api_key_id="key_a"), billed("0.5", api_key_id="key_b"), billed("-0.25", "credits"),
]  # fmt: skip
RUNS = [
    ("chatdev/a", (used(framework="chatdev", tokens=(1000, 200, 0, 100)), used("x", framework="chatdev"))),
    ("baes/b", (used("x", framework="baes"),)),
    *((f"chatdev/{number}", "it is not settled") for number in range(12)),
]


def bill():
    return bill_charged(official((), COSTS), WEEK, WEEK.end - 86400, "team", LABELS, {})


def runs():
    return runs_charged(RUNS, WEEK, "framework", LABELS, at_list)


def test_the_bill_as_text():
    assert charged_text(bill(), PLAIN, 100) == (
        "COSTS  2026-01-05 to 2026-01-11 (UTC), by team, of the provider's costs\n"
        "\n"
        "                     USD\n"
        "  research        1.2346\n"
        "  =1+1,\\x1b[31m   0.5000\n"
        "  (unlabelled)   -0.2500\n"
        "  TOTAL           1.4846\n"
        "\n"
        "  Days from 2026-01-11 on are not closed: no amount holds them.\n"
        "  0 requests to the provider, 0 answers from the cache. Tax and credits are on the invoice and in no\n"
        "  API.\n"
        "  Amounts are rounded here; --json and --csv have every digit."
    )


def test_runs_as_text():
    left_out = "".join(f"    chatdev/{number}: it is not settled.\n" for number in range(10))
    assert charged_text(runs(), PLAIN, 100) == (
        "COSTS  2026-01-05 to 2026-01-11 (UTC), by framework, of committed runs at list prices, an estimate\n"
        "\n"
        "                         USD  requests  tokens  unpriced\n"
        "  chatdev  0.0002 + UNPRICED         2   2,400     1,100\n"
        "  baes              UNPRICED         1   1,100     1,100\n"
        "  TOTAL    0.0002 + UNPRICED         3   3,500     2,200\n"
        "\n"
        "  Runs left out: 12 without an exact figure, which no amount holds.\n"
        f"{left_out}"
        "    and 2 more, which --json names.\n"
        "  Prices: a list 1.0.\n"
        "  Amounts are rounded here; --json and --csv have every digit."
    )


def test_the_bill_as_csv():
    assert charged_csv(bill()) == (
        "team,amount,currency,requests,input_tokens,cached_tokens,output_tokens,unpriced_tokens\r\n"
        "research,1.23456789,usd,,,,,\r\n"
        '"\'=1+1,\\x1b[31m",0.5,usd,,,,,\r\n'
        "(unlabelled),-0.25,usd,,,,,\r\n"
        "TOTAL,1.48456789,usd,,,,,\r\n"
    )


def test_runs_as_csv():
    assert charged_csv(runs()) == (
        "framework,amount,currency,requests,input_tokens,cached_tokens,output_tokens,unpriced_tokens\r\n"
        "chatdev,0.000225,usd,2,2200,200,200,1100\r\n"
        "baes,,usd,1,1000,0,100,1100\r\n"
        "TOTAL,0.000225,usd,3,3200,200,300,2200\r\n"
    )
