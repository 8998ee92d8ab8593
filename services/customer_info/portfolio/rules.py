"""What a product of a customer is, and what may become of it. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chassis.rules import Invalid, Refused
from services.customer_info.catalogue.rules import Families, check_on_sale, check_product, family_of
from services.customer_info.customers.rules import Money
from services.customer_info.customers.rules import Status as CustomerStatus
from services.customer_info.portfolio import term_rules
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier, key, normalised
from services.customer_info.portfolio.term_rules import Term

# What the store can tell apart: a version is never as old as the one before it.
TICK = timedelta(milliseconds=1)
# Most products that a portfolio is answered with.
MOST = 1000
# As many states as a message of the contract may tell of; of a longer life, the begin, the first use and the latest.
LONGEST_HISTORY = 256
# A thousand million of the currency's unit: enough where that buys little, as a rial does.
HIGHEST_PRICE = 10**15


class Status(StrEnum):
    """From order to end (C4)."""

    ORDERED = "ordered"
    PROVISIONING = "provisioning"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CEASED = "ceased"


TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.ORDERED: frozenset({Status.PROVISIONING, Status.CEASED}),
    Status.PROVISIONING: frozenset({Status.ACTIVE, Status.CEASED}),
    Status.ACTIVE: frozenset({Status.SUSPENDED, Status.CEASED}),
    Status.SUSPENDED: frozenset({Status.ACTIVE, Status.CEASED}),
    # What ended stays ended: a customer that wants it again gets a new product.
    Status.CEASED: frozenset(),
}
NOT_FIRST = Status.CEASED
# Every product has them.
NEEDED = ("customer_id", "family", "name")
CURRENT = frozenset(Status) - {Status.CEASED}
IN_USE = frozenset({Status.ACTIVE, Status.SUSPENDED})
# Customers of these states take no new products.
LEFT = frozenset({CustomerStatus.CLOSED, CustomerStatus.ARCHIVED})


@dataclass(frozen=True, slots=True)
class StatusChange:
    """When a product entered a state."""

    status: Status
    time: datetime


@dataclass(frozen=True, slots=True)
class Product:
    """A product that a customer has. `history` ends with its `status`; `version` counts its changes, from 1.

    `node_ids` are where it stands in the customer's hierarchies, `account_id` is what is billed for it; `unlisted` are
    the names of characteristics that its open family lets pass without knowing them: nobody knows what they say.
    """

    id: str
    customer_id: str
    family: str
    name: str
    status: Status = Status.ACTIVE
    monthly_price: Money | None = None
    one_time_price: Money | None = None
    term: Term | None = None
    identifiers: tuple[ServiceIdentifier, ...] = ()
    characteristics: tuple[tuple[str, str], ...] = ()
    unlisted: frozenset[str] = frozenset()
    history: tuple[StatusChange, ...] = ()
    node_ids: tuple[str, ...] = ()
    account_id: str = ""
    version: int = 1
    update_time: datetime | None = None

    @property
    def commitment(self) -> tuple[datetime | None, datetime | None]:
        """When the commitment of its contract begins and ends; None: unknown, or there is none."""
        first_used = next((c.time for c in self.history if c.status is Status.ACTIVE), None)
        return term_rules.commitment(self.term, first_used)

    def in_commitment(self, at: datetime) -> bool:
        """Whether the customer is bound to it at `at`."""
        return self.status in CURRENT and term_rules.bound(self.commitment, at)


UPDATABLE = (
    "family",
    "name",
    "monthly_price",
    "one_time_price",
    "term",
    "identifiers",
    "characteristics",
    "node_ids",
    "account_id",
)

# What lies sealed, under the key of the customer.
SEALED = frozenset({"identifiers", "characteristics"})


def check_owner(status: CustomerStatus) -> None:
    """Passes when a customer in this state may take a new product.

    Raises:
        Refused: it has left.
    """
    if status in LEFT:
        raise Refused(
            f"a customer that is {status} takes no new products",
            field="product.customer_id",
            metadata={"state": status},
        )


def added(wish: Product, product_id: str, at: datetime) -> Product:
    """A new product as `wish` describes it; its history begins now.

    Raises:
        Invalid: it cannot begin in that status, or is inconsistent.
    """
    if wish.status is NOT_FIRST:
        raise Invalid("a new product starts anywhere but in ceased", field="product.status")
    history = (StatusChange(wish.status, at),)
    return checked(replace(wish, id=product_id, history=history, version=1, update_time=at))


def updated(product: Product, wish: Product, names: Iterable[str], at: datetime) -> tuple[Product, frozenset[str]]:
    """`product` with the fields `names` of `wish`, and the names of those that differ; itself if none does.

    Raises:
        Refused: it has ceased. Invalid: it would be inconsistent, or belong to another customer.
    """
    if product.status is Status.CEASED:
        raise Refused("a product that has ceased stays as it is", metadata={"state": product.status})
    if wish.customer_id and wish.customer_id != product.customer_id:
        raise Invalid("a product stays with its customer", field="product.customer_id")
    return changed_to(product, {name: getattr(wish, name) for name in names}, at)


def moved(product: Product, status: Status, at: datetime) -> Product:
    """`product` in another status; itself if it has it already.

    Raises:
        Refused: there is no such arrow (FORBIDDEN_TRANSITION); the metadata names those there are.
    """
    if status is product.status:
        return product
    check_arrow(product.status, status, TRANSITIONS[product.status])
    return _following(product, at, status=status, history=entered(product.history, status, at))


def fitted(product: Product, before: Product | None, families: Families) -> Product:
    """A product, new or changed from what it was `before`, that is as its family asks, and knows what that lists.

    Raises:
        Invalid: there is no such family, it takes no new products, or it asks for something else.
    """
    family = family_of(families, product.family)
    if product.status in CURRENT and (before is None or before.family != product.family):
        check_on_sale(family)
    kinds = [i.kind for i in product.identifiers]
    check_product(family, product.characteristics, kinds, in_use=product.status in IN_USE)
    return listed(product, families)


def listed(product: Product, families: Families) -> Product:
    """A product that knows what its family lists by now; one whose family nobody knows stays as it is."""
    family = families.get(product.family)
    if family is None:
        return product
    names = {c.name for c in family.characteristics}
    return replace(product, unlisted=frozenset(name for name, _ in product.characteristics if name not in names))


def without_unlisted(product: Product) -> Product:
    """A product of somebody who was erased: what no family lists may be anything, and is nobody's any more."""
    left = tuple(pair for pair in product.characteristics if pair[0] not in product.unlisted)
    return replace(product, characteristics=left, unlisted=frozenset())


