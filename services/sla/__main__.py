"""Starts SLA: settings, store, use cases, handlers, the ear on tickets, the timers."""

from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis import serve
from chassis.app import App
from chassis.events.feed import Feed
from chassis.events.handlers import EventsHandlers
from chassis.events.outbox import OUTBOX, outbox_source
from services.sla.agreements import handlers as agreements
from services.sla.agreements.store import AGREEMENTS, AgreementStore
from services.sla.agreements.usecases import AgreementUseCases
from services.sla.clocks import handlers as clocks
from services.sla.clocks import jobs
from services.sla.clocks.store import CLOCKS, ClockStore
from services.sla.clocks.usecases import ClockUseCases
from services.sla.measurements import handlers as measurements
from services.sla.measurements.store import OUTAGES, MeasurementStore
from services.sla.measurements.usecases import MeasurementUseCases
from services.sla.settings import SlaSettings


async def build(app: App) -> None:
    """Puts the service together."""
    assert isinstance(app.settings, SlaSettings), "run() was told so"
    store = await app.store(app.settings.sla_mongo_uri, [AGREEMENTS, CLOCKS, OUTAGES, OUTBOX, *jobs.COLLECTIONS])
    promised = AgreementStore(store)
    agreements.install(app, AgreementUseCases(promised))
    measurements.install(app, MeasurementUseCases(MeasurementStore(store)))
    running = ClockUseCases(ClockStore(store), promised)
    clocks.install(app, running)
    jobs.start(app, store, await app.channel(app.settings.interaction_target), running)
    told = EventsHandlers(Feed("sla", store, [outbox_source(clocks.TOLD)]))
    descriptor = events_pb2.DESCRIPTOR.services_by_name["EventsService"]
    app.serve(events_pb2_grpc.add_EventsServiceServicer_to_server, told, descriptor)


if __name__ == "__main__":
    serve.run("sla", SlaSettings, build)
