"""Starts the experience API: settings, clients, use case, handlers."""

from datetime import timedelta
from typing import cast

from holdfast.gateway.v1 import experience_pb2, experience_pb2_grpc, privacy_pb2, privacy_pb2_grpc

from chassis import serve
from chassis.app import App
from gateway.experience.clients import Channels, Clients, weight
from gateway.experience.flights import SharedSections
from gateway.experience.handlers import ExperienceHandlers
from gateway.experience.memory import Memory
from gateway.experience.usecases import Customer360
from gateway.privacy.clients import Clients as PrivacyClients
from gateway.privacy.handlers import PrivacyHandlers
from gateway.privacy.usecases import Export
from gateway.settings import GatewaySettings


async def build(app: App) -> None:
    """Puts the experience API together."""
    settings = cast("GatewaySettings", app.settings)
    channels = Channels(
        customer_info=await app.channel(settings.customer_info_target),
        interaction=await app.channel(settings.interaction_target),
        retention=await app.channel(settings.retention_target),
        sla=await app.channel(settings.sla_target),
    )
    longest = timedelta(seconds=settings.remember_seconds)
    memory = Memory(weight, settings.remember_megabytes * 1024 * 1024, longest)
    sections = SharedSections(Clients(channels))
    app.serve(
        experience_pb2_grpc.add_ExperienceServiceServicer_to_server,
        ExperienceHandlers(Customer360(sections, memory, settings.section_seconds)),
        experience_pb2.DESCRIPTOR.services_by_name["ExperienceService"],
    )
    app.serve(
        privacy_pb2_grpc.add_PrivacyServiceServicer_to_server,
        PrivacyHandlers(Export(PrivacyClients(channels), settings.export_silence_seconds)),
        privacy_pb2.DESCRIPTOR.services_by_name["PrivacyService"],
    )


if __name__ == "__main__":
    serve.run("gateway", GatewaySettings, build)
