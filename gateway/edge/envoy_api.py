"""The few words of Envoy's v3 API that every part of the configuration uses."""

from typing import Any

from gateway.edge.settings import Address

TYPE_PREFIX = "type.googleapis.com/"
Config = dict[str, Any]


def typed(type_name: str, **fields: Any) -> Config:
    """An `Any` holding the message `type_name`."""
    return {"@type": TYPE_PREFIX + type_name, **fields}


def extension(name: str, type_name: str, **fields: Any) -> Config:
    """A named extension (filter, logger, transport socket) with its typed configuration."""
    return {"name": name, "typed_config": typed(type_name, **fields)}


def socket(address: Address) -> Config:
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def seconds(value: float) -> str:
    """A protobuf Duration in JSON; Envoy refuses exponents, hence the fixed notation."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"
