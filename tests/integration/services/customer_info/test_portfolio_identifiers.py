"""Identifiers of services through a real process: checked, sealed, found, and never two products'."""

import asyncio
import uuid
from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from holdfast.common.v1 import types_pb2
from holdfast.customer_info.v1 import catalogue_pb2, customers_pb2
from holdfast.customer_info.v1 import portfolio_pb2 as pb
from holdfast.customer_info.v1.catalogue_pb2_grpc import CatalogueServiceStub
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub

from chassis.errors import reason_of
from chassis.mongo.client import Store
from chassis.rules import Refused
from chassis.vault.vault import Vault
from services.customer_info.history.store import History
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier, key
from services.customer_info.portfolio.rules import Product
from services.customer_info.portfolio.store import ProductStore
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import (
    bad_fields,
    metadata_of,
    new_uuid,
    person,
    product,
    product_batches,
)
from tests.support.service import Keys
from tests.unit.services.customer_info.builders import product as kept_product


@pytest.fixture
async def owner(customers: CustomersServiceStub, agent: Metadata) -> str:
    """The id of a customer with nothing yet."""
    request = customers_pb2.CreateCustomerRequest(customer=person())
    return str((await customers.CreateCustomer(request, metadata=agent)).customer.id)


def a_number() -> str:
    """A mobile number that no other test has."""
    return f"+49151{uuid.uuid4().int % 10**8:08}"


def mobile(owner: str, *numbers: str, **changes: object) -> pb.Product:
    """A mobile product with these numbers."""
    identifiers = [pb.ServiceIdentifier(kind="msisdn", value=n) for n in numbers]
    return product(owner, family="mobile", name="Mobile M", identifiers=identifiers, **changes)


async def added(portfolio: PortfolioServiceStub, agent: Metadata, wish: pb.Product) -> pb.Product:
    return (await portfolio.AddProduct(pb.AddProductRequest(product=wish), metadata=agent)).product


async def test_a_number_is_kept_in_one_form_and_a_false_one_is_refused_by_field(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str
) -> None:
    number = a_number()
    written = f"{number[:3]} ({number[3:6]}) {number[6:9]}-{number[9:]}"
    made = await added(portfolio, agent, mobile(owner, written))
    assert [i.value for i in made.identifiers] == [number]
    wish = mobile(owner)
    wish.identifiers.add(kind="imei", value="490154203237519")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await added(portfolio, agent, wish)
    assert bad_fields(refused.value) == ["product.identifiers[0].value"]
    assert "490154" not in str(refused.value.details())


async def test_a_number_belongs_to_one_product_until_that_has_ceased(
    portfolio: PortfolioServiceStub, agent: Metadata, loader: Metadata, owner: str
) -> None:
    number = a_number()
    holder = await added(portfolio, agent, mobile(owner, number))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await added(portfolio, agent, mobile(owner, number))
    assert (refused.value.code(), reason_of(refused.value)) == (grpc.StatusCode.ALREADY_EXISTS, "IDENTIFIER_TAKEN")
    assert metadata_of(refused.value) == {"kind": "msisdn", "type": "product", "id": holder.id}
    rows = [mobile(owner, number, id=new_uuid()), mobile(owner, a_number(), id=new_uuid())]
    summary = (await portfolio.ImportProducts(product_batches(rows, 500), metadata=loader)).summary
    assert (summary.created, [(e.row, e.reason, e.field) for e in summary.errors]) == (
        1,
        [(1, "IDENTIFIER_TAKEN", "identifiers")],
    )
    ceased = pb.ChangeProductStatusRequest(product_id=holder.id, status=pb.PRODUCT_STATUS_CEASED)
    await portfolio.ChangeProductStatus(ceased, metadata=agent)
    assert (await added(portfolio, agent, mobile(owner, number))).identifiers[0].value == number


