"""The costs endpoint: what the ledger's records cost by a tariff, a row a line item and UTC day.

After recorded answers of 2026: amounts are text with some forty decimals, zeros are spelled `0E-6176`, a limit above
31 is taken and not kept, and keys are told apart only since 2025-12-06.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from reconcile.core.model import Json
from reconcile.simulator.endpoints import Amounts, Endpoint, Labels
from reconcile.simulator.ledger import Credit, Record
from reconcile.simulator.question import Form, Params, Refused, many
from reconcile.simulator.tariff import EXACT, Tariff

KEYS_SINCE = 1_764_979_200
DIMENSIONS = ("project_id", "line_item", "api_key_id", "user_id", "api_source")
FILTERS = {"project_ids": "project_id", "line_items": "line_item", "api_key_ids": "api_key_id"}
UNITS = {
    **dict.fromkeys(("input", "cached input", "output"), "tokens"),
    "images": "images",
    "audio speeches": "characters",
    "audio transcriptions": "duration_seconds",
}
"""By the last part of a line item."""

DECIMALS = 39
"""Amounts are summed as whole numbers of so small a part of a dollar: exactly."""


def costs(tariff: Tariff) -> Endpoint:
    return Endpoint(form=FORM, lines=partial(_lines, tariff), result=_result, clamp=31)


def _check(params: Params, start: int) -> None:
    names = many(params, "group_by")
    if "api_key_id" in names and start < KEYS_SINCE:
        said = f"group_by=api_key_id is not available for this time range. Try a start_time on or after {KEYS_SINCE}."
        raise Refused(said, param="start_time")
    if "user_id" in names and ("project_id" in names or many(params, "project_ids")):
        raise Refused("group_by=user_id is not available together with projects.", param="group_by")


FORM = Form(
    path="/organization/costs", dimensions=DIMENSIONS, filters=FILTERS, widths={"1d": (86400, 7, 180)}, check=_check
)


def _lines(tariff: Tariff, record: Record) -> Iterator[tuple[Labels, Amounts]]:
    if isinstance(record, Credit):
        yield _labels(record, record.line_item), (_fine(-record.amount), 0)
        return
    for charge in tariff.charges(record):
        yield _labels(record, charge.line_item), (_fine(charge.amount), charge.quantity)


def _labels(record: Record, line_item: str) -> Labels:
    return (record.project_id, line_item, record.api_key_id, None, None)


def _fine(amount: Decimal) -> int:
    return int(EXACT.scaleb(amount, DECIMALS))


def _result(labels: Labels, amounts: Amounts) -> Json:
    """A row, with fields that answers of 2026 have and the specification has not."""
    amount, quantity = amounts
    row = dict(zip(DIMENSIONS, labels, strict=True))
    itemised = isinstance(row["line_item"], str) and quantity
    return {
        "object": "organization.costs.result",
        "amount": {"value": _text(amount), "currency": "usd"},
        "quantity": float(quantity) if itemised else None,
        "quantity_unit": UNITS.get(str(row["line_item"]).rsplit(", ", 1)[-1]) if itemised else None,
        **row,
        "organization_id": "org-simulated",
        "organization_name": "Simulated",
        "project_name": row["project_id"] and "A simulated project",
        "user_email": None,
    }


def _text(amount: int) -> str:
    return f"{EXACT.scaleb(Decimal(amount), -DECIMALS):f}" if amount else "0E-6176"
