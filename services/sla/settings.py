"""Settings of SLA."""

from pydantic import Field

from chassis.settings import Address, MongoUri, Settings


class SlaSettings(Settings):
    """What this service is told beyond what every process is."""

    sla_mongo_uri: MongoUri = Field(description="The store of agreements, clocks and measurements.")
    interaction_target: Address = Field(description="Where interaction tells of tickets, host:port.")
    customer_info_target: Address = Field(description="Where customer information tells its events, host:port.")
