"""The contract of the store of profiles: the fake and the real one keep the same promises."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import bson
import pytest
from hypothesis import given, settings

from chassis.events.listener import POSITIONS
from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.rules import Conflict, Refused
from chassis.times import now
from chassis.vault.vault import Vault
from services.customer_info.customers.store import CustomerStore
from services.customer_info.customers.usecases import created_event
from services.customer_info.history.store import History
from services.customer_info.profiles.fact_rules import Last, Sum, Tally, Thing, Things
from services.customer_info.profiles.facts import SECTIONS
from services.customer_info.profiles.rules import Interest, Profile, Source
from services.customer_info.profiles.store import PROFILES, ProfileStore
from services.customer_info.profiles.usecases import Profiles, ProfileUseCases, updated_event
from services.customer_info.profiles.view_rules import Told
from tests.integration.services.customer_info.subjects import Subject, told_by_fake, told_by_outbox
from tests.support.fakes.profiles import FakeProfiles
from tests.unit.services.customer_info import profile_builders as build
from tests.unit.services.customer_info.builders import NOON, later, new_uuid, person

TOLD = Told(
    {
        "count": Sum(3),
        "last": Last("call", NOON),
        "when": Last(NOON, NOON),
        "most": Tally({"call": 2, "web": 1}),
        "open": Things({"t": Thing(2, is_open=True, at=NOON)}),
    },
    NOON,
)


@pytest.fixture
def real(store: Store, vault: Vault) -> ProfileStore:
    return ProfileStore(store, vault, History(store))


@pytest.fixture(params=["fake", "real"])
def subject(request: pytest.FixtureRequest, store: Store, real: ProfileStore) -> Subject[Any]:
    if request.param == "fake":
        fake = FakeProfiles()
        return Subject(fake, told_by_fake(fake))
    return Subject(real, told_by_outbox(store))


async def put(profiles: Profiles, *versions: Profile) -> None:
    for profile in versions:
        event = updated_event(profile, frozenset({"language"}))
        await profiles.transact(lambda t, p=profile, e=event: profiles.put(t, p, e))  # type: ignore[misc]


async def test_a_profile_is_kept_whole_with_what_it_has_to_tell(subject: Subject[Any]) -> None:
    full = build.full_profile()
    bare = build.full_profile(
        language="", channels=(), contact_window=None, accessibility_needs=(), interests=(), newsletter_topics=()
    )
    await put(subject.store, full, bare)
    found = await subject.store.of(None, [full.customer_id, bare.customer_id, new_uuid()])
    assert found == {full.customer_id: full, bare.customer_id: bare}
    assert await subject.told([full.id]) == [(full.id, 1, "ProfileUpdated")]


async def test_the_next_version_takes_the_place_of_the_one_before(subject: Subject[Any]) -> None:
    first = build.full_profile()
    second = replace(first, version=2, language="fr", update_time=later())
    await put(subject.store, first, second)
    assert await subject.store.of(None, [first.customer_id]) == {first.customer_id: second}
    assert await subject.told([first.id]) == [(first.id, 1, "ProfileUpdated"), (first.id, 2, "ProfileUpdated")]


async def test_a_profile_is_read_as_it_stood_at_a_time(subject: Subject[Any]) -> None:
    first, other = build.full_profile(), build.full_profile(update_time=later(1))
    second = replace(first, version=2, language="fr", contact_window=None, update_time=later(2))
    await put(subject.store, first, second, other)
    ids = [first.customer_id, other.customer_id, new_uuid()]
    seen = [set((await subject.store.as_of(ids, later(minute))).values()) for minute in (-1, 0, 1, 2)]
    assert seen == [set(), {first}, {first, other}, {second, other}]


async def test_a_transaction_that_fails_leaves_nothing(subject: Subject[Any]) -> None:
    profile = build.full_profile()

    async def work(transaction: Any) -> None:
        await subject.store.put(transaction, profile, updated_event(profile, frozenset()))
        assert await subject.store.of(transaction, [profile.customer_id]) == {profile.customer_id: profile}
        raise Conflict("no")

    with pytest.raises(Conflict):
        await subject.store.transact(work)
    assert await subject.store.of(None, [profile.customer_id]) == {}
    assert await subject.told([profile.id]) == []


async def test_facts_are_kept_by_customer_and_section(subject: Subject[Any]) -> None:
    mine, hers = (new_uuid(), "contacts"), (new_uuid(), "tickets")
    facts = {mine: TOLD, hers: Told({"n": Sum(1)}, later())}
    await subject.store.transact(lambda t: subject.store.tell(t, facts))
    assert await subject.store.told(None, [mine, hers, (mine[0], "tickets")]) == facts
    more = {mine: Told({"count": Sum(4)}, later())}
    await subject.store.transact(lambda t: subject.store.tell(t, more))
    assert await subject.store.told(None, [mine]) == more


async def test_who_is_forgotten_has_an_empty_profile_and_no_facts_and_leaves_a_mark(
    subject: Subject[Any],
) -> None:
    gone, other = build.full_profile(), build.full_profile()
    await put(subject.store, gone, other)
    places = [(gone.customer_id, s.name) for s in SECTIONS if s.kinds]
    facts = {places[0]: TOLD, (other.customer_id, "contacts"): TOLD}
    await subject.store.transact(lambda t: subject.store.tell(t, facts))
    await subject.store.transact(lambda t: subject.store.forget(t, [gone.customer_id]))
    bare = Profile(gone.customer_id)
    emptied = replace(bare, id=gone.id, version=gone.version, create_time=NOON, update_time=NOON)
    assert await subject.store.of(None, [gone.customer_id, other.customer_id]) == {
        gone.customer_id: emptied,
        other.customer_id: other,
    }
    assert await subject.store.told(None, places) == dict.fromkeys(places)
    assert await subject.store.told(None, [(other.customer_id, "contacts")]) == {(other.customer_id, "contacts"): TOLD}


async def test_a_service_that_was_never_heard_from_has_no_time(subject: Subject[Any], store: Store) -> None:
    stamp = now() - timedelta(minutes=3)
    if isinstance(subject.store, FakeProfiles):
        subject.store.heard_times = {"interaction": stamp}
    else:
        position = {"_id": "interaction", "position": "1", "update_time": stamp}
        await store.collection(POSITIONS.name).replace_one({"_id": "interaction"}, position, upsert=True)
    assert await subject.store.heard(["interaction", "nobody"]) == {"interaction": stamp}


@given(build.profiles)
@settings(max_examples=25)
async def test_whatever_a_profile_says_is_read_back_as_it_was(store: Store, vault: Vault, profile: Profile) -> None:
    real = ProfileStore(store, vault, History(store))
    kept = replace(profile, customer_id=new_uuid(), id=new_uuid(), version=1, create_time=NOON, update_time=NOON)
    await put(real, kept)
    assert await real.of(None, [kept.customer_id]) == {kept.customer_id: kept}


async def test_nothing_that_tells_of_the_person_is_kept_in_plain(real: ProfileStore, store: Store) -> None:
    secret = (Interest("xylophones", Source.STATED, 1.0),)
    first = build.full_profile(interests=secret, accessibility_needs=("ear_trumpet",), newsletter_topics=("zithers",))
    await put(real, first, replace(first, version=2, update_time=later()))
    for name, field in ((PROFILES.name, "_id"), ("history", "subject")):
        kept = bson.encode(await store.collection(name).find_one({field: first.id}))
        for word in (b"xylophones", b"ear_trumpet", b"zithers", b"Europe/Berlin"):
            assert word not in kept


async def test_of_an_erased_person_no_profile_is_written_and_none_is_read(real: ProfileStore, vault: Vault) -> None:
    profile = build.full_profile()
    await put(real, profile)
    await vault.destroy([profile.customer_id])
    found = (await real.of(None, [profile.customer_id]))[profile.customer_id]
    assert (found.interests, found.contact_window, found.language) == ((), None, profile.language)
    with pytest.raises(Refused) as refused:
        await put(real, replace(profile, version=2))
    assert refused.value.reason == "ERASED"


async def test_of_many_who_make_a_profile_at_once_none_is_lost(real: ProfileStore, store: Store, vault: Vault) -> None:
    customers = CustomerStore(store, vault, History(store))
    customer = person()
    await customers.load([customer], [], [created_event(customer)])
    usecases = ProfileUseCases(real, customers, Lineage(store))

    async def add(tag: str) -> None:
        """Adds one topic to those there are, as often as it takes."""
        while True:
            seen = await usecases.get(customer.id)
            wish = Profile(customer.id, newsletter_topics=(*seen.newsletter_topics, tag))
            try:
                await usecases.update(wish, frozenset({"newsletter_topics"}), f"v{seen.version}")
            except Conflict:
                continue
            return

    tags = {f"t{n}" for n in range(12)}
    await asyncio.gather(*(add(tag) for tag in tags))
    after = await usecases.get(customer.id)
    assert set(after.newsletter_topics) == tags
    assert after.version == len(tags)
    assert await store.collection(PROFILES.name).count_documents({"customer_id": customer.id}) == 1
    assert await store.collection("history").count_documents({"subject": after.id}) == len(tags) - 1
