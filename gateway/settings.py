"""Settings of the experience API."""

from pydantic import Field

from chassis.settings import Address, Settings


class GatewaySettings(Settings):
    """What the experience API is told beyond what every process is."""

    customer_info_target: Address = Field(description="gRPC address of customer information, host:port.")
    interaction_target: Address = Field(description="gRPC address of interaction, host:port.")
    retention_target: Address = Field(description="gRPC address of retention, host:port.")
    sla_target: Address = Field(description="gRPC address of SLA, host:port.")
    section_seconds: float = Field(2.0, gt=0, le=60, description="Most seconds that one section of a 360 may take.")
    export_silence_seconds: float = Field(
        30.0, gt=0, le=600, description="An export fails when a service says nothing for so many seconds."
    )
    remember_megabytes: int = Field(
        64, ge=0, le=65_536, description="Room for last good answers, as they weigh on the wire; 0: remember none."
    )
    remember_seconds: float = Field(
        3600.0, gt=0, le=604_800, description="Age at which a last good answer is forgotten."
    )
