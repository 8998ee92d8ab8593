"""What a row of a bulk load makes of a customer that is there. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from chassis.rules import AlreadyExists
from services.customer_info.customers import rules, state_rules
from services.customer_info.customers.rules import (
    UPDATABLE,
    Billed,
    Billing,
    ContactMedium,
    Customer,
    ExternalId,
    Individual,
    MediumKind,
    Organization,
)

# What can be told of a field in parts, each in a column of its own.
PARTS: Mapping[str, tuple[str, ...]] = {
    "individual": ("given_name", "family_name"),
    "organization": ("trading_name", "registration_number"),
    "contact_media": tuple(kind.value for kind in MediumKind),
    "billing": ("payment_method", "paperless"),
    "billed": ("monthly", "total"),
}
PARTY = frozenset({"individual", "organization"})


@dataclass(frozen=True, slots=True)
class Row:
    """A customer as a row of a bulk load tells of it.

    A row that says no status, or not who it is, leaves what there is. `told` are the fields that the row is about, as
    the contract names them, or parts of them ("contact_media.email"); None: all.
    """

    wish: Customer
    says_status: bool = True
    says_party: bool = True
    told: frozenset[str] | None = None


def untold_parts(told: Collection[str]) -> frozenset[str]:
    """The parts of fields that rows which tell of `told` do not tell of; nothing told: they tell of all."""
    if not told:
        return frozenset()
    parts = (f"{field}.{part}" for field, its in PARTS.items() if field not in told for part in its)
    return frozenset(part for part in parts if part not in told)


def imported(customer: Customer, row: Row, at: datetime) -> tuple[Customer, frozenset[str]]:
    """`customer` as a row of a bulk load wants it: what the row tells of, and `since` only where it was unknown.

    A status in the row counts only where its lifecycle has an arrow for it.

    Raises:
        Invalid: it would be inconsistent.
        Refused: the lifecycle has no arrow for the status, or it is archived.
    """
    names = _names(row) - ({"since"} if customer.since else set())
    after, changed = rules.updated(customer, _completed(customer, row), names, at)
    if _tells(row, "status") and row.says_status and row.wish.status is not customer.status:
        status = rules.moved(customer, row.wish.status, at)
        after = replace(after, status=status.status, version=status.version, update_time=status.update_time)
        changed |= {"status"}
    if changed and after.status is rules.Status.ARCHIVED:
        state_rules.check_kept(customer)
    return after, changed


def taken(issuer: str, holder_id: str) -> AlreadyExists:
    """The refusal of an external id of `issuer` that another customer has; it does not repeat the id."""
    return AlreadyExists(
        "an external id belongs to another customer",
        reason="EXTERNAL_ID_TAKEN",
        field="customer.external_ids",
        metadata={"issuer": issuer, "id": holder_id},
    )


def fresh_ids(wishes: Iterable[Customer], known: Mapping[str, Customer]) -> set[ExternalId]:
    """The external ids that customers shall have and, as far as they are `known`, do not have yet."""
    found: set[ExternalId] = set()
    for wish in wishes:
        there = known.get(wish.id)
        own = there.external_ids if there else ()
        told = (ExternalId(e.issuer.strip(), e.value.strip()) for e in wish.external_ids)
        found.update(e for e in told if e not in own)
    return found


class Held:
    """Whose external ids are, while the rows of a batch are looked at one after the other."""

    def __init__(self, holders: Mapping[ExternalId, str]) -> None:
        """`holders` are who had them before the batch."""
        self._holders = dict(holders)

    def take(self, before: Customer | None, after: Customer) -> None:
        """Gives `after` what it has, and frees what it had before.

        Raises:
            AlreadyExists: another customer has one of its external ids (EXTERNAL_ID_TAKEN); nothing was given.
        """
        for external in after.external_ids:
            holder_id = self._holders.get(external, after.id)
            if holder_id != after.id:
                raise taken(external.issuer, holder_id)
        for external in before.external_ids if before else ():
            if self._holders.get(external) == after.id:
                del self._holders[external]
        self._holders |= dict.fromkeys(after.external_ids, after.id)


def _tells(row: Row, field: str) -> bool:
    return row.told is None or field in row.told


def _names(row: Row) -> frozenset[str]:
    """The fields of the rules that a row may change."""
    if row.told is None:
        names = UPDATABLE
    else:
        fields = {name.partition(".")[0] for name in row.told}
        names = frozenset("party" if field in PARTY else field for field in fields) & UPDATABLE
    return names if row.says_party else names - {"party"}


def _completed(customer: Customer, row: Row) -> Customer:
    """The wish of a row, with the parts that it does not tell of as they are in `customer`."""
    said: dict[str, set[str]] = {}
    for name in row.told or ():
        field, dot, part = name.partition(".")
        if dot and not _tells(row, field):
            said.setdefault("party" if field in PARTY else field, set()).add(part)
    values = {
        field: _JOIN[field](getattr(customer, field), getattr(row.wish, field), parts) for field, parts in said.items()
    }
    return replace(row.wish, **values) if values else row.wish


Party = Individual | Organization
P = TypeVar("P", bound="Individual | Organization | Billing | Billed")


def _joined_party(before: Party, wish: Party, parts: Collection[str]) -> Party:
    if type(before) is not type(wish):
        return wish
    return _with_parts(before, wish, parts)


def _joined_billing(before: Billing | None, wish: Billing | None, parts: Collection[str]) -> Billing | None:
    if before is None and wish is None:
        return None
    return _with_parts(before or Billing(), wish or Billing(), parts)


def _joined_billed(before: Billed | None, wish: Billed | None, parts: Collection[str]) -> Billed | None:
    if before is None and wish is None:
        return None
    return _with_parts(before or Billed(), wish or Billed(), parts)


def _joined_media(
    before: Sequence[ContactMedium], wish: Sequence[ContactMedium], parts: Collection[str]
) -> tuple[ContactMedium, ...]:
    """The addresses of the kinds told of as the row has them; a preferred one stays so, unless another is now."""
    fresh = _still_preferred(before, rules.normalised(m for m in wish if m.kind.value in parts))
    # In the places of those of their kind: a row that says what is there changes nothing.
    left = {kind: [m for m in fresh if m.kind is kind] for kind in MediumKind}
    last = {m.kind: n for n, m in enumerate(before)}
    joined = []
    for n, medium in enumerate(before):
        mine = left[medium.kind]
        if medium.kind.value not in parts:
            joined.append(medium)
        elif n == last[medium.kind]:
            joined += left.pop(medium.kind)
        elif mine:
            joined.append(mine.pop(0))
    return (*joined, *(m for mine in left.values() for m in mine))


def _still_preferred(before: Sequence[ContactMedium], fresh: Sequence[ContactMedium]) -> Sequence[ContactMedium]:
    """`fresh`, in which what was preferred in `before` is so again where none of its kind is now."""
    chosen = {m.kind for m in fresh if m.preferred}
    kept = list(fresh)
    for former in (m for m in before if m.preferred and m.kind not in chosen):
        if (place := _place(former, before, fresh)) is not None:
            kept[place] = replace(fresh[place], preferred=True)
    return kept


def _place(medium: ContactMedium, before: Sequence[ContactMedium], fresh: Sequence[ContactMedium]) -> int | None:
    """Where an entry of `before` stands in `fresh`: at its time or, where its address has another, in its turn."""
    address = (medium.kind, medium.value)
    places = [n for n, m in enumerate(fresh) if (m.kind, m.value) == address]
    for n in places:
        if (fresh[n].start, fresh[n].end) == (medium.start, medium.end):
            return n
    turn = [m for m in before if (m.kind, m.value) == address].index(medium)
    return places[min(turn, len(places) - 1)] if places else None


def _with_parts(before: P, wish: Any, parts: Collection[str]) -> P:
    return replace(before, **{part: getattr(wish, part) for part in parts if hasattr(wish, part)})


_JOIN: Mapping[str, Callable[[Any, Any, Collection[str]], Any]] = {
    "party": _joined_party,
    "billing": _joined_billing,
    "billed": _joined_billed,
    "contact_media": _joined_media,
}
