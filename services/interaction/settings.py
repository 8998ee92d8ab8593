"""Settings of interaction."""

from pydantic import Field

from chassis.settings import Address, MongoUri, Settings


class InteractionSettings(Settings):
    """What this service is told beyond what every process is."""

    interaction_mongo_uri: MongoUri = Field(description="The store of interaction.")
    customer_info_target: Address = Field(description="Where customer information tells its events, host:port.")
