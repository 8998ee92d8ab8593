"""What a row of a bulk load makes of a product, new or there already. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.rules import Invalid
from services.customer_info.portfolio.rules import (
    REACHABLE,
    UPDATABLE,
    Product,
    StatusChange,
    bounded,
    changed_to,
    check_arrow,
    checked,
    entered,
)

# How far ahead of the clock a state may be told of: a day stands for its begin in UTC, and begins earlier elsewhere.
AHEAD = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Row:
    """A product as a row of a bulk load tells of it; one that says no status leaves the one there is.

    `told` are the fields that the row is about; None: all.
    """

    wish: Product
    says_status: bool = True
    told: frozenset[str] | None = None


def loaded(row: Row, at: datetime) -> Product:
    """A product new to the record, but not to the customer: any status, with the history that the row tells.

    Raises:
        Invalid: its history makes no sense, or it is inconsistent.
    """
    wish = row.wish
    history = wish.history or (StatusChange(wish.status, at),)
    _check_end(row)
    _check_past(history, at)
    return checked(replace(wish, status=history[-1].status, history=history, version=1, update_time=at))


def imported(product: Product, row: Row, at: datetime) -> tuple[Product, frozenset[str]]:
    """`product` as a row of a bulk load wants it, and the names of what differs; itself if nothing does.

    The row's history takes the place of the states it tells of; what happened after them stays. Between two loads a
    product may have taken several arrows at once, but none leads out of `ceased`.

    Raises:
        Invalid: it would be inconsistent, or belong to another customer.
        Refused: no way leads to the status (FORBIDDEN_TRANSITION).
    """
    wish = row.wish
    if wish.customer_id != product.customer_id:
        raise Invalid("a product stays with its customer", field="product.customer_id")
    _check_end(row)
    history = product.history
    if wish.history and _tells(row, "history"):
        _check_past(wish.history, at)
        history = bounded(_merged(wish.history, product.history))
    if _tells(row, "status") and row.says_status and wish.status is not history[-1].status:
        check_arrow(history[-1].status, wish.status, REACHABLE[history[-1].status])
        history = entered(history, wish.status, at)
    status = history[-1].status
    if status is not product.status:
        check_arrow(product.status, status, REACHABLE[product.status])
    values = {name: getattr(wish, name) for name in UPDATABLE if _tells(row, name)} | {
        "history": history,
        "status": status,
    }
    return changed_to(product, values, at)


def _tells(row: Row, field: str) -> bool:
    return row.told is None or field in row.told


def _check_end(row: Row) -> None:
    history = row.wish.history
    if row.says_status and history and history[-1].status is not row.wish.status:
        raise Invalid(f"the history ends with {history[-1].status}", field="product.status")


def _check_past(told: Iterable[StatusChange], at: datetime) -> None:
    # Whatever follows a state is entered no earlier than that: one of the far future would stand before them all.
    for n, change in enumerate(told):
        if change.time > at + AHEAD:
            raise Invalid("lies in the future", field=f"product.history[{n}].time")


def _merged(told: tuple[StatusChange, ...], known: tuple[StatusChange, ...]) -> tuple[StatusChange, ...]:
    """What a row tells of the past, then what is known beyond it.

    A row that begins as the record does, state by state, mends its times; any other is followed by what came later.
    """
    if [c.status for c in told] == [c.status for c in known[: len(told)]]:
        return (*told, *known[len(told) :])
    since = [c for c in known if c.time > told[-1].time]
    while since and since[0].status is told[-1].status:
        del since[0]
    return (*told, *since)
