"""What may differ: the rules, and how they are written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import examples

from reconcile.errors import UsageError
from reconcile.ledger.figures import DEFAULT, Allowed, Metric, Tolerance, tolerance

FIVE = Allowed(percent=Decimal(5))

ADMITTED = {
    "nothing differs": (Allowed(), 10, 10, True),
    "nothing on either side": (FIVE, 0, 0, True),
    "one more where none may": (Allowed(), 11, 10, False),
    "just below the share": (FIVE, 10499, 10000, True),
    "just below the share, on the other side": (FIVE, 9501, 10000, True),
    "exactly the share": (FIVE, 10500, 10000, False),
    "something of nothing": (FIVE, 1, 0, False),
    "up to a number, included": (Allowed(absolute=Decimal(2)), 8, 10, True),
    "more than the number": (Allowed(absolute=Decimal(2)), 7, 10, False),
    "either rule is enough": (Allowed(percent=Decimal(5), absolute=Decimal(2)), 12, 10, True),
    "amounts of money": (Allowed(absolute=Decimal("0.10")), Decimal("1.1"), Decimal(1), True),
}


@pytest.mark.parametrize("case", ADMITTED)
def test_a_difference_is_allowed_by_either_rule(case):
    allowed, local, official, admitted = ADMITTED[case]
    assert allowed.admits(local, official) is admitted


WRITTEN = {
    "5%": DEFAULT,
    "1%": Tolerance(tokens=Allowed(percent=Decimal(1)), cost=Allowed(percent=Decimal(1))),
    "tokens=5%,requests=2,cost=1%": Tolerance(requests=Allowed(absolute=Decimal(2)), cost=Allowed(percent=Decimal(1))),
    "cost=0.50": Tolerance(cost=Allowed(absolute=Decimal("0.50"))),
    "tokens=5%, tokens=1000": Tolerance(tokens=Allowed(percent=Decimal(5), absolute=Decimal(1000))),
    "requests=0.5%": Tolerance(requests=Allowed(percent=Decimal("0.5"))),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_tolerance_is_read_as_it_is_written(text):
    assert tolerance(text) == WRITTEN[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "-5%",
        "tokens",
        "tokens=",
        "tokens=5%%",
        "calls=5%",
        "5%,5%",
        "cost=1,cost=2",
        "1e9%",
        "\u0665%",
        "9" * 40,
    ],
)
def test_what_is_no_tolerance_is_refused(text):
    with pytest.raises(UsageError, match="tolerance") as refused:
        tolerance(text)
    assert "tokens=5%" in refused.value.remedy


def test_each_metric_has_its_own():
    given_ = tolerance("tokens=1%,requests=2,cost=3%")
    assert [given_.of(metric) for metric in (Metric.REQUESTS, Metric.COST, Metric.INPUT, Metric.TOTAL)] == [
        given_.requests,
        given_.cost,
        given_.tokens,
        given_.tokens,
    ]


def test_a_rule_says_what_it_allows():
    assert [str(each) for each in (FIVE, Allowed(), Allowed(percent=Decimal("0.5"), absolute=Decimal(2)))] == [
        "below 5 %",
        "up to 0",
        "below 0.5 % or up to 2",
    ]


@examples(500)
@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 100))
def test_the_share_is_of_the_providers_figure_and_never_rounded(local, official, percent):
    allowed = Allowed(percent=Decimal(percent))
    expected = local == official or abs(local - official) * 100 < percent * official
    assert allowed.admits(local, official) is expected


def test_no_digit_is_rounded_away_before_it_is_judged():
    one, more = Decimal(1), Decimal("1.5000000000000000000000000000000000001")
    assert not Allowed(absolute=Decimal("0.5")).admits(more, one)
    assert Allowed(percent=Decimal(5)).admits(Decimal("1.05"), Decimal("1.0000000000000000000000000000000001"))
