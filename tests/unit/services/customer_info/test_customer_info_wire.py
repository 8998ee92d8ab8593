"""Between protobuf and dataclasses nothing is lost."""

from dataclasses import replace

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2
from hypothesis import given

from chassis.rules import Invalid
from services.customer_info.customers import wire as customers_wire
from services.customer_info.customers.rules import Customer, Status
from services.customer_info.portfolio import wire as portfolio_wire
from services.customer_info.portfolio.rules import Product
from services.customer_info.portfolio.rules import Status as ProductStatus
from tests.unit.services.customer_info import strategies
from tests.unit.services.customer_info.builders import NOON, person


@given(strategies.customers)
def test_a_customer_goes_out_and_comes_back_as_it_was(customer: Customer) -> None:
    message = customers_wire.message(customer)
    back = customers_wire.customer(customers_pb2.Customer.FromString(message.SerializeToString()))
    assert back == customer
    assert customers_wire.message(back) == message


@given(strategies.products)
def test_a_product_goes_out_and_comes_back_as_it_was(product: Product) -> None:
    message = portfolio_wire.message(product, NOON)
    back = portfolio_wire.product(portfolio_pb2.Product.FromString(message.SerializeToString()))
    assert back == product
    assert portfolio_wire.message(back, NOON) == message


def test_every_status_has_its_name_in_the_contract() -> None:
    assert len(customers_wire.STATUSES) == len(Status) == len(customers_pb2.CustomerStatus.items()) - 1
    assert len(portfolio_wire.STATUSES) == len(ProductStatus) == len(portfolio_pb2.ProductStatus.items()) - 1


@given(strategies.customers)
def test_events_tell_of_a_customer_nothing_personal(customer: Customer) -> None:
    told = {f.name for f, _ in customers_wire.facts(customer).ListFields()}
    assert not told & {"individual", "organization", "external_ids", "contact_media", "language"}
    assert customers_wire.facts(customer).id == customer.id


def test_of_characteristics_events_tell_flags_and_counts_only() -> None:
    said = (("senior", "yes"), ("dependents", "2"), ("born", "1943"), ("pet", "rex"), ("note", "Ada calls at 5"))
    facts = customers_wire.facts(replace(person(), characteristics=said))
    assert [(c.name, c.value) for c in facts.characteristics] == [("senior", "yes"), ("dependents", "2")]


def test_events_call_no_characteristic_by_a_name_that_somebody_thought_of() -> None:
    said = (("partner", "no"), ("ask_for_anna_mueller", "yes"), ("lives_with_ada", "1"))
    facts = customers_wire.facts(replace(person(), characteristics=said))
    assert [(c.name, c.value) for c in facts.characteristics] == [("partner", "no")]


@given(strategies.products)
def test_events_tell_of_a_product_no_numbers_and_no_devices(product: Product) -> None:
    facts = portfolio_wire.facts(product)
    assert "identifiers" not in facts.DESCRIPTOR.fields_by_name
    assert (facts.id, facts.customer_id, len(facts.history)) == (product.id, product.customer_id, len(product.history))


@pytest.mark.parametrize("stamp", [Timestamp(seconds=10**13), Timestamp(seconds=-(10**13)), Timestamp(nanos=-1)])
def test_a_time_that_is_none_is_refused_by_field(stamp: Timestamp) -> None:
    customer = customers_pb2.Customer(since=stamp)
    with pytest.raises(Invalid) as refused:
        customers_wire.customer(customer)
    assert refused.value.field == "customer.since"
    medium = customers_pb2.ContactMedium(kind=customers_pb2.ContactMedium.KIND_POST)
    medium.valid.end.CopyFrom(stamp)
    with pytest.raises(Invalid) as refused:
        customers_wire.customer(customers_pb2.Customer(contact_media=[medium]))
    assert refused.value.field == "customer.contact_media[0].valid.end"
    entered = portfolio_pb2.ProductStatusChange(status=portfolio_pb2.PRODUCT_STATUS_ACTIVE, time=stamp)
    with pytest.raises(Invalid) as refused:
        portfolio_wire.product(portfolio_pb2.Product(history=[entered]))
    assert refused.value.field == "product.history[0].time"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (portfolio_pb2.ProductStatusChange(time=Timestamp(seconds=1)), "product.history[0].status"),
        (portfolio_pb2.ProductStatusChange(status=portfolio_pb2.PRODUCT_STATUS_ACTIVE), "product.history[0].time"),
    ],
)
def test_a_history_names_each_state_and_its_time(change: portfolio_pb2.ProductStatusChange, field: str) -> None:
    message = portfolio_pb2.Product(history=[change])
    with pytest.raises(Invalid) as refused:
        portfolio_wire.product(message)
    assert refused.value.field == field
    assert portfolio_wire.new(message).history == ()


def test_a_row_knows_whether_it_says_a_status() -> None:
    silent, said = customers_pb2.Customer(), customers_pb2.Customer(status=customers_pb2.CUSTOMER_STATUS_ACTIVE)
    assert [customers_wire.row(m).says_status for m in (silent, said)] == [False, True]
    named = customers_pb2.Customer(organization=customers_pb2.Organization(trading_name="Example Ltd"))
    assert [customers_wire.row(m).says_party for m in (silent, named)] == [False, True]
    quiet, told = portfolio_pb2.Product(), portfolio_pb2.Product(status=portfolio_pb2.PRODUCT_STATUS_CEASED)
    assert [portfolio_wire.row(m).says_status for m in (quiet, told)] == [False, True]


def test_a_mask_names_what_can_be_updated_and_is_set() -> None:
    message = customers_pb2.Customer(language="de", individual=customers_pb2.Individual(family_name="Example"))
    assert customers_wire.names(FieldMask(), message) == {"language", "party"}
    assert customers_wire.names(FieldMask(paths=["language", "billing"]), message) == {"language", "billing"}
    with pytest.raises(Invalid) as refused:
        customers_wire.names(FieldMask(paths=["status"]), message)
    assert refused.value.reason == "INVALID_UPDATE_MASK"
    assert "language" in refused.value.metadata["allowed"]
    with pytest.raises(Invalid) as refused:
        customers_wire.names(FieldMask(paths=["organization"]), message)
    assert refused.value.field == "customer.organization"
