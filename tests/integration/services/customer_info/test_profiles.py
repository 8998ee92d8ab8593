"""Profiles and the personalised view through a real process, beside services that repeat themselves or are silent."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from holdfast.customer_info.v1 import customers_pb2, merges_pb2, privacy_pb2
from holdfast.customer_info.v1 import profiles_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.customer_info.v1.profiles_pb2_grpc import ProfilesServiceStub
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2

from chassis.errors import reason_of
from chassis.mongo.client import Store
from services.customer_info.profiles import wire
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import bad_fields, metadata_of, new_uuid, person
from tests.support.event_source import EventSource, event
from tests.support.polling import eventually
from tests.support.service import Keys, Process, serving
from tests.unit.services.customer_info import profile_builders as build
from tests.unit.services.customer_info.builders import NOON, later

FRESH, MISSING = pb.ViewSection.FRESHNESS_FRESH, pb.ViewSection.FRESHNESS_MISSING
Sections = dict[str, pb.ViewSection]


@dataclasses.dataclass
class Mesh:
    """Customer information, and those it listens to; `sla` never answers."""

    process: Process
    interaction: EventSource
    retention: EventSource


@pytest.fixture(scope="module")
async def mesh(
    mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mesh]:
    interaction, retention, silent = EventSource(rude=True), EventSource(), EventSource()
    await interaction.start()
    await retention.start()
    settings = {
        "customer_info_mongo_uri": mongo_uri("customer_info"),
        "customer_info_keys_mongo_uri": mongo_uri("customer_info_keys"),
        "interaction_target": interaction.address,
        "retention_target": retention.address,
        "sla_target": silent.address,
    }
    folder: Path = tmp_path_factory.mktemp("profiles")
    with serving("services.customer_info", keys, folder, **settings) as process:
        yield Mesh(process, interaction, retention)
    await interaction.stop()
    await retention.stop()


@pytest.fixture
async def channel(mesh: Mesh) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(mesh.process.address) as open_channel:
        yield open_channel


@pytest.fixture
def profiles(channel: grpc.aio.Channel) -> ProfilesServiceStub:
    return ProfilesServiceStub(channel)


@pytest.fixture
async def ada(channel: grpc.aio.Channel, agent: Metadata) -> str:
    return await created(channel, agent)


async def created(channel: grpc.aio.Channel, agent: Metadata) -> str:
    request = customers_pb2.CreateCustomerRequest(customer=person(language="de"))
    return (await CustomersServiceStub(channel).CreateCustomer(request, metadata=agent)).customer.id


async def read(profiles: ProfilesServiceStub, metadata: Metadata, customer_id: str) -> pb.Profile:
    return (await profiles.GetProfile(pb.GetProfileRequest(customer_id=customer_id), metadata=metadata)).profile


async def update(profiles: ProfilesServiceStub, metadata: Metadata, profile: pb.Profile, *paths: str) -> pb.Profile:
    request = pb.UpdateProfileRequest(profile=profile, update_mask=FieldMask(paths=paths))
    return (await profiles.UpdateProfile(request, metadata=metadata)).profile


async def viewed(
    profiles: ProfilesServiceStub, metadata: Metadata, customer_id: str
) -> tuple[pb.GetPersonalisedViewResponse, Sections]:
    request = pb.GetPersonalisedViewRequest(customer_id=customer_id)
    view = await profiles.GetPersonalisedView(request, metadata=metadata)
    return view, {s.name: s for s in view.sections}


def facts(section: pb.ViewSection) -> dict[str, object]:
    return {f.name: getattr(f, str(f.WhichOneof("value"))) for f in section.facts}


def full(customer_id: str) -> pb.Profile:
    message = wire.message(build.full_profile(customer_id))
    message.etag = ""
    return message


def mondays(start: str, end: str, time_zone: str = "UTC") -> pb.Profile:
    """A profile with a window on Mondays."""
    hours = pb.ContactHours(days=[pb.CONTACT_DAY_MONDAY], start=start, end=end)
    return pb.Profile(contact_window=pb.ContactWindow(time_zone=time_zone, hours=[hours]))


async def test_a_profile_is_made_by_its_first_change_and_read_back(
    profiles: ProfilesServiceStub, agent: Metadata, ada: str
) -> None:
    empty = await read(profiles, agent, ada)
    assert empty == pb.Profile(customer_id=ada, etag="v0")
    made = await update(profiles, agent, full(ada))
    assert await read(profiles, agent, ada) == made
    assert made.interests == full(ada).interests
    assert made.contact_window == full(ada).contact_window
    after = await update(profiles, agent, pb.Profile(customer_id=ada, etag=made.etag), "contact_window", "language")
    assert not after.HasField("contact_window")
    assert (after.language, after.channels) == ("", made.channels)


async def test_a_change_with_an_old_etag_is_aborted(profiles: ProfilesServiceStub, agent: Metadata, ada: str) -> None:
    made = await update(profiles, agent, full(ada))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await update(profiles, agent, pb.Profile(customer_id=ada, etag="v0", language="fr"))
    assert refused.value.code() is grpc.StatusCode.ABORTED
    assert metadata_of(refused.value) == {"etag": made.etag}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (pb.Profile(language="not a language"), "profile.language"),
        (pb.Profile(interests=[pb.Interest(tag="a", source=pb.Interest.SOURCE_STATED)]), "profile.interests[0].weight"),
        (pb.Profile(newsletter_topics=["Plenty of space"]), "profile.newsletter_topics[0]"),
        (pb.Profile(channels=[pb.ChannelPreference(purpose="a")]), "profile.channels[0].channels"),
        (mondays("09:00", "17:00", "Mars/Base"), "profile.contact_window.time_zone"),
        (mondays("9", "17:00"), "profile.contact_window.hours[0].start"),
        (mondays("17:00", "09:00"), "profile.contact_window.hours[0].end"),
    ],
)
async def test_a_bad_field_is_named_and_changes_nothing(
    profiles: ProfilesServiceStub, agent: Metadata, ada: str, change: pb.Profile, field: str
) -> None:
    wish = pb.Profile(customer_id=ada)
    wish.MergeFrom(change)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await update(profiles, agent, wish)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(refused.value) == [field]
    assert (await read(profiles, agent, ada)).etag == "v0"


async def test_a_customer_sees_and_changes_its_own_profile_but_not_what_is_thought_of_it(
    profiles: ProfilesServiceStub, keys: Keys, ada: str
) -> None:
    own = keys.metadata("customer", customer_id=ada)
    made = await update(profiles, own, pb.Profile(customer_id=ada, language="fr"))
    assert await read(profiles, own, ada) == made
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await update(profiles, own, pb.Profile(customer_id=new_uuid(), language="fr"))
    assert reason_of(refused.value) == "NOT_OWN_CUSTOMER"
    with pytest.raises(grpc.aio.AioRpcError) as hidden:
        await viewed(profiles, own, ada)
    assert reason_of(hidden.value) == "PERMISSION_DENIED"


def tell(source: EventSource, *data: Message, customer_id: str) -> None:
    source.tell(*(event(one, customer_id, new_uuid()) for one in data))


async def test_the_view_adds_up_what_was_told_once_each_and_does_without_who_is_silent(
    mesh: Mesh, profiles: ProfilesServiceStub, agent: Metadata, ada: str
) -> None:
    view, sections = await viewed(profiles, agent, ada)
    assert list(sections) == ["contacts", "tickets", "promises", "risk", "value", "loyalty"]
    assert {s.freshness for s in sections.values()} == {MISSING}
    assert (view.language, view.HasField("within_contact_window")) == ("de", False)

    await update(profiles, agent, full(ada))
    call, web = interactions_pb2.CHANNEL_CALL, interactions_pb2.CHANNEL_WEB
    contacts = [build.contact(ada, web if n == 59 else call, later(n)) for n in range(60)]
    tell(mesh.interaction, *contacts, customer_id=ada)
    tell(
        mesh.interaction, build.ticket(ada, "t1"), build.ticket(ada, "t2", tickets_pb2.TICKET_STATE_CLOSED),
        customer_id=ada,
    )  # fmt: skip
    tell(mesh.retention, build.worth(ada), customer_id=ada)

    async def complete() -> bool:
        _, found = await viewed(profiles, agent, ada)
        return all(found[name].freshness != MISSING for name in ("contacts", "tickets", "risk", "value")) and (
            facts(found["contacts"])["count"] == 60
        )

    await eventually(complete, "what was told")
    view, sections = await viewed(profiles, agent, ada)
    found = facts(sections["contacts"])
    assert (found["count"], found["most_used_channel"], found["last_channel"]) == (60, "call", "web")
    assert facts(sections["tickets"])["open"] == 1
    assert facts(sections["risk"])["band"] == "high"
    assert facts(sections["value"])["tier"] == "gold"
    assert sections["promises"].freshness == sections["loyalty"].freshness == MISSING
    assert (sections["promises"].service, sections["loyalty"].service) == ("sla", "")
    assert not sections["promises"].HasField("heard_time")
    assert sections["contacts"].HasField("told_time")
    assert view.language == "de-CH"
    assert view.HasField("within_contact_window")
    tell(mesh.interaction, build.contact(ada), customer_id=ada)

    async def heard_just_now() -> bool:
        _, found = await viewed(profiles, agent, ada)
        return facts(found["contacts"])["count"] == 61 and found["contacts"].freshness == FRESH

    await eventually(heard_just_now, "one more contact")


async def test_the_facts_of_merged_records_are_shown_together_and_parted_again(
    mesh: Mesh, channel: grpc.aio.Channel, profiles: ProfilesServiceStub, keys: Keys, ada: str
) -> None:
    agent = keys.metadata("supervisor")
    eve = await created(channel, agent)
    hers = await update(profiles, agent, full(eve))
    for customer_id, times in ((ada, 2), (eve, 3)):
        tell(mesh.interaction, *[build.contact(customer_id)] * times, customer_id=customer_id)

    async def count(customer_id: str) -> object:
        _, sections = await viewed(profiles, agent, customer_id)
        return facts(sections["contacts"]).get("count")

    async def arrived() -> bool:
        return (await count(ada), await count(eve)) == (2, 3)

    await eventually(arrived, "what was told")
    merges = MergesServiceStub(channel)
    await merges.Merge(merges_pb2.MergeRequest(survivor_id=ada, duplicate_id=eve), metadata=agent)
    assert (await count(ada), await count(eve)) == (5, 5)
    merged = await read(profiles, agent, eve)
    assert (merged.customer_id, merged.etag, merged.interests) == (ada, "v0", hers.interests)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await update(profiles, agent, pb.Profile(customer_id=eve, language="fr"))
    assert reason_of(refused.value) == "MERGED"
    changed = await update(profiles, agent, pb.Profile(customer_id=ada, language="fr"))
    assert (changed.language, changed.interests) == ("fr", hers.interests)
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=eve), metadata=agent)
    assert (await count(ada), await count(eve)) == (2, 3)
    assert await read(profiles, agent, eve) == hers
    mine = await read(profiles, agent, ada)
    assert (mine.etag, mine.language, list(mine.interests), list(mine.accessibility_needs)) == ("v1", "fr", [], [])


async def test_an_erased_person_has_no_profile_and_no_facts_whatever_is_still_told(
    mesh: Mesh, channel: grpc.aio.Channel, profiles: ProfilesServiceStub, keys: Keys, store: Store
) -> None:
    agent = keys.metadata("admin")
    gone, other = await created(channel, agent), await created(channel, agent)
    await update(profiles, agent, full(gone))
    tell(mesh.interaction, build.contact(gone), customer_id=gone)

    async def heard(customer_id: str) -> bool:
        return bool((await viewed(profiles, agent, customer_id))[1]["contacts"].facts)

    await eventually(lambda: heard(gone), "the contact")
    erase = privacy_pb2.EraseCustomerRequest(customer_id=gone, reason="request of the data subject")
    await PrivacyServiceStub(channel).EraseCustomer(erase, metadata=agent)
    tell(mesh.interaction, build.contact(gone), build.contact(other, at=NOON), customer_id=gone)
    await eventually(lambda: heard(other), "the contact after it")
    view, sections = await viewed(profiles, agent, gone)
    assert {s.freshness for s in sections.values()} == {MISSING}
    assert view.profile == pb.Profile(customer_id=gone, etag="v0")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await update(profiles, agent, full(gone))
    assert reason_of(refused.value) == "ERASED"
    (left,) = [d async for d in store.collection("profiles").find({"customer_id": gone})]
    assert not {"sealed", "language", "channels"} & left.keys()


async def test_of_many_changes_at_once_with_etags_none_is_lost(
    profiles: ProfilesServiceStub, agent: Metadata, ada: str
) -> None:
    async def add(tag: str) -> None:
        """Adds one topic to those there are, as often as it takes."""
        while True:
            wish = await read(profiles, agent, ada)
            wish.newsletter_topics.append(tag)
            try:
                await update(profiles, agent, wish, "newsletter_topics")
            except grpc.aio.AioRpcError as refused:
                if refused.code() is not grpc.StatusCode.ABORTED:
                    raise
            else:
                return

    tags = {f"t{n}" for n in range(16)}
    await asyncio.gather(*(add(tag) for tag in tags))
    after = await read(profiles, agent, ada)
    assert (set(after.newsletter_topics), after.etag) == (tags, "v16")
