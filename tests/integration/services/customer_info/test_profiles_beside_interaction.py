"""The personalised view beside the real interaction service: what is logged there is seen here."""

from collections.abc import AsyncIterator, Callable, Iterator

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2, profiles_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.profiles_pb2_grpc import ProfilesServiceStub
from holdfast.interaction.v1 import interactions_pb2
from holdfast.interaction.v1.interactions_pb2_grpc import InteractionsServiceStub

from chassis.times import from_timestamp
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import person
from tests.support.polling import eventually
from tests.support.service import Keys, Process, free_port, serving

Pair = tuple[Process, Process]


@pytest.fixture(scope="module")
def pair(mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    nobody = f"127.0.0.1:{free_port()}"
    others = {"customer_info_target": nobody, "retention_target": nobody, "sla_target": nobody}
    uri = mongo_uri("interaction")
    with serving("services.interaction", keys, folder, interaction_mongo_uri=uri, **others) as interaction:
        settings = {
            "customer_info_mongo_uri": mongo_uri("customer_info"),
            "customer_info_keys_mongo_uri": mongo_uri("customer_info_keys"),
            **others,
            "interaction_target": interaction.address,
        }
        with serving("services.customer_info", keys, folder, **settings) as customer_info:
            yield customer_info, interaction


@pytest.fixture
async def channels(pair: Pair) -> AsyncIterator[tuple[grpc.aio.Channel, grpc.aio.Channel]]:
    customer_info, interaction = pair
    here, there = (grpc.aio.insecure_channel(process.address) for process in (customer_info, interaction))
    async with here, there:
        yield here, there


async def test_a_contact_that_is_logged_is_in_the_view_and_a_quiet_service_is_still_heard_from(
    channels: tuple[grpc.aio.Channel, grpc.aio.Channel], agent: Metadata
) -> None:
    here, there = channels
    create = customers_pb2.CreateCustomerRequest(customer=person())
    ada = (await CustomersServiceStub(here).CreateCustomer(create, metadata=agent)).customer.id
    entry = interactions_pb2.Interaction(
        customer_id=ada, channel=interactions_pb2.CHANNEL_CHAT, direction=interactions_pb2.DIRECTION_INBOUND
    )
    log = interactions_pb2.LogInteractionRequest(interaction=entry)
    await InteractionsServiceStub(there).LogInteraction(log, metadata=agent)

    async def contacts() -> profiles_pb2.ViewSection:
        request = profiles_pb2.GetPersonalisedViewRequest(customer_id=ada)
        view = await ProfilesServiceStub(here).GetPersonalisedView(request, metadata=agent)
        return view.sections[0]

    async def told() -> bool:
        return (await contacts()).freshness == profiles_pb2.ViewSection.FRESHNESS_FRESH

    await eventually(told, "the contact")
    seen = await contacts()
    assert {f.name: f.word for f in seen.facts if f.WhichOneof("value") == "word"} == {
        "last_channel": "chat",
        "most_used_channel": "chat",
    }

    async def heard_again() -> bool:
        return from_timestamp((await contacts()).heard_time) > from_timestamp(seen.heard_time)

    await eventually(heard_again, "a sign of the service without any news")
    assert (await contacts()).told_time == seen.told_time