def seals_more(before: Product, after: Product) -> bool:
    """Whether a change seals something that was not, or not like this, sealed before it."""
    return not after.unlisted <= before.unlisted or any(getattr(before, n) != getattr(after, n) for n in SEALED)


def comes_into_use(before: Product, after: Product) -> bool:
    """Whether a change of status is the one at which a product must be whole."""
    return after.status in IN_USE and before.status not in IN_USE


def check(product: Product) -> None:
    """Passes a consistent product.

    Raises:
        Invalid: no customer, family or name, an identifier twice, a price out of bounds, a commitment that ends before
            it starts, a history whose times run backwards or that no life of a product has.
    """
    for name in NEEDED:
        if not getattr(product, name):
            raise Invalid("is not set", field=f"product.{name}")
    if len({(i.kind, key(i)) for i in product.identifiers}) < len(product.identifiers):
        raise Invalid("the same identifier stands there twice", field="product.identifiers")
    for name in ("monthly_price", "one_time_price"):
        price: Money | None = getattr(product, name)
        if price and not 0 <= price.micros <= HIGHEST_PRICE:
            raise Invalid(f"must lie between 0 and {HIGHEST_PRICE}", field=f"product.{name}.micros")
    term = product.term
    if term and term.start and term.end and term.end < term.start:
        raise Invalid("ends before it starts", field="product.term.commitment")
    _check_history(product)


