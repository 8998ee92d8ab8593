"""Records of several kinds that have one id: callers choose ids, and a migration may have made them from one number."""

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import (
    catalogue_pb2,
    customers_pb2,
    hierarchy_pb2,
    history_pb2,
    portfolio_pb2,
    responsibilities_pb2,
)
from holdfast.customer_info.v1.catalogue_pb2_grpc import CatalogueServiceStub
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.history_pb2_grpc import HistoryServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.customer_info.v1.responsibilities_pb2_grpc import ResponsibilitiesServiceStub

from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import new_uuid, person, product
from tests.support.service import Keys


async def test_each_has_its_own_versions(channel: grpc.aio.Channel, agent: Metadata) -> None:
    customers, portfolio = CustomersServiceStub(channel), PortfolioServiceStub(channel)
    trees, history = HierarchyServiceStub(channel), HistoryServiceStub(channel)
    same = new_uuid()
    create = customers_pb2.CreateCustomerRequest(customer=person(id=same, language="de"))
    made = (await customers.CreateCustomer(create, metadata=agent)).customer
    await portfolio.AddProduct(portfolio_pb2.AddProductRequest(product=product(same, id=same)), metadata=agent)
    tree = hierarchy_pb2.Tree(id=same, customer_id=same, name="Sites", view=hierarchy_pb2.TREE_VIEW_CUSTOMER)
    await trees.CreateTree(hierarchy_pb2.CreateTreeRequest(tree=tree), metadata=agent)
    for n in range(2):
        customer = customers_pb2.Customer(id=same, language="fr" if n else "it")
        await customers.UpdateCustomer(customers_pb2.UpdateCustomerRequest(customer=customer), metadata=agent)
        renamed = portfolio_pb2.Product(id=same, customer_id=same, name=f"Line {n}")
        await portfolio.UpdateProduct(portfolio_pb2.UpdateProductRequest(product=renamed), metadata=agent)
        wish = hierarchy_pb2.Tree(id=same, customer_id=same, name=f"Sites {n}")
        await trees.UpdateTree(hierarchy_pb2.UpdateTreeRequest(tree=wish), metadata=agent)
    as_of = customers_pb2.GetCustomerRequest(customer_id=same, as_of=made.update_time)
    assert (await customers.GetCustomer(as_of, metadata=agent)).customer == made
    found, token = [], ""
    while True:
        page = query_pb2.PageRequest(page_size=1, page_token=token)
        listed = history_pb2.ListChangesRequest(customer_id=same, page=page)
        answer = await history.ListChanges(listed, metadata=agent)
        found += [(c.kind, c.version, {f.name for f in c.fields}) for c in answer.changes]
        token = answer.page.next_page_token
        if not token:
            break
    told = [("tree", {"name"}), ("product", {"name"}), ("customer", {"language"})]
    assert found[:6] == [(kind, version, names) for version in (3, 2) for kind, names in told]
    assert [f[:2] for f in found[6:]] == [("tree", 1), ("product", 1), ("customer", 1)]
    for kind in ("tree", "product"):
        record = history_pb2.GetRecordRequest(customer_id=same, kind=kind, record_id=same, as_of=made.update_time)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await history.GetRecord(record, metadata=agent)
        assert error.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_family_and_a_responsibility_of_one_name_are_changed_apart(
    channel: grpc.aio.Channel, keys: Keys
) -> None:
    admin = keys.metadata("admin")
    catalogue, duties = CatalogueServiceStub(channel), ResponsibilitiesServiceStub(channel)
    name = f"n{new_uuid().replace('-', '_')}"
    for n in range(3):
        family = catalogue_pb2.ProductFamily(name=name, title=f"Title {n}", line="data")
        await catalogue.DefineFamily(catalogue_pb2.DefineFamilyRequest(family=family), metadata=admin)
        duty = responsibilities_pb2.Responsibility(name=name, description=f"Says {n}.")
        define = responsibilities_pb2.DefineResponsibilityRequest(responsibility=duty)
        await duties.DefineResponsibility(define, metadata=admin)
    listed = catalogue_pb2.ListFamilyVersionsRequest(name=name)
    versions = (await catalogue.ListFamilyVersions(listed, metadata=admin)).versions
    assert [v.family.title for v in versions] == ["Title 2", "Title 1", "Title 0"]
