"""Both sides row by row: by day, model, key, project or framework. The rows of a side add up to its total."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from reconcile.ledger.cut import Cut
from reconcile.ledger.figures import Figures, figures
from reconcile.money.charges import PriceList, cost_of
from reconcile.money.entry import Cost, Entry
from reconcile.money.exact import added


class By(StrEnum):
    """What a row is."""

    DAY = "day"
    MODEL = "model"
    KEY = "key"
    PROJECT = "project"
    FRAMEWORK = "framework"
    """Of committed runs; of logs, the environment. The provider's rows are told by the keys that only one uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One day, model, key, project or framework."""

    name: str | None
    """None: what a side does not say it of."""
    local: Figures | None
    """None where the log says of none of its usage whose it is, or the row is what nobody says it of."""
    official: Figures | None


Name = str | None


def rows(cut: Cut, by: By, prices: PriceList | None) -> tuple[TableRow, ...]:
    """Days in order; all else by the provider's tokens, the most first."""
    owners = _owners(cut.local) if by is By.FRAMEWORK else {}
    local = _sums(cut.local, _local_name(by), _local_costs(cut, by, prices))
    official = _sums(cut.official, _official_name(by, owners), _official_costs(cut, by, owners))
    told = any(name is not None for name in local), any(name is not None for name in official)
    found = [
        TableRow(name=name, local=_side(local, name, told=told[0]), official=_side(official, name, told=told[1]))
        for name in {**local, **official}
    ]
    if by is By.DAY:
        return tuple(sorted(found, key=lambda row: row.name or ""))
    return tuple(sorted(found, key=_most_first))


def _most_first(row: TableRow) -> tuple[bool, int, str]:
    most = max((side.tokens.total for side in (row.official, row.local) if side), default=0)
    return (row.name is None, -most, row.name or "")


def _side(sums: Mapping[Name, Figures], name: Name, *, told: bool) -> Figures | None:
    """Nothing under a name is zero, but only on a side that names what it has."""
    if name in sums:
        return sums[name]
    return Figures() if told and name is not None else None


def _sums(
    entries: Iterable[Entry], name: Callable[[Entry], Name], costs: Mapping[Name, Decimal]
) -> dict[Name, Figures]:
    groups: dict[Name, list[Entry]] = {key: [] for key in costs}
    for entry in entries:
        groups.setdefault(name(entry), []).append(entry)
    return {key: figures(of, costs.get(key)) for key, of in groups.items()}


def day_of(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _local_name(by: By) -> Callable[[Entry], Name]:
    names: dict[By, Callable[[Entry], Name]] = {
        By.DAY: lambda entry: day_of(entry.start),
        By.MODEL: lambda entry: entry.who.model,
        By.KEY: lambda entry: entry.who.api_key_id,
        By.PROJECT: lambda entry: entry.who.project_id,
        By.FRAMEWORK: lambda entry: entry.who.framework,
    }
    return names[by]


def _official_name(by: By, owners: Mapping[str, str]) -> Callable[[Entry], Name]:
    if by is not By.FRAMEWORK:
        return _local_name(by)
    return lambda entry: entry.who.framework or owners.get(entry.who.api_key_id or "")


def _owners(entries: Iterable[Entry]) -> dict[str, str]:
    """The framework of every key that the log says only one of used."""
    users: dict[str, set[str | None]] = {}
    for entry in entries:
        if entry.who.api_key_id is not None:
            users.setdefault(entry.who.api_key_id, set()).add(entry.who.framework)
    single = {key: next(iter(of)) for key, of in users.items() if len(of) == 1}
    return {key: framework for key, framework in single.items() if framework is not None}


def _local_costs(cut: Cut, by: By, prices: PriceList | None) -> dict[Name, Decimal]:
    name = _local_name(by)
    amounts: dict[Name, list[Decimal]] = {}
    for entry in cut.local:
        amount = cost_of(entry, prices) if entry.start < cut.costs_until else None
        if amount is not None:
            amounts.setdefault(name(entry), []).append(amount)
    return {key: added(of) for key, of in amounts.items()}


def _official_costs(cut: Cut, by: By, owners: Mapping[str, str]) -> dict[Name, Decimal]:
    names: dict[By, Callable[[Cost], Name]] = {
        By.DAY: lambda cost: day_of(cost.day),
        By.MODEL: cut.models.billed,
        By.KEY: lambda cost: cost.api_key_id,
        By.PROJECT: lambda cost: cost.project_id,
        By.FRAMEWORK: lambda cost: owners.get(cost.api_key_id or ""),
    }
    amounts: dict[Name, list[Decimal]] = {}
    for cost in cut.costs or ():
        amounts.setdefault(names[by](cost), []).append(cost.amount)
    return {key: added(of) for key, of in amounts.items()}
