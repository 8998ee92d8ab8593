"""Settings of interaction."""

from pydantic import Field

from chassis.settings import MongoUri, Settings


class InteractionSettings(Settings):
    """What this service is told beyond what every process is."""

    interaction_mongo_uri: MongoUri = Field(description="The store of interaction.")