async def test_of_many_who_want_one_number_at_once_exactly_one_gets_it(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str
) -> None:
    number, waiting = a_number(), [await added(portfolio, agent, mobile(owner)) for _ in range(4)]
    wanted = [pb.ServiceIdentifier(kind="msisdn", value=number)]
    attempts: list[Awaitable[Any]] = [
        *(added(portfolio, agent, mobile(owner, number)) for _ in range(8)),
        *(
            portfolio.UpdateProduct(
                pb.UpdateProductRequest(product=pb.Product(id=p.id, identifiers=wanted)), metadata=agent
            )
            for p in waiting
        ),
    ]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [o for o in outcomes if isinstance(o, grpc.aio.AioRpcError)]
    assert {reason_of(r) for r in refused} == {"IDENTIFIER_TAKEN"}
    assert len(outcomes) - len(refused) == 1
    found = await portfolio.GetPortfolio(pb.GetPortfolioRequest(customer_id=owner), metadata=agent)
    (holder,) = [p for p in found.products if p.identifiers]
    assert {metadata_of(r)["id"] for r in refused} == {holder.id}


async def test_loads_that_want_the_same_numbers_at_once_share_them(
    portfolio: PortfolioServiceStub, agent: Metadata, loader: Metadata, owner: str
) -> None:
    numbers = [a_number() for _ in range(20)]
    loads = [[mobile(owner, n, id=new_uuid()) for n in numbers] for _ in range(3)]
    answers = await asyncio.gather(
        *(portfolio.ImportProducts(product_batches(rows, 10), metadata=loader) for rows in loads)
    )
    assert sum(a.summary.created for a in answers) == 20
    assert {e.reason for a in answers for e in a.summary.errors} == {"IDENTIFIER_TAKEN"}
    found = await portfolio.GetPortfolio(pb.GetPortfolioRequest(customer_id=owner), metadata=agent)
    assert sorted(i.value for p in found.products for i in p.identifiers) == sorted(numbers)


async def test_no_identifier_is_in_the_store_in_the_clear(
    portfolio: PortfolioServiceStub, agent: Metadata, loader: Metadata, owner: str, store: Store
) -> None:
    first, second = a_number(), a_number()
    request = pb.AddProductRequest(product=mobile(owner, first), request_id=new_uuid())
    made = (await portfolio.AddProduct(request, metadata=agent)).product
    again = (await portfolio.AddProduct(request, metadata=agent)).product
    assert again == made
    row = mobile(owner, second, id=made.id, monthly_price=types_pb2.Money(currency_code="EUR", micros=1))
    await portfolio.ImportProducts(product_batches([row], 1), metadata=loader)
    seen = 0
    for collection in ("products", "history", "requests", "outbox"):
        async for document in store.collection(collection).find({}):
            seen += 1
            for number in (first, second):
                assert number not in str(document)
                assert number.encode() not in b"".join(_binaries(document))
    assert seen > 4


async def test_what_no_family_lists_is_neither_kept_nor_told_in_plain(
    portfolio: PortfolioServiceStub, agent: Metadata, loader: Metadata, owner: str, store: Store
) -> None:
    wish = mobile(owner, a_number())
    for name, value in (("user", "Zzname"), ("data_gb", "20"), ("desk", "Qqdesk")):
        wish.characteristics.add(name=name, value=value)
    made = await added(portfolio, agent, wish)
    assert list(made.characteristics) == list(wish.characteristics)
    # What was read and is loaded again changes nothing, in whatever order it was told.
    again = await portfolio.ImportProducts(product_batches([made], 1), metadata=loader)
    assert again.summary.unchanged == 1
    change = pb.UpdateProductRequest(product=pb.Product(id=made.id, name="Mobile L"))
    assert list((await portfolio.UpdateProduct(change, metadata=agent)).product.characteristics) == list(
        wish.characteristics
    )
    seen = 0
    for collection in ("products", "history", "requests", "outbox"):
        async for document in store.collection(collection).find({}):
            seen += 1
            raw = str(document).encode() + b"".join(_binaries(document))
            assert b"Zzname" not in raw
            assert b"Qqdesk" not in raw
    assert seen >= 4
    async for event in store.collection("outbox").find({"subject": made.id}):
        assert b"data_gb" in event["data"]


