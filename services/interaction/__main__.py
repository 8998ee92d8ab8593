"""Starts interaction: settings, store, use cases, handlers."""

from typing import cast

from holdfast.events.v1 import events_pb2, events_pb2_grpc
from holdfast.interaction.v1 import interactions_pb2, interactions_pb2_grpc, tickets_pb2, tickets_pb2_grpc

from chassis import serve
from chassis.app import App
from chassis.events.feed import Feed
from chassis.events.handlers import EventsHandlers
from chassis.events.outbox import OUTBOX, outbox_source
from chassis.mongo.requests import REQUESTS
from services.interaction.interactions.handlers import InteractionsHandlers
from services.interaction.interactions.store import INTERACTIONS, SOURCE, InteractionStore
from services.interaction.interactions.usecases import InteractionUseCases
from services.interaction.settings import InteractionSettings
from services.interaction.tickets.handlers import TicketsHandlers
from services.interaction.tickets.store import TICKETS, TicketStore
from services.interaction.tickets.usecases import TicketUseCases


async def build(app: App) -> None:
    """Puts the service together."""
    settings = cast("InteractionSettings", app.settings)
    store = await app.store(settings.interaction_mongo_uri, [INTERACTIONS, TICKETS, OUTBOX, REQUESTS])
    interactions = InteractionsHandlers(InteractionUseCases(InteractionStore(store)))
    tickets = TicketsHandlers(TicketUseCases(TicketStore(store)))
    events = EventsHandlers(
        Feed("interaction", store, [SOURCE, outbox_source((tickets_pb2.TicketOpened, tickets_pb2.TicketChanged))])
    )
    for register, servicer, module, name in (
        (
            interactions_pb2_grpc.add_InteractionsServiceServicer_to_server,
            interactions,
            interactions_pb2,
            "Interactions",
        ),
        (tickets_pb2_grpc.add_TicketsServiceServicer_to_server, tickets, tickets_pb2, "Tickets"),
        (events_pb2_grpc.add_EventsServiceServicer_to_server, events, events_pb2, "Events"),
    ):
        app.serve(register, servicer, module.DESCRIPTOR.services_by_name[f"{name}Service"])


if __name__ == "__main__":
    serve.run("interaction", InteractionSettings, build)
