"""Listens to another service: at least once on the wire, exactly once in effect.

The position, the ids of the events applied and what they changed are written in one transaction of the listener's own
store. Whatever is killed in between, the next attempt starts where the last transaction ended.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import grpc
from google.protobuf.message import Message
from holdfast.events.v1 import events_pb2, events_pb2_grpc
from opentelemetry import metrics
from pymongo.errors import PyMongoError

from chassis.channels import Channel
from chassis.events.lease import LEASES, Lease
from chassis.log import logger
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.faults import refusal_of
from chassis.mongo.schema import Collection, Index
from chassis.times import from_timestamp, now

# Longer than a swept event can be delivered again after its position was lost.
APPLIED_KEPT_SECONDS = 14 * 24 * 3600
POSITIONS = Collection("positions", required={"position": "string", "update_time": "date"})
APPLIED = Collection(
    "applied_events",
    required={"apply_time": "date"},
    indexes=[Index([("apply_time", 1)], serves="forgets old ids", expire_after_seconds=APPLIED_KEPT_SECONDS)],
)
DEAD_LETTERS = Collection(
    "dead_letters",
    required={"listener": "string", "event": "binData", "error": "string", "time": "date"},
    indexes=[Index([("listener", 1), ("time", 1)], serves="an operator looking for what was set aside")],
)
LISTENER_COLLECTIONS = (POSITIONS, APPLIED, DEAD_LETTERS, LEASES)

_log = logger("listener")
_meter = metrics.get_meter("holdfast.events")
_applied = _meter.create_counter("holdfast.events.applied", "1", "Events applied")
_dead = _meter.create_counter("holdfast.events.dead", "1", "Events set aside because applying them failed")
_lag = _meter.create_histogram("holdfast.events.lag", "s", "Time from an event to its being applied")

# Applies events, in order, in the transaction; it must have no other effect.
Apply = Callable[[Sequence["Received"], Transaction], Awaitable[None]]


class Received:
    """An event with its data unpacked."""

    __slots__ = ("customer_id", "data", "id", "sequence", "subject", "time")

    def __init__(self, event: events_pb2.Event, data: Message) -> None:
        self.id = event.id
        self.subject = event.subject
        self.customer_id = event.customer_id
        self.sequence = event.sequence
        self.time: datetime = from_timestamp(event.time)
        self.data = data


class Listener:
    """One service's ear on another."""

    def __init__(self, name: str, store: Store, channel: Channel, kinds: Sequence[type[Message]], apply: Apply) -> None:
        """Listens over `channel` for events of `kinds`, and hands them to `apply`; `name` keeps the position."""
        self._name = name
        self._store = store
        self._stub = events_pb2_grpc.EventsServiceStub(channel)
        self._kinds = {k.DESCRIPTOR.full_name: k for k in kinds}
        self._apply = apply
        self._lease = Lease(store, f"listener:{name}")
        self._positions = store.collection(POSITIONS.name)
        self._seen = store.collection(APPLIED.name)
        self._dead = store.collection(DEAD_LETTERS.name)

    async def run(self) -> None:
        """Listens while this replica holds the lease. Returns when the other side goes away; call it again."""
        try:
            await self._lease.run(self._listen)
        except (grpc.aio.AioRpcError, PyMongoError) as error:
            code = error.code().name if isinstance(error, grpc.aio.AioRpcError) else type(error).__name__
            _log.info("listening_interrupted", listener=self._name, reason=code)
            raise

    async def _listen(self) -> None:
        kept = await self._positions.find_one({"_id": self._name})
        request = events_pb2.SubscribeRequest(after=kept["position"] if kept else "", types=sorted(self._kinds))
        async for response in self._stub.Subscribe(request, wait_for_ready=True):
            await self._take(response)

    async def _take(self, response: events_pb2.SubscribeResponse) -> None:
        received = [Received(e, self._unpack(e)) for e in response.events if e.type in self._kinds]
        try:
            await self._store.transact(lambda t: self._apply_new(t, received, response.position))
        except Exception as error:
            if _transient(error) or len(received) == 0:
                raise
            _log.error("batch_refused", listener=self._name, type=type(error).__name__, events=len(received))
            await self._one_by_one(response)
        for event in received:
            _lag.record(max(0.0, (now() - event.time).total_seconds()), {"listener": self._name})
        _applied.add(len(received), {"listener": self._name})

    async def _one_by_one(self, response: events_pb2.SubscribeResponse) -> None:
        """Finds the event that cannot be applied, and sets it aside: one bad event must not hold up all that follow."""
        for event in response.events:
            one = [Received(event, self._unpack(event))] if event.type in self._kinds else []
            try:
                await self._store.transact(lambda t, one=one: self._apply_new(t, one, None))  # type: ignore[misc]
            except Exception as error:
                if _transient(error):
                    raise
                await self._set_aside(event, error)
        await self._store.transact(lambda t: self._apply_new(t, [], response.position))

    async def _apply_new(self, transaction: Transaction, received: Sequence[Received], position: str | None) -> None:
        ids = [event.id for event in received]
        if ids:
            cursor = self._seen.find({"_id": {"$in": ids}}, {"_id": 1}, session=transaction)
            known = {d["_id"] async for d in cursor}
            fresh = [event for event in received if event.id not in known]
            if fresh:
                await self._apply(fresh, transaction)
                await self._mark(transaction, [event.id for event in fresh])
        if position is not None:
            update: Document = {"$set": {"position": position, "update_time": now()}}
            await self._positions.update_one({"_id": self._name}, update, upsert=True, session=transaction)

    async def _mark(self, transaction: Transaction, ids: Sequence[str]) -> None:
        stamp = now()
        await self._seen.insert_many([{"_id": i, "apply_time": stamp} for i in ids], session=transaction)

    async def _set_aside(self, event: events_pb2.Event, error: Exception) -> None:
        _log.error("event_set_aside", listener=self._name, event_id=event.id, type=type(error).__name__)
        _dead.add(1, {"listener": self._name})
        letter = {
            "_id": f"{self._name}:{event.id}",
            "listener": self._name,
            "event": event.SerializeToString(),
            "error": type(error).__name__,
            "time": now(),
        }

        async def keep(transaction: Transaction) -> None:
            await self._dead.replace_one({"_id": letter["_id"]}, letter, upsert=True, session=transaction)
            # Delivered again, it must not be applied behind the back of whoever deals with the letter.
            await self._mark(transaction, [event.id])

        await self._store.transact(keep)

    def _unpack(self, event: events_pb2.Event) -> Message:
        data = self._kinds[event.type]()
        data.ParseFromString(event.data.value)
        return data


def _transient(error: Exception) -> bool:
    """Whether trying again may help: the store was away, or another transaction was in the way."""
    return refusal_of(error) is not None or isinstance(error, grpc.aio.AioRpcError)
