"""Settings of customer information."""

from pydantic import Field

from chassis.settings import MongoUri, OptionalAddress, Settings


class CustomerInfoSettings(Settings):
    """What this service is told beyond what every process is."""

    customer_info_mongo_uri: MongoUri = Field(description="The store of customer information.")
    customer_info_keys_mongo_uri: MongoUri = Field(
        description="The store of the keys that seal personal data; kept, and backed up, apart from the other."
    )
    customer_info_master_key: str = Field(
        min_length=1,
        description="Wraps those keys: a file with 32 bytes in base64, or the URL of a key of a transit engine (Vault, "
        "OpenBao), such as https://kms:8200/v1/transit/keys/holdfast.",
    )
    customer_info_former_master_key: str = Field(
        "",
        description="The master key before this one, while it is being replaced: what it wrapped is wrapped anew at "
        "start. Let go of it when every replica has started once.",
    )
    customer_info_master_key_token_file: str = Field(
        "", description="File with the token for the transit engine of either; read again when it changes."
    )
    interaction_target: OptionalAddress = Field(
        "", description="Where interaction tells its events, host:port; empty: the personalised view goes without."
    )
    retention_target: OptionalAddress = Field(
        "", description="Where retention tells its events, host:port; empty: the personalised view goes without."
    )
    sla_target: OptionalAddress = Field(
        "", description="Where sla tells its events, host:port; empty: the personalised view goes without."
    )
    verification_seconds: float = Field(
        900.0, gt=0, le=86_400, description="How long a challenge that a caller passed counts, in its contact."
    )
    code_seconds: float = Field(600.0, gt=0, le=3600, description="How long a one-time code is good.")
    argon2_memory_kib: int = Field(24_576, ge=8, le=4_194_304, description="Memory of one hash of an answer, in KiB.")
    argon2_passes: int = Field(2, ge=1, le=64, description="Passes of one hash of an answer over its memory.")
    argon2_lanes: int = Field(1, ge=1, le=64, description="Lanes of one hash of an answer, each a thread.")
    argon2_at_once: int = Field(2, ge=1, le=64, description="Hashes of answers made at once; others wait.")
