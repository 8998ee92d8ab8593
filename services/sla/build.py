"""Puts SLA together: settings → store → use cases → handlers, the ear on tickets, the timers."""

from chassis import following
from chassis.app import App
from chassis.channels import Channel
from chassis.events import handlers as events_handlers
from chassis.events.lease import Lease
from chassis.events.listener import LISTENER_COLLECTIONS, Listener
from chassis.events.outbox import OUTBOX, outbox_source
from chassis.following import Following
from chassis.lineage import LINEAGE, Lineage
from chassis.mongo.client import Store
from services.sla.agreements import handlers as agreements
from services.sla.agreements.store import AGREEMENTS, AgreementStore
from services.sla.agreements.usecases import AgreementUseCases
from services.sla.clocks import handlers as clocks
from services.sla.clocks.alarm_usecases import Alarms
from services.sla.clocks.store import CLOCKS, ClockStore
from services.sla.clocks.usecases import ClockUseCases
from services.sla.measurements import handlers as measurements
from services.sla.measurements.store import OUTAGES, MeasurementStore
from services.sla.measurements.usecases import MeasurementUseCases
from services.sla.privacy import handlers as privacy
from services.sla.privacy.usecases import Exporting
from services.sla.settings import SlaSettings

COLLECTIONS = (AGREEMENTS, CLOCKS, OUTAGES, LINEAGE, OUTBOX, *LISTENER_COLLECTIONS)


async def build(app: App) -> None:
    """Opens the store, and serves and runs everything this service has."""
    assert isinstance(app.settings, SlaSettings), "run() was told so"
    store = await app.store(app.settings.sla_mongo_uri, COLLECTIONS)
    lineage, promised, kept, measured = (
        Lineage(store),
        AgreementStore(store),
        ClockStore(store),
        MeasurementStore(store),
    )
    running = ClockUseCases(kept, promised, lineage)
    agreements.install(app, AgreementUseCases(promised, lineage))
    clocks.install(app, running)
    measurements.install(app, MeasurementUseCases(measured, lineage))
    privacy.install(app, Exporting(lineage, kept.page, promised.covering, measured.page))
    events_handlers.install(app, store, [outbox_source(clocks.TOLD)])
    _run_clocks(app, store, await app.channel(app.settings.interaction_target), running)
    ear = Following(lineage)
    told_of = await app.channel(app.settings.customer_info_target)
    app.background("listen_customer_info", Listener("customer_info", store, told_of, following.KINDS, ear.apply).run)


def _run_clocks(app: App, store: Store, interaction: Channel, running: ClockUseCases) -> None:
    """Listens to interaction's tickets, and rings alarms."""
    ears = clocks.TicketEars(running)
    app.background("tickets", Listener("tickets", store, interaction, clocks.HEARD, ears.apply).run)
    alarms = Alarms(running, Lease(store, "clock-alarms"))
    app.background("alarms", alarms.run)
    app.background("alarm_lead", alarms.stand)
