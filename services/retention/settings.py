"""Settings of retention."""

from pydantic import Field

from chassis.settings import Address, MongoUri, Settings


class RetentionSettings(Settings):
    """What this service is told beyond what every process is."""

    retention_mongo_uri: MongoUri = Field(description="The store of retention.")
    customer_info_target: Address = Field(description="Where customer information tells its events, host:port.")
    interaction_target: Address = Field(description="Where interaction tells its events, host:port.")
    sla_target: Address = Field(description="Where sla tells its events, host:port.")
    model_key_file: str = Field(
        "", description="PEM file with the Ed25519 key that signs models; empty: the store keeps one, made once."
    )
    churn_horizon_months: int = Field(
        12, ge=1, le=120, description="Outcomes say who left within so many months; a model's probability is for them."
    )