def _check_history(product: Product) -> None:
    for n, (before, after) in enumerate(zip(product.history, product.history[1:], strict=False), 1):
        path = f"product.history[{n}]"
        if after.time < before.time:
            raise Invalid("lies before the state it follows", field=f"{path}.time")
        if after.status is before.status or after.status not in REACHABLE[before.status]:
            raise Invalid(f"a product that is {before.status} never becomes {after.status}", field=f"{path}.status")


def totals(products: Iterable[Product]) -> list[Money]:
    """What those of the products that have not ceased cost a month together, a currency each, by its code."""
    sums: dict[str, int] = {}
    for product in products:
        price = product.monthly_price
        if price and product.status in CURRENT:
            sums[price.currency] = sums.get(price.currency, 0) + price.micros
    return [Money(currency, micros) for currency, micros in sorted(sums.items())]


def changed_to(product: Product, values: Mapping[str, Any], at: datetime) -> tuple[Product, frozenset[str]]:
    """`product` with other values in some fields, and the names of those that differ; itself if none does."""
    if "identifiers" in values:
        values = {**values, "identifiers": _normalised(values["identifiers"])}
    changed = {name: value for name, value in values.items() if value != getattr(product, name)}
    if not changed:
        return product, frozenset()
    after = _following(product, at, **changed)
    check(after)
    return after, frozenset(changed)


def _following(product: Product, at: datetime, **values: Any) -> Product:
    """The next version of `product`, made at `at` or, whatever the clocks say, right after the one before."""
    if product.update_time:
        at = max(at, product.update_time + TICK)
    return replace(product, **values, version=product.version + 1, update_time=at)


def checked(product: Product) -> Product:
    """A new product with its identifiers as they are kept, once it is found consistent.

    Raises:
        Invalid: it is not.
    """
    if product.identifiers:
        product = replace(product, identifiers=_normalised(product.identifiers))
    check(product)
    return product


def _normalised(identifiers: Iterable[ServiceIdentifier]) -> tuple[ServiceIdentifier, ...]:
    return tuple(normalised(i, f"product.identifiers[{n}]") for n, i in enumerate(identifiers))


def _closure() -> Mapping[Status, frozenset[Status]]:
    """Every status that some way of arrows leads to, from each."""
    reachable = dict(TRANSITIONS)
    for _ in Status:
        reachable = {s: ends.union(*(reachable[e] for e in ends)) for s, ends in reachable.items()}
    return reachable


REACHABLE = _closure()


def check_arrow(before: Status, after: Status, allowed: Iterable[Status]) -> None:
    """Passes an arrow from one status to another that is among those `allowed`.

    Raises:
        Refused: it is not (FORBIDDEN_TRANSITION); the metadata names those there are.
    """
    if after in allowed:
        return
    names = ", ".join(sorted(set(allowed) - {before})) or "none"
    raise Refused(
        f"a product that is {before} cannot become {after}; it can become {names}",
        reason="FORBIDDEN_TRANSITION",
        field="status",
        metadata={"from": before, "to": after, "allowed": names},
    )


def entered(history: tuple[StatusChange, ...], status: Status, at: datetime) -> tuple[StatusChange, ...]:
    """`history` with one more state, entered not before the one it follows, whatever the clocks say."""
    since = max(at, history[-1].time) if history else at
    return bounded((*history, StatusChange(status, since)))


def bounded(history: tuple[StatusChange, ...]) -> tuple[StatusChange, ...]:
    """`history` without what lies between its begin, its first use and its latest states, where it is too long.

    A commitment may begin with the first use. What is left is still a life that a product may have.
    """
    if len(history) <= LONGEST_HISTORY:
        return history
    first_used = next((n for n, c in enumerate(history) if c.status is Status.ACTIVE), 0)
    places = sorted({0, first_used, *range(len(history) - LONGEST_HISTORY + 2, len(history))})
    kept = [history[places[0]]]
    for place in places[1:]:
        if history[place].status is not kept[-1].status:
            kept.append(history[place])
    return tuple(kept)
