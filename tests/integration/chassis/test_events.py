"""Events: at least once on the wire, exactly once in effect, through crashes, replicas and a lost oplog."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

import bson
import pytest
from bson.timestamp import Timestamp
from holdfast.customer_info.v1 import customers_pb2
from holdfast.events.v1 import events_pb2
from pymongo.errors import OperationFailure

from chassis.events import feed as feeds
from chassis.events.feed import Feed
from chassis.events.lease import Lease
from chassis.events.listener import LISTENER_COLLECTIONS, Listener, Received
from chassis.events.outbox import OUTBOX, Happening, Outbox, Source, outbox_source
from chassis.events.position import Position, decode
from chassis.ids import new_id
from chassis.mongo.client import Store, open_store
from chassis.mongo.schema import Collection
from chassis.rules import Invalid
from chassis.times import now
from tests.support.service import Keys, environment
from tests.support.settings import settings_of

FACTS = Collection("facts", required={})
SUMS = Collection("sums", required={"count": ["int", "long"]})


@pytest.fixture(scope="module")
async def store(mongo_uri: Callable[[str], str], keys: Keys) -> AsyncIterator[Store]:
    opened = await open_store(mongo_uri("events"), settings_of(environment(keys, 1)), "test")
    await opened.ensure([OUTBOX, FACTS, SUMS, *LISTENER_COLLECTIONS])
    yield opened
    await opened.close()


@pytest.fixture
async def clean(store: Store) -> Store:
    for name in ("outbox", FACTS.name, "sums", *(c.name for c in LISTENER_COLLECTIONS)):
        await store.collection(name).delete_many({})
    return store


def feed_of(store: Store) -> Feed:
    return Feed("test", store, [outbox_source([customers_pb2.CustomerCreated, customers_pb2.CustomerUpdated])])


def feed_of_two(store: Store) -> Feed:
    """A feed of the outbox, and of facts that are events themselves."""
    facts = Source(FACTS.name, frozenset({"holdfast.test.Fact"}), lambda d: events_pb2.Event(subject=d["_id"]))
    return Feed("test", store, [facts, outbox_source([customers_pb2.CustomerCreated])])


async def write(store: Store, count: int) -> list[str]:
    subjects = [new_id() for _ in range(count)]

    async def work(transaction: Any) -> None:
        data = customers_pb2.CustomerCreated()
        await Outbox(store).add(transaction, *(Happening(s, 1, data, now(), s) for s in subjects))

    await store.transact(work)
    return subjects


async def collect(feed: Feed, after: Position | None, count: int) -> tuple[list[events_pb2.Event], Position]:
    found: list[events_pb2.Event] = []
    async with asyncio.timeout(20):
        async for batch in feed.after(after, frozenset()):
            found += batch.events
            if len(found) >= count:
                return found, batch.position
    raise AssertionError("the feed ended")


async def test_a_new_listener_gets_what_was_there_and_what_comes_in_order(clean: Store) -> None:
    old = await write(clean, 3)
    feed = feed_of(clean)
    found, position = await collect(feed, None, 3)
    assert [e.subject for e in found] == old
    assert found[0].type == "holdfast.customer_info.v1.CustomerCreated"
    new = await write(clean, 2)
    more, _ = await collect(feed, position, 2)
    assert {e.subject for e in more} >= set(new)


async def test_a_position_resumes_where_it_was_taken(clean: Store) -> None:
    feed = feed_of(clean)
    _, position = await collect(feed, Position(start=await clean.operation_time()), 0)
    first = await write(clean, 5)
    found, position = await collect(feed, position, 5)
    assert [e.subject for e in found] == first
    second = await write(clean, 4)
    found, _ = await collect(feed, decode(position.encode()), 4)
    assert [e.subject for e in found] == second


async def test_a_position_that_the_oplog_forgot_is_swept_from_the_outbox(
    clean: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = await write(clean, 6)
    feed = feed_of(clean)
    found, position = await collect(feed, None, 6)
    genuine = clean.watch

    async def forgetful(pipeline: Any, **options: Any) -> Any:
        if options.get("resume_after") == {"_data": "old"}:
            raise OperationFailure("the resume point may no longer be in the oplog", code=286)
        return await genuine(pipeline, **options)

    monkeypatch.setattr(clean, "watch", forgetful)
    monkeypatch.setattr(feeds, "_margin", lambda last: last)
    lost = Position(token={"_data": "old"}, last=found[2].id)
    again, _ = await collect(feed, lost, 3)
    assert [e.subject for e in again] == subjects[3:]
    assert position.last == found[-1].id


async def test_a_sweep_of_several_sources_that_breaks_anywhere_goes_on_without_a_gap(
    clean: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MOST_IN_A_BATCH", 2)
    for _ in range(3):
        await write(clean, 3)
        await clean.collection(FACTS.name).insert_many([{"_id": new_id()} for _ in range(2)])
    everything = [d["_id"] for name in ("outbox", FACTS.name) async for d in clean.collection(name).find({})]
    feed, position = feed_of_two(clean), None
    found: list[str] = []
    while len(found) < len(everything):
        # Each batch over a connection of its own, as if the listener died after it.
        events, position = await collect(feed, position and decode(position.encode()), 1)
        found += [e.id for e in events]
    assert found == sorted(everything)
    (own,) = await write(clean, 1)
    more, _ = await collect(feed, position, 1)
    assert own in {e.subject for e in more}


async def test_a_sweep_ends_with_the_last_id_of_all_so_that_a_lost_position_is_not_swept_from_the_first(
    clean: Store,
) -> None:
    await clean.collection(FACTS.name).insert_one({"_id": new_id()})
    await write(clean, 1)
    last = max([d["_id"] async for d in clean.collection("outbox").find({})])
    async for batch in feed_of_two(clean).after(None, frozenset()):
        if not batch.events:
            assert batch.position.last == last
            break


@pytest.mark.parametrize(
    "token", ["00", "82", "abc", "82" + "ff" * 30], ids=["unknown type", "cut off", "odd", "of another format"]
)
async def test_a_token_that_the_store_cannot_read_is_a_lost_position(clean: Store, token: str) -> None:
    subjects = await write(clean, 2)
    found, _ = await collect(feed_of(clean), Position(token={"_data": token}), 2)
    assert [e.subject for e in found] == subjects


FORGED: Sequence[dict[str, object]] = [
    {},
    {"t": None, "s": None, "l": ""},
    {"t": "82", "s": None, "l": ""},
    {"t": {"_data": 7}, "s": None, "l": ""},
    {"t": {"_data": "zz"}, "s": None, "l": ""},
    {"t": None, "s": 7, "l": ""},
    {"t": {"_data": "82"}, "s": Timestamp(1, 1), "l": ""},
    {"t": {"_data": "82"}, "s": None, "l": "zz"},
    {"t": {"_data": "82"}, "s": None, "l": {"$gt": ""}},
]


@pytest.mark.parametrize(
    "text", ["no such thing", *(base64.urlsafe_b64encode(bson.encode(forged)).decode() for forged in FORGED)]
)
def test_a_foreign_position_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(text)
    assert refused.value.field == "after"


async def test_types_that_a_service_does_not_tell_are_refused_with_those_it_does(clean: Store) -> None:
    with pytest.raises(Invalid, match=r"CustomerMade.*CustomerCreated") as refused:
        await anext(aiter(feed_of(clean).after(None, frozenset({"holdfast.customer_info.v1.CustomerMade"}))))
    assert refused.value.field == "types"


class Wire:
    """Serves a feed to a listener without a socket: delivers some batches twice, and breaks now and then."""

    def __init__(self, feed: Feed, break_after: int) -> None:
        self._feed = feed
        self._break_after = break_after

    async def responses(self, after: str) -> AsyncIterator[events_pb2.SubscribeResponse]:
        sent = 0
        async for batch in self._feed.after(decode(after), frozenset()):
            response = events_pb2.SubscribeResponse(events=batch.events, position=batch.position.encode())
            yield response
            yield response
            sent += 1
            if sent == self._break_after:
                return


async def test_events_delivered_twice_are_applied_once_and_a_failed_apply_changes_nothing(
    clean: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "IDLE_SECONDS", 0.2)
    await write(clean, 40)
    failures = iter([True, False, True])

    async def apply(events: Sequence[Received], transaction: Any) -> None:
        for event in events:
            await clean.collection("sums").update_one(
                {"_id": event.subject}, {"$inc": {"count": 1}}, upsert=True, session=transaction
            )
        if next(failures, False):
            raise OSError("cannot apply this")

    listener = Listener("test", clean, cast("Any", _NoChannel()), [customers_pb2.CustomerCreated], apply)
    for _ in range(3):
        kept = await clean.collection("positions").find_one({"_id": "test"})
        async for response in Wire(feed_of(clean), 2).responses(kept["position"] if kept else ""):
            await listener._take(response)
    counts = [d["count"] async for d in clean.collection("sums").find({})]
    letters = await clean.collection("dead_letters").count_documents({})
    assert letters == 1, "the one event whose own apply failed is set aside, not lost and not in the way"
    assert counts == [1] * (40 - letters)


class _NoChannel:
    """Stands where the listener makes its stub; these tests hand it responses themselves."""

    def unary_stream(self, *_: Any, **__: Any) -> None:
        return None


async def test_one_of_two_replicas_holds_a_lease_and_the_other_takes_over(clean: Store) -> None:
    holders: list[str] = []
    released = asyncio.Event()

    async def first() -> None:
        holders.append("first")
        await released.wait()

    async def second() -> None:
        holders.append("second")

    one = asyncio.ensure_future(Lease(clean, "job").run(first))
    async with asyncio.timeout(20):
        while not holders:  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0.01)
    two = asyncio.ensure_future(Lease(clean, "job").run(second))
    await asyncio.sleep(0)
    assert holders == ["first"]
    released.set()
    async with asyncio.timeout(20):
        await asyncio.gather(one, two)
    assert holders == ["first", "second"]


async def test_the_lease_of_a_dead_replica_runs_out(clean: Store) -> None:
    await clean.collection("leases").insert_one({"_id": "job", "holder": "dead", "expire_time": now()})
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    async with asyncio.timeout(20):
        await Lease(clean, "job").run(work)
    assert done.is_set()
