"""What runs beside the calls: the ear on tickets, and the timers."""

from chassis.app import App
from chassis.channels import Channel
from chassis.events.lease import Lease
from chassis.events.listener import LISTENER_COLLECTIONS, Listener
from chassis.mongo.client import Store
from services.sla.clocks.alarm_usecases import Alarms
from services.sla.clocks.handlers import HEARD, TicketEars
from services.sla.clocks.usecases import ClockUseCases

COLLECTIONS = LISTENER_COLLECTIONS


def start(app: App, store: Store, interaction: Channel, clocks: ClockUseCases) -> None:
    """Listens to interaction's tickets, and rings alarms, for as long as the service runs."""
    app.background("tickets", Listener("tickets", store, interaction, HEARD, TicketEars(clocks).apply).run)
    alarms = Alarms(clocks, Lease(store, "clock-alarms"))
    app.background("alarms", alarms.run)
    app.background("alarm_lead", alarms.stand)
