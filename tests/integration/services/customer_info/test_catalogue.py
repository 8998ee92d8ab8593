"""The catalogue through a real process, a real socket and a real MongoDB."""

import uuid

import grpc
import pytest
from holdfast.common.v1 import query_pb2, types_pb2
from holdfast.customer_info.v1 import catalogue_pb2 as pb
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2
from holdfast.customer_info.v1.catalogue_pb2_grpc import CatalogueServiceStub
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.events.v1 import events_pb2
from holdfast.events.v1.events_pb2_grpc import EventsServiceStub

from chassis.errors import reason_of
from services.customer_info.catalogue.defaults import default_families
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import (
    bad_fields,
    metadata_of,
    new_uuid,
    person,
    product,
    product_batches,
)
from tests.support.polling import eventually
from tests.support.service import Keys

Specification = pb.CharacteristicSpecification


@pytest.fixture
def catalogue(channel: grpc.aio.Channel) -> CatalogueServiceStub:
    return CatalogueServiceStub(channel)


@pytest.fixture
def admin(keys: Keys) -> Metadata:
    return keys.metadata("admin")


@pytest.fixture
async def owner(customers: CustomersServiceStub, agent: Metadata) -> str:
    request = customers_pb2.CreateCustomerRequest(customer=person())
    return str((await customers.CreateCustomer(request, metadata=agent)).customer.id)


def leased() -> pb.ProductFamily:
    """A family of a name of its own, with something of everything."""
    return pb.ProductFamily(
        name=f"leased_{uuid.uuid4().hex}",
        title="Leased line",
        line="broadband",
        characteristics=[
            Specification(
                name="speed_mbps", kind=Specification.KIND_NUMBER, unit="Mbit/s", required=True, minimum=1, maximum=1000
            ),
            Specification(name="path", kind=Specification.KIND_CHOICE, choices=["single", "diverse"]),
        ],
        identifiers=[pb.IdentifierSpecification(kind="circuit", required=True, most=1)],
    )


async def defined(catalogue: CatalogueServiceStub, admin: Metadata, family: pb.ProductFamily) -> pb.ProductFamily:
    return (await catalogue.DefineFamily(pb.DefineFamilyRequest(family=family), metadata=admin)).family


def leased_product(owner: str, family: str, **told: str) -> portfolio_pb2.Product:
    told = told or {"speed_mbps": "100"}
    return product(
        owner,
        family=family,
        characteristics=[types_pb2.Characteristic(name=n, value=v) for n, v in told.items()],
        identifiers=[portfolio_pb2.ServiceIdentifier(kind="circuit", value=new_uuid())],
    )


async def test_the_catalogue_begins_with_the_default_families(catalogue: CatalogueServiceStub, agent: Metadata) -> None:
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=7))
    query.predicates.add(field="line", values=sorted({f.line for f in default_families()}))
    seen: dict[str, pb.ProductFamily] = {}
    while True:
        answer = await catalogue.ListFamilies(pb.ListFamiliesRequest(query=query), metadata=agent)
        seen |= {f.name: f for f in answer.families}
        if not answer.page.next_page_token:
            break
        query.page.page_token = answer.page.next_page_token
    assert set(seen) >= {f.name for f in default_families()}
    assert list(seen) == sorted(seen)
    got = (await catalogue.GetFamily(pb.GetFamilyRequest(name="mobile"), metadata=agent)).family
    assert (got.line, got.open, got.status) == ("mobile", True, pb.FAMILY_STATUS_ACTIVE)
    assert got == seen["mobile"]


async def test_a_family_is_defined_read_changed_and_retired(
    catalogue: CatalogueServiceStub, admin: Metadata, agent: Metadata
) -> None:
    wish = leased()
    made = await defined(catalogue, admin, wish)
    assert (made.etag, made.status) == ("v1", pb.FAMILY_STATUS_ACTIVE)
    assert (await catalogue.GetFamily(pb.GetFamilyRequest(name=wish.name), metadata=agent)).family == made
    wish.title, wish.etag = "Leased circuit", made.etag
    changed = await defined(catalogue, admin, wish)
    assert (changed.etag, changed.title) == ("v2", "Leased circuit")
    with pytest.raises(grpc.aio.AioRpcError) as stale:
        await defined(catalogue, admin, wish)
    assert reason_of(stale.value) == "ETAG_MISMATCH"
    assert metadata_of(stale.value) == {"etag": "v2"}
    request = pb.RetireFamilyRequest(name=wish.name, etag="v2")
    retired = (await catalogue.RetireFamily(request, metadata=admin)).family
    assert (retired.etag, retired.status) == ("v3", pb.FAMILY_STATUS_RETIRED)
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await catalogue.RetireFamily(pb.RetireFamilyRequest(name="telex"), metadata=admin)
    assert (reason_of(unknown.value), metadata_of(unknown.value)) == ("NOT_FOUND", {"type": "family", "id": "telex"})


