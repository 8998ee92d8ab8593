"""The SLA service as processes of its own, between a fake interaction and a real store."""

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pymongo
from holdfast.events.v1 import events_pb2, events_pb2_grpc
from holdfast.sla.v1 import agreements_pb2_grpc, clocks_pb2, clocks_pb2_grpc, measurements_pb2_grpc, privacy_pb2_grpc

from chassis.times import from_timestamp, now
from services.sla.clocks.ticket_rules import Ticket
from tests.integration.services.sla.interaction import FakeInteraction
from tests.support.event_source import EventSource
from tests.support.service import Keys, Process, environment, free_port
from tests.unit.services.sla.builders import ticket

KINDS = {kind.DESCRIPTOR.full_name: kind for kind in (
    clocks_pb2.ClockStarted, clocks_pb2.ClockChanged, clocks_pb2.ClockInJeopardy, clocks_pb2.ClockBreached,
)}  # fmt: skip


@dataclass
class Sla:
    """Any number of replicas on one store."""

    uri: str
    keys: Keys
    folder: Path
    interaction: FakeInteraction
    # Not started, it is a service that is not there.
    customer_info: EventSource = field(default_factory=EventSource)
    replicas: list[Process] = field(default_factory=list)
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    async def add_replica(self) -> Process:
        settings = {
            "sla_mongo_uri": self.uri,
            "interaction_target": self.interaction.target,
            "customer_info_target": self.customer_info.address,
        }
        port = free_port()
        process = Process(
            "services.sla",
            environment(self.keys, port, **settings),
            self.folder / f"sla-{port}.log",
            f"127.0.0.1:{port}",
        )
        await asyncio.to_thread(process.start)
        self.replicas.append(process)
        return process

    @property
    def agreements(self) -> agreements_pb2_grpc.AgreementsServiceStub:
        return agreements_pb2_grpc.AgreementsServiceStub(self._channel())

    @property
    def clocks(self) -> clocks_pb2_grpc.ClocksServiceStub:
        return clocks_pb2_grpc.ClocksServiceStub(self._channel())

    @property
    def measurements(self) -> measurements_pb2_grpc.MeasurementsServiceStub:
        return measurements_pb2_grpc.MeasurementsServiceStub(self._channel())

    @property
    def privacy(self) -> privacy_pb2_grpc.PrivacyServiceStub:
        return privacy_pb2_grpc.PrivacyServiceStub(self._channel())

    def as_role(self, role: str, **claims: object) -> tuple[tuple[str, str], ...]:
        return self.keys.metadata(role, **claims)

    def outbox(self, **condition: Any) -> list[dict[str, Any]]:
        """What the service has told, read from its store."""
        with contextlib.closing(pymongo.MongoClient[dict[str, Any]](self.uri, tz_aware=True)) as client:
            return list(client.get_default_database()["outbox"].find(condition))

    def told(self, kind: type) -> Counter[str]:
        """How often an event of the kind was told of each clock."""
        return Counter(event["subject"] for event in self.outbox(type=kind.DESCRIPTOR.full_name))  # type: ignore[attr-defined]

    async def has_told(self, kind: type, count: int, *, seconds: float = 30.0) -> Counter[str]:
        """Waits until so many events of the kind were told; there may be more."""
        async with asyncio.timeout(seconds):
            while (found := await asyncio.to_thread(self.told, kind)).total() < count:  # noqa: ASYNC110 - not our event
                await asyncio.sleep(0.05)
        return found

    async def close(self) -> None:
        for channel in self.channels:
            await channel.close()
        for replica in self.replicas:
            replica.kill()

    def _channel(self) -> grpc.aio.Channel:
        alive = next(r for r in self.replicas if r.child is not None and r.child.poll() is None)
        self.channels.append(grpc.aio.insecure_channel(alive.address))
        return self.channels[-1]


@dataclass
class Watch:
    """When breaches reached a listener, by clock; and when they were due."""

    arrived: dict[str, datetime] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)

    def late(self, since: Mapping[str, datetime] | None = None) -> list[float]:
        """Seconds each was late; one that was due before `since` counts from then."""
        return [
            (at - max(self.due[name], (since or {}).get(name, self.due[name]))).total_seconds()
            for name, at in self.arrived.items()
        ]

    def take(self, event: events_pb2.Event) -> None:
        breached = clocks_pb2.ClockBreached.FromString(event.data.value)
        if event.subject in self.arrived:
            self.twice.append(event.subject)
        self.arrived[event.subject] = now()
        self.due[event.subject] = from_timestamp(breached.clock.breach_time)


@contextlib.asynccontextmanager
async def watching(sla: Sla, replica: Process) -> AsyncIterator[Watch]:
    """Listens to the breaches that a replica's feed tells while the block lasts."""
    watch, ready = Watch(), asyncio.Event()

    async def listen() -> None:
        async with grpc.aio.insecure_channel(replica.address) as channel:
            stub = events_pb2_grpc.EventsServiceStub(channel)
            wanted = events_pb2.SubscribeRequest(types=[clocks_pb2.ClockBreached.DESCRIPTOR.full_name])
            async for response in stub.Subscribe(wanted, metadata=sla.as_role("service")):
                for event in response.events:
                    watch.take(event)
                # The first answer says that what there was has been told: from here on it is live.
                ready.set()

    task = asyncio.create_task(listen())
    try:
        await asyncio.wait_for(ready.wait(), 30)
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def live(*states: str, opened: datetime | None = None, customer_id: str = "", priority: str = "HIGH") -> Ticket:
    """A ticket of the present: acknowledged now, and what followed a second apart."""
    start = opened or now()
    visits = [(float(n), name, priority) for n, name in enumerate(("ACKNOWLEDGED", *states))]
    one = ticket(*visits, ticket_id=str(uuid.uuid4()), customer_id=customer_id or str(uuid.uuid4()))
    moved = tuple(replace(v, time=start + timedelta(seconds=n)) for n, v in enumerate(one.visits))
    return replace(one, open_time=start, visits=moved)


def versions(one: Ticket) -> Sequence[Ticket]:
    """The ticket as it was told at each of its versions."""
    return [replace(one, visits=one.visits[: n + 1], sequence=n + 1) for n in range(len(one.visits))]
