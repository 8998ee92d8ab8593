"""Settings of customer information."""

from pydantic import Field

from chassis.settings import MongoUri, Settings


class CustomerInfoSettings(Settings):
    """What this service is told beyond what every process is."""

    customer_info_mongo_uri: MongoUri = Field(description="The store of customer information.")