async def test_who_made_a_family_what_it_is_can_be_read_and_every_change_is_told(
    catalogue: CatalogueServiceStub, admin: Metadata, agent: Metadata, channel: grpc.aio.Channel, loader: Metadata
) -> None:
    wish = leased()
    await defined(catalogue, admin, wish)
    wish.title = "Leased circuit"
    await defined(catalogue, (*admin, ("x-holdfast-channel", "store")), wish)
    await catalogue.RetireFamily(pb.RetireFamilyRequest(name=wish.name), metadata=admin)
    asked = pb.ListFamilyVersionsRequest(name=wish.name, page=query_pb2.PageRequest(page_size=2))
    latest = await catalogue.ListFamilyVersions(asked, metadata=agent)
    asked.page.page_token = latest.page.next_page_token
    first = await catalogue.ListFamilyVersions(asked, metadata=agent)
    made = [*latest.versions, *first.versions]
    assert [(v.version, v.family.title, v.by, v.channel) for v in made] == [
        (3, "Leased circuit", "tester", ""),
        (2, "Leased circuit", "tester", "store"),
        (1, leased().title, "tester", ""),
    ]
    assert [v.family.status for v in made][:2] == [pb.FAMILY_STATUS_RETIRED, pb.FAMILY_STATUS_ACTIVE]
    assert first.page.next_page_token == ""
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await catalogue.ListFamilyVersions(pb.ListFamilyVersionsRequest(name="telex"), metadata=agent)
    assert reason_of(unknown.value) == "NOT_FOUND"
    types = [f"holdfast.customer_info.v1.{name}" for name in ("FamilyDefined", "FamilyRetired")]
    told: list[tuple[int, str]] = []
    stream = EventsServiceStub(channel).Subscribe(events_pb2.SubscribeRequest(types=types), metadata=loader, timeout=30)
    async for answer in stream:
        told += [(e.sequence, e.type.rpartition(".")[2]) for e in answer.events if e.subject == wish.name]
        if len(told) == 3:
            break
    stream.cancel()
    assert told == [(1, "FamilyDefined"), (2, "FamilyDefined"), (3, "FamilyRetired")]


async def test_bad_families_are_refused_by_field(catalogue: CatalogueServiceStub, admin: Metadata) -> None:
    for change, field in (
        (pb.ProductFamily(name="Leased Line"), "family.name"),
        (pb.ProductFamily(characteristics=[Specification(name="path")]), "family.characteristics"),
        (
            pb.ProductFamily(characteristics=[Specification(name="a", choices=["b"])]),
            "family.characteristics[2].choices",
        ),
        (pb.ProductFamily(identifiers=[pb.IdentifierSpecification(kind="ip", most=99)]), "family.identifiers[1].most"),
    ):
        wish = leased()
        wish.MergeFrom(change)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await defined(catalogue, admin, wish)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert bad_fields(refused.value) == [field]


async def test_only_who_runs_the_installation_defines_families(
    catalogue: CatalogueServiceStub, agent: Metadata
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await defined(catalogue, agent, leased())
    assert reason_of(refused.value) == "PERMISSION_DENIED"


async def test_products_are_checked_against_their_family(
    catalogue: CatalogueServiceStub, portfolio: PortfolioServiceStub, admin: Metadata, agent: Metadata, owner: str
) -> None:
    family = (await defined(catalogue, admin, leased())).name
    bare = leased_product(owner, family)
    del bare.identifiers[:]
    wrong = {
        "product.family": leased_product(owner, "telex"),
        "product.characteristics": leased_product(owner, family, path="single"),
        "product.characteristics[0].value": leased_product(owner, family, speed_mbps="1001"),
        "product.characteristics[1].name": leased_product(owner, family, speed_mbps="10", colour="red"),
        "product.identifiers": bare,
    }
    for field, wish in wrong.items():
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await portfolio.AddProduct(portfolio_pb2.AddProductRequest(product=wish), metadata=agent)
        assert bad_fields(refused.value) == [field]
    rows = [*wrong.values(), leased_product(owner, family)]
    for row in rows:
        row.id = new_uuid()
    summary = (await portfolio.ImportProducts(product_batches(rows, 500), metadata=admin)).summary
    assert [e.field for e in summary.errors] == [field.removeprefix("product.") for field in wrong]
    assert summary.created == 1


async def test_an_unknown_family_is_refused_with_those_that_there_are(
    portfolio: PortfolioServiceStub, agent: Metadata, owner: str
) -> None:
    request = portfolio_pb2.AddProductRequest(product=product(owner, family="telex"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await portfolio.AddProduct(request, metadata=agent)
    assert bad_fields(refused.value) == ["product.family"]
    assert "fixed_mobile_convergence" in str(refused.value.details())


async def test_a_retired_family_takes_no_new_products_and_keeps_those_it_has(
    catalogue: CatalogueServiceStub,
    portfolio: PortfolioServiceStub,
    admin: Metadata,
    agent: Metadata,
    owner: str,
) -> None:
    family = (await defined(catalogue, admin, leased())).name
    request = portfolio_pb2.AddProductRequest(product=leased_product(owner, family))
    made = (await portfolio.AddProduct(request, metadata=agent)).product
    await catalogue.RetireFamily(pb.RetireFamilyRequest(name=family), metadata=admin)

    async def refused() -> bool:
        wish = portfolio_pb2.AddProductRequest(product=leased_product(owner, family))
        try:
            await portfolio.AddProduct(wish, metadata=agent)
        except grpc.aio.AioRpcError as error:
            return bad_fields(error) == ["product.family"]
        return False

    await eventually(refused)
    change = portfolio_pb2.Product(id=made.id, name="Leased line, renamed")
    after = await portfolio.UpdateProduct(portfolio_pb2.UpdateProductRequest(product=change), metadata=agent)
    assert after.product.name == "Leased line, renamed"
