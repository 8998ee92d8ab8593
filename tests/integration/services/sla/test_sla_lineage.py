"""SLA follows merges and un-merges of customer information, and shows all it holds; on a real store."""

import uuid
from collections.abc import AsyncIterator, Callable

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.sla.v1 import agreements_pb2, clocks_pb2, measurements_pb2, privacy_pb2

from chassis.times import now
from tests.integration.services.sla.interaction import FakeInteraction, event_of
from tests.integration.services.sla.running import Sla, live
from tests.support.event_source import erased, merged, parted
from tests.support.polling import eventually
from tests.support.service import Keys
from tests.unit.services.sla.builders import agreement


@pytest.fixture(scope="module")
async def sla(
    mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sla]:
    interaction = FakeInteraction()
    await interaction.start()
    made = Sla(mongo_uri("sla"), keys, tmp_path_factory.mktemp("sla"), interaction)
    await made.customer_info.start()
    await made.add_replica()
    await put(made, agreement())
    yield made
    await made.close()
    await made.customer_info.stop()
    await interaction.stop()


async def put(sla: Sla, wish: agreements_pb2.Agreement) -> None:
    request = agreements_pb2.PutAgreementRequest(agreement=wish)
    await sla.agreements.PutAgreement(request, metadata=sla.as_role("supervisor"))


async def running(sla: Sla, customer_id: str) -> list[set[str]]:
    """The tickets of a customer's running clocks, as the summary and as the list have it."""
    agent = sla.as_role("agent")
    summary = await sla.clocks.GetCustomerSla(clocks_pb2.GetCustomerSlaRequest(customer_id=customer_id), metadata=agent)
    query = query_pb2.Query(predicates=[query_pb2.Predicate(field="customer_id", values=[customer_id])])
    listed = await sla.clocks.ListClocks(clocks_pb2.ListClocksRequest(query=query), metadata=agent)
    return [{c.ticket_id for c in summary.running}, {c.ticket_id for c in listed.clocks}]


async def outage(sla: Sla, customer_id: str) -> str:
    row = measurements_pb2.Outage(id=str(uuid.uuid4()), customer_id=customer_id, product_id=str(uuid.uuid4()))
    row.period.start.FromDatetime(now())
    await sla.measurements.RecordOutages(
        iter([measurements_pb2.RecordOutagesRequest(outages=[row])]), metadata=sla.as_role("service")
    )
    return row.product_id


async def products_out(sla: Sla, customer_id: str) -> set[str]:
    request = measurements_pb2.GetAvailabilityRequest(customer_id=customer_id)
    answer = await sla.measurements.GetAvailability(request, metadata=sla.as_role("agent"))
    return {one.product_id for one in answer.products}


async def export(sla: Sla, customer_id: str, metadata: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    """The ids of what is exported, by kind."""
    found: dict[str, list[str]] = {}
    request = privacy_pb2.ExportCustomerRequest(customer_id=customer_id)
    async for part in sla.privacy.ExportCustomer(request, metadata=metadata):
        found.setdefault(part.kind, []).extend(str(record["id"]) for record in part.records)
    return found


async def test_merged_customers_share_clocks_agreements_and_outages_until_they_are_parted(sla: Sla) -> None:
    ann, duplicate = str(uuid.uuid4()), str(uuid.uuid4())
    name = f"own-{ann[:8]}"
    await put(sla, agreement(name, duplicate))
    hers, others = live(customer_id=ann), live(customer_id=duplicate)
    await sla.interaction.tell(event_of(hers), event_of(others))
    out = [await outage(sla, who) for who in (ann, duplicate)]
    sla.customer_info.tell(merged(ann, duplicate))

    async def shared() -> bool:
        return await running(sla, ann) == [{hers.id, others.id}] * 2

    await eventually(shared, "the clocks of both")
    assert await running(sla, duplicate) == [{hers.id, others.id}] * 2
    assert await products_out(sla, ann) == await products_out(sla, duplicate) == set(out)
    request = clocks_pb2.GetCustomerSlaRequest(customer_id=ann)
    assert (await sla.clocks.GetCustomerSla(request, metadata=sla.as_role("agent"))).agreement_id == name
    query = query_pb2.Query(predicates=[query_pb2.Predicate(field="customer_id", values=[ann])])
    agreed = await sla.agreements.ListAgreements(
        agreements_pb2.ListAgreementsRequest(query=query), metadata=sla.as_role("agent")
    )
    assert [a.id for a in agreed.agreements] == [name]
    exported = await export(sla, ann, sla.as_role("customer", customer_id=ann))
    assert {kind: len(ids) for kind, ids in exported.items()} == {"clocks": 4, "agreements": 1, "outages": 2}
    # An erasure finds nothing personal here.
    sla.customer_info.tell(erased(ann, duplicate), parted([ann], [duplicate]))

    async def apart() -> bool:
        return await running(sla, ann) == [{hers.id}] * 2

    await eventually(apart, "the clocks of one")
    assert await running(sla, duplicate) == [{others.id}] * 2
    assert (await products_out(sla, ann), await products_out(sla, duplicate)) == ({out[0]}, {out[1]})
    alone = await export(sla, ann, sla.as_role("supervisor"))
    assert {kind: len(ids) for kind, ids in alone.items()} == {"clocks": 2, "agreements": 0, "outages": 1}


async def test_an_export_is_for_whom_it_concerns(sla: Sla) -> None:
    for metadata in (sla.as_role("agent"), sla.as_role("customer", customer_id=str(uuid.uuid4()))):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await export(sla, str(uuid.uuid4()), metadata)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
