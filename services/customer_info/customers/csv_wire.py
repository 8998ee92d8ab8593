"""Customers as rows of a CSV file: part of the handlers' door. `docs/files.md` describes the columns."""

from collections.abc import Callable, Sequence

from holdfast.customer_info.v1 import customers_pb2 as pb

from chassis.cells import joined, joined_pairs
from services.customer_info.csv_wire import characteristics, money, time, word
from services.customer_info.exporting import Column

Kind = pb.ContactMedium.Kind


def _media(kind: Kind.ValueType) -> Callable[[pb.Customer], str]:
    """The addresses of one kind, in their order, each with its validity where it has one."""
    return lambda customer: joined(_medium(m) for m in customer.contact_media if m.kind == kind)


def _medium(medium: pb.ContactMedium) -> str:
    start, end = time(medium.valid, "start"), time(medium.valid, "end")
    # Whatever looks like a validity but is part of the address gets an empty one after it.
    return f"{medium.value}[{start}/{end}]" if start or end or medium.value.endswith("]") else medium.value


def _preferred(customer: pb.Customer) -> str:
    """The kinds that have a preferred address, each with its place in its column; the first place is not said."""
    seen: dict[str, int] = {}
    found = []
    for medium in customer.contact_media:
        kind = word(Kind.Name(medium.kind), "KIND_")
        seen[kind] = seen.get(kind, 0) + 1
        if medium.preferred:
            found.append(kind if seen[kind] == 1 else f"{kind}:{seen[kind]}")
    return joined(found)


def _paperless(customer: pb.Customer) -> str:
    return str(customer.billing.paperless).lower() if customer.HasField("billing") else ""


COLUMNS: Sequence[Column[pb.Customer]] = (
    Column("id", "id", lambda c: c.id),
    Column("status", "status", lambda c: word(pb.CustomerStatus.Name(c.status), "CUSTOMER_STATUS_")),
    Column("category", "category", lambda c: word(pb.CustomerCategory.Name(c.category), "CUSTOMER_CATEGORY_")),
    Column("given_name", "individual", lambda c: c.individual.given_name),
    Column("family_name", "individual", lambda c: c.individual.family_name),
    Column("trading_name", "organization", lambda c: c.organization.trading_name),
    Column("registration_number", "organization", lambda c: c.organization.registration_number),
    Column("email", "contact_media", _media(Kind.KIND_EMAIL)),
    Column("phone", "contact_media", _media(Kind.KIND_PHONE)),
    Column("post", "contact_media", _media(Kind.KIND_POST)),
    Column("social", "contact_media", _media(Kind.KIND_SOCIAL)),
    Column("preferred", "contact_media", _preferred),
    Column("external_ids", "external_ids", lambda c: joined_pairs(((e.issuer, e.value) for e in c.external_ids), ":")),
    Column("parent_id", "parent_id", lambda c: c.parent_id),
    Column("since", "since", lambda c: time(c, "since")),
    Column("language", "language", lambda c: c.language),
    Column(
        "payment_method", "billing", lambda c: word(pb.PaymentMethod.Name(c.billing.payment_method), "PAYMENT_METHOD_")
    ),
    Column("paperless", "billing", _paperless),
    Column("billed_monthly", "billed", lambda c: money(c.billed, "monthly")),
    Column("billed_total", "billed", lambda c: money(c.billed, "total")),
    Column("characteristics", "characteristics", lambda c: characteristics(c.characteristics)),
    Column("create_time", "create_time", lambda c: time(c, "create_time")),
    Column("update_time", "update_time", lambda c: time(c, "update_time")),
)
