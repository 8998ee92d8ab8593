"""Profiles read and changed, facts told and shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from holdfast.customer_info.v1 import profiles_pb2 as pb
from hypothesis import given

from chassis.rules import Conflict, Invalid, NotFound, Refused
from services.customer_info.customers.rules import Customer
from services.customer_info.profiles import wire
from services.customer_info.profiles.facts import SECTIONS
from services.customer_info.profiles.rules import UPDATABLE, Profile
from services.customer_info.profiles.usecases import ProfileUseCases
from services.customer_info.profiles.view_rules import Freshness
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.profiles import FakeProfiles
from tests.unit.services.customer_info import profile_builders as build
from tests.unit.services.customer_info.builders import NOON, later, person

EVERYTHING = frozenset(UPDATABLE)


@dataclass
class Groups:
    """Which ids are one customer."""

    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def of(self, customer_id: str) -> tuple[str, ...]:
        return self.groups.get(customer_id, (customer_id,))

    async def read(self, transaction: object, customer_id: str) -> tuple[str, ...]:
        return await self.of(customer_id)


@dataclass
class Heard:
    """An event as a listener hands it over."""

    data: Message
    sequence: int = 1
    time: datetime = NOON
    customer_id: str = ""


class World:
    """Some customers, their profiles, and what is told of them."""

    def __init__(self, *customers: Customer) -> None:
        self.customers = FakeCustomers(*customers)
        self.profiles = FakeProfiles()
        self.lineage = Groups()
        self.usecases = ProfileUseCases(self.profiles, self.customers, self.lineage)

    def merge(self, survivor: Customer, duplicate: Customer) -> None:
        self.customers.kept[duplicate.id] = replace(duplicate, merged_into=survivor.id)
        ids = (survivor.id, duplicate.id)
        self.lineage.groups = dict.fromkeys(ids, ids)

    async def tell(self, *events: Message, time: datetime = NOON) -> None:
        heard = [Heard(event, time=time) for event in events]
        await self.profiles.transact(lambda transaction: self.usecases.apply(heard, transaction))


@pytest.fixture
def ada() -> Customer:
    return person(language="de")


@pytest.fixture
def world(ada: Customer) -> World:
    return World(ada)


async def test_who_told_nothing_has_an_empty_profile_that_can_be_changed(world: World, ada: Customer) -> None:
    empty = await world.usecases.get(ada.id)
    assert empty == Profile(ada.id)
    made = await world.usecases.update(Profile(ada.id, language="fr"), frozenset({"language"}), "v0")
    assert await world.usecases.get(ada.id) == made
    assert (made.version, made.language) == (1, "fr")
    assert world.customers.held == [ada.id]


async def test_a_change_is_told_of_without_what_it_says(world: World, ada: Customer) -> None:
    made = await world.usecases.update(build.full_profile(ada.id), EVERYTHING, "")
    await world.usecases.update(Profile(ada.id), frozenset({"interests"}), "")
    first, second = world.profiles.events
    assert (first.subject, first.sequence, first.customer_id) == (made.id, 1, ada.id)
    assert second.data == pb.ProfileUpdated(customer_id=ada.id, changed_fields=["interests"])
    assert "football" not in str(first.data)


async def test_a_change_that_changes_nothing_makes_no_version(world: World, ada: Customer) -> None:
    made = await world.usecases.update(build.full_profile(ada.id), EVERYTHING, "")
    assert await world.usecases.update(made, EVERYTHING, "v1") == made
    assert len(world.profiles.events) == 1


async def test_a_change_with_an_old_etag_is_refused(world: World, ada: Customer) -> None:
    await world.usecases.update(build.full_profile(ada.id), EVERYTHING, "")
    with pytest.raises(Conflict) as refused:
        await world.usecases.update(Profile(ada.id), EVERYTHING, "v0")
    assert refused.value.metadata == {"etag": "v1"}


async def test_nobody_has_no_profile(world: World) -> None:
    with pytest.raises(NotFound):
        await world.usecases.get("ghost")
    with pytest.raises(NotFound):
        await world.usecases.update(Profile("ghost", language="de"), EVERYTHING, "")
    with pytest.raises(NotFound):
        await world.usecases.view("ghost")


async def test_the_profile_of_a_record_that_was_merged_or_erased_is_not_changed(world: World, ada: Customer) -> None:
    eve = person()
    world.customers.kept[eve.id] = eve
    world.merge(ada, eve)
    gone = person(erase_time=later())
    world.customers.kept[gone.id] = gone
    for customer, reason in ((eve, "MERGED"), (gone, "ERASED")):
        with pytest.raises(Refused) as refused:
            await world.usecases.update(Profile(customer.id, language="de"), EVERYTHING, "")
        assert refused.value.reason == reason


async def test_a_merged_customer_has_one_profile_under_each_of_its_ids_and_parts_with_its_own(ada: Customer) -> None:
    eve = person()
    world = World(ada, eve)
    hers = await world.usecases.update(build.full_profile(eve.id), EVERYTHING, "")
    world.merge(ada, eve)
    for customer_id in (ada.id, eve.id):
        found = await world.usecases.get(customer_id)
        assert (found.customer_id, found.version, found.interests) == (ada.id, 0, hers.interests)
    mine = await world.usecases.update(Profile(ada.id, language="fr"), frozenset({"language"}), "v0")
    assert (mine.version, mine.language, mine.interests) == (1, "fr", hers.interests)
    assert await world.usecases.get(eve.id) == mine
    world.lineage.groups = {}
    assert await world.usecases.get(eve.id) == hers
    parted = await world.usecases.get(ada.id)
    assert parted == Profile(
        ada.id, language="fr", id=mine.id, version=1, create_time=mine.create_time, update_time=mine.update_time
    )


async def test_the_view_shows_every_section_missing_until_something_is_told(world: World, ada: Customer) -> None:
    view = await world.usecases.view(ada.id)
    assert [s.name for s in view.sections] == ["contacts", "tickets", "promises", "risk", "value", "loyalty"]
    assert {s.freshness for s in view.sections} == {Freshness.MISSING}
    assert (view.language, view.within_contact_window) == ("de", None)


async def test_the_view_shows_the_profile_beside_what_was_told(world: World, ada: Customer) -> None:
    await world.usecases.update(build.full_profile(ada.id), EVERYTHING, "")
    await world.tell(build.contact(ada.id), build.contact(ada.id), build.ticket(ada.id, "t"), build.worth(ada.id))
    await world.tell(build.contact(ada.id), time=later())
    view = await world.usecases.view(ada.id)
    by_name = {s.name: s for s in view.sections}
    assert by_name["contacts"].facts["count"] == 3
    assert by_name["contacts"].told_time == later()
    assert by_name["tickets"].facts == {"open": 1, "oldest_open_time": NOON}
    assert by_name["value"].facts["tier"] == "gold"
    assert by_name["promises"].freshness is by_name["loyalty"].freshness is Freshness.MISSING
    assert view.language == "de-CH"
    assert view.within_contact_window is not None


async def test_a_service_that_is_silent_leaves_its_sections_stale_and_no_other(world: World, ada: Customer) -> None:
    await world.tell(build.contact(ada.id), build.breach(ada.id))
    moment = datetime.now(NOON.tzinfo)
    world.profiles.heard_times = {"interaction": moment, "sla": moment - timedelta(hours=1)}
    found = {s.name: s.freshness for s in (await world.usecases.view(ada.id)).sections}
    assert found["contacts"] is Freshness.FRESH
    assert found["promises"] is Freshness.STALE


async def test_facts_are_kept_under_the_id_they_were_told_of_and_shown_together(ada: Customer) -> None:
    eve = person()
    world = World(ada, eve)
    await world.tell(build.breach(ada.id), build.breach(eve.id, later()))
    world.merge(ada, eve)

    async def broken(customer_id: str) -> Sequence[object]:
        view = await world.usecases.view(customer_id)
        return [s.facts.get("broken") for s in view.sections if s.name == "promises"]

    assert await broken(eve.id) == await broken(ada.id) == [2]
    world.lineage.groups = {}
    assert await broken(ada.id) == [1]


async def test_what_is_told_of_an_erased_person_stays_forgotten(world: World, ada: Customer) -> None:
    await world.usecases.update(build.full_profile(ada.id), EVERYTHING, "")
    await world.tell(build.contact(ada.id))
    await world.profiles.transact(lambda t: world.profiles.forget(t, [ada.id]))
    world.customers.kept[ada.id] = replace(ada, erase_time=later())
    await world.tell(build.contact(ada.id), build.worth(ada.id))
    view = await world.usecases.view(ada.id)
    assert {s.freshness for s in view.sections} == {Freshness.MISSING}
    assert await world.usecases.get(ada.id) == Profile(ada.id)


@given(build.profiles)
def test_a_profile_goes_out_and_comes_back_as_it_was(profile: Profile) -> None:
    message = wire.message(profile)
    assert wire.profile(pb.Profile.FromString(message.SerializeToString())) == profile


def test_an_update_is_about_the_fields_of_its_mask_or_those_that_are_set() -> None:
    message = wire.message(build.full_profile(newsletter_topics=()))
    assert wire.names(FieldMask(), message) == EVERYTHING - {"newsletter_topics"}
    assert wire.names(FieldMask(paths=["newsletter_topics"]), message) == {"newsletter_topics"}
    with pytest.raises(Invalid) as refused:
        wire.names(FieldMask(paths=["etag"]), message)
    assert refused.value.reason == "INVALID_UPDATE_MASK"


async def test_a_view_goes_out_with_every_sort_of_fact(world: World, ada: Customer) -> None:
    await world.tell(build.contact(ada.id), build.worth(ada.id))
    message = wire.view_message(await world.usecases.view(ada.id))
    values = {(s.name, f.name): f.WhichOneof("value") for s in message.sections for f in s.facts}
    assert values["contacts", "count"] == "count"
    assert values["contacts", "last_time"] == "time"
    assert values["contacts", "last_channel"] == "word"
    assert values["risk", "probability"] == "number"
    assert values["value", "lifetime_value"] == "amount"
    assert [s.service for s in message.sections] == [s.service for s in SECTIONS]
    assert not message.HasField("within_contact_window")
