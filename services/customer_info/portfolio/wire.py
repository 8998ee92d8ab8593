"""Products between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from google.protobuf.field_mask_pb2 import FieldMask
from holdfast.common.v1 import types_pb2
from holdfast.customer_info.v1 import portfolio_pb2 as pb

from chassis.etag import etag
from chassis.rules import Invalid
from chassis.times import moment
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier
from services.customer_info.portfolio.import_rules import Row
from services.customer_info.portfolio.rules import UPDATABLE, Product, Status, StatusChange
from services.customer_info.portfolio.term_rules import Term
from services.customer_info.wire import characteristics, masked, money, money_message, pairs, stamp, told_fields

STATUSES = {s: pb.ProductStatus.Value(f"PRODUCT_STATUS_{s.name}") for s in Status}
_STATUS = {number: status for status, number in STATUSES.items()}


def status(number: pb.ProductStatus.ValueType) -> Status:
    """The status a message names; active where it names none."""
    return _STATUS.get(number, Status.ACTIVE)


def product(message: pb.Product) -> Product:
    """The product that a validated message describes.

    Raises:
        Invalid: one of its times is no time, or a state of its history lacks its name or its time.
    """
    return Product(
        id=message.id,
        customer_id=message.customer_id,
        family=message.family,
        name=message.name,
        status=status(message.status),
        monthly_price=money(message.monthly_price) if message.HasField("monthly_price") else None,
        one_time_price=money(message.one_time_price) if message.HasField("one_time_price") else None,
        term=_term(message.term) if message.HasField("term") else None,
        identifiers=tuple(ServiceIdentifier(i.kind, i.value) for i in message.identifiers),
        characteristics=pairs(message.characteristics),
        history=tuple(_change(c, n) for n, c in enumerate(message.history)),
        node_ids=tuple(message.node_ids),
        account_id=message.account_id,
    )


def new(message: pb.Product) -> Product:
    """The product that a caller wants added: what it says of a history is ignored.

    Raises:
        Invalid: one of its times is no time.
    """
    wanted = pb.Product()
    wanted.CopyFrom(message)
    del wanted.history[:]
    return product(wanted)


def row(message: pb.Product, told: frozenset[str] | None = None) -> Row:
    """A row of a bulk load from a validated message; `told` are the fields that it is about, None: all.

    Raises:
        Invalid: one of its times is no time, or a state of its history lacks its name or its time.
    """
    return Row(product(message), says_status=message.status != pb.PRODUCT_STATUS_UNSPECIFIED, told=told)


def reader(request: pb.ImportProductsRequest) -> Callable[[pb.Product], Row]:
    """What makes rows of the products of a message.

    Raises:
        Invalid: it says that they tell of a field that there is not.
    """
    told = told_fields(request.fields, pb.Product.DESCRIPTOR.fields_by_name)
    return row if told is None else partial(row, told=told)


def names(mask: FieldMask, message: pb.Product) -> frozenset[str]:
    """The fields that an update is about: those of the mask or, without one, those that are set.

    Raises:
        Invalid: the mask names a field that cannot be updated.
    """
    return frozenset(masked(mask, message, UPDATABLE))


def message(kept: Product, at: datetime) -> pb.Product:
    """A product as it goes to a caller at `at`."""
    return pb.Product(
        id=kept.id,
        etag=etag(kept.version),
        customer_id=kept.customer_id,
        family=kept.family,
        name=kept.name,
        status=STATUSES[kept.status],
        monthly_price=money_message(kept.monthly_price),
        one_time_price=money_message(kept.one_time_price),
        term=term_message(kept.term),
        identifiers=[pb.ServiceIdentifier(kind=i.kind, value=i.value) for i in kept.identifiers],
        characteristics=characteristics(kept.characteristics),
        history=history_messages(kept),
        update_time=stamp(kept.update_time),
        node_ids=kept.node_ids,
        account_id=kept.account_id,
        commitment_end=stamp(kept.commitment[1]) if kept.term else None,
        in_commitment=kept.in_commitment(at) if kept.term else False,
    )


def facts(kept: Product) -> pb.ProductFacts:
    """What events tell of a product: no numbers, no devices, nothing that its family does not list."""
    return pb.ProductFacts(
        id=kept.id,
        customer_id=kept.customer_id,
        family=kept.family,
        name=kept.name,
        status=STATUSES[kept.status],
        monthly_price=money_message(kept.monthly_price),
        term=term_message(kept.term),
        characteristics=characteristics(p for p in kept.characteristics if p[0] not in kept.unlisted),
        history=history_messages(kept),
        node_ids=kept.node_ids,
        account_id=kept.account_id,
    )


def term_message(term: Term | None) -> pb.ContractTerm | None:
    """A contract as a message; None stays unset."""
    if term is None:
        return None
    out = pb.ContractTerm(months=term.months)
    if term.start or term.end:
        out.commitment.CopyFrom(types_pb2.Period(start=stamp(term.start), end=stamp(term.end)))
    return out


def history_messages(kept: Product) -> list[pb.ProductStatusChange]:
    """When a product entered each of its states, as messages."""
    return [pb.ProductStatusChange(status=STATUSES[c.status], time=stamp(c.time)) for c in kept.history]


def _term(message: pb.ContractTerm) -> Term:
    span, path = message.commitment, "product.term.commitment"
    return Term(message.months, moment(span, "start", f"{path}.start"), moment(span, "end", f"{path}.end"))


def _change(message: pb.ProductStatusChange, place: int) -> StatusChange:
    path = f"product.history[{place}]"
    entered, time = _STATUS.get(message.status), moment(message, "time", f"{path}.time")
    if entered is None:
        raise Invalid("names no status", field=f"{path}.status")
    if time is None:
        raise Invalid("is not set", field=f"{path}.time")
    return StatusChange(entered, time)
