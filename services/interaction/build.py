"""Puts interaction together: stores, use cases, handlers, the ear on customer information, background jobs."""

import functools

from holdfast.events.v1 import events_pb2, events_pb2_grpc
from holdfast.interaction.v1 import (
    interactions_pb2,
    interactions_pb2_grpc,
    privacy_pb2,
    privacy_pb2_grpc,
    tickets_pb2,
    tickets_pb2_grpc,
)

from chassis import following
from chassis.app import App
from chassis.events.feed import Feed
from chassis.events.handlers import EventsHandlers
from chassis.events.lease import Lease
from chassis.events.listener import LISTENER_COLLECTIONS, Listener
from chassis.events.outbox import OUTBOX, outbox_source
from chassis.following import Following
from chassis.lineage import LINEAGE, Lineage
from services.interaction.interactions.handlers import InteractionsHandlers
from services.interaction.interactions.store import INTERACTIONS, SOURCE, InteractionStore
from services.interaction.interactions.usecases import InteractionUseCases
from services.interaction.privacy.handlers import PrivacyHandlers
from services.interaction.privacy.store import ERASURES, ErasureStore
from services.interaction.privacy.usecases import Erased, Erasing, Exporting
from services.interaction.settings import InteractionSettings
from services.interaction.tickets.handlers import TicketsHandlers
from services.interaction.tickets.store import ANSWERS, TICKETS, TicketStore
from services.interaction.tickets.usecases import TicketUseCases

COLLECTIONS = (INTERACTIONS, TICKETS, ERASURES, LINEAGE, OUTBOX, ANSWERS, *LISTENER_COLLECTIONS)
EVENTS = (tickets_pb2.TicketOpened, tickets_pb2.TicketChanged)


async def build(app: App) -> None:
    """Puts the service together."""
    settings = app.settings
    assert isinstance(settings, InteractionSettings), "run() was told so"
    store = await app.store(settings.interaction_mongo_uri, COLLECTIONS)
    lineage, erasures = Lineage(store), ErasureStore(store)
    entries, tickets = InteractionStore(store), TicketStore(store)
    erased = Erased(erasures)
    # Whoever logs a contact at once must find the erased known.
    await erased.refresh()
    handlers = (
        InteractionsHandlers(InteractionUseCases(entries, lineage, erased)),
        TicketsHandlers(TicketUseCases(tickets, lineage, erased)),
        PrivacyHandlers(Exporting(lineage, entries.page, tickets.page_of_customer)),
        EventsHandlers(Feed("interaction", store, [SOURCE, outbox_source(EVENTS)])),
    )
    _serve(app, *handlers)
    ear = Following(lineage, erasures.add)
    channel = await app.channel(settings.customer_info_target)
    app.background("listen_customer_info", Listener("customer_info", store, channel, following.KINDS, ear.apply).run)
    app.background("erased", erased.follow)
    erasing = Erasing(erasures, (entries, tickets))
    app.background("erasing", functools.partial(Lease(store, "erasing").run, erasing.run))


def _serve(app: App, interactions: object, tickets: object, privacy: object, events: object) -> None:
    for register, servicer, module, name in (
        (
            interactions_pb2_grpc.add_InteractionsServiceServicer_to_server,
            interactions,
            interactions_pb2,
            "Interactions",
        ),
        (tickets_pb2_grpc.add_TicketsServiceServicer_to_server, tickets, tickets_pb2, "Tickets"),
        (privacy_pb2_grpc.add_PrivacyServiceServicer_to_server, privacy, privacy_pb2, "Privacy"),
        (events_pb2_grpc.add_EventsServiceServicer_to_server, events, events_pb2, "Events"),
    ):
        app.serve(register, servicer, module.DESCRIPTOR.services_by_name[f"{name}Service"])