async def test_what_the_family_lists_no_more_is_neither_kept_nor_told_in_plain_after_the_next_change(
    channel: grpc.aio.Channel, portfolio: PortfolioServiceStub, owner: str, store: Store, keys: Keys
) -> None:
    families, admin = CatalogueServiceStub(channel), keys.metadata("admin")
    family = catalogue_pb2.ProductFamily(name=f"f{uuid.uuid4().hex[:8]}", title="Once", line="voice", open=True)
    family.characteristics.add(name="contact")
    await families.DefineFamily(catalogue_pb2.DefineFamilyRequest(family=family), metadata=admin)
    wish = product(owner, family=family.name)
    wish.characteristics.add(name="contact", value="Wwdoe")
    made = await added(portfolio, admin, wish)
    del family.characteristics[:]
    await families.DefineFamily(catalogue_pb2.DefineFamilyRequest(family=family), metadata=admin)
    request = pb.ChangeProductStatusRequest(product_id=made.id, status=pb.PRODUCT_STATUS_SUSPENDED)
    after = (await portfolio.ChangeProductStatus(request, metadata=admin)).product
    assert list(after.characteristics) == list(wish.characteristics)
    kept = await store.collection("products").find_one({"_id": made.id})
    told = await store.collection("outbox").find_one({"subject": made.id, "sequence": 2})
    assert b"Wwdoe" not in str([kept, told]).encode() + b"".join(_binaries([kept, told]))


@pytest.mark.parametrize(
    ("place", "name"),
    [("identifiers", "IMEI"), ("identifiers", "imei "), ("characteristics", "imei"), ("characteristics", "IMEI")],
)
async def test_no_identifier_comes_in_by_another_way(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str, place: str, name: str
) -> None:
    wish, called = product(owner, family="device", name="Phone"), "kind" if place == "identifiers" else "name"
    getattr(wish, place).add(**{called: name}, value="490154203237519")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await added(portfolio, agent, wish)
    assert bad_fields(refused.value) == [f"product.{place}[0].{called}"]
    assert "490154" not in str(refused.value.details())


def _binaries(part: object) -> list[bytes]:
    if isinstance(part, bytes):
        return [part]
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [found for inner in parts for found in _binaries(inner)]


async def test_what_a_product_was_is_kept_with_who_changed_it(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str, store: Store
) -> None:
    made = await added(portfolio, agent, mobile(owner, a_number()))
    change = pb.UpdateProductRequest(product=pb.Product(id=made.id, name="Mobile L"))
    channel = ("x-holdfast-channel", "store")
    await portfolio.UpdateProduct(change, metadata=(*agent, channel))
    (entry,) = [d async for d in store.collection("history").find({"subject": made.id})]
    assert (entry["kind"], entry["customer_id"], entry["version"]) == ("product", owner, 1)
    assert (entry["document"]["name"], entry["document"]["by"]) == ("Mobile M", "tester")
    assert not {"lookup", "identifier_keys"} & set(entry["document"])
    kept = await store.collection("products").find_one({"_id": made.id})
    assert (kept["name"], kept["by"], kept["channel"]) == ("Mobile L", "tester", "store")


async def test_a_portfolio_whose_key_is_destroyed_is_read_without_identifiers_and_takes_no_new_ones(
    store: Store, vault: Vault
) -> None:
    number = ServiceIdentifier("msisdn", a_number())
    products = ProductStore(store, vault, History(store))
    gone = kept_product(new_uuid(), identifiers=(number,))
    await products.load([gone], [], [])
    await vault.destroy([gone.customer_id])

    async def forget(transaction: object) -> Product:
        await products.forget(transaction, [gone.customer_id])
        return gone

    await products.transact(forget)
    assert [p.identifiers for p in await products.all((gone.customer_id,))] == [()]
    assert await products.holders([key(number)]) == []
    with pytest.raises(Refused) as refused:
        await products.load([kept_product(gone.customer_id, identifiers=(number,))], [], [])
    assert refused.value.reason == "ERASED"
    await products.load([kept_product(identifiers=(number,))], [], [])
